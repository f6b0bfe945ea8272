// SPDX-License-Identifier: Apache-2.0
// Files for several people, and files larger than the memory: how far the sender goes ahead, and what is said when a disk
// is full.
import assert from 'node:assert/strict';
import {open, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {before, beforeEach, describe, it} from 'node:test';
import {expectNoComplaints, joinRoom, startAll, waitForLinks, waitForPeers} from './support.mjs';

const kMiB = 1024 * 1024;
const kWindowBytes = 4 * kMiB;
const kChunkBytesMax = 256 * 1024;
const kLargeMiB = 40;

/**
 * In the page, before its scripts. `sent`: what goes out in the channels of files, and how far ahead of what the other
 * side says it has written. `disk`: the place that is chosen for every file, which takes as much as it may.
 */
function withObservers() {
  const sent = window.sent = {bytes: 0, told: 0, ahead_max: 0, read_max: 0, channel: null};
  const {send} = RTCDataChannel.prototype;
  RTCDataChannel.prototype.send = function sendAndCount(data) {
    if (this.label.startsWith('file:')) {
      if (this !== sent.channel) Object.assign(sent, {channel: this, bytes: 0, told: 0, ahead_max: 0});
      sent.bytes += data.byteLength;
      sent.ahead_max = Math.max(sent.ahead_max, sent.bytes - sent.told);
    }
    send.call(this, data);
  };
  const create = RTCPeerConnection.prototype.createDataChannel;
  RTCPeerConnection.prototype.createDataChannel = function createAndListen(...values) {
    const channel = create.apply(this, values);
    channel.addEventListener('message', ({data}) => (sent.told = JSON.parse(data).file_written?.bytes ?? sent.told));
    return channel;
  };
  const read = Blob.prototype.arrayBuffer;
  Blob.prototype.arrayBuffer = function readAndMeasure() {
    sent.read_max = Math.max(sent.read_max, this.size);
    return read.call(this);
  };
  const write = async (disk, piece) => {
    while (disk.bytes >= disk.allowed) await new Promise((resolve) => (disk.wake = resolve));
    if (disk.bytes + piece.byteLength > disk.room) throw new DOMException('The disk is full', 'QuotaExceededError');
    const bytes = new Uint8Array(piece.buffer ?? piece, piece.byteOffset ?? 0, piece.byteLength);
    const first = Math.ceil(disk.bytes / 1048576) * 1048576 - disk.bytes;
    for (let at = first; at < bytes.length; at += 1048576) disk.marks.push(bytes[at]);
    disk.bytes += bytes.length;
    disk.piece_max = Math.max(disk.piece_max, bytes.length);
  };
  const nothing = async () => {};
  window.disk = {room: Infinity, allowed: Infinity};
  window.showSaveFilePicker = async () => {
    const disk = window.disk = {...window.disk, wake: null, bytes: 0, piece_max: 0, marks: []};
    return {createWritable: async () => ({write: (piece) => write(disk, piece), close: nothing, abort: nothing})};
  };
}

describe('files', () => {
  let daemon;
  let browser;
  let ann;
  let ben;
  let cleo;
  startAll((started) => ({daemon, browser} = started), {media: false});
  before(async () => {
    const join = (name) => joinRoom(browser, `${daemon.origin}/r/files`, {name, devices: false, options: {first: withObservers}});
    ann = await join('Ann');
    ben = await join('Ben');
    cleo = await join('Cleo');
    for (const page of [ann, ben, cleo]) {
      await waitForPeers(page, 2);
      await waitForLinks(page);
      await page.getByRole('button', {name: /^Chat/}).click();
    }
  });
  beforeEach(() => ben.evaluate(() => Object.assign(window.disk, {room: Infinity, allowed: Infinity})));

  const card = (page, file) => page.locator('#messages > .file').filter({hasText: file});
  const row = (file, name) => (
    card(ann, file).getByRole('list', {name: `Who was offered ${file}`}).getByRole('listitem').filter({hasText: name}));
  const noComplaints = () => [ann, ben, cleo].forEach((page) => expectNoComplaints(page));

  /** Offers a file that is mostly holes, with the number of each MiB at its beginning. */
  async function offer(name, mebibytes) {
    const file = path.join(daemon.folder, name);
    await writeFile(file, '');
    const handle = await open(file, 'r+');
    await handle.truncate(mebibytes * kMiB);
    for (let index = 0; index < mebibytes; ++index) await handle.write(Buffer.of(index & 255), 0, 1, index * kMiB);
    await handle.close();
    await ann.locator('#file-input').setInputFiles(file);
    return file;
  }

  const letWrite = (bytes) => ben.evaluate((allowed) => {
    window.disk.allowed = allowed ?? Infinity;
    window.disk.wake?.();
  }, bytes);
  const accept = (page, file) => page.getByRole('button', {name: `Accept ${file}`}).click();

  it('have one card each, with a line for everybody who was offered it', async () => {
    await offer('plan.bin', 3);
    const summary = card(ann, 'plan.bin').locator('.message-text');
    await summary.getByText('Offered to 2 people', {exact: true}).waitFor();
    assert.equal(await card(ann, 'plan.bin').count(), 1);
    await accept(ben, 'plan.bin');
    await row('plan.bin', 'Ben').getByText('has it', {exact: true}).waitFor();
    await summary.getByText('1 of 2 has it, 1 unanswered', {exact: true}).waitFor();
    await cleo.getByRole('button', {name: 'Refuse plan.bin'}).click();
    await row('plan.bin', 'Cleo').getByText('refused', {exact: true}).waitFor();
    await summary.getByText('1 of 2 has it', {exact: true}).waitFor();
    await card(cleo, 'plan.bin').getByText('Refused.').waitFor();
    assert.equal(await card(ann, 'plan.bin').getByRole('button').count(), 0);
    noComplaints();
  });

  it('are cancelled for one or for all; the numbers change and the focus stays', async () => {
    await offer('film.bin', 40);
    await letWrite(0);
    await accept(ben, 'film.bin');
    const progress = ann.getByRole('progressbar', {name: 'film.bin for Ben'});
    await progress.waitFor();
    const cancel = ann.getByRole('button', {name: 'Cancel film.bin for Ben'});
    await cancel.focus();
    await letWrite(kMiB);
    await ann.waitForFunction(() => document.querySelector('#messages progress')?.value > 0);
    assert.ok(await cancel.evaluate((button) => button === document.activeElement), 'the focus is elsewhere');
    await cleo.getByRole('button', {name: 'Refuse film.bin'}).click();
    await row('film.bin', 'Cleo').getByText('refused', {exact: true}).waitFor();
    assert.ok(await cancel.evaluate((button) => button === document.activeElement), 'the focus is elsewhere');
    await ann.keyboard.press('Enter');
    await row('film.bin', 'Ben').getByText('cancelled', {exact: true}).waitFor();
    assert.ok(await card(ann, 'film.bin').evaluate((line) => line === document.activeElement), 'the focus is lost');
    await card(ben, 'film.bin').getByText('Cancelled.').waitFor();

    await offer('again.bin', 40);
    await accept(ben, 'again.bin');
    await ann.getByRole('progressbar', {name: 'again.bin for Ben'}).waitFor();
    await ann.getByRole('button', {name: 'Cancel all: again.bin'}).click();
    for (const name of ['Ben', 'Cleo']) await row('again.bin', name).getByText('cancelled', {exact: true}).waitFor();
    for (const page of [ben, cleo]) await card(page, 'again.bin').getByText('Cancelled.').waitFor();
    assert.equal(await card(ann, 'again.bin').getByRole('button').count(), 0);
    noComplaints();
  });

  it('are never held in memory: the sender waits for the disk of the receiver', async () => {
    await offer('large.bin', kLargeMiB);
    await letWrite(0);
    await accept(ben, 'large.bin');
    await ann.waitForFunction((bytes) => window.sent.bytes >= bytes && window.sent.channel.bufferedAmount === 0, kWindowBytes);
    await ann.evaluate(() => window.causeway.call.chat('It waits.'));
    await ben.getByText('It waits.').waitFor();
    const waiting = await ann.evaluate(() => window.sent.bytes);
    assert.ok(waiting <= kWindowBytes + kChunkBytesMax, `${waiting} bytes were sent to a disk that stands still`);
    assert.equal(await ben.evaluate(() => window.disk.bytes), 0);
    await letWrite();
    await row('large.bin', 'Ben').getByText('has it', {exact: true}).waitFor();
    const {ahead_max, read_max} = await ann.evaluate(() => ({...window.sent, channel: null}));
    const {bytes, piece_max, marks} = await ben.evaluate(() => window.disk);
    assert.ok(ahead_max <= kWindowBytes + kChunkBytesMax, `${ahead_max} bytes ahead of what was written`);
    assert.ok(read_max <= kMiB, `${read_max} bytes of the file were read at once`);
    assert.ok(piece_max <= kMiB, `${piece_max} bytes were written at once`);
    assert.equal(bytes, kLargeMiB * kMiB);
    assert.deepEqual(marks, Array.from({length: kLargeMiB}, (_, index) => index & 255));
    await ann.getByRole('button', {name: 'Cancel all: large.bin'}).click();
    noComplaints();
  });

  it('end where the disk is full, and both are told', async () => {
    await offer('heavy.bin', 40);
    await ben.evaluate((bytes) => (window.disk.room = bytes), 8 * kMiB);
    await accept(ben, 'heavy.bin');
    await row('heavy.bin', 'Ben').getByText('could not write it', {exact: true}).waitFor();
    await card(ben, 'heavy.bin').getByText('Broke off: it could not be written. The disk may be full.').waitFor();
    assert.ok(await ben.evaluate(() => window.disk.bytes) <= 8 * kMiB);
    await ann.getByRole('button', {name: 'Cancel all: heavy.bin'}).click();
    noComplaints();
  });

  it('end where the sender has them no more, and both are told', async () => {
    const file = await offer('gone.bin', 40);
    await letWrite(0);
    await accept(ben, 'gone.bin');
    await ann.waitForFunction((bytes) => window.sent.bytes >= bytes, kWindowBytes);
    await rm(file);
    await letWrite();
    await row('gone.bin', 'Ben').getByText('broke off', {exact: true}).waitFor();
    await card(ben, 'gone.bin').getByText('Broke off. Ask Ann to send it again.').waitFor();
    await ann.getByRole('button', {name: 'Cancel all: gone.bin'}).click();
    noComplaints();
  });
});
