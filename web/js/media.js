// SPDX-License-Identifier: Apache-2.0
// The microphone, the camera and the shared screen of this member. Each is optional: a call works with any or none.
import {t} from './i18n.js';
import {recall, remember} from './storage.js';

const kNames = {audio: 'microphone', video: 'camera'};
const kDeviceKinds = {audio: 'audioinput', video: 'videoinput', output: 'audiooutput'};
const kConstraints = {
  audio: {echoCancellation: true, noiseSuppression: true, autoGainControl: true},
  video: {width: {ideal: 1280}, height: {ideal: 720}, frameRate: {max: 30}},
};
const kScreenConstraints = {
  video: {frameRate: {max: 30}},
  audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false},
};

/** @typedef {'audio'|'video'} Kind */
/** @typedef {'insecure'|'unsupported'|'no-device'|'unplugged'|'denied'|'revoked'|'busy'|'failed'} ProblemCode */

/** What went wrong with a device, in a sentence. @param {ProblemCode} code @param {Kind[]} kinds */
export function problemInWords(code, kinds) {
  return t(`problem.${code}`, {
    names: kinds.map((kind) => t(`device.${kNames[kind]}`)).join(t('device.and')),
    none: kinds.map((kind) => t(`device.no-${kNames[kind]}`)).join(t('device.and')),
  });
}

/** Whether this browser can share a screen: those of phones cannot. */
export const can_share_screen = typeof navigator.mediaDevices?.getDisplayMedia === 'function';

/** Whether a screen can be shared with its sound. */
export const can_share_sound = navigator.mediaDevices?.getSupportedConstraints().suppressLocalAudioPlayback === true;

/** Whether sound can be sent to a chosen loudspeaker. */
export const can_choose_output = 'setSinkId' in HTMLMediaElement.prototype;

/**
 * Owns the tracks. Events: `change` (a track came, went or was muted), `devices` (the list of devices is another),
 * `problem` (detail: {code, kinds, words}).
 */
export class LocalMedia extends EventTarget {
  stream = new MediaStream();
  /** What is shared of the screen. @type {MediaStream|null} */
  screen = null;
  /** The chosen device of each kind; empty means the browser's choice. */
  chosen = recall('devices', {audio: '', video: '', output: ''});

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
    return {audio: this.audio?.enabled === true, video: this.video !== null, screen: this.screen !== null};
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
    this.setMuted(this.audio.enabled);
  }

  /** @param {boolean} muted */
  setMuted(muted) {
    if (!this.audio || this.audio.enabled === !muted) return;
    this.audio.enabled = !muted;
    this.#changed();
  }

  /** Camera off means off: the track ends and the light of the camera goes out. */
  async toggleVideo() {
    if (!this.video) return this.open(['video']);
    this.#end(this.video);
    this.#changed();
  }

  /** Asks what to share, and shares it until the person ends that here or in the browser's own bar. */
  async shareScreen() {
    try {
      this.screen = await navigator.mediaDevices.getDisplayMedia(kScreenConstraints);
    } catch (error) {
      if (error.name !== 'NotAllowedError') throw error;  // otherwise the person has thought better of it
      return;
    }
    const [video] = this.screen.getVideoTracks();
    video.contentHint = 'detail';
    video.onended = () => this.stopScreen();
    this.#changed();
  }

  stopScreen() {
    for (const track of this.screen?.getTracks() ?? []) track.stop();
    this.screen = null;
    this.#changed();
  }

  /** @param {Kind|'output'} kind @param {string} device_id */
  async choose(kind, device_id) {
    this.chosen[kind] = device_id;
    remember('devices', this.chosen);
    if (kind === 'output') return this.dispatchEvent(new Event('output'));
    const muted = this.audio !== null && !this.audio.enabled;
    if (this[kind]) await this.open([kind]);
    if (kind === 'audio' && muted) this.setMuted(true);
  }

  /** The devices of a kind; their labels are empty until the browser gave a permission. @param {Kind|'output'} kind */
  async devices(kind) {
    const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    return all.filter((device) => device.kind === kDeviceKinds[kind]);
  }

  close() {
    for (const track of [...this.stream.getTracks(), ...(this.screen?.getTracks() ?? [])]) this.#end(track);
    this.screen = null;
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

  // "ideal", because the device of the last visit may be gone.
  #constraintsOf(kind) {
    const device_id = this.chosen[kind];
    return {...kConstraints[kind], ...(device_id ? {deviceId: {ideal: device_id}} : {})};
  }

  #take(track) {
    const old = this[track.kind];
    if (old) this.#end(old);
    this.stream.addTrack(track);
    track.onended = async () => {
      this.#end(track);
      this.#changed();
      this.#problem(await isDenied(track.kind) ? 'revoked' : 'unplugged', [track.kind]);
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
