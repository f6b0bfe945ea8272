// SPDX-License-Identifier: Apache-2.0
// What a call takes from the browser besides WebRTC: the small window, the full screen, the screen that stays on, the
// share sheet, the choice of a loudspeaker, the sound of a shared tab, and a place to save a file.
import assert from 'node:assert/strict';
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {before, describe, it} from 'node:test';
import {fileInput, more, openChat} from './call_page.mjs';
import {expectNoComplaints, joinRoom, startAll, waitForLinks, waitForPeers} from './support.mjs';

const kFlags = ['--auto-select-tab-capture-source-by-title=Causeway', '--auto-accept-this-tab-capture'];

/**
 * In the page, before its scripts. Nobody is there to choose a place for a file or somebody to share with: what is chosen
 * is a file in the browser's private folder, or nothing. Wake locks are written down.
 */
function withSomebodyWhoChooses() {
  window.chosen = [];
  window.showSaveFilePicker = async ({suggestedName}) => {
    if (window.chooses_nothing) throw new DOMException('No place', 'AbortError');
    window.chosen.push(suggestedName);
    return (await navigator.storage.getDirectory()).getFileHandle('chosen', {create: true});
  };
  navigator.share = async (what) => void (window.shared = what);
  window.locks = [];
  const request = WakeLock.prototype.request;
  WakeLock.prototype.request = async function requestAndKeep(...values) {
    const lock = await request.apply(this, values);
    window.locks.push(lock);
    return lock;
  };
}

describe('from the browser a call takes', () => {
  let daemon;
  let browser;
  let ann;
  let ben;
  startAll((started) => ({daemon, browser} = started), {flags: kFlags});
  before(async () => {
    const options = {first: withSomebodyWhoChooses, permissions: ['camera', 'microphone', 'screen-wake-lock']};
    const url = `${daemon.origin}/r/offers`;
    ann = await joinRoom(browser, url, {name: 'Ann', options});
    ben = await joinRoom(browser, url, {name: 'Ben', devices: false, options});
    for (const page of [ann, ben]) await waitForPeers(page, 1);
    for (const page of [ann, ben]) await waitForLinks(page);
  });

  const noComplaints = () => [ann, ben].forEach((page) => expectNoComplaints(page));
  const offer = async (file) => {
    if (await ann.getByRole('button', {name: /^Chat/, expanded: false}).count()) await ann.keyboard.press('c');
    await fileInput(ann).setInputFiles(file);
    await openChat(ben);
  };

  it('the picture in a small window', async () => {
    await ben.waitForFunction(() => document.querySelector('#tiles [data-member] video').videoWidth > 0);
    await more(ben, 'Picture in picture');
    await ben.waitForFunction(() => document.pictureInPictureElement === document.querySelector('#tiles [data-member] video'));
    await more(ben, 'Picture in picture');
    await ben.waitForFunction(() => !document.pictureInPictureElement);
    noComplaints();
  });

  it('the full screen', async () => {
    await more(ben, 'Full screen');
    await ben.waitForFunction(() => document.fullscreenElement === document.documentElement);
    await more(ben, 'End full screen');
    await ben.waitForFunction(() => !document.fullscreenElement);
    noComplaints();
  });

  it('the share sheet, with the link to the room', async () => {
    await ann.getByRole('button', {name: 'Invite', exact: true}).click();
    const dialog = ann.getByRole('dialog', {name: 'Invite'});
    await dialog.getByRole('button', {name: /^Share/}).click();
    assert.equal((await ann.evaluate(() => window.shared)).url, `${daemon.origin}/r/offers`);
    await dialog.getByRole('button', {name: 'Close'}).click();
    noComplaints();
  });

  it('another loudspeaker, for everybody who is heard', async () => {
    await more(ben, 'Settings');
    const dialog = ben.getByRole('dialog', {name: 'Settings'});
    await dialog.getByLabel('Loudspeaker').selectOption({index: 2});
    const chosen = await dialog.getByLabel('Loudspeaker').inputValue();
    assert.ok(chosen);
    await ben.waitForFunction((id) => document.querySelector('#tiles [data-member] video').sinkId === id, chosen);
    await dialog.getByRole('button', {name: 'Close'}).click();
    noComplaints();
  });

  it('the sound of a shared tab', async () => {
    await ann.getByRole('button', {name: 'Share screen'}).click();
    await ben.locator('#tiles > [data-screen]').waitFor();
    assert.equal(await ann.evaluate(() => window.causeway.media.screen.getAudioTracks().length), 1);
    await ben.waitForFunction(async () => {
      const [{connection}] = window.causeway.call.peers.values();
      const sounds = [...(await connection.getStats()).values()].filter(({type, kind}) => type === 'inbound-rtp' && kind === 'audio');
      return sounds.length === 2 && sounds.every(({packetsReceived}) => packetsReceived > 5);
    });
    await ann.getByRole('button', {name: 'Stop sharing'}).click();
    await ben.locator('#tiles > [data-screen]').waitFor({state: 'detached'});
    noComplaints();
  });

  it('a place for a file, and writes it there piece by piece', async () => {
    const size = 20_000_000;
    const file = path.join(daemon.folder, 'film.bin');
    await writeFile(file, Buffer.alloc(size, 'causeway'));
    await offer(file);
    const accept = ben.getByRole('button', {name: 'Accept film.bin'});
    await ben.evaluate(() => (window.chooses_nothing = true));
    await accept.click();
    await ben.evaluate(() => (window.chooses_nothing = false));
    await accept.click();  // who chose no place may still do so
    await ben.getByText('Received from Ann.').waitFor();
    const saved = await ben.evaluate(async () => {
      const blob = await (await (await navigator.storage.getDirectory()).getFileHandle('chosen')).getFile();
      const text = await blob.slice(-8).text();
      return {size: blob.size, text, chosen: window.chosen};
    });
    assert.deepEqual(saved, {size, text: 'causeway', chosen: ['film.bin']});
    noComplaints();
  });

  it('no more memory than there is for a file that can be written nowhere', async () => {
    const file = path.join(daemon.folder, 'huge.bin');
    await writeFile(file, Buffer.alloc(257 * 1024 * 1024));
    await ben.evaluate(() => {
      delete window.showSaveFilePicker;
      navigator.storage.estimate = async () => ({quota: 1000, usage: 0});
    });
    await offer(file);
    await ben.getByRole('button', {name: 'Accept huge.bin'}).click();
    await ben.locator('.toast').filter({hasText: 'huge.bin'}).waitFor();
    await ben.getByRole('button', {name: 'Refuse huge.bin'}).click();
    await ann.getByText('Ben refused it.').waitFor();
    noComplaints();
  });

  it('a screen that stays on, until the call is over', async () => {
    const state = () => ben.evaluate(() => window.locks.map(({released}) => released));
    assert.deepEqual(await state(), [false]);
    await ben.getByRole('button', {name: 'Leave'}).click();
    await ben.waitForFunction(() => window.locks.every(({released}) => released));
  });
});
