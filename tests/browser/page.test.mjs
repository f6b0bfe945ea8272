// SPDX-License-Identifier: Apache-2.0
// The call page where something is missing or goes wrong, and for people with a keyboard or a screen reader.
import assert from 'node:assert/strict';
import {describe, it} from 'node:test';
import {
  expectNames, expectNoComplaints, joinRoom, launchBrowser, openPage, readPeers, recordOpened, startAll,
  turnOnDevices, waitForPeers,
} from './support.mjs';

const kConnectionLost = /WebSocket connection to|ERR_CONNECTION/;

describe('the call page', () => {
  let daemon;
  let browser;
  startAll((started) => ({daemon, browser} = started), {sections: {signaling: {room_members_max: 2}}});

  const join = (name, room) => joinRoom(browser, daemon.origin, {name, room});

  async function close(...pages) {
    for (const page of pages) expectNoComplaints(page);
    for (const page of pages) await page.context().close();
  }

  it('is served with a strict Content-Security-Policy at / and /r/ROOM', async () => {
    for (const where of ['/', '/r/some-room', '/test']) {
      const response = await fetch(daemon.origin + where);
      assert.equal(response.status, 200);
      const policy = response.headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'/);
      assert.doesNotMatch(policy, /unsafe/);
    }
  });

  it('makes a room that nobody guesses, and takes the one of a name, a link or the address', async () => {
    const page = await openPage(browser, daemon.origin);
    await page.getByRole('button', {name: 'New call'}).click();
    await page.getByRole('heading', {name: /^Room ([bdfghklmnprstvwz][aeiou]){3}(-([bdfghklmnprstvwz][aeiou]){3}){2}$/}).waitFor();
    await page.getByRole('button', {name: 'Back'}).click();
    await page.getByRole('button', {name: 'Continue'}).click();
    await page.getByRole('alert').filter({hasText: 'Type in the name of a room'}).waitFor();
    await page.getByRole('textbox', {name: 'Room'}).fill(`${daemon.origin}/r/caf%C3%A9?relay=1`);
    await page.getByRole('button', {name: 'Continue'}).click();
    await page.getByRole('heading', {name: 'Room café'}).waitFor();
    assert.equal(page.url(), `${daemon.origin}/r/caf%C3%A9`);
    await page.goBack();
    await page.getByRole('button', {name: 'New call'}).waitFor();
    await page.goto(`${daemon.origin}/r/caf%C3%A9`);
    await page.getByRole('heading', {name: 'Room café'}).waitFor();
    await close(page);
  });

  it('remembers rooms until they are forgotten', async () => {
    const page = await join('Ann', 'lately');
    await page.getByRole('button', {name: 'Leave'}).click();
    await page.getByRole('button', {name: 'Back'}).click();
    await page.getByRole('link', {name: 'lately'}).click();
    await page.getByRole('heading', {name: 'Room lately'}).waitFor();
    await page.getByRole('button', {name: 'Back'}).click();
    await page.getByRole('button', {name: 'Forget lately'}).click();
    await page.getByRole('link', {name: 'lately'}).waitFor({state: 'hidden'});
    await close(page);
  });

  it('opens no device without a press, and then those of the last time', async () => {
    const opened = () => page.evaluate(() => window.opened);
    const page = await openPage(browser, `${daemon.origin}/r/choices`, {first: recordOpened});
    await page.getByText('You join to listen and watch only.').waitFor();
    assert.deepEqual(await opened(), []);
    await page.getByRole('button', {name: 'Unmute'}).click();
    await page.getByText('You join without camera. The others will hear you.').waitFor();
    await page.getByRole('button', {name: 'Mute'}).click();
    await page.getByText('You join muted and without camera.').waitFor();
    await page.getByRole('button', {name: 'Join'}).click();
    await page.getByRole('button', {name: 'Leave'}).waitFor();
    await page.getByRole('button', {name: 'Unmute'}).waitFor();
    await page.goto(`${daemon.origin}/r/choices`);  // a link: nothing is opened
    await page.getByText('You join to listen and watch only.').waitFor();
    assert.deepEqual(await opened(), []);
    await page.goto(daemon.origin);
    await page.getByRole('link', {name: 'choices'}).click();
    await page.getByText('You join muted and without camera.').waitFor();
    assert.deepEqual(await opened(), ['audio']);
    await close(page);
  });

  it('shows how loud the microphone is', async () => {
    const page = await openPage(browser, `${daemon.origin}/r/meter`);
    await turnOnDevices(page);
    await page.waitForFunction(() => document.getElementById('meter').value > 0.2);
    await page.getByRole('button', {name: 'Mute'}).click();
    await page.waitForFunction(() => document.getElementById('meter').value < 0.1);
    await close(page);
  });

  it('says that a room is full', async () => {
    const pages = [await join('Ann', 'full'), await join('Ben', 'full')];
    const page = await openPage(browser, `${daemon.origin}/r/full`);
    await page.getByRole('button', {name: 'Join'}).click();
    await page.getByRole('alert').filter({hasText: 'full'}).waitFor();
    assert.ok(await page.getByRole('button', {name: 'Join'}).isEnabled());
    await close(page, ...pages);
  });

  it('says that a device is in use, and opens the other one', async () => {
    const first = () => {
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (constraints) => (
        constraints.video ? Promise.reject(new DOMException('In use', 'NotReadableError')) : open(constraints));
    };
    const page = await openPage(browser, `${daemon.origin}/r/busy`, {first});
    await page.getByRole('button', {name: 'Turn on camera and microphone'}).click();
    await page.locator('#problems li[data-code="busy"]').filter({hasText: 'another program'}).waitFor();
    await page.getByRole('button', {name: 'Mute'}).waitFor();
    await close(page);
  });

  it('says that a browser without WebRTC cannot make calls', async () => {
    const page = await openPage(browser, daemon.origin, {first: () => delete window.RTCPeerConnection});
    await page.getByRole('alert').filter({hasText: 'This browser cannot make calls'}).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BODY');  // nothing can be pressed
    await close(page);
  });

  it('works with the keyboard alone', async () => {
    const page = await openPage(browser, `${daemon.origin}/r/keyboard`);
    const focused = () => page.evaluate(() => {
      const {activeElement: at} = document;
      return at.labels?.[0]?.textContent.trim().split('\n')[0].trim() || at.ariaLabel || at.textContent.trim();
    });
    /** Goes on with the Tab key until one is there; gives back what was passed. */
    const tabTo = async (name) => {
      const passed = [];
      while (passed.at(-1) !== name && passed.length < 15) {
        await page.keyboard.press('Tab');
        passed.push(await focused());
      }
      assert.equal(passed.at(-1), name, `${name} is not in ${passed}`);
      return passed;
    };
    await page.getByRole('heading', {name: 'Room keyboard'}).and(page.locator(':focus')).waitFor();
    await tabTo('Turn on camera and microphone');
    await page.keyboard.press('Enter');
    await page.getByRole('button', {name: 'Stop video'}).waitFor();
    await tabTo('Your name');
    await page.keyboard.type('Kim');
    await tabTo('Relay only');
    await page.keyboard.press('Space');
    await tabTo('Join');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', {name: 'keyboard'}).and(page.locator(':focus')).waitFor();
    await tabTo('Mute');
    await page.keyboard.press('Space');
    await page.getByRole('button', {name: 'Unmute'}).and(page.locator(':focus')).waitFor();
    const bar = await tabTo('Leave');
    assert.deepEqual(bar, ['Stop video', 'Share screen', 'Raise hand', 'Chat', 'People', 'Invite', 'More', 'Leave']);
    await page.keyboard.press('i');
    assert.ok(await page.getByRole('switch', {name: 'Relay only'}).isChecked());
    await page.keyboard.press('Escape');
    await page.getByRole('button', {name: 'More'}).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', {name: 'Keyboard shortcuts'}).getByText('Mute or unmute').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', {name: 'Leave'}).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', {name: 'Join'}).and(page.locator(':focus')).waitFor();
    await close(page);
  });

  it('names every control for a screen reader, in the lobby and in a call', async () => {
    const page = await openPage(browser, `${daemon.origin}/r/names`);
    await turnOnDevices(page);
    await expectNames(page, ['heading', 'textbox', 'switch', 'button', 'combobox', 'link']);
    const ann = await join('Ann', 'names');
    const ben = await join('Ben', 'names');
    await waitForPeers(ann, 1);
    await expectNames(ann, ['heading', 'list', 'listitem', 'button', 'group']);
    await close(page, ann, ben);
  });

  it('fits a phone without scrolling sideways', async () => {
    const options = {viewport: {width: 320, height: 640}, hasTouch: true};
    const page = await joinRoom(browser, daemon.origin, {name: 'Ann', room: 'phone', options});
    const size = await page.evaluate(() => {
      const {scrollWidth, scrollHeight} = document.documentElement;
      return [scrollWidth, scrollHeight];
    });
    assert.deepEqual(size, [320, 640]);
    for (const button of await page.locator('.controls button:visible').all()) {
      const {width, height} = await button.boundingBox();
      assert.ok(width >= 44 && height >= 44, `${width} × ${height} is small for a finger`);
    }
    await close(page);
  });

  it('says that the server is gone, finds it again and enters the room again', async () => {
    const pages = [await join('Ann', 'gone'), await join('Ben', 'gone')];
    const [ann] = pages;
    for (const page of pages) await waitForPeers(page, 1);
    await daemon.kill('SIGKILL');
    const lost = (page) => page.getByText('The connection to the server is lost.');
    for (const page of pages) await lost(page).waitFor();
    await ann.getByRole('button', {name: 'Try now'}).click();
    await daemon.run();
    for (const page of pages) await lost(page).waitFor({state: 'hidden'});
    for (const page of pages) await waitForPeers(page, 1);
    for (const page of pages) expectNoComplaints(page, kConnectionLost);
    for (const page of pages) await page.context().close();
  });

  it('says that the server does not answer when one wants to join', async () => {
    const page = await openPage(browser, `${daemon.origin}/r/nobody`);
    await page.getByRole('button', {name: 'Join'}).waitFor();
    await daemon.kill('SIGKILL');
    await page.getByRole('button', {name: 'Join'}).click();
    await page.getByRole('alert').filter({hasText: 'The server does not answer.'}).waitFor();
    await daemon.run();
    await page.getByRole('button', {name: 'Join'}).click();
    await page.getByRole('button', {name: 'Leave'}).waitFor();
    expectNoComplaints(page, kConnectionLost);
    await page.context().close();
  });
});

describe('the call page without a camera', () => {
  let daemon;
  let other;
  startAll((started) => ({daemon, browser: other} = started));

  /** One page in a browser with these flags; `problem` must be told, and joining works all the same. */
  async function expectProblem({flags, url, problem, words}) {
    const browser = await launchBrowser({media: false, flags});
    try {
      const ann = await joinRoom(other, `${daemon.origin}/r/${problem}`, {name: 'Ann'});
      const page = await openPage(browser, url);
      await page.getByRole('button', {name: 'Turn on camera and microphone'}).click();
      await page.locator(`#problems li[data-code="${problem}"]`).filter({hasText: words}).first().waitFor();
      await expectNames(page, ['button', 'textbox']);
      await page.getByLabel('Your name').fill('Ben');
      await page.getByRole('button', {name: 'Join'}).click();
      for (const each of [page, ann]) await waitForPeers(each, 1);
      await page.locator('#tiles > .has-video').waitFor();  // Ben sees Ann
      const [{frames}] = await readPeers(page);
      await page.waitForFunction(async (old) => {
        const [{connection}] = window.causeway.call.peers.values();
        return [...(await connection.getStats()).values()].some(({framesDecoded}) => framesDecoded > old);
      }, frames);
      await ann.locator('#tiles > li').filter({hasText: 'Ben'}).getByLabel('muted').waitFor();
      for (const each of [page, ann]) expectNoComplaints(each);
      await ann.context().close();
    } finally {
      await browser.close();
    }
  }

  it('says that there is none, and one can join all the same', () => expectProblem({
    flags: [],
    url: `${daemon.origin}/r/no-device`,
    problem: 'no-device',
    words: 'no camera',
  }));

  it('says what to do about a refused permission', () => expectProblem({
    flags: ['--use-fake-device-for-media-stream'],
    url: `${daemon.origin}/r/denied`,
    problem: 'denied',
    words: 'does not let this page use',
  }));

  it('says that a page without https gets none', () => expectProblem({
    flags: ['--host-resolver-rules=MAP causeway.test 127.0.0.1'],
    url: `http://causeway.test:${daemon.web_port}/r/insecure`,
    problem: 'insecure',
    words: 'without https',
  }));
});
