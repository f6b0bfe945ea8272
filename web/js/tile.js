// SPDX-License-Identifier: Apache-2.0
// The tile of one person, or of a shared screen: picture or initials, name, microphone, hand, connection and route.
import {copyOf, make} from './dom.js';
import {t} from './i18n.js';

const kStates = {new: 'tile.connecting', connecting: 'tile.connecting', disconnected: 'tile.interrupted',
  failed: 'tile.failed'};

/** @param {string} name */
function initialsOf(name) {
  const words = name.trim().split(/\s+/);
  return words.slice(0, 2).map((word) => [...word][0] ?? '').join('').toUpperCase();
}

export class Tile {
  /** @param {string} name @param {MediaStream} stream @param {string} [label] where the name alone says too little */
  constructor(name, stream, label = name) {
    this.element = /** @type {HTMLElement} */ (copyOf('tile-template'));
    this.video = this.#find('video');
    this.video.setAttribute('aria-label', t('tile.video', {name}));
    this.video.srcObject = stream;
    this.pin = this.#find('.tile-pin');
    this.pin.setAttribute('aria-label', t('tile.pin', {name: label}));
    this.#find('.tile-name').textContent = label;
    this.#find('.placeholder').textContent = initialsOf(name);
  }

  /** @param {import('./media.js').LocalMedia} local @param {boolean} hand */
  showLocal(local, hand) {
    this.element.classList.add('self');
    this.video.muted = true;  // nobody wants to hear themselves
    this.#show({video: local.state.video, muted: !local.state.audio, hand, state: ''});
  }

  /** @param {import('./peer.js').Peer} peer */
  showPeer(peer) {
    const picture = peer.stream.getVideoTracks().some((track) => !track.muted);
    const state = kStates[peer.state] ? t(kStates[peer.state]) : '';
    const {audio = true, video = true, hand = false} = peer.said ?? {};
    this.#show({video: picture && video, muted: !audio, hand, state});
    this.element.dataset.member = peer.member;
    this.element.dataset.state = peer.state;
    if (state) this.#find('.tile-route').hidden = true;
  }

  /** A shared screen is shown whole. @param {boolean} own */
  showScreen(own) {
    this.element.classList.add('screen', 'has-video');
    if (own) this.video.muted = true;
  }

  /** @param {import('./history.js').History} history */
  showHistory(history) {
    const chip = this.#find('.tile-route');
    const {route, quality} = history;
    chip.hidden = !route || this.#find('.tile-state').textContent !== '';
    if (!route) return;
    this.element.dataset.route = route.kind;
    chip.querySelector('.route-words').textContent = t(`route.${route.kind}`);
    chip.querySelector('.route-time').textContent = route.round_trip_ms === null ? '' : ` · ${route.round_trip_ms} ms`;
    chip.title = t(`route.${route.kind}.sentence`);
    const bars = chip.querySelector('.bars');
    bars.dataset.quality = String(quality);
    bars.setAttribute('aria-label', t(`quality.${quality}`));
  }

  /** A browser may refuse to play sound before a person has pressed something: then there is something to press. */
  async play() {
    const button = this.element.querySelector('.tile-sound');
    try {
      await this.video.play();
      button?.remove();
    } catch (error) {
      if (error.name === 'NotAllowedError' && !button) this.#offerSound();
    }
  }

  /** @param {string} device_id a loudspeaker */
  async playOn(device_id) {
    await this.video.setSinkId?.(device_id).catch(() => {});  // it is gone: the browser's choice plays on
  }

  remove() {
    this.video.srcObject = null;
    this.element.remove();
  }

  #offerSound() {
    const onclick = () => this.play();
    this.element.append(make('button', {type: 'button', className: 'tile-sound primary', onclick}, t('tile.sound')));
  }

  #show({video, muted, hand, state}) {
    this.element.classList.toggle('has-video', video);
    this.#find('.tile-muted').hidden = !muted;
    this.#find('.tile-hand').hidden = !hand;
    this.#find('.tile-state').textContent = state;
  }

  #find(selector) {
    return /** @type {any} */ (this.element.querySelector(selector));
  }
}
