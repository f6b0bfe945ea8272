// SPDX-License-Identifier: Apache-2.0
// The buttons for microphone and camera, in the lobby and in the call, and the lists of devices.
import {element, make} from './dom.js';
import {t} from './i18n.js';
import {can_choose_output} from './media.js';

/** @param {string} id @param {{on: boolean, words: string, icon: string}} state */
export function showControl(id, {on, words, icon}) {
  const button = element(id);
  button.querySelector('span').textContent = words;
  button.querySelector('use').setAttribute('href', `#icon-${icon}`);
  button.classList.toggle('off', !on);
}

/** @param {string} mic @param {string} camera ids @param {import('./media.js').LocalMedia} media */
export function showMediaControls(mic, camera, media) {
  const {audio, video} = media.state;
  showControl(mic, {on: audio, words: t(audio ? 'mic.mute' : 'mic.unmute'), icon: audio ? 'mic' : 'mic-off'});
  const words = t(video ? 'camera.stop' : 'camera.start');
  showControl(camera, {on: video, words, icon: video ? 'camera' : 'camera-off'});
}

// One at a time: a second press while the browser still asks its question must not open a second camera.
let busy = false;

/** Runs the action unless another one is going on; keeps the focus where it is. @param {() => Promise<any>} action */
export async function withDevices(action) {
  if (busy) return;
  busy = true;
  try {
    await action();
  } finally {
    busy = false;
  }
}

/**
 * The lists of microphones, cameras and, where the browser can, loudspeakers.
 * @param {Element} box @param {import('./media.js').LocalMedia} media
 */
export async function showDevices(box, media) {
  const kinds = /** @type {const} */ (can_choose_output ? ['audio', 'video', 'output'] : ['audio', 'video']);
  for (const kind of kinds) {
    const devices = await media.devices(kind);
    let select = box.querySelector(`select[data-kind="${kind}"]`);
    if (!select) {
      select = make('select', {data: {kind}});
      select.onchange = () => withDevices(() => media.choose(kind, select.value));
      box.append(make('label', {}, make('span', {}, t(`devices.${kind}`)), select));
    }
    const options = devices.map(({deviceId, label}, index) => (
      new Option(label || t('devices.number', {number: index + 1}), deviceId)));
    const used = media[kind]?.getSettings().deviceId ?? media.chosen[kind];
    select.replaceChildren(...(options.length > 0 ? options : [new Option(t('devices.none'), '')]));
    select.value = devices.some(({deviceId}) => deviceId === used) ? used : select.options[0].value;
    select.disabled = devices.length < 2;
    select.parentElement.hidden = kind === 'output' && devices.length === 0;  // none is named
  }
}
