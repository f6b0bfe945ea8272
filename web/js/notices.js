// SPDX-License-Identifier: Apache-2.0
// What the page tells a person: errors that stay, the state of the connection, and short news. All are live regions.
import {element} from './dom.js';

const kToastMs = 5000;
let toast_timer = 0;

/** @param {string} words empty: nothing is wrong any more */
export function showAlert(words) {
  element('alert').textContent = words;
  element('alert').hidden = !words;
}

/** @param {string} words */
export function toast(words) {
  clearTimeout(toast_timer);
  element('status').textContent = words;
  toast_timer = setTimeout(() => (element('status').textContent = ''), kToastMs);
}

/** @param {string} words empty: connected */
export function showConnection(words) {
  element('connection-words').textContent = words;
  element('connection').hidden = !words;
}
