// SPDX-License-Identifier: Apache-2.0
// A call: everybody in one room of the signaling server, each connected with each (full mesh).
import {Peer} from './peer.js';
import {routeOf} from './route.js';

const kRouteMs = 2000;

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
 * Events: `peer` (detail: a Peer that came), `peer-left` (detail: {peer, reason}).
 * Owns the peer connections; the signaling connection and the local media belong to the page.
 */
export class Call extends EventTarget {
  /** The members there are, by their id. @type {Map<string, Peer>} */
  peers = new Map();
  #signaling;
  #local;
  #transport;
  #relay_only;
  #servers = [];
  #route_timer = 0;

  /**
   * @param {import('./signaling.js').Signaling} signaling
   * @param {import('./media.js').LocalMedia} local
   * @param {{relay_only: boolean, transport: 'udp'|'tcp'|'tls'|null}} options
   */
  constructor(signaling, local, {relay_only, transport}) {
    super();
    this.#signaling = signaling;
    this.#local = local;
    this.#relay_only = relay_only;
    this.#transport = transport;
    signaling
      .on('joined', (message) => this.#onJoined(message))
      .on('resumed', ({ice_servers}) => this.#setServers(ice_servers))
      .on('gap', () => signaling.rejoin())  // of offers and candidates none may be missing
      .on('member-joined', (member) => this.#onMemberJoined(member))
      .on('member-left', ({member, reason}) => this.#remove(member, reason))
      .on('offer', ({from, sdp}) => this.peers.get(from)?.onDescription('offer', sdp))
      .on('answer', ({from, sdp}) => this.peers.get(from)?.onDescription('answer', sdp))
      .on('candidate', (message) => this.#onCandidates(message))
      .on('message', ({from, data}) => data?.media && this.peers.get(from)?.setMedia(data.media))
      .on('ice', ({ice_servers}) => this.#setServers(ice_servers));
    local.addEventListener('change', () => this.#onLocalMedia());
    this.#route_timer = setInterval(() => this.#readRoutes(), kRouteMs);
  }

  get configuration() {
    return {
      iceServers: serversOf(this.#servers, this.#transport),
      iceTransportPolicy: /** @type {RTCIceTransportPolicy} */ (this.#relay_only ? 'relay' : 'all'),
    };
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

  close() {
    clearInterval(this.#route_timer);
    for (const member of [...this.peers.keys()]) this.#remove(member, 'closed');
  }

  // Also after a lost connection and after rejoin(): the member ids are new ones then, and what was there is of no use.
  #onJoined({members, ice_servers}) {
    for (const member of [...this.peers.keys()]) this.#remove(member, 'rejoined');
    this.#servers = ice_servers;
    for (const member of members) this.#add({...member, polite: true});
    if (members.length > 0) this.#signaling.message(null, {media: this.#local.state});
  }

  #onMemberJoined(member) {
    this.#remove(member.member, 'replaced');
    this.#add({...member, polite: false});
    this.#signaling.message(member.member, {media: this.#local.state});
  }

  #onCandidates({from, candidate, candidates = [candidate]}) {
    for (const each of candidates) this.peers.get(from)?.onCandidate(each);
  }

  #onLocalMedia() {
    for (const peer of this.peers.values()) peer.sendLocalTracks();
    this.#signaling.message(null, {media: this.#local.state});
  }

  #setServers(servers) {
    this.#servers = servers;
    for (const peer of this.peers.values()) peer.reconfigure(this.configuration);
  }

  #add(remote) {
    const peer = new Peer(remote, this.configuration, this.#local, this.#signaling);
    this.peers.set(remote.member, peer);
    peer.connection.addEventListener('connectionstatechange', () => this.#readRoute(peer));
    this.dispatchEvent(new CustomEvent('peer', {detail: peer}));
  }

  #remove(member, reason) {
    const peer = this.peers.get(member);
    if (!peer) return;
    this.peers.delete(member);
    peer.close();
    this.dispatchEvent(new CustomEvent('peer-left', {detail: {peer, reason}}));
  }

  #readRoutes() {
    for (const peer of this.peers.values()) this.#readRoute(peer);
  }

  async #readRoute(peer) {
    peer.setRoute(await routeOf(peer.connection));
  }
}
