// SPDX-License-Identifier: Apache-2.0
// Both pages in Firefox, before a call: rooms, the lobby, and the test of this server and of any other.
import assert from 'node:assert/strict';
import path from 'node:path';
import {after, before, describe, it} from 'node:test';
import {kNoFirefox, launchFirefox, launchTrustingFirefox} from './firefox.mjs';
import {RelayTestPage} from './relay_test_page.mjs';
import {Daemon, expectNoComplaints, joinRoom, kUser, openPage, recordOpened, turnOnDevices} from './support.mjs';

describe('in Firefox', {skip: kNoFirefox}, () => {
  let daemon;
  let firefox;
  before(async () => {
    daemon = await Daemon.start();
    firefox = await launchFirefox();
  });
  after(async () => {
    await firefox?.close();
    await daemon?.stop();
  });

  async function close(page) {
    expectNoComplaints(page);
    await page.context().close();
  }

  it('a room is made, entered by its name, remembered and forgotten; no device is opened', async () => {
    const page = await openPage(firefox, daemon.origin, {first: recordOpened});
    await page.getByRole('button', {name: 'New call'}).click();
    await page.getByRole('heading', {name: /^Room (\w{6}-){2}\w{6}$/}).waitFor();
    await page.goBack();
    await page.getByRole('textbox', {name: 'Room'}).fill('café / 3');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', {name: 'Room café / 3'}).waitFor();
    assert.equal(page.url(), `${daemon.origin}/r/caf%C3%A9%20%2F%203`);
    await page.getByRole('button', {name: 'Join'}).click();
    await page.getByRole('button', {name: 'Leave'}).click();
    await page.getByRole('button', {name: 'Back'}).click();
    await page.getByRole('link', {name: 'café / 3'}).click();
    await page.getByRole('heading', {name: 'Room café / 3'}).waitFor();
    await page.getByRole('button', {name: 'Back'}).click();
    await page.getByRole('button', {name: 'Forget café / 3'}).click();
    await page.getByRole('link', {name: 'café / 3'}).waitFor({state: 'hidden'});
    assert.deepEqual(await page.evaluate(() => window.opened), []);
    await close(page);
  });

  it('the lobby names the devices and shows how loud the microphone is', async () => {
    const page = await openPage(firefox, `${daemon.origin}/r/lobby`);
    await turnOnDevices(page);
    await page.getByText('The others will see and hear you.').waitFor();
    await page.waitForFunction(() => document.getElementById('preview').videoWidth > 0);
    for (const name of ['Microphone', 'Camera', 'Loudspeaker']) {
      const options = await page.getByRole('combobox', {name}).locator('option').allTextContents();
      assert.ok(options.length > 0 && options.every((each) => each && each !== 'None found'), `${name}: ${options}`);
    }
    await page.waitForFunction(() => document.getElementById('meter').value > 0.2);
    await page.getByRole('button', {name: 'Mute'}).click();
    await page.waitForFunction(() => document.getElementById('meter').value < 0.1);
    await close(page);
  });

  it('one joins muted, without camera or to listen only, and the next time as well', async () => {
    const page = await openPage(firefox, `${daemon.origin}/r/choices`, {first: recordOpened});
    const opened = () => page.evaluate(() => window.opened);
    await page.getByText('You join to listen and watch only.').waitFor();
    await turnOnDevices(page);
    await page.getByRole('button', {name: 'Mute'}).click();
    await page.getByText('You join muted. The others will see you.').waitFor();
    await page.getByRole('button', {name: 'Stop video'}).click();
    await page.getByText('You join muted and without camera.').waitFor();
    await page.getByLabel('Your name').fill('Fox');
    await page.getByRole('button', {name: 'Join'}).click();
    await page.getByRole('button', {name: 'Leave'}).waitFor();
    await page.reload();  // a link: nothing is opened
    await page.getByText('You join to listen and watch only.').waitFor();
    assert.equal(await page.getByLabel('Your name').inputValue(), 'Fox');
    assert.deepEqual(await opened(), []);
    await page.goto(daemon.origin);
    await page.getByRole('link', {name: 'choices'}).click();
    await page.getByText('You join muted and without camera.').waitFor();
    assert.deepEqual(await opened(), ['audio']);
    await close(page);
  });

  it('a refused permission is said and keeps nobody out; without a sound card no loudspeaker is offered', async () => {
    const preferences = {
      'media.cubeb.force_mock_context': false, 'media.navigator.permission.disabled': false,
      'permissions.default.camera': 2, 'permissions.default.microphone': 2,
    };
    const strict = await launchFirefox({preferences});
    const page = await openPage(strict, `${daemon.origin}/r/denied`);
    await page.getByRole('button', {name: 'Turn on camera and microphone'}).click();
    const problem = page.locator('#problems li[data-code="denied"]');
    await problem.filter({hasText: 'does not let this page use'}).first().waitFor();
    assert.equal(await page.getByRole('combobox', {name: 'Loudspeaker'}).isVisible(), false);
    await page.getByRole('button', {name: 'Join'}).click();
    await page.getByRole('button', {name: 'Leave'}).waitFor();
    expectNoComplaints(page);
    await strict.close();
  });

  it('the keyboard alone leads into a call and out again', async () => {
    const page = await joinRoom(firefox, daemon.origin, {name: 'Kim', room: 'keyboard'});
    await page.getByRole('heading', {name: 'keyboard'}).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', {name: 'Keyboard shortcuts'}).getByText('Mute or unmute').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', {name: 'Leave'}).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', {name: 'Join'}).and(page.locator(':focus')).waitFor();
    await close(page);
  });
});

describe('the test page in Firefox', {skip: kNoFirefox}, () => {
  let daemon;
  let firefox;
  let page;
  before(async () => {
    daemon = await Daemon.start();
    firefox = await launchTrustingFirefox(path.join(daemon.folder, 'profile'));
    page = await firefox.open(`${origin()}/test?seconds=1`);
  });
  after(async () => {
    await firefox?.close();
    await daemon?.stop();
  });

  const byName = (uri) => uri.replace('127.0.0.1', 'localhost');  // turns: is used with a name only
  const origin = () => byName(daemon.origin);

  it('finds everything in order', async () => {
    const {verdict, lines} = await new RelayTestPage(page).testOwnServer();
    for (const line of Object.values(lines).flat()) assert.equal(line.state, 'good', line.text);
    assert.equal(verdict.text, 'Everything works. Calls from this browser and this network will work.');
    for (const start of [/^stun:/, /^turn:.*transport=udp/, /^turn:.*transport=tcp/, /^turns:/]) {
      assert.ok(lines.relay.some(({uri}) => start.test(uri)), `no ${start} in ${JSON.stringify(lines.relay)}`);
    }
    const call = lines.call.map(({text}) => text).join();
    assert.match(call, /Round trip [\d.]+ ms, loss \d+ %, .*Pictures arrive: \d+ decoded/);
    expectNoComplaints(page);
  });

  it('gathers from servers that are typed in, and says that a password is wrong', async () => {
    const {udp, tcp, tls} = daemon.uris;
    const relay_test = new RelayTestPage(page);
    await relay_test.expectAllWork([udp, tcp], kUser.name, kUser.password);
    await relay_test.expectWrongPassword([udp, tcp, byName(tls)], kUser.name);
  });

  it('says what it does not try, and takes one address of a name for enough', async () => {
    const {tls} = daemon.uris;
    const stun = `stun:localhost:${daemon.turn_port}`;  // nobody answers on its IPv6 address
    const {lines} = await new RelayTestPage(page).gather([tls, byName(tls), stun].map((uri) => (
      {uri, username: kUser.name, password: kUser.password})));
    assert.deepEqual(lines.map(({state}) => state), ['bad', 'good', 'good'], JSON.stringify(lines));
    assert.match(lines[0].text, /Not tried: this browser uses turns: with the name of a host only/);
    expectNoComplaints(page);
  });
});
