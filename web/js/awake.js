// SPDX-License-Identifier: Apache-2.0
// The screen stays on during a call, where the browser can; and a tab that was asleep is found out.

const kTickMs = 2000;
const kAsleepMs = 20_000;

/** @param {AbortSignal} signal the end of the call */
export function keepScreenOn(signal) {
  let lock = null;
  const ask = async () => {
    if (document.visibilityState !== 'visible' || signal.aborted) return;
    try {
      lock = await navigator.wakeLock?.request('screen');
      if (signal.aborted) lock?.release();
    } catch {
      // the battery is low, or it is not allowed: the screen may go off
    }
  };
  document.addEventListener('visibilitychange', ask, {signal});
  signal.addEventListener('abort', () => lock?.release());
  ask();
}

/**
 * A timer that comes much too late means that the device or the tab has slept.
 * @param {(seconds: number) => void} woken @param {AbortSignal} signal
 */
export function noticeSleep(woken, signal) {
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    if (now - last > kAsleepMs) woken(Math.round((now - last) / 1000));
    last = now;
  }, kTickMs);
  signal.addEventListener('abort', () => clearInterval(timer));
}
