// SPDX-License-Identifier: Apache-2.0
// Before the call: what the others will see and hear of one, and under which name. Nothing is opened without a press; what
// one has been using is remembered.
import {showDevices, showMediaControls, withDevices} from './controls.js';
import {element, make} from './dom.js';
import {t} from './i18n.js';
import {Meter} from './meter.js';
import {nameText} from './name_text.js';
import {recall, remember} from './storage.js';

const kEverything = {audio: true, video: true, muted: false};

export class Lobby {
  #media;
  #meter = new Meter((level) => (element('meter').value = level));
  #open = false;

  /**
   * @param {import('./media.js').LocalMedia} media
   * @param {{join: (choices: {name: string, relay_only: boolean}) => void, back: () => void, relay_only: boolean}} page
   */
  constructor(media, {join, back, relay_only}) {
    this.#media = media;
    element('name').value = recall('name', '');
    element('relay-only').checked = relay_only;
    element('join').disabled = false;
    element('join-form').addEventListener('submit', (event) => {
      event.preventDefault();
      const name = nameText(element('name').value);
      remember('name', name);
      this.#rememberUse();
      join({name, relay_only: element('relay-only').checked});
    });
    element('back').addEventListener('click', back);
    element('use-devices').addEventListener('click', () => this.#use(kEverything));
    element('lobby-mic').addEventListener('click', () => withDevices(() => media.toggleAudio()));
    element('lobby-camera').addEventListener('click', () => withDevices(() => media.toggleVideo()));
    for (const id of ['lobby-mic', 'lobby-camera']) element(id).disabled = false;
    media.addEventListener('change', () => this.#show());
    media.addEventListener('devices', () => this.#open && showDevices(element('lobby-devices'), media));
    media.addEventListener('problem', (event) => this.#showProblem(/** @type {CustomEvent} */ (event).detail));
  }

  /** @param {string} room @param {boolean} pressed whether the person came here by a press on this page */
  async show(room, pressed) {
    this.#open = true;
    element('lobby-title').textContent = t('lobby.title', {room});
    element('join').disabled = false;
    element('join').textContent = t('lobby.join');
    this.#show();
    element('lobby-title').focus();
    await showDevices(element('lobby-devices'), this.#media);
    const used = recall('use', null);
    if (pressed && used && !this.#media.audio && !this.#media.video) await this.#use(used);
  }

  hide() {
    this.#open = false;
    this.#show();
  }

  async #use({audio, video, muted}) {
    const kinds = [...(audio ? ['audio'] : []), ...(video ? ['video'] : [])];
    if (kinds.length === 0) return;
    await withDevices(() => this.#media.open(/** @type {any} */ (kinds)));
    if (muted) this.#media.setMuted(true);
  }

  #rememberUse() {
    const {audio, video, state} = this.#media;
    remember('use', {audio: audio !== null, video: video !== null, muted: audio !== null && !state.audio});
  }

  #show() {
    const media = this.#media;
    const {audio, video} = media.state;
    showMediaControls('lobby-mic', 'lobby-camera', media);
    element('preview-tile').classList.toggle('has-video', video);
    element('preview').srcObject = video && this.#open ? media.stream : null;  // else it would hold up the load event
    element('use-devices').hidden = media.audio !== null || media.video !== null;
    element('join-as').textContent = t(joinAs(media.audio !== null, audio, video));
    for (const kind of /** @type {const} */ (['audio', 'video'])) {
      if (media[kind]) for (const item of problemItems(kind)) item.remove();
    }
    this.#meter.listen(this.#open ? media.audio : null);
  }

  #showProblem({code, kinds, words}) {
    for (const kind of kinds) for (const item of problemItems(kind)) item.remove();
    element('problems').append(make('li', {data: {kinds: kinds.join(' '), code}}, words));
  }
}

const problemItems = (kind) => [...element('problems').children].filter((item) => item.dataset.kinds.includes(kind));

function joinAs(has_audio, audio, video) {
  if (!has_audio && !video) return 'lobby.as-listener';
  if (audio) return video ? 'lobby.as-both' : 'lobby.as-audio';
  return video ? 'lobby.as-muted-video' : 'lobby.as-muted';
}
