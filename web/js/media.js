// SPDX-License-Identifier: Apache-2.0
// The microphone and the camera of this member. Each is optional: a call works with either, both or none.

const kNames = {audio: 'microphone', video: 'camera'};
const kInputs = {audio: 'audioinput', video: 'videoinput'};
const kConstraints = {
  audio: {echoCancellation: true, noiseSuppression: true, autoGainControl: true},
  video: {width: {ideal: 1280}, height: {ideal: 720}, frameRate: {max: 30}},
};

/** @typedef {'audio'|'video'} Kind */
/** @typedef {'insecure'|'unsupported'|'no-device'|'denied'|'busy'|'failed'} ProblemCode */

/** What went wrong with a device, in a sentence. @param {ProblemCode} code @param {Kind[]} kinds */
export function problemInWords(code, kinds) {
  const names = kinds.map((kind) => kNames[kind]).join(' and ');
  const them = kinds.length > 1 ? 'them' : 'it';
  const are = kinds.length > 1 ? 'are' : 'is';
  const no = kinds.map((kind) => `no ${kNames[kind]}`).join(' and ');
  return {
    'insecure': `This page was opened without https, and so the browser gives it ${no}. Open it with https:// ` +
      '(the server prints the address when it starts). You can still see and hear the others.',
    'unsupported': `This browser offers ${no} to web pages. You can still see and hear the others.`,
    'no-device': `This device has ${no} that the browser can find. Plug one in and try again, or go on without.`,
    'denied': `The browser does not let this page use the ${names}. To change that, press the symbol beside the ` +
      `address of this page, allow ${them}, and try again.`,
    'busy': `The ${names} cannot be opened: another program probably uses ${them}. Close that program and try again.`,
    'failed': `The ${names} ${are} there, but could not be opened. Choose another device or try again.`,
  }[code];
}

/**
 * Owns the tracks. Events: `change` (a track came, went or was muted), `devices` (the list of devices is another),
 * `problem` (detail: {code, kinds, words}).
 */
export class LocalMedia extends EventTarget {
  stream = new MediaStream();
  /** The chosen device of each kind; empty means the browser's choice. */
  chosen = {audio: '', video: ''};

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.dispatchEvent(new Event('devices')));
  }

  /** @returns {MediaStreamTrack|null} */
  get audio() {
    return this.stream.getAudioTracks()[0] ?? null;
  }

  /** @returns {MediaStreamTrack|null} */
  get video() {
    return this.stream.getVideoTracks()[0] ?? null;
  }

  /** What is being sent. */
  get state() {
    return {audio: this.audio?.enabled === true, video: this.video !== null};
  }

  /** @param {Kind[]} kinds opens what there is of these and tells of the rest */
  async open(kinds) {
    const usable = await this.#usable(kinds);
    if (usable.length === 0) return;
    const error = await this.#request(usable);
    if (!error) return;
    // One device in use or gone fails the request for both: ask for each alone, except after a person's "no".
    const alone = usable.length > 1 && error.name !== 'NotAllowedError';
    if (!alone) return this.#problem(codeOf(error), usable);
    for (const kind of usable) {
      const own = await this.#request([kind]);
      if (own) this.#problem(codeOf(own), [kind]);
    }
  }

  /** Mutes or unmutes the microphone: a muted one stays open, so that speaking again is instant. */
  async toggleAudio() {
    if (!this.audio) return this.open(['audio']);
    this.audio.enabled = !this.audio.enabled;
    this.#changed();
  }

  /** Camera off means off: the track ends and the light of the camera goes out. */
  async toggleVideo() {
    if (!this.video) return this.open(['video']);
    this.#end(this.video);
    this.#changed();
  }

  /** @param {Kind} kind @param {string} device_id */
  async choose(kind, device_id) {
    this.chosen[kind] = device_id;
    const muted = this.audio !== null && !this.audio.enabled;
    if (this[kind]) await this.open([kind]);
    if (muted && this.audio?.enabled) await this.toggleAudio();
  }

  /** The devices of a kind; their labels are empty until the browser gave a permission. @param {Kind} kind */
  async devices(kind) {
    const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    return all.filter((device) => device.kind === kInputs[kind]);
  }

  close() {
    for (const track of this.stream.getTracks()) this.#end(track);
    this.#changed();
  }

  async #usable(kinds) {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.#problem(isSecureContext ? 'unsupported' : 'insecure', kinds);
      return [];
    }
    const missing = [];
    const denied = [];
    for (const kind of kinds) {
      if ((await this.devices(kind)).length === 0) missing.push(kind);
      else if (await isDenied(kind)) denied.push(kind);
    }
    if (missing.length > 0) this.#problem('no-device', missing);
    if (denied.length > 0) this.#problem('denied', denied);
    return kinds.filter((kind) => !missing.includes(kind) && !denied.includes(kind));
  }

  async #request(kinds) {
    const constraints = Object.fromEntries(kinds.map((kind) => [kind, this.#constraintsOf(kind)]));
    try {
      const opened = await navigator.mediaDevices.getUserMedia(constraints);
      for (const track of opened.getTracks()) this.#take(track);
      this.#changed();
      this.dispatchEvent(new Event('devices'));  // the permission has just given them names
      return null;
    } catch (error) {
      return error;
    }
  }

  #constraintsOf(kind) {
    const device_id = this.chosen[kind];
    return {...kConstraints[kind], ...(device_id ? {deviceId: {exact: device_id}} : {})};
  }

  #take(track) {
    const old = this[track.kind];
    if (old) this.#end(old);
    this.stream.addTrack(track);
    track.onended = () => {
      this.#end(track);
      this.#changed();
      this.#problem('no-device', [track.kind]);
    };
  }

  #end(track) {
    track.onended = null;
    track.stop();
    this.stream.removeTrack(track);
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  #problem(code, kinds) {
    this.dispatchEvent(new CustomEvent('problem', {detail: {code, kinds, words: problemInWords(code, kinds)}}));
  }
}

// Asking for a denied device together with an allowed one would lose both. Not every browser knows these names.
async function isDenied(kind) {
  try {
    return (await navigator.permissions.query({name: /** @type {any} */ (kNames[kind])})).state === 'denied';
  } catch {
    return false;
  }
}

/** @returns {ProblemCode} */
function codeOf(error) {
  switch (error.name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
      return 'no-device';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}
