// SPDX-License-Identifier: Apache-2.0
// One remote member: one RTCPeerConnection, kept connected by perfect negotiation (W3C WebRTC, section 10.7).
import {DataLink} from './data_link.js';

const kKinds = /** @type {const} */ (['audio', 'video']);
const kDisconnectedMs = 3000;  // "disconnected" often heals by itself within this time
const kCandidatesMs = 60;      // candidates that come within this time travel together

/** What a member says of itself. @typedef {{audio: boolean, video: boolean, screen: boolean, hand: boolean,
 *  recording: boolean}} MemberState */

/**
 * Events: `change` (the state, the media or the name is another), `track` (a stream got one), `message` and `file` (of
 * the data link).
 * The first transceiver of each kind is for the microphone and the camera. They exist from the first offer on, with a
 * track or without, so switching a device on and off or for another never needs another negotiation. What comes after
 * them is a shared screen.
 */
export class Peer extends EventTarget {
  /** Null until the member said so. @type {MemberState|null} */
  said = null;
  stream = new MediaStream();
  screen = new MediaStream();
  /** @type {DataLink|null} */
  link = null;
  #polite;
  #signaling;
  #local;
  #making_offer = false;
  #ignoring_offer = false;
  #setting_answer = false;
  #restart_timer = 0;
  #candidates = [];
  #candidates_timer = 0;
  /** What this side shares of its screen. @type {{audio?: RTCRtpTransceiver, video?: RTCRtpTransceiver}} */
  #screen_sent = {};

  /**
   * @param {{member: string, name: string, role: string, polite: boolean}} remote `polite`: whether *this* side is
   * @param {RTCConfiguration} configuration
   * @param {import('./media.js').LocalMedia} local
   * @param {import('./signaling.js').Signaling} signaling
   */
  constructor({member, name, role, polite}, configuration, local, signaling) {
    super();
    this.member = member;
    this.name = name;
    this.role = role;
    this.#polite = polite;
    this.#signaling = signaling;
    this.#local = local;
    const connection = new RTCPeerConnection(configuration);
    this.connection = connection;
    connection.onnegotiationneeded = () => this.#offer();
    connection.onicecandidate = ({candidate}) => candidate && this.#onLocalCandidate(candidate);
    connection.oniceconnectionstatechange = () => this.#onIceState();
    connection.onconnectionstatechange = () => this.#changed();
    connection.ontrack = ({track, transceiver}) => this.#onTrack(track, transceiver);
    // The polite side is the newcomer: it waits for the offer and fills the transceivers which that brings.
    if (!polite) {
      for (const kind of kKinds) connection.addTransceiver(kind, {direction: 'sendrecv', streams: [local.stream]});
      this.#openLink();
      this.sendLocalTracks();
    }
  }

  get state() {
    return this.connection.connectionState;
  }

  close() {
    clearTimeout(this.#restart_timer);
    clearTimeout(this.#candidates_timer);
    this.connection.close();
    for (const track of [...this.stream.getTracks(), ...this.screen.getTracks()]) track.stop();
  }

  /** The transceiver of the microphone or the camera. @param {'audio'|'video'} kind */
  transceiverOf(kind) {
    return this.connection.getTransceivers().find(({receiver, stopped}) => !stopped && receiver.track.kind === kind);
  }

  /** The sender of the shared screen's picture. @returns {RTCRtpSender|undefined} */
  get screen_sender() {
    return this.#screen_sent.video?.sender;
  }

  /** Puts the tracks that the local media has now into the transceivers. */
  sendLocalTracks() {
    for (const kind of kKinds) {
      const transceiver = this.transceiverOf(kind);
      if (!transceiver) return;  // the first offer has not come yet
      this.#replace(transceiver.sender, this.#local[kind]);
    }
    for (const kind of kKinds) this.#sendScreen(kind);
  }

  /** Fresh credentials: an allocation ends with the old ones, so ICE is restarted. @param {RTCConfiguration} configuration */
  reconfigure(configuration) {
    this.connection.setConfiguration(configuration);
    this.restart();
  }

  /** Looks for a way anew; the media goes on meanwhile where it can. */
  restart() {
    if (this.connection.remoteDescription) this.connection.restartIce();
  }

  /**
   * @param {'offer'|'answer'} type
   * @param {string|RTCSessionDescriptionInit} description some clients send the whole description
   */
  async onDescription(type, description) {
    const {connection} = this;
    const sdp = typeof description === 'string' ? description : description.sdp;
    try {
      const ready = !this.#making_offer && (connection.signalingState === 'stable' || this.#setting_answer);
      const collision = type === 'offer' && !ready;
      this.#ignoring_offer = !this.#polite && collision;
      if (this.#ignoring_offer) return;
      this.#setting_answer = type === 'answer';
      await connection.setRemoteDescription({type, sdp});  // a polite side's own offer is rolled back by this
      this.#setting_answer = false;
      if (type !== 'offer') return;
      this.#answerWithMedia(sdp);
      await connection.setLocalDescription();
      this.#signaling.answer(this.member, connection.localDescription.sdp);
    } catch (error) {
      this.#setting_answer = false;
      this.#report(error);
    }
  }

  /** @param {RTCIceCandidateInit|null} candidate */
  async onCandidate(candidate) {
    try {
      await this.connection.addIceCandidate(candidate);
    } catch (error) {
      if (!this.#ignoring_offer) this.#report(error);  // those of an ignored offer are meant to fail
    }
  }

  /** @param {any} said */
  setSaid(said) {
    const flags = ['audio', 'video', 'screen', 'hand', 'recording'].map((name) => [name, said[name] === true]);
    this.said = /** @type {any} */ (Object.fromEntries(flags));
    this.#changed();
  }

  /** @param {string} role */
  setRole(role) {
    this.role = role;
    this.#changed();
  }

  async #offer() {
    try {
      this.#making_offer = true;
      await this.connection.setLocalDescription();
      this.#signaling.offer(this.member, this.connection.localDescription.sdp);
    } catch (error) {
      this.#report(error);
    } finally {
      this.#making_offer = false;
    }
  }

  // What an offer brought is "recvonly" on this side until it is told otherwise.
  #answerWithMedia(sdp) {
    if (!this.link && /^m=application /m.test(sdp)) this.#openLink();
    for (const kind of kKinds) {
      const transceiver = this.transceiverOf(kind);
      if (!transceiver || transceiver.direction === 'sendrecv') continue;
      transceiver.direction = 'sendrecv';
      transceiver.sender.setStreams?.(this.#local.stream);
    }
    this.sendLocalTracks();
  }

  #openLink() {
    this.link = new DataLink(this.connection);
    for (const type of ['message', 'file']) {
      this.link.addEventListener(type, ({detail}) => this.dispatchEvent(new CustomEvent(type, {detail})));
    }
    this.link.addEventListener('open', () => this.#changed());
  }

  #sendScreen(kind) {
    const track = this.#local.screen?.getTracks().find((each) => each.kind === kind) ?? null;
    const transceiver = this.#screen_sent[kind];
    if (!transceiver) {
      if (!track) return;
      const init = {direction: /** @type {const} */ ('sendonly'), streams: [this.#local.screen]};
      this.#screen_sent[kind] = this.connection.addTransceiver(track, init);
    } else if (transceiver.sender.track !== track) {
      this.#replace(transceiver.sender, track);
      transceiver.direction = track ? 'sendonly' : 'inactive';
    }
  }

  #replace(sender, track) {
    if (sender.track !== track) sender.replaceTrack(track).catch((error) => this.#report(error));
  }

  // Only a page like this one, which has said something of itself, is known to take several at once.
  #onLocalCandidate(candidate) {
    if (!this.said) return this.#signaling.candidate(this.member, candidate);
    this.#candidates.push(candidate);
    if (this.#candidates.length > 1) return;
    this.#candidates_timer = setTimeout(() => {
      this.#signaling.candidates(this.member, this.#candidates);
      this.#candidates = [];
    }, kCandidatesMs);
  }

  #onTrack(track, transceiver) {
    if (this.role === 'listener') return;  // who is not meant to send anything
    const stream = transceiver === this.transceiverOf(track.kind) ? this.stream : this.screen;
    stream.addTrack(track);
    track.onunmute = track.onmute = () => this.#changed();
    this.dispatchEvent(new Event('track'));
    this.#changed();
  }

  #onIceState() {
    const {connection} = this;
    clearTimeout(this.#restart_timer);
    if (connection.iceConnectionState === 'failed') this.restart();
    if (connection.iceConnectionState === 'disconnected') {
      this.#restart_timer = setTimeout(() => this.restart(), kDisconnectedMs);
    }
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  // A connection that was closed meanwhile fails whatever was going on: that is no news.
  #report(error) {
    if (this.connection.signalingState !== 'closed') console.warn(`Causeway: ${this.name || this.member}:`, error);
  }
}
