// SPDX-License-Identifier: Apache-2.0
// Whether the room is open, and who waits to be let in; what a moderator does about it.

/** Events: `change`, and `knock` (detail: {member, name}: somebody waits). */
export class Moderation extends EventTarget {
  locked = false;
  /** A locked room with a waiting room: whoever comes may ask to be let in. */
  knock = false;
  /** Who waits, by member id: the names. @type {Map<string, string>} */
  waiting = new Map();
  /** Whether the server has these requests. */
  available = false;
  #call;
  #signaling;

  /** @param {import('./call.js').Call} call @param {import('./signaling.js').Signaling} signaling */
  constructor(call, signaling) {
    super();
    this.#call = call;
    this.#signaling = signaling;
    call.addEventListener('self', () => this.#changed());
    signaling
      .on('welcome', ({features}) => (this.available = ['lock', 'kick', 'waiting'].every((each) => features.includes(each))))
      .on('joined', (message) => this.#onJoined(message))
      .on('locked', (message) => this.#onLocked(message))
      .on('knock', ({member, name = ''}) => this.#onKnock(member, name))
      .on('knock-ended', ({member}) => this.#onKnockEnded(member));
  }

  /** Whether this member may do what follows. */
  get allowed() {
    return this.available && this.#call.self?.role === 'moderator';
  }

  /** @param {'open'|'waiting'|'locked'} door */
  setDoor(door) {
    this.#signaling.lock(door !== 'open', {knock: door === 'waiting'});
  }

  get door() {
    if (!this.locked) return 'open';
    return this.knock ? 'waiting' : 'locked';
  }

  /** @param {string} member */
  kick(member) {
    this.#signaling.kick(member);
  }

  /** @param {string} member somebody who waits @param {boolean} welcome */
  answer(member, welcome) {
    if (welcome) this.#signaling.admit(member);
    else this.#signaling.deny(member);
  }

  #onJoined({locked = false, knock = false}) {
    this.waiting.clear();
    this.#onLocked({locked, knock});
  }

  #onLocked({locked, knock}) {
    this.locked = locked;
    this.knock = knock;
    this.#changed();
  }

  #onKnock(member, name) {
    this.waiting.set(member, name);
    this.dispatchEvent(new CustomEvent('knock', {detail: {member, name}}));
    this.#changed();
  }

  #onKnockEnded(member) {
    this.waiting.delete(member);
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
