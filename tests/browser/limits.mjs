// SPDX-License-Identifier: Apache-2.0
// How long tests wait for an event on this machine. A limit only ends a test that fails, so it may be generous: it grows
// with the time that a fixed piece of work takes here and now, other programs on the machine included.
import assert from 'node:assert/strict';
import {setTimeout as pause} from 'node:timers/promises';

const kRounds = 30_000_000;
const kReferenceMs = 60;  // what the rounds take on an idle machine of 2023
const kSlownessMax = 10;
const kPollMs = 50;

function measureSlowness() {
  const from = performance.now();
  for (let round = 0, bits = 1; round < kRounds; ++round) {
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
  }
  return Math.min(kSlownessMax, Math.max(1, (performance.now() - from) / kReferenceMs));
}

/** 1 on a machine that is fast and idle, more on others. */
export const kSlowness = measureSlowness();

/** A limit for a fast and idle machine, as it is on this one. */
export const scaled = (milliseconds) => Math.round(milliseconds * kSlowness);

/** For whatever has no limit of its own. */
export const kWaitMs = scaled(60_000);

/** Polls until `attempt` gives what is true, and returns that; `failure` says what there was instead at the end. */
export async function until(attempt, failure) {
  for (const deadline = Date.now() + kWaitMs; ; await pause(kPollMs)) {
    const result = await attempt();
    if (result) return result;
    assert.ok(Date.now() < deadline, failure());
  }
}
