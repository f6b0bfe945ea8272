// SPDX-License-Identifier: Apache-2.0
// The lines of results on the test page, and what is said aloud of them.
import {copyOf, element} from './dom.js';
import {t} from './i18n.js';

/** @param {string} words */
export function announce(words) {
  element('status').textContent = words;
}

/** @param {string} id @param {string} words empty: nothing is wrong any more */
export function showAlert(id, words) {
  element(id).textContent = words;
  element(id).hidden = !words;
}

/**
 * A line that says how one thing stands; the same again for the same key.
 * @param {HTMLElement} list @param {string} key @param {string} [uri] what is shown in front of the words
 * @returns {(state: 'trying'|'good'|'warn'|'bad', words: string) => void}
 */
export function resultLine(list, key, uri = '') {
  let line = [...list.children].find((each) => /** @type {HTMLElement} */ (each).dataset.key === key);
  if (!line) {
    line = copyOf('result-template');
    line.querySelector('.result-uri').textContent = uri;
    line.querySelector('.result-uri').hidden = !uri;
    Object.assign(line.dataset, {key, uri});
    list.append(line);
  }
  const show = (state, words) => {
    /** @type {HTMLElement} */ (line).dataset.state = state;
    line.querySelector('.result-words').textContent = words;
    line.querySelector('.result-state').textContent = t(`state.${state}`);
  };
  show('trying', t('trying'));
  return show;
}
