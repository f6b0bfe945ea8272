// SPDX-License-Identifier: Apache-2.0
// A call: everybody in one room of the signaling server, each connected with each (full mesh).
import {limit} from './bandwidth.js';
import {History, kSampleMs} from './history.js';
import {Peer} from './peer.js';
import {Speaker} from './speaker.js';

const kLimitMs = 300;  // after a change: members often come in groups

/**
 * The ICE servers of one TURN transport alone, or all of them without one.
 * @param {RTCIceServer[]} servers
 * @param {'udp'|'tcp'|'tls'|null} transport
 * @returns {RTCIceServer[]}
 */
export function serversOf(servers, transport) {
  if (!transport) return servers;
  const matches = {
    udp: (url) => url.startsWith('turn:') && !url.includes('transport=tcp'),
    tcp: (url) => url.startsWith('turn:') && url.includes('transport=tcp'),
    tls: (url) => url.startsWith('turns:'),
  }[transport];
  return servers
    .map((server) => ({...server, urls: [server.urls].flat().filter(matches)}))
    .filter((server) => server.urls.length > 0);
}

/**
 * Events: `peer` (detail: a Peer that came), `peer-left` (detail: {peer, reason}), `chat` (detail: {peer, text}),
 * `sample` (all statistics have been read), `self` (what this member says of itself is another).
 * Owns the peer connections; the signaling connection and the local media belong to the page.
 */
export class Call extends EventTarget {
  /** The members there are, by their id. @type {Map<string, Peer>} */
  peers = new Map();
  /** The last two minutes of each. @type {Map<string, History>} */
  histories = new Map();
  /** Of this member: id, name, role. @type {import('./signaling.js').Self|null} */
  self = null;
  hand = false;
  recording = false;
  speaker = new Speaker(() => this.peers.values());
  #signaling;
  #local;
  #transport;
  #relay_only;
  #cap_kbps;
  #servers = [];
  #sample_timer;
  #limit_timer = 0;
  #on_local = () => this.#onLocalMedia();
  #on_network = () => this.#restartAll();

  /**
   * @param {import('./signaling.js').Signaling} signaling
   * @param {import('./media.js').LocalMedia} local
   * @param {{relay_only: boolean, transport: 'udp'|'tcp'|'tls'|null, cap_kbps: number}} options
   */
  constructor(signaling, local, {relay_only, transport, cap_kbps}) {
    super();
    this.#signaling = signaling;
    this.#local = local;
    this.#relay_only = relay_only;
    this.#transport = transport;
    this.#cap_kbps = cap_kbps;
    signaling
      .on('joined', (message) => this.#onJoined(message))
      .on('resumed', ({ice_servers}) => this.#setServers(ice_servers))
      .on('gap', () => signaling.rejoin())  // of offers and candidates none may be missing
      .on('member-joined', (member) => this.#onMemberJoined(member))
      .on('member-left', ({member, reason}) => this.#remove(member, reason))
      .on('role-changed', ({member, role}) => this.#onRole(member, role))
      .on('offer', ({from, sdp}) => this.peers.get(from)?.onDescription('offer', sdp))
      .on('answer', ({from, sdp}) => this.peers.get(from)?.onDescription('answer', sdp))
      .on('candidate', (message) => this.#onCandidates(message))
      .on('message', ({from, data}) => this.#onMessage(this.peers.get(from), data))
      .on('ice', ({ice_servers}) => this.#setServers(ice_servers));
    local.addEventListener('change', this.#on_local);
    addEventListener('online', this.#on_network);
    this.#sample_timer = setInterval(() => this.#sample(), kSampleMs);
  }

  get configuration() {
    return {
      iceServers: serversOf(this.#servers, this.#transport),
      iceTransportPolicy: /** @type {RTCIceTransportPolicy} */ (this.#relay_only ? 'relay' : 'all'),
    };
  }

  get relay_only() {
    return this.#relay_only;
  }

  get cap_kbps() {
    return this.#cap_kbps;
  }

  /** How many there are, this member included. */
  get people() {
    return this.peers.size + 1;
  }

  /**
   * Whether this side's media may go through the relay only. A restart of ICE is not enough: browsers then keep a
   * direct pair that works. So everybody connects anew.
   * @param {boolean} relay_only
   */
  setRelayOnly(relay_only) {
    this.#relay_only = relay_only;
    this.#signaling.rejoin();
  }

  /** What this side sends in all, to everybody together. @param {number} cap_kbps 0: no cap */
  setCap(cap_kbps) {
    this.#cap_kbps = cap_kbps;
    this.#limitSoon();
  }

  /** @param {boolean} up */
  raiseHand(up) {
    this.hand = up;
    this.#tellState(null);
  }

  /** The others are told. @param {boolean} on */
  setRecording(on) {
    this.recording = on;
    this.#tellState(null);
  }

  /** Over the data channels; through the server to those who have none. @param {string} text */
  chat(text) {
    for (const {member, link} of this.peers.values()) {
      if (!link?.send({chat: text})) this.#signaling.message(member, {chat: text});
    }
  }

  close() {
    clearInterval(this.#sample_timer);
    clearTimeout(this.#limit_timer);
    this.#local.removeEventListener('change', this.#on_local);
    removeEventListener('online', this.#on_network);
    this.speaker.close();
    for (const member of [...this.peers.keys()]) this.#remove(member, 'closed');
  }

  // Also after a lost connection and after rejoin(): the member ids are new ones then, and what was there is of no use.
  #onJoined({self, members, ice_servers}) {
    for (const member of [...this.peers.keys()]) this.#remove(member, 'rejoined');
    this.self = self;
    this.#servers = ice_servers;
    for (const member of members) this.#add({...member, polite: true});
    if (members.length > 0) this.#tellState(null);
  }

  #onMemberJoined(member) {
    this.#remove(member.member, 'replaced');
    this.#add({...member, polite: false});
    this.#tellState(member.member);
  }

  #onRole(member, role) {
    if (this.self?.member === member) this.self = {...this.self, role};
    else this.peers.get(member)?.setRole(role);
    this.dispatchEvent(new Event('self'));
  }

  #onCandidates({from, candidate, candidates = [candidate]}) {
    for (const each of candidates) this.peers.get(from)?.onCandidate(each);
  }

  #onMessage(peer, data) {
    if (!peer || !data) return;
    if (typeof data.media === 'object' && data.media) peer.setSaid(data.media);
    if (typeof data.chat === 'string') {
      this.dispatchEvent(new CustomEvent('chat', {detail: {peer, text: data.chat}}));
    }
  }

  #onLocalMedia() {
    for (const peer of this.peers.values()) peer.sendLocalTracks();
    this.#tellState(null);
    this.#limitSoon();
  }

  #tellState(to) {
    const {hand, recording} = this;
    const state = {media: {...this.#local.state, hand, recording}};
    if (this.self?.role !== 'listener') this.#signaling.message(to, state);  // the server takes none from a listener
    this.dispatchEvent(new Event('self'));
  }

  #setServers(servers) {
    this.#servers = servers;
    for (const peer of this.peers.values()) peer.reconfigure(this.configuration);
  }

  // The network is another one now: the old ways may be gone without a sign.
  #restartAll() {
    for (const peer of this.peers.values()) peer.restart();
  }

  #add(remote) {
    const peer = new Peer(remote, this.configuration, this.#local, this.#signaling);
    this.peers.set(remote.member, peer);
    this.histories.set(remote.member, new History());
    peer.connection.addEventListener('connectionstatechange', () => {
      if (peer.state === 'connected') this.#limitSoon();
      if (peer.state === 'disconnected') this.#signaling.probe();  // the server may be lost by the same way
      this.#sample();
    });
    peer.addEventListener('message', (event) => this.#onMessage(peer, /** @type {CustomEvent} */ (event).detail));
    this.dispatchEvent(new CustomEvent('peer', {detail: peer}));
    this.#limitSoon();
  }

  #remove(member, reason) {
    const peer = this.peers.get(member);
    if (!peer) return;
    this.peers.delete(member);
    this.histories.delete(member);
    peer.close();
    this.dispatchEvent(new CustomEvent('peer-left', {detail: {peer, reason}}));
    this.#limitSoon();
  }

  #limitSoon() {
    clearTimeout(this.#limit_timer);
    this.#limit_timer = setTimeout(() => {
      for (const peer of this.peers.values()) limit(peer, this.peers.size, this.#cap_kbps);
    }, kLimitMs);
  }

  async #sample() {
    await Promise.all([...this.peers.values()].map((peer) => this.histories.get(peer.member).read(peer.connection)));
    this.dispatchEvent(new Event('sample'));
  }
}
