// SPDX-License-Identifier: Apache-2.0
// What two people do in a call besides seeing and hearing each other.
import assert from 'node:assert/strict';
import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {before, describe, it} from 'node:test';
import {fileInput, holdNextFile, message, more, openChat} from './call_page.mjs';
import {expectGrowth, expectNoComplaints, joinRoom, readPeers, startAll, waitForLinks, waitForPeers} from './support.mjs';

const kFlags = ['--auto-select-desktop-capture-source=Causeway', '--auto-accept-this-tab-capture'];

describe('in a call', () => {
  let daemon;
  let browser;
  let ann;
  let ben;
  startAll((started) => ({daemon, browser} = started), {flags: kFlags});
  before(async () => {
    // Without a dialog for a place a file goes to the browser's own folder, and is saved from there.
    const options = {first: () => delete window.showSaveFilePicker};
    const url = `${daemon.origin}/r/features`;
    ann = await joinRoom(browser, url, {name: 'Ann', options});
    ben = await joinRoom(browser, url, {name: 'Ben', devices: false, options});
    for (const page of [ann, ben]) await waitForPeers(page, 1);
    for (const page of [ann, ben]) await waitForLinks(page);
  });

  const noComplaints = () => [ann, ben].forEach((page) => expectNoComplaints(page));

  it('people chat, see what is new, and addresses become links', async () => {
    await openChat(ann);
    await ann.getByLabel('Write to everybody').fill('<b>Look</b> at https://example.org/x?y=1 please');
    await ann.keyboard.press('Enter');
    await ben.getByRole('button', {name: 'Chat, 1 new message'}).click();
    await message(ben, '<b>Look</b>').getByRole('link', {name: 'https://example.org/x?y=1'}).waitFor();
    await ben.getByLabel('Write to everybody').fill('Done');
    await ben.getByRole('button', {name: 'Send', exact: true}).click();
    await message(ann, 'Ben').filter({hasText: 'Done'}).waitFor();
    noComplaints();
  });

  it('a file goes over, piece by piece, and arrives as it was', async () => {
    await openChat(ann);
    await openChat(ben);
    const bytes = Buffer.alloc(9_000_000, 0).map((_, index) => (index * 31 + (index >> 9)) & 255);
    const file = path.join(daemon.folder, 'picture.bin');
    await writeFile(file, bytes);
    await fileInput(ann).setInputFiles(file);
    const download = ben.waitForEvent('download');
    await ben.getByRole('button', {name: 'Accept picture.bin'}).click();
    const saved = await download;
    assert.equal(saved.suggestedFilename(), 'picture.bin');
    assert.ok(bytes.equals(await readFile(await saved.path())), 'the file is another one');
    await message(ann, 'Ben has it.').waitFor();
    await message(ben, 'Received from Ann.').waitFor();
    noComplaints();
  });

  it('a file can be refused, and cancelled on its way', async () => {
    const [small, large] = ['small.txt', 'large.bin'].map((name) => path.join(daemon.folder, name));
    await writeFile(small, 'hello');
    await writeFile(large, Buffer.alloc(9_000_000));
    await openChat(ann);
    await openChat(ben);
    const input = fileInput(ben);
    await input.setInputFiles(small);
    await ann.getByRole('button', {name: 'Refuse small.txt'}).click();
    await message(ben, 'small.txt').filter({hasText: 'Ann refused it.'}).waitFor();
    await ben.evaluate(holdNextFile);
    await input.setInputFiles(large);
    await ann.getByRole('button', {name: 'Accept large.bin'}).click();
    await ann.getByRole('progressbar', {name: 'large.bin'}).waitFor();
    await ann.getByRole('button', {name: 'Cancel large.bin'}).click();
    await message(ben, 'large.bin').filter({hasText: 'Not sent to Ann: cancelled.'}).waitFor();
    await message(ann, 'large.bin').filter({hasText: 'Cancelled.'}).waitFor();
    noComplaints();
  });

  it('a hand is raised and seen', async () => {
    await ben.getByRole('button', {name: 'Raise hand'}).click();
    await ann.getByText('Ben raises a hand.').waitFor();
    await ann.locator('#tiles > li').filter({hasText: 'Ben'}).getByLabel('hand raised').waitFor();
    await ann.getByRole('button', {name: 'People'}).click();
    const line = ann.getByRole('list', {name: 'People', exact: true}).getByRole('listitem').filter({hasText: 'Ben'});
    await line.getByLabel('hand raised').waitFor();
    await ben.keyboard.press('Escape');
    await ben.getByRole('button', {name: 'Raise hand'}).click();
    await line.getByLabel('hand raised').waitFor({state: 'hidden'});
    noComplaints();
  });

  it('a screen is shared, shown large, and taken away again; the camera goes on', async () => {
    await ann.getByRole('button', {name: 'Share screen'}).click();
    const tile = ben.locator('#tiles > [data-screen]');
    await tile.and(ben.locator('.pinned')).waitFor();
    await ben.waitForFunction(() => document.querySelector('[data-screen] video').videoWidth > 0);
    await ann.getByRole('button', {name: 'Stop sharing'}).click();
    await tile.waitFor({state: 'detached'});
    await ann.getByRole('button', {name: 'Share screen'}).click();  // the same lines of the description are used again
    await ben.waitForFunction(() => document.querySelector('[data-screen] video')?.videoWidth > 0);
    await ben.locator('#tiles > li').filter({hasText: 'Ann'}).and(ben.locator('.has-video[data-member]')).waitFor();
    await ann.getByRole('button', {name: 'Stop sharing'}).click();
    await tile.waitFor({state: 'detached'});
    noComplaints();
  });

  it('a tile is pinned and let go', async () => {
    const tile = ben.locator('#tiles > [data-member]');
    const pin = tile.getByRole('button', {name: 'Show Ann large'});
    await pin.click();
    await ben.locator('#tiles.spotlight > .pinned').waitFor();
    const [large, small] = await Promise.all(['.pinned', '.self'].map((each) => ben.locator(`#tiles > ${each}`).boundingBox()));
    assert.ok(large.width > 2 * small.width, JSON.stringify([large, small]));
    await pin.click();
    await ben.locator('#tiles.spotlight').waitFor({state: 'detached'});
  });

  it('who speaks is marked', () => ben.locator('#tiles > [data-member].speaking').waitFor());

  it('the space bar is the microphone where push-to-talk is on', async () => {
    await more(ann, 'Settings');
    await ann.getByRole('switch', {name: 'Push to talk'}).check();
    await ann.getByRole('dialog', {name: 'Settings'}).getByRole('button', {name: 'Close'}).click();
    const muted = ben.locator('#tiles > [data-member]').getByLabel('muted');
    await muted.waitFor();
    await ann.getByRole('heading', {name: 'features'}).focus();
    await ann.keyboard.down(' ');
    await muted.waitFor({state: 'hidden'});
    await ann.keyboard.up(' ');
    await muted.waitFor();
    await more(ann, 'Settings');
    await ann.getByRole('switch', {name: 'Push to talk'}).uncheck();
    await ann.getByRole('dialog', {name: 'Settings'}).getByRole('button', {name: 'Close'}).click();
    await ann.getByRole('button', {name: 'Unmute'}).click();
    noComplaints();
  });

  it('another microphone is taken without another negotiation', async () => {
    const negotiations = (page) => page.evaluate(() => {
      const [{connection}] = window.causeway.call.peers.values();
      return [connection.localDescription.sdp.match(/^o=.*$/m)[0], connection.signalingState];
    });
    const old = await negotiations(ann);
    await more(ann, 'Settings');
    const microphones = ann.getByRole('dialog', {name: 'Settings'}).getByLabel('Microphone');
    const track = await ann.evaluate(() => window.causeway.media.audio.id);
    await microphones.selectOption({index: 1});
    await ann.waitForFunction((id) => window.causeway.media.audio?.id !== id, track);
    await ann.getByRole('dialog', {name: 'Settings'}).getByRole('button', {name: 'Close'}).click();
    await ann.waitForFunction(() => {
      const [peer] = window.causeway.call.peers.values();
      return peer.transceiverOf('audio').sender.track === window.causeway.media.audio;
    });
    assert.deepEqual(await negotiations(ann), old);
    noComplaints();
  });

  it('both see the same safety code, the way and the numbers', async () => {
    const codes = [];
    for (const page of [ann, ben]) {
      await more(page, 'Connection');
      await page.locator('.safety code').filter({hasText: /^(\w{4} ){4}\w{4}$/}).waitFor();
      codes.push(await page.locator('.safety code').textContent());
      await page.getByText(/^(Ann|Ben) · (direct|STUN) · (good|fair|poor) connection$/).waitFor();
      await page.locator('.stat').filter({hasText: 'Sent'}).getByText(/^\d+ kbit\/s$/).waitFor();
    }
    assert.equal(codes[0], codes[1]);
    const download = ann.waitForEvent('download');
    await ann.getByRole('button', {name: 'Save these numbers (JSON)'}).click();
    const report = JSON.parse(await readFile(await (await download).path(), 'utf8'));
    assert.equal(report.members[0].name, 'Ben');
    assert.ok(report.members[0].stats.some(({type}) => type === 'candidate-pair'));
    noComplaints();
  });

  it('the cap is what the senders are told', async () => {
    const told = () => ann.evaluate(() => {
      const [peer] = window.causeway.call.peers.values();
      return ['audio', 'video'].map((kind) => peer.transceiverOf(kind).sender.getParameters().encodings[0].maxBitrate);
    });
    assert.deepEqual(await told(), [40_000, 2_500_000]);
    await ann.getByLabel('Send at most').selectOption('256 kbit/s');
    await ann.waitForFunction(() => {
      const [peer] = window.causeway.call.peers.values();
      return peer.transceiverOf('video').sender.getParameters().encodings[0].maxBitrate < 256_000;
    });
    const [audio, video] = await told();
    assert.ok(audio + video <= 256_000 && audio === 40_000, JSON.stringify([audio, video]));
    noComplaints();
  });

  it('a recording is told to the others, and saved', async () => {
    await more(ann, 'Record on this device');
    for (const page of [ann, ben]) await page.getByText('Recording', {exact: true}).waitFor();
    const [{frames}] = await readPeers(ben);
    await expectGrowth(ben, [{frames: frames + 5}]);  // something to record
    const download = ann.waitForEvent('download');
    await more(ann, 'Stop recording');
    const saved = await download;
    assert.match(saved.suggestedFilename(), /^causeway-.*\.webm$/);
    const bytes = await readFile(await saved.path());
    assert.deepEqual([...bytes.subarray(0, 4)], [0x1a, 0x45, 0xdf, 0xa3]);
    await ben.getByText('Recording', {exact: true}).waitFor({state: 'hidden'});
    noComplaints();
  });

  it('people are invited by a link, with a picture for phones', async () => {
    await ann.getByRole('button', {name: 'Invite', exact: true}).click();
    const dialog = ann.getByRole('dialog', {name: 'Invite'});
    await dialog.getByRole('img', {name: 'The invite link as a QR code'}).waitFor();
    assert.equal(await dialog.getByRole('textbox', {name: 'Invite link'}).inputValue(), `${daemon.origin}/r/features`);
    await dialog.getByRole('button', {name: 'Close'}).click();
    noComplaints();
  });
});
