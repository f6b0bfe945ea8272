// SPDX-License-Identifier: Apache-2.0
// Who speaks: the loudest of those who are loud enough, and not another one at every breath.

const kEveryMs = 100;
const kLoud = 0.02;
const kHoldMs = 1500;

/** Event: `speaker` (detail: the Peer, or null when it has been quiet for long). */
export class Speaker extends EventTarget {
  /** @type {import('./peer.js').Peer|null} */
  current = null;
  #heard_at = 0;
  #timer;

  /** @param {() => Iterable<import('./peer.js').Peer>} peers */
  constructor(peers) {
    super();
    this.#timer = setInterval(() => this.#listen([...peers()]), kEveryMs);
  }

  close() {
    clearInterval(this.#timer);
  }

  #listen(peers) {
    const levels = peers.map((peer) => ({peer, level: levelOf(peer)}));
    const loudest = levels.reduce((best, each) => (each.level > best.level ? each : best), {peer: null, level: kLoud});
    const now = performance.now();
    if (loudest.peer && loudest.peer === this.current) this.#heard_at = now;
    const held = now - this.#heard_at < kHoldMs && peers.includes(this.current);
    if (held || loudest.peer === this.current) return;
    this.current = loudest.peer;
    this.#heard_at = now;
    this.dispatchEvent(new CustomEvent('speaker', {detail: this.current}));
  }
}

function levelOf(peer) {
  const source = peer.transceiverOf('audio')?.receiver.getSynchronizationSources()[0];
  if (!source || peer.said?.audio === false) return 0;
  return source.audioLevel ?? 0;
}
