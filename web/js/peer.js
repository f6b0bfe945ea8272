// SPDX-License-Identifier: Apache-2.0
// One remote member: one RTCPeerConnection, kept connected by perfect negotiation (W3C WebRTC, section 10.7).

const kKinds = /** @type {const} */ (['audio', 'video']);
const kDisconnectedMs = 3000;  // "disconnected" often heals by itself within this time

/**
 * Events: `change` (the state, the media or the name is another), `track` (the stream got one).
 * The transceivers for audio and video exist from the first offer on, with a track or without, so switching a
 * microphone or camera on and off never needs another negotiation.
 */
export class Peer extends EventTarget {
  /**
   * What the member says of its own microphone and camera: null until it said so.
   * @type {{audio: boolean, video: boolean}|null}
   */
  media = null;
  /** @type {import('./route.js').Route|null} */
  route = null;
  stream = new MediaStream();
  #polite;
  #signaling;
  #local;
  #making_offer = false;
  #ignoring_offer = false;
  #setting_answer = false;
  #restart_timer = 0;

  /**
   * @param {{member: string, name: string, polite: boolean}} remote `polite`: whether *this* side is the polite one
   * @param {RTCConfiguration} configuration
   * @param {import('./media.js').LocalMedia} local
   * @param {import('./signaling.js').Signaling} signaling
   */
  constructor({member, name, polite}, configuration, local, signaling) {
    super();
    this.member = member;
    this.name = name;
    this.#polite = polite;
    this.#signaling = signaling;
    this.#local = local;
    const connection = new RTCPeerConnection(configuration);
    this.connection = connection;
    connection.onnegotiationneeded = () => this.#offer();
    connection.onicecandidate = ({candidate}) => candidate && signaling.candidate(member, candidate);
    connection.oniceconnectionstatechange = () => this.#onIceState();
    connection.onconnectionstatechange = () => this.#changed();
    connection.ontrack = ({track}) => this.#onTrack(track);
    // The polite side is the newcomer: it waits for the offer and fills the transceivers which that brings.
    if (!polite) {
      for (const kind of kKinds) connection.addTransceiver(kind, {direction: 'sendrecv', streams: [local.stream]});
      this.sendLocalTracks();
    }
  }

  get state() {
    return this.connection.connectionState;
  }

  close() {
    clearTimeout(this.#restart_timer);
    this.connection.close();
    for (const track of this.stream.getTracks()) track.stop();
  }

  /** Puts the tracks that the local media has now into the transceivers. */
  sendLocalTracks() {
    for (const transceiver of this.connection.getTransceivers()) {
      if (transceiver.stopped) continue;
      const track = this.#local[transceiver.receiver.track.kind];
      if (transceiver.sender.track === track) continue;
      transceiver.sender.replaceTrack(track).catch((error) => this.#report(error));
    }
  }

  /** New ICE servers: they count from the next gathering on, which a restart begins. */
  reconfigure(configuration) {
    this.connection.setConfiguration(configuration);
    this.connection.restartIce();
  }

  /**
   * @param {'offer'|'answer'} type
   * @param {string|RTCSessionDescriptionInit} sdp some clients send the whole description
   */
  async onDescription(type, sdp) {
    const description = {type, sdp: typeof sdp === 'string' ? sdp : sdp.sdp};
    const stable = this.connection.signalingState === 'stable' || this.#setting_answer;
    const collision = type === 'offer' && (this.#making_offer || !stable);
    this.#ignoring_offer = !this.#polite && collision;
    if (this.#ignoring_offer) return;
    try {
      this.#setting_answer = type === 'answer';
      await this.connection.setRemoteDescription(description);
      this.#setting_answer = false;
      if (type !== 'offer') return;
      this.#openTransceivers();
      await this.connection.setLocalDescription();
      this.#signaling.answer(this.member, this.connection.localDescription.sdp);
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

  /** @param {import('./route.js').Route|null} route */
  setRoute(route) {
    this.route = route;
    this.#changed();
  }

  setMedia(media) {
    this.media = {audio: media.audio === true, video: media.video === true};
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
  #openTransceivers() {
    for (const transceiver of this.connection.getTransceivers()) {
      if (transceiver.stopped || transceiver.direction === 'sendrecv') continue;
      transceiver.direction = 'sendrecv';
      transceiver.sender.setStreams?.(this.#local.stream);
    }
    this.sendLocalTracks();
  }

  #onTrack(track) {
    this.stream.addTrack(track);
    track.onunmute = track.onmute = () => this.#changed();
    this.dispatchEvent(new Event('track'));
    this.#changed();
  }

  #onIceState() {
    const {connection} = this;
    clearTimeout(this.#restart_timer);
    if (connection.iceConnectionState === 'failed') connection.restartIce();
    if (connection.iceConnectionState === 'disconnected') {
      this.#restart_timer = setTimeout(() => connection.restartIce(), kDisconnectedMs);
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
