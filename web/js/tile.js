// SPDX-License-Identifier: Apache-2.0
// The tile of one person in the call: picture or initials, name, microphone, connection and route.

const kStates = {
  new: 'Connecting…',
  connecting: 'Connecting…',
  disconnected: 'Interrupted. Trying again…',
  failed: 'No way to this person yet. Trying again…',
};

/** @param {string} name */
function initialsOf(name) {
  const words = name.trim().split(/\s+/);
  return words.slice(0, 2).map((word) => [...word][0] ?? '').join('').toUpperCase();
}

export class Tile {
  /** @param {string} name @param {MediaStream} stream @param {string} [label] where the name alone says too little */
  constructor(name, stream, label = name) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById('tile-template'));
    this.element = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
    this.video = this.#find('video');
    this.video.setAttribute('aria-label', `Video of ${name}`);
    this.video.srcObject = stream;
    this.#find('.tile-name').textContent = label;
    this.#find('.placeholder').textContent = initialsOf(name);
  }

  /** @param {import('./media.js').LocalMedia} local */
  showLocal(local) {
    this.element.classList.add('self');
    this.video.muted = true;  // nobody wants to hear themselves
    this.#show({video: local.state.video, muted: !local.state.audio, state: ''});
  }

  /** @param {import('./peer.js').Peer} peer */
  showPeer(peer) {
    const picture = peer.stream.getVideoTracks().some((track) => !track.muted);
    const state = kStates[peer.state] ?? '';
    this.#show({video: picture && peer.media?.video !== false, muted: peer.media?.audio === false, state});
    this.element.dataset.member = peer.member;
    this.element.dataset.state = peer.state;
    this.#showRoute(state ? null : peer.route);
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

  remove() {
    this.video.srcObject = null;
    this.element.remove();
  }

  #offerSound() {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'tile-sound primary';
    button.textContent = 'Play sound';
    button.onclick = () => this.play();
    this.element.append(button);
  }

  #show({video, muted, state}) {
    this.element.classList.toggle('has-video', video);
    this.#find('.tile-muted').hidden = !muted;
    this.#find('.tile-state').textContent = state;
  }

  #showRoute(route) {
    const chip = this.#find('.tile-route');
    chip.hidden = !route;
    this.element.dataset.route = route?.label ?? '';
    if (!route) return;
    const time = route.round_trip_ms === null ? '' : ` · ${route.round_trip_ms} ms`;
    chip.textContent = route.label + time;
    chip.title = route.sentence;
  }

  #find(selector) {
    return /** @type {any} */ (this.element.querySelector(selector));
  }
}
