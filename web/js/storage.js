// SPDX-License-Identifier: Apache-2.0
// What this browser remembers for the next visit. Storage may be forbidden: then nothing is remembered.

const kPrefix = 'causeway.';

/** @template T @param {string} key @param {T} otherwise @returns {T} */
export function recall(key, otherwise) {
  try {
    const text = localStorage.getItem(kPrefix + key);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

/** @param {string} key @param {any} value */
export function remember(key, value) {
  try {
    localStorage.setItem(kPrefix + key, JSON.stringify(value));
  } catch {
    // forbidden or full: the next visit asks again
  }
}
