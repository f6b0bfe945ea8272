// SPDX-License-Identifier: Apache-2.0
// The last two minutes of one peer connection, sampled from its statistics.
import {routeOf, selectedPair} from './route.js';

const kSamplesMax = 60;

/** How often a call takes samples: 60 of them are two minutes. */
export const kSampleMs = 2000;

/**
 * Null: not known at that time.
 * @typedef {object} Sample
 * @property {number} at milliseconds since 1970
 * @property {number|null} round_trip_ms
 * @property {number|null} loss_percent of what the other side sent since the sample before
 * @property {number|null} jitter_ms
 * @property {number|null} in_kbps
 * @property {number|null} out_kbps
 * @property {number|null} frames_per_second decoded
 */

/** What a graph can show of a sample. */
export const kSeries = /** @type {const} */ (
  ['round_trip_ms', 'loss_percent', 'jitter_ms', 'in_kbps', 'out_kbps', 'frames_per_second']);

export class History {
  /** The oldest first. @type {Sample[]} */
  samples = [];
  /** @type {import('./route.js').Route|null} */
  route = null;
  #last = null;

  /** @param {RTCPeerConnection} connection */
  async read(connection) {
    const stats = await connection.getStats();
    this.route = routeOf(stats);
    const now = countersOf(stats);
    if (this.#last && now.at - this.#last.at < kSampleMs / 4) return;  // read out of turn: too short for a rate
    if (this.#last) {
      this.samples.push(sampleOf(this.#last, now));
      if (this.samples.length > kSamplesMax) this.samples.shift();
    }
    this.#last = now;
  }

  /** @returns {Sample|null} */
  get latest() {
    return this.samples.at(-1) ?? null;
  }

  /** 3: good, 2: fair, 1: poor; 0: not known. Loss and delay are what people hear. */
  get quality() {
    const recent = this.samples.slice(-3);
    if (recent.length === 0) return 0;
    const worst = (name) => Math.max(...recent.map((sample) => sample[name] ?? 0));
    const loss = worst('loss_percent');
    const delay = worst('round_trip_ms');
    if (loss > 8 || delay > 600) return 1;
    return loss > 2 || delay > 300 || worst('jitter_ms') > 60 ? 2 : 3;
  }
}

function countersOf(stats) {
  const pair = selectedPair(stats);
  const counters = {
    at: Date.now(), bytes_in: pair?.bytesReceived, bytes_out: pair?.bytesSent, round_trip_s: pair?.currentRoundTripTime,
    lost: 0, received: 0, jitter_s: null, frames: null,
  };
  for (const entry of stats.values()) {
    if (entry.type !== 'inbound-rtp') continue;
    counters.lost += entry.packetsLost ?? 0;
    counters.received += entry.packetsReceived ?? 0;
    if (entry.jitter !== undefined) counters.jitter_s = Math.max(counters.jitter_s ?? 0, entry.jitter);
    if (entry.kind === 'video') counters.frames = (counters.frames ?? 0) + (entry.framesDecoded ?? 0);
  }
  return counters;
}

/** @returns {Sample} */
function sampleOf(before, now) {
  const seconds = Math.max(0.001, (now.at - before.at) / 1000);
  const lost = Math.max(0, now.lost - before.lost);
  const expected = lost + Math.max(0, now.received - before.received);
  const rate = (name, unit) => {
    const grown = now[name] - before[name];
    return Number.isFinite(grown) ? Math.max(0, Math.round(grown / unit / seconds)) : null;
  };
  return {
    at: now.at,
    round_trip_ms: now.round_trip_s === undefined ? null : Math.round(now.round_trip_s * 1000),
    loss_percent: expected > 0 ? Math.round((1000 * lost) / expected) / 10 : null,
    jitter_ms: now.jitter_s === null ? null : Math.round(now.jitter_s * 1000),
    in_kbps: rate('bytes_in', 125),
    out_kbps: rate('bytes_out', 125),
    frames_per_second: now.frames === null || before.frames === null ? null : rate('frames', 1),
  };
}
