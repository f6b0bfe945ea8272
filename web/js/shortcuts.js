// SPDX-License-Identifier: Apache-2.0
// The keyboard in a call. Letters count only while nobody writes and nothing else has the focus that takes them.

export const kShortcuts = [
  {key: 'm', action: 'mic', words: 'shortcuts.mic'},
  {key: 'v', action: 'camera', words: 'shortcuts.camera'},
  {key: 's', action: 'share', words: 'shortcuts.share'},
  {key: 'h', action: 'hand', words: 'shortcuts.hand'},
  {key: 'c', action: 'chat', words: 'shortcuts.chat'},
  {key: 'p', action: 'people', words: 'shortcuts.people'},
  {key: 'i', action: 'stats', words: 'shortcuts.stats'},
  {key: ' ', action: 'talk', words: 'shortcuts.talk'},
  {key: '?', action: 'help', words: 'shortcuts.help'},
];

const kTakesKeys = 'input, textarea, select, [contenteditable], dialog';
const kTakesSpace = `${kTakesKeys}, button, a, summary, video`;

/**
 * @param {Record<string, () => void>} actions by their names in kShortcuts, without `talk`
 * @param {(down: boolean) => void} talk the space bar goes down or up
 * @param {AbortSignal} signal the end of the call
 */
export function listenToKeys(actions, talk, signal) {
  let talking = false;
  const release = () => {
    if (talking) talk(false);
    talking = false;
  };
  addEventListener('keydown', (event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || target.closest?.(kTakesKeys)) return;
    const shortcut = kShortcuts.find(({key}) => key === event.key.toLowerCase());
    if (!shortcut) return;
    if (shortcut.action !== 'talk') {
      event.preventDefault();
      return actions[shortcut.action]();
    }
    if (target.closest?.(kTakesSpace)) return;
    event.preventDefault();
    talking = true;
    talk(true);
  }, {signal});
  addEventListener('keyup', (event) => event.key === ' ' && release(), {signal});
  addEventListener('blur', release, {signal});
}
