// SPDX-License-Identifier: Apache-2.0
// Calls between Firefox and Chromium on the call page: media in both directions, and what interrupts it.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';
import {kNoFirefox, launchFirefox} from './firefox.mjs';
import {expectGrowth, expectNoComplaints, joinRoom, readPeers, startAll, waitForPeers} from './support.mjs';

const kConnectionLost = /WebSocket connection to|ERR_CONNECTION|establish a connection|was interrupted/;

describe('a call with Firefox', {skip: kNoFirefox}, () => {
  let daemon;
  let chromium;
  let firefox;
  startAll((started) => ({daemon, browser: chromium} = started));
  before(async () => {
    firefox = await launchFirefox();
  });
  after(() => firefox?.close());

  /** In this order they enter; at the end everybody is connected with everybody. */
  async function call(room, browsers, {query = '', relay_only = false} = {}) {
    const pages = [];
    const url = `${daemon.origin}/r/${room}${query}`;
    for (const [index, browser] of browsers.entries()) {
      const name = `${browser === firefox ? 'Fox' : 'Chrome'} ${index}`;
      pages.push(await joinRoom(browser, url, {name, relay_only}));
    }
    for (const page of pages) await waitForPeers(page, browsers.length - 1);
    return pages;
  }

  async function end(pages, allowed) {
    for (const page of pages) expectNoComplaints(page, allowed);
    for (const page of pages) await page.context().close();
  }

  const isShown = (page, label) => page.locator('.tile-route').filter({hasText: label}).first().waitFor();

  /** Everybody sees and hears more and more of everybody. */
  async function expectMedia(pages) {
    const grown = await Promise.all(pages.map((page) => expectGrowth(page)));
    await Promise.all(pages.map((page, index) => expectGrowth(page, grown[index])));
  }

  const calls = [
    {words: 'which Chromium enters', browsers: () => [firefox, chromium]},
    {words: 'that enters where Chromium is', browsers: () => [chromium, firefox]},
    {words: 'and another Firefox', browsers: () => [firefox, firefox]},
  ];
  for (const [index, {words, browsers}] of calls.entries()) {
    it(`${words} goes directly`, async () => {
      const pages = await call(`direct-${index}`, browsers());
      await expectMedia(pages);
      for (const page of pages) await isShown(page, /^direct|^STUN/);
      await end(pages);
    });
  }

  for (const transport of ['udp', 'tcp']) {
    it(`goes through the relay over ${transport}`, async () => {
      const options = {query: `?transport=${transport}`, relay_only: true};
      const pages = await call(`relay-${transport}`, [firefox, chromium], options);
      await expectMedia(pages);
      for (const page of pages) {
        await isShown(page, transport === 'udp' ? /^TURN\/UDP/ : /^TURN\/TCP/);
        const [{local, remote, relay_protocol}] = await readPeers(page);
        assert.deepEqual([local, remote, relay_protocol], ['relay', 'relay', transport]);
      }
      await end(pages);
    });
  }

  it('is relayed when Firefox alone wants that, and direct again afterwards', async () => {
    const pages = await call('switch', [firefox, chromium]);
    const [fox, chrome] = pages;
    await fox.getByRole('heading', {name: 'switch'}).focus();
    await fox.keyboard.press('i');
    await fox.getByRole('switch', {name: 'Relay only'}).click();
    await isShown(fox, /^TURN\//);
    await isShown(chrome, /^TURN/);
    await expectMedia(pages);
    await fox.getByRole('switch', {name: 'Relay only'}).click();
    for (const page of pages) await isShown(page, /^direct|^STUN/);
    await end(pages);
  });

  it('has three members, and goes on when one leaves', async () => {
    const pages = await call('three', [chromium, firefox, chromium]);
    await expectMedia(pages);
    const [first, fox, last] = pages;
    await fox.getByRole('button', {name: 'Leave'}).click();
    await first.getByText('Fox 1 left.').waitFor();
    for (const page of [first, last]) await waitForPeers(page, 1);
    await fox.getByRole('button', {name: 'Join'}).click();
    for (const page of pages) await waitForPeers(page, 2);
    await expectMedia(pages);
    await end(pages);
  });

  it('keeps its connection over fresh credentials and another network, with ICE restarted', async () => {
    const pages = await call('restart', [firefox, chromium], {relay_only: true});
    const [fox] = pages;
    const fragment = (page) => page.evaluate(() => {
      const [{connection}] = window.causeway.call.peers.values();
      return /a=ice-ufrag:(\S+)/.exec(connection.localDescription.sdp)[1];
    });
    for (const happens of [() => window.causeway.signaling.ice(), () => window.dispatchEvent(new Event('online'))]) {
      const old = await Promise.all(pages.map(fragment));
      await fox.evaluate(happens);
      for (const [index, page] of pages.entries()) {
        await page.waitForFunction((each) => {
          const [{connection}] = window.causeway.call.peers.values();
          return connection.signalingState === 'stable' && connection.connectionState === 'connected' &&
            !connection.localDescription.sdp.includes(`a=ice-ufrag:${each}`);
        }, old[index]);
      }
      await expectMedia(pages);
    }
    await end(pages);
  });

  it('says what became of a microphone and a camera', async () => {
    const pages = await call('devices', [firefox, chromium]);
    const [fox, chrome] = pages;
    const endTrack = (kind) => fox.evaluate((each) => {  // as when a device is gone or no longer allowed
      const track = window.causeway.media[each];
      track.stop();
      track.dispatchEvent(new Event('ended'));
    }, kind);
    const tile = chrome.locator('#tiles > [data-member]');
    await endTrack('audio');
    await fox.getByText('The microphone is gone: it was unplugged or switched off.').first().waitFor();
    await tile.getByLabel('muted').waitFor();
    await fox.getByRole('button', {name: 'Unmute'}).click();
    await tile.getByLabel('muted').waitFor({state: 'hidden'});
    await fox.evaluate(() => (navigator.permissions.query = async () => ({state: 'denied'})));
    await endTrack('video');
    await fox.getByText('The permission to use the camera was taken back').first().waitFor();
    await tile.getByText('F0', {exact: true}).waitFor();  // initials stand for the picture
    await end(pages);
  });

  it('outlives the server, and finds it again without being loaded anew', async () => {
    const pages = await call('gone', [firefox, chromium]);
    for (const page of pages) await page.evaluate(() => (window.same = true));
    await daemon.kill('SIGKILL');
    const lost = /Reconnecting…|The connection to the server is lost/;
    for (const page of pages) await page.locator('#connection').filter({hasText: lost}).waitFor();
    await expectMedia(pages);
    await pages[0].getByRole('button', {name: 'Try now'}).click();
    await daemon.run();
    for (const page of pages) await page.locator('#connection').waitFor({state: 'hidden'});
    for (const page of pages) await waitForPeers(page, 1);
    await expectMedia(pages);
    for (const page of pages) assert.equal(await page.evaluate(() => window.same), true);
    await end(pages, kConnectionLost);
  });
});
