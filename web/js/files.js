// SPDX-License-Identifier: Apache-2.0
// Files from browser to browser. The sender offers, each receiver accepts or not, and each file goes to each receiver in
// a data channel of its own. The receiver says what it has written, and the sender stays a bounded way ahead of that: a
// slow disk or a slow network fills no memory.
import {openSink} from './file_sink.js';
import {nameText} from './name_text.js';

const kChunkBytesMax = 64 * 1024;   // of one message: a written one in the chat waits for it to go out
const kSliceBytes = 1024 * 1024;    // what is read at once
const kAheadBytes = 4 * 1024 * 1024;
const kPieceBytes = 512 * 1024;     // what is written at once, and reported then: each write costs the browser much
const kUnwrittenBytesMax = 16 * 1024 * 1024;  // of a sender that does not wait
const kOffersMax = 32;              // of one member at once: more are not shown

/**
 * `refused` by the receiver before anything was sent; `unwritten`: the receiver could not write it; `failed`: it broke off
 * otherwise.
 * @typedef {'offered'|'moving'|'done'|'refused'|'cancelled'|'unwritten'|'failed'} TransferState
 */

const kBreaks = ['unwritten', 'failed'];  // what one side tells the other of its own

/**
 * A file on its way to or from one member.
 * @typedef {object} Transfer
 * @property {string} id
 * @property {import('./peer.js').Peer} peer
 * @property {boolean} outgoing
 * @property {string} name
 * @property {number} size
 * @property {number} bytes written by the receiver so far
 * @property {TransferState} state
 * @property {Transfer[]} offer this one, and those of the same file that were offered to others at the same time
 * @property {File} [file] outgoing
 * @property {RTCDataChannel} [channel]
 * @property {import('./file_sink.js').Sink} [sink] incoming
 * @property {() => void} [moved] wakes the sender
 */

/** Events: `transfer` (detail: the Transfer that is new or another now). */
export class Files extends EventTarget {
  /** @type {Map<string, Transfer>} */
  #transfers = new Map();

  /** @param {import('./call.js').Call} call */
  constructor(call) {
    super();
    call.addEventListener('peer', (event) => this.#follow(/** @type {CustomEvent} */ (event).detail));
    call.addEventListener('peer-left', (event) => this.#onLeft(/** @type {CustomEvent} */ (event).detail.peer));
  }

  /** @param {File} file @param {Iterable<import('./peer.js').Peer>} peers @returns {Transfer[]} those that were offered it */
  offer(file, peers) {
    const offer = [];
    for (const peer of peers) {
      const id = crypto.getRandomValues(new Uint32Array(4)).join('-');
      if (!peer.link?.send({file: {id, name: file.name, size: file.size}})) continue;
      const state = /** @type {TransferState} */ ('offered');
      const transfer = {id, peer, outgoing: true, name: file.name, size: file.size, bytes: 0, state, offer, file};
      this.#transfers.set(id, transfer);
      offer.push(transfer);
    }
    for (const transfer of offer) this.#changed(transfer);
    return offer;
  }

  /**
   * Takes an offered file; from a press of a button. A NoRoom: it fits nowhere. An AbortError: no place was chosen.
   * @param {Transfer} transfer
   */
  async accept(transfer) {
    transfer.sink = await openSink(transfer.name, transfer.size);
    if (transfer.state !== 'offered') return transfer.sink.abort();
    this.#become(transfer, 'moving');
    transfer.peer.link?.send({file_accept: transfer.id});
  }

  /** Ends a transfer, on either side and at any time. @param {Transfer} transfer */
  cancel(transfer) {
    if (transfer.state !== 'offered' && transfer.state !== 'moving') return;
    transfer.peer.link?.send({file_cancel: transfer.id});
    this.#end(transfer, transfer.state === 'offered' && !transfer.outgoing ? 'refused' : 'cancelled');
  }

  #follow(peer) {
    peer.addEventListener('message', ({detail}) => this.#onMessage(peer, detail));
    peer.addEventListener('file', ({detail}) => this.#receive(peer, detail));
  }

  #onMessage(peer, message) {
    if (message.file) return this.#onOffer(peer, message.file);
    const id = message.file_accept ?? message.file_cancel ?? message.file_written?.id;
    const transfer = this.#transfers.get(id);
    if (!transfer || transfer.peer !== peer) return;
    if (message.file_cancel) this.#onCancel(transfer, message.why);
    if (message.file_accept && transfer.outgoing && transfer.state === 'offered') this.#send(transfer);
    if (message.file_written && transfer.outgoing) this.#onWritten(transfer, Number(message.file_written.bytes));
  }

  #onOffer(peer, {id, name, size}) {
    const open = [...this.#transfers.values()].filter((each) => each.peer === peer && each.state === 'offered');
    const sound = typeof id === 'string' && typeof name === 'string' && Number.isSafeInteger(size) && size >= 0;
    if (!sound || this.#transfers.has(id) || open.length >= kOffersMax) return;
    const state = /** @type {TransferState} */ ('offered');
    const transfer = {id, peer, outgoing: false, name: nameText(name), size, bytes: 0, state, offer: []};
    transfer.offer.push(transfer);
    this.#transfers.set(id, transfer);
    this.#changed(transfer);
  }

  #onCancel(transfer, why) {
    const refused = transfer.outgoing && transfer.state === 'offered';
    this.#end(transfer, kBreaks.includes(why) ? why : refused ? 'refused' : 'cancelled');
  }

  async #send(transfer) {
    const {file, peer} = transfer;
    this.#become(transfer, 'moving');
    const channel = peer.link.openFile(transfer.id);
    transfer.channel = channel;
    channel.onclose = () => this.#end(transfer, 'failed');
    const chunk_bytes = Math.min(kChunkBytesMax, peer.connection.sctp.maxMessageSize);
    try {
      await new Promise((resolve) => (channel.onopen = resolve));
      for (let at = 0; at < file.size; at += kSliceBytes) {
        const slice = await file.slice(at, at + kSliceBytes).arrayBuffer();
        for (let from = 0; from < slice.byteLength; from += chunk_bytes) {
          while (transfer.state === 'moving' && at + from - transfer.bytes > kAheadBytes) {
            await new Promise((wake) => (transfer.moved = wake));
          }
          if (transfer.state !== 'moving') return;
          channel.send(new Uint8Array(slice, from, Math.min(chunk_bytes, slice.byteLength - from)));
        }
      }
    } catch {
      this.#break(transfer, 'failed');  // the file is gone or was changed, or the channel closed
    }
  }

  #onWritten(transfer, bytes) {
    if (transfer.state !== 'moving' || !(bytes >= transfer.bytes && bytes <= transfer.size)) return;
    transfer.bytes = bytes;
    transfer.moved?.();
    if (bytes === transfer.size) this.#end(transfer, 'done');
    else this.#changed(transfer);
  }

  #receive(peer, {id, channel}) {
    const transfer = this.#transfers.get(id);
    if (!transfer || transfer.outgoing || transfer.peer !== peer || transfer.state !== 'moving' || transfer.channel) {
      return channel.close();
    }
    transfer.channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.onclose = () => received < transfer.size && this.#break(transfer, 'failed');
    let received = 0;
    let gathered = [];
    let written = Promise.resolve();
    const gather = (chunk) => {
      received += chunk.byteLength;
      const sound = received <= transfer.size && received - transfer.bytes <= kUnwrittenBytesMax;
      if (!sound) return this.#break(transfer, 'failed');
      gathered.push(chunk);
      const bytes = gathered.reduce((sum, {byteLength}) => sum + byteLength, 0);
      if (bytes < kPieceBytes && received < transfer.size) return;
      const piece = joined(gathered, bytes);
      gathered = [];
      written = written.then(() => this.#write(transfer, piece)).catch(() => this.#break(transfer, 'unwritten'));
    };
    channel.onmessage = ({data}) => gather(data);
    if (transfer.size === 0) gather(new ArrayBuffer(0));
  }

  async #write(transfer, piece) {
    if (transfer.state !== 'moving') return;
    await transfer.sink.write(piece);
    if (transfer.state !== 'moving') return;  // cancelled meanwhile
    transfer.bytes += piece.byteLength;
    if (transfer.bytes === transfer.size) await this.#finish(transfer);
    else this.#changed(transfer);
    transfer.peer.link?.send({file_written: {id: transfer.id, bytes: transfer.bytes}});
  }

  async #finish(transfer) {
    await transfer.sink.finish();
    this.#become(transfer, 'done');
  }

  #break(transfer, why) {
    if (transfer.state !== 'moving') return;
    transfer.peer.link?.send({file_cancel: transfer.id, why});
    this.#end(transfer, why);
  }

  #onLeft(peer) {
    for (const transfer of this.#transfers.values()) if (transfer.peer === peer) this.#end(transfer, 'failed');
  }

  #end(transfer, state) {
    if (transfer.state !== 'offered' && transfer.state !== 'moving') return;
    this.#become(transfer, state);
    transfer.moved?.();
    if (transfer.channel) {
      transfer.channel.onclose = null;
      transfer.channel.close();
    }
    if (state !== 'done') transfer.sink?.abort().catch(() => {});
  }

  #become(transfer, state) {
    transfer.state = state;
    this.#changed(transfer);
  }

  #changed(transfer) {
    this.dispatchEvent(new CustomEvent('transfer', {detail: transfer}));
  }
}

/** @param {ArrayBuffer[]} chunks @param {number} bytes of all of them */
function joined(chunks, bytes) {
  const piece = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    piece.set(new Uint8Array(chunk), at);
    at += chunk.byteLength;
  }
  return piece;
}
