// SPDX-License-Identifier: Apache-2.0
// What somebody in Firefox does in a call with somebody in Chromium, besides seeing and hearing each other.
import assert from 'node:assert/strict';
import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {after, before, describe, it} from 'node:test';
import {fileInput, holdNextFile, message, more, openChat} from './call_page.mjs';
import {kNoFirefox, launchFirefox, savedFile} from './firefox.mjs';
import {withScreen} from './light_media.mjs';
import {expectGrowth, expectNoComplaints, joinRoom, openPage, startAll, waitForLinks, waitForPeers} from './support.mjs';

/** In the page, before its own scripts: what keeps the screen on is written down. */
function recordWakeLock() {
  const {wakeLock} = navigator;
  const request = wakeLock?.request.bind(wakeLock);
  if (request) wakeLock.request = async (type) => (window.wake_lock = await request(type));
}

describe('in a call, Firefox', {skip: kNoFirefox}, () => {
  let daemon;
  let chromium;
  let firefox;
  let downloads;
  const url = (room) => `${daemon.origin}/r/${room}`;
  startAll((started) => ({daemon, browser: chromium} = started));
  before(async () => {
    downloads = path.join(daemon.folder, 'saved');
    firefox = await launchFirefox({downloadsPath: downloads});
  });
  after(() => firefox?.close());

  describe('with somebody in Chromium', () => {
    let fox;
    let chrome;
    before(async () => {
      fox = await joinRoom(firefox, url('features'), {name: 'Fox', options: {first: recordWakeLock}});
      // Without a dialog for a place a file goes to the browser's own folder, and is saved from there.
      const options = {first: () => delete window.showSaveFilePicker};
      chrome = await joinRoom(chromium, url('features'), {name: 'Chrome', options});
      for (const page of [fox, chrome]) {
        await waitForPeers(page, 1);
        await waitForLinks(page);
      }
    });
    after(async () => {
      for (const page of [fox, chrome]) await page?.context().close();
    });

    const tileOf = (page, name) => page.locator('#tiles > [data-member]').filter({hasText: name});
    const noComplaints = () => [fox, chrome].forEach((page) => expectNoComplaints(page));
    /** Where a letter is a shortcut: nothing else has the focus. */
    const focusNothing = () => fox.getByRole('heading', {name: 'features'}).focus();
    const makeFile = async (name, size) => {
      const file = path.join(daemon.folder, name);
      const bytes = Buffer.alloc(size).map((_, index) => (index * 31 + (index >> 9)) & 255);
      await writeFile(file, bytes);
      return {file, bytes};
    };

    it('chats in both directions', async () => {
      await openChat(fox);
      await fox.getByLabel('Write to everybody').fill('Look at https://example.org/x?y=1 please');
      await fox.keyboard.press('Enter');
      await chrome.getByRole('button', {name: 'Chat, 1 new message'}).click();
      await message(chrome, 'Fox').getByRole('link', {name: 'https://example.org/x?y=1'}).waitFor();
      await chrome.getByLabel('Write to everybody').fill('Done');
      await chrome.getByRole('button', {name: 'Send', exact: true}).click();
      await message(fox, 'Chrome').filter({hasText: 'Done'}).waitFor();
      noComplaints();
    });

    it('sends a file, which arrives as it was', async () => {
      const {file, bytes} = await makeFile('from_fox.bin', 9_000_000);
      await fileInput(fox).setInputFiles(file);
      const download = chrome.waitForEvent('download');
      await chrome.getByRole('button', {name: 'Accept from_fox.bin'}).click();
      assert.ok(bytes.equals(await readFile(await (await download).path())), 'the file is another one');
      await message(fox, 'Chrome has it.').waitFor();
      noComplaints();
    });

    it('receives a file into its private folder, and saves it as it was', async () => {
      const {file, bytes} = await makeFile('from_chrome.bin', 9_000_000);
      await fileInput(chrome).setInputFiles(file);
      await fox.getByRole('button', {name: 'Accept from_chrome.bin'}).click();
      await message(fox, 'Received from Chrome.').waitFor();
      await message(chrome, 'Fox has it.').waitFor();
      const saved = await savedFile(downloads, /^from_chrome\.bin$/);
      assert.ok(bytes.equals(await readFile(saved)), 'the file is another one');
      const kept = await fox.evaluate(async () => {
        const folder = await navigator.storage.getDirectory();
        const sizes = [];
        for await (const [name, handle] of folder.entries()) {
          sizes.push([name.slice(0, 9), (await handle.getFile()).size]);
        }
        return sizes;
      });
      assert.deepEqual(kept, [['incoming-', bytes.length]]);
      noComplaints();
    });

    it('refuses a file, and cancels one on its way in either direction', async () => {
      const {file: small} = await makeFile('small.txt', 5);
      const large = path.join(daemon.folder, 'large.bin');
      await writeFile(large, Buffer.alloc(9_000_000));
      await fileInput(chrome).setInputFiles(small);
      await fox.getByRole('button', {name: 'Refuse small.txt'}).click();
      await message(chrome, 'small.txt').filter({hasText: 'Fox refused it.'}).waitFor();
      for (const [from, to, name] of [[chrome, fox, 'Fox'], [fox, chrome, 'Chrome']]) {
        await from.evaluate(holdNextFile);
        await fileInput(from).setInputFiles(large);
        await to.getByRole('button', {name: 'Accept large.bin'}).click();
        await to.getByRole('progressbar', {name: 'large.bin'}).waitFor();
        await fox.getByRole('button', {name: 'Cancel large.bin'}).click();
        await message(from, 'large.bin').filter({hasText: `Not sent to ${name}: cancelled.`}).waitFor();
        await message(to, 'large.bin').filter({hasText: /Cancelled\.$/}).waitFor();
      }
      noComplaints();
    });

    it('raises a hand, and sees that of the other', async () => {
      await fox.getByRole('button', {name: 'Raise hand'}).click();
      await chrome.getByText('Fox raises a hand.').waitFor();
      await chrome.getByRole('button', {name: 'Raise hand'}).click();
      await fox.getByText('Chrome raises a hand.').waitFor();
      await fox.getByRole('button', {name: 'People'}).click();
      const line = fox.getByRole('list', {name: 'People', exact: true}).getByRole('listitem').filter({hasText: 'Chrome'});
      await line.getByLabel('hand raised').waitFor();
      for (const page of [fox, chrome]) await page.getByRole('button', {name: 'Raise hand'}).click();
      await line.getByLabel('hand raised').waitFor({state: 'hidden'});
      await tileOf(chrome, 'Fox').getByLabel('hand raised').waitFor({state: 'hidden'});
      noComplaints();
    });

    it('mutes and stops the video by letters on the keyboard, which the other sees', async () => {
      await focusNothing();
      await fox.keyboard.press('m');
      await tileOf(chrome, 'Fox').getByLabel('muted').waitFor();
      await fox.keyboard.press('m');
      await tileOf(chrome, 'Fox').getByLabel('muted').waitFor({state: 'hidden'});
      await fox.keyboard.press('v');
      await tileOf(chrome, 'Fox').getByText('F', {exact: true}).waitFor();  // the initial stands for the picture
      assert.equal(await fox.evaluate(() => window.causeway.media.video), null, 'the camera is still open');
      await fox.keyboard.press('v');
      await tileOf(chrome, 'Fox').getByText('F', {exact: true}).waitFor({state: 'hidden'});
      await chrome.getByRole('button', {name: 'Stop video'}).click();
      await tileOf(fox, 'Chrome').getByText('C', {exact: true}).waitFor();
      await chrome.getByRole('button', {name: 'Start video'}).click();
      await tileOf(fox, 'Chrome').getByText('C', {exact: true}).waitFor({state: 'hidden'});
      await Promise.all([fox, chrome].map((page) => expectGrowth(page)));
      noComplaints();
    });

    it('has the space bar as the microphone where push-to-talk is on, and lists its keys', async () => {
      const setPush = async (on) => {
        await more(fox, 'Settings');
        await fox.getByRole('switch', {name: 'Push to talk'}).setChecked(on);
        await fox.getByRole('dialog', {name: 'Settings'}).getByRole('button', {name: 'Close'}).click();
      };
      const muted = tileOf(chrome, 'Fox').getByLabel('muted');
      await setPush(true);
      await muted.waitFor();
      await focusNothing();
      await fox.keyboard.down(' ');
      await muted.waitFor({state: 'hidden'});
      await fox.keyboard.up(' ');
      await muted.waitFor();
      await setPush(false);
      await fox.getByRole('button', {name: 'Unmute'}).click();
      await muted.waitFor({state: 'hidden'});
      await focusNothing();
      await fox.keyboard.press('?');
      await fox.getByRole('dialog', {name: 'Keyboard shortcuts'}).getByText('Hold down to be heard').waitFor();
      await fox.keyboard.press('Escape');
      noComplaints();
    });

    it('plays the other on the loudspeaker that is chosen', async () => {
      await more(fox, 'Settings');
      const settings = fox.getByRole('dialog', {name: 'Settings'});
      await settings.getByLabel('Loudspeaker').selectOption({index: 1});
      const chosen = await settings.getByLabel('Loudspeaker').inputValue();
      await fox.waitForFunction((id) => document.querySelector('[data-member] video').sinkId === id, chosen);
      await settings.getByRole('button', {name: 'Close'}).click();
      noComplaints();
    });

    it('pins a tile, marks who speaks, and keeps the screen on', async () => {
      await tileOf(fox, 'Chrome').and(fox.locator('.speaking')).waitFor();
      await tileOf(chrome, 'Fox').and(chrome.locator('.speaking')).waitFor();
      const pin = fox.getByRole('button', {name: 'Show Chrome large'});
      await pin.click();
      await fox.locator('#tiles.spotlight > .pinned').waitFor();
      const [large, small] = await Promise.all(['.pinned', '.self'].map((each) => (
        fox.locator(`#tiles > ${each}`).boundingBox())));
      assert.ok(large.width > 2 * small.width, JSON.stringify([large, small]));
      await pin.click();
      await fox.locator('#tiles.spotlight').waitFor({state: 'detached'});
      assert.equal(await fox.evaluate(() => window.wake_lock.released), false);
      noComplaints();
    });

    it('says so when there is no screen that it could share', async () => {
      await fox.getByRole('button', {name: 'Share screen'}).click();
      await fox.getByText('The screen cannot be shared').waitFor();
      await fox.getByRole('button', {name: 'Share screen'}).waitFor();
      noComplaints();
    });

    it('shows itself on the full screen, and the other in a small window', async () => {
      await more(fox, 'Full screen');
      await fox.waitForFunction(() => document.fullscreenElement);
      await more(fox, 'End full screen');
      await fox.waitForFunction(() => !document.fullscreenElement);
      await more(fox, 'Picture in picture');
      await fox.waitForFunction(() => document.pictureInPictureElement?.closest('[data-member]'));
      await more(fox, 'Picture in picture');
      await fox.waitForFunction(() => !document.pictureInPictureElement);
      noComplaints();
    });

    it('records the call, tells the other, and saves it', async () => {
      await more(fox, 'Record on this device');
      for (const page of [fox, chrome]) await page.getByText('Recording', {exact: true}).waitFor();
      const [{frames}] = await expectGrowth(fox);
      await expectGrowth(fox, [{frames: frames + 5}]);  // something to record
      await more(fox, 'Stop recording');
      const bytes = await readFile(await savedFile(downloads, /^causeway-.*\.webm$/));
      assert.deepEqual([...bytes.subarray(0, 4)], [0x1a, 0x45, 0xdf, 0xa3]);
      for (const codec of ['V_VP8', 'A_OPUS']) assert.ok(bytes.includes(codec), `no ${codec} in ${bytes.length} octets`);
      assert.ok(bytes.length > 10_000, `${bytes.length} octets are no recording`);
      await chrome.getByText('Recording', {exact: true}).waitFor({state: 'hidden'});
      noComplaints();
    });

    it('has the same safety code, and numbers of the connection to look at and to save', async () => {
      const codes = [];
      for (const page of [fox, chrome]) {
        await more(page, 'Connection');
        await page.locator('.safety code').filter({hasText: /^(\w{4} ){4}\w{4}$/}).waitFor();
        codes.push(await page.locator('.safety code').textContent());
        await page.getByText(/^(Fox|Chrome) · (direct|STUN) · (good|fair|poor) connection$/).waitFor();
        for (const [name, value] of Object.entries({
          'Round trip': /^\d+ ms$/, 'Loss': /^[\d.]+ %$/, 'Jitter': /^\d+ ms$/, 'Received': /^[1-9]\d* kbit\/s$/,
          'Sent': /^[1-9]\d* kbit\/s$/, 'Pictures': /^[1-9]\d* per second$/,
        })) await page.locator('.stat').filter({hasText: name}).getByText(value).waitFor();
      }
      assert.equal(codes[0], codes[1]);
      await fox.getByRole('button', {name: 'Save these numbers (JSON)'}).click();
      const report = JSON.parse(await readFile(await savedFile(downloads, /^causeway-call-.*\.json$/), 'utf8'));
      assert.equal(report.members[0].name, 'Chrome');
      assert.ok(report.members[0].stats.some(({type}) => type === 'candidate-pair'));
      noComplaints();
    });

    it('sends no more than its cap', async () => {
      const rate = () => fox.evaluate(() => [...window.causeway.call.histories.values()][0].latest.out_kbps);
      await fox.getByLabel('Send at most').selectOption('256 kbit/s');
      await fox.waitForFunction(() => {
        const [peer] = window.causeway.call.peers.values();
        return peer.transceiverOf('video').sender.getParameters().encodings[0].maxBitrate < 256_000;
      });
      const [audio, video] = await fox.evaluate(() => {
        const [peer] = window.causeway.call.peers.values();
        return ['audio', 'video'].map((kind) => peer.transceiverOf(kind).sender.getParameters().encodings[0].maxBitrate);
      });
      assert.ok(audio + video <= 256_000 && audio === 40_000, JSON.stringify([audio, video]));
      await fox.waitForFunction(() => [...window.causeway.call.histories.values()][0].latest.out_kbps < 320);
      assert.ok((await rate()) > 0);
      noComplaints();
    });
  });

  it('sees the screen of the other, and shows its own', async () => {
    const pages = [
      await joinRoom(firefox, url('screens'), {name: 'Fox', options: {first: withScreen}}),
      await joinRoom(chromium, url('screens'), {name: 'Chrome', options: {first: withScreen}}),
    ];
    for (const page of pages) await waitForPeers(page, 1);
    for (const [from, to] of [pages, [...pages].reverse()]) {
      for (let time = 0; time < 2; ++time) {  // the second time in the same lines of the description
        await from.getByRole('button', {name: 'Share screen'}).click();
        await to.locator('#tiles > .pinned[data-screen]').waitFor();
        await to.waitForFunction(() => document.querySelector('[data-screen] video')?.videoWidth > 0);
        await to.locator('.has-video[data-member]').waitFor();
        await from.getByRole('button', {name: 'Stop sharing'}).click();
        await to.locator('#tiles > [data-screen]').waitFor({state: 'detached'});
      }
    }
    for (const page of pages) expectNoComplaints(page);
    for (const page of pages) await page.context().close();
  });

  it('is a moderator, who lets in, refuses, removes and shuts the room', async () => {
    const ann = await joinRoom(firefox, url('door'), {name: 'Ann', devices: false});
    await ann.getByRole('button', {name: 'People'}).click();
    const knock = async (name) => {
      const page = await openPage(chromium, url('door'));
      await page.getByLabel('Your name').fill(name);
      await page.getByRole('button', {name: 'Join'}).click();
      return page;
    };
    await ann.getByLabel('Who may enter').selectOption('Whom a moderator lets in');
    const ben = await knock('Ben');
    await ben.getByText('A moderator of this room has to let you in.').waitFor();
    await ann.getByRole('button', {name: 'Let Ben in'}).click();
    for (const page of [ann, ben]) await waitForPeers(page, 1);
    const cleo = await knock('Cleo');
    await ann.getByRole('button', {name: 'Refuse Cleo'}).click();
    await cleo.getByRole('alert').filter({hasText: 'You were not let in'}).waitFor();
    await ann.getByRole('button', {name: 'Remove Ben'}).click();
    await ben.getByRole('alert').filter({hasText: 'A moderator has removed you'}).waitFor();
    await ann.getByLabel('Who may enter').selectOption('Nobody');
    await ann.locator('#room-locked').waitFor();
    await ben.getByRole('button', {name: 'Join'}).click();
    await ben.getByRole('alert').filter({hasText: 'This room is locked'}).waitFor();
    for (const page of [ann, ben, cleo]) expectNoComplaints(page);
    for (const page of [ann, ben, cleo]) await page.context().close();
  });
});
