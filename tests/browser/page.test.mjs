// SPDX-License-Identifier: Apache-2.0
// The call page where something is missing or goes wrong, and for people with a keyboard or a screen reader.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';
import {
  Daemon, expectNoComplaints, expectNames, joinRoom, launchBrowser, openPage, readPeers, waitForPeers,
} from './support.mjs';

const kConnectionLost = /WebSocket connection to|ERR_CONNECTION/;

describe('the call page', () => {
  let daemon;
  let browser;
  before(async () => {
    daemon = await Daemon.start({signaling: {room_members_max: 2}});
    browser = await launchBrowser();
  });
  after(async () => {
    await browser?.close();
    await daemon?.stop();
  });

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

  it('offers a room that nobody guesses, and takes the one of the address', async () => {
    const page = await openPage(browser, daemon.origin);
    assert.match(await page.getByRole('textbox', {name: 'Room'}).inputValue(), /^[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}$/);
    await page.goto(`${daemon.origin}/r/caf%C3%A9`);
    assert.equal(await page.getByRole('textbox', {name: 'Room'}).inputValue(), 'café');
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
    const page = await openPage(browser, daemon.origin, {first});
    await page.locator('#problems li[data-code="busy"]').filter({hasText: 'another program'}).waitFor();
    await page.getByRole('button', {name: 'Mute'}).waitFor();
    await close(page);
  });

  it('says that a browser without WebRTC cannot make calls', async () => {
    const page = await openPage(browser, daemon.origin, {first: () => delete window.RTCPeerConnection});
    await page.getByRole('alert').filter({hasText: 'This browser cannot make calls'}).waitFor();
    assert.ok(await page.getByRole('button', {name: 'Join'}).isDisabled());
    await close(page);
  });

  it('works with the keyboard alone', async () => {
    const page = await openPage(browser, `${daemon.origin}/r/keyboard`);
    await page.getByRole('button', {name: 'Stop video'}).waitFor();
    const focused = () => page.evaluate(() => {
      const {activeElement: at} = document;
      return at.labels?.[0]?.textContent.trim().split('\n')[0].trim() || at.textContent.trim();
    });
    const order = [];
    for (let presses = 0; presses < 12 && order.at(-1) !== 'Join'; ++presses) {
      await page.keyboard.press('Tab');
      order.push(await focused());
      if (order.at(-1) === 'Relay only') await page.keyboard.press('Space');
      if (order.at(-1) === 'Your name') await page.keyboard.type('Kim');
    }
    for (const stop of ['Mute', 'Stop video', 'Your name', 'Room', 'Relay only', 'Join']) {
      assert.ok(order.includes(stop), `${stop} is not in ${order}`);
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', {name: 'keyboard'}).and(page.locator(':focus')).waitFor();
    const controls = [];
    while (controls.at(-1) !== 'Leave' && controls.length < 12) {
      await page.keyboard.press('Tab');
      controls.push(await focused());
      if (controls.at(-1) === 'Mute') {
        await page.keyboard.press('Space');
        await page.getByRole('button', {name: 'Unmute'}).and(page.locator(':focus')).waitFor();
      }
    }
    assert.deepEqual(controls.slice(-5), ['Mute', 'Stop video', 'Copy link', 'Relay only', 'Leave']);
    assert.equal(await page.getByRole('switch', {name: 'Relay only'}).getAttribute('aria-checked'), 'true');
    await page.keyboard.press('Enter');
    await page.getByRole('button', {name: 'Join'}).and(page.locator(':focus')).waitFor();
    await close(page);
  });

  it('names every control for a screen reader, in the lobby and in a call', async () => {
    const page = await openPage(browser, `${daemon.origin}/r/names`);
    await page.getByRole('button', {name: 'Stop video'}).waitFor();
    await expectNames(page, ['heading', 'textbox', 'switch', 'button', 'combobox', 'link']);
    const ann = await join('Ann', 'names');
    const ben = await join('Ben', 'names');
    await waitForPeers(ann, 1);
    await expectNames(ann, ['heading', 'list', 'listitem', 'button', 'switch', 'group']);
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
    for (const button of await page.locator('.controls button').all()) {
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
    for (const page of pages) await lost(page).waitFor({state: 'hidden', timeout: 30_000});
    for (const page of pages) await waitForPeers(page, 1);
    for (const page of pages) expectNoComplaints(page, kConnectionLost);
    for (const page of pages) await page.context().close();
  });

  it('says that the server does not answer when one wants to join', async () => {
    const page = await openPage(browser, `${daemon.origin}/r/nobody`);
    await page.getByRole('button', {name: 'Stop video'}).waitFor();
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
  before(async () => {
    daemon = await Daemon.start();
  });
  after(() => daemon?.stop());

  /** One page in a browser with these flags; `problem` must be told, and joining works all the same. */
  async function expectProblem({flags, url, problem, words}) {
    const browser = await launchBrowser({media: false, flags});
    const other = await launchBrowser();
    try {
      const ann = await joinRoom(other, daemon.origin, {name: 'Ann', room: problem});
      const page = await openPage(browser, url);
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
    } finally {
      await browser.close();
      await other.close();
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
