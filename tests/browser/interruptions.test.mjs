// SPDX-License-Identifier: Apache-2.0
// What interrupts a call, and what the page says and does about it; resume.test.mjs has the connection to the server.
import assert from 'node:assert/strict';
import {before, describe, it} from 'node:test';
import {expectNoComplaints, joinRoom, startAll, waitForPeers} from './support.mjs';

describe('an interruption', () => {
  let daemon;
  let browser;
  let ann;
  let ben;
  startAll((started) => ({daemon, browser} = started));
  before(async () => {
    ann = await joinRoom(browser, `${daemon.origin}/r/break`, {name: 'Ann'});
    ben = await joinRoom(browser, `${daemon.origin}/r/break`, {name: 'Ben', devices: false});
    for (const page of [ann, ben]) await waitForPeers(page, 1);
  });

  /** As the browser does when a device is gone or no longer allowed. */
  const endTrack = (kind) => ann.evaluate((each) => {
    const track = window.causeway.media[each];
    track.stop();
    track.dispatchEvent(new Event('ended'));
  }, kind);
  const says = (page, words) => page.getByText(words).first().waitFor();

  it('by an unplugged microphone is said, and another press opens one again', async () => {
    await endTrack('audio');
    await says(ann, 'The microphone is gone: it was unplugged or switched off.');
    await ben.locator('#tiles > [data-member]').getByLabel('muted').waitFor();
    await ann.getByRole('button', {name: 'Unmute'}).click();
    await ben.locator('#tiles > [data-member]').getByLabel('muted').waitFor({state: 'hidden'});
  });

  it('by a permission that is taken back is said', async () => {
    await ann.evaluate(() => {
      navigator.permissions.query = async () => ({state: 'denied'});
    });
    await endTrack('video');
    await says(ann, 'The permission to use the camera was taken back');
    await ann.getByRole('button', {name: 'Start video'}).waitFor();
  });

  it('by a sleeping tab is said', async () => {
    await ann.evaluate(() => {
      const now = Date.now;
      Date.now = () => now() + 60_000;
    });
    await says(ann, /This tab was asleep for 6\d seconds/);
  });

  it('by another network restarts ICE on the same connection', async () => {
    const fragment = () => ben.evaluate(() => {
      const [{connection}] = window.causeway.call.peers.values();
      return /a=ice-ufrag:(\S+)/.exec(connection.localDescription.sdp)[1];
    });
    const old = await fragment();
    await ben.evaluate(() => window.dispatchEvent(new Event('online')));
    await ben.waitForFunction((each) => {
      const [{connection}] = window.causeway.call.peers.values();
      return connection.signalingState === 'stable' && !connection.localDescription.sdp.includes(each);
    }, `a=ice-ufrag:${old}`);
    for (const page of [ann, ben]) await waitForPeers(page, 1);
    for (const page of [ann, ben]) expectNoComplaints(page);
  });

  it('by a network that is gone is said, and the call goes on', async () => {
    await ben.context().setOffline(true);
    await daemon.kill('SIGKILL');
    await says(ben, 'This device is offline.');
    await says(ann, /Reconnecting…|The connection to the server is lost/);
    for (const page of [ann, ben]) await waitForPeers(page, 1);
    await ben.context().setOffline(false);
    await daemon.run();
    for (const page of [ann, ben]) {
      await page.evaluate(() => window.causeway.signaling.retryNow());
      await page.locator('#connection').waitFor({state: 'hidden'});
      await waitForPeers(page, 1);
    }
    assert.equal(await ann.locator('#alert').isVisible(), false);
  });
});
