// SPDX-License-Identifier: Apache-2.0
/**
 * A client for the signaling WebSocket of Causeway. It depends on nothing and knows nothing of the page around it:
 * copy this one file into your application.
 *
 *   import {Signaling} from './signaling.js';
 *   const signaling = new Signaling('wss://causeway.example.org/ws');
 *   signaling.on('member-joined', ({member}) => signaling.offer(member, sdp));   // who is in the room makes the offer
 *   signaling.on('offer', ({from, sdp}) => signaling.answer(from, answerTo(sdp)));  // the newcomer answers
 *   signaling.on('candidate', ({from, candidate}) => …);
 *   const {self, members, ice_servers} = await signaling.join('my-room', {name: 'Ann'});
 *
 * A lost connection is opened again with growing pauses. Within the server's grace time the member is the same as before:
 * `resumed` comes instead of `joined`, nothing that was sent in either direction is lost or comes twice, and `gap` says so
 * where that was not possible. After it the room is joined again: `joined` comes another time, with a new member id, and
 * what was sent meanwhile is dropped.
 */

/** @typedef {'member'|'moderator'|'listener'} Role */
/** @typedef {{member: string, name?: string, role: Role, user?: string}} Member  `user`: what the access token says */
/** @typedef {Member & {polite: boolean}} Self  `polite`: the polite side of perfect negotiation */
/** @typedef {{type: 'joined', room: string, self: Self, members: Member[], locked: boolean, knock: boolean,
 *             ice_servers: RTCIceServer[], ice_ttl_seconds: number, nat_discovery?: string[],
 *             resume?: {token: string, grace_seconds: number}, received?: number}} Joined */
/** @typedef {{code: string, message: string, fatal: boolean, id?: string|number}} ErrorReply */
/**
 * Every message of the server is an event of its `type`; `disconnected` and `closed` are this client's own.
 * @typedef {{
 *   'welcome': {protocol: number, features: string[], message_bytes_max: number, ping_seconds: number},
 *   'joined': Joined,
 *   'resumed': Joined,
 *   'gap': {missing: number},
 *   'member-joined': Member,
 *   'member-left': Member & {reason: 'left'|'lost'|'kicked'|string},
 *   'role-changed': {member: string, role: Role},
 *   'waiting': {room: string},
 *   'knock': {member: string, name: string, user?: string},
 *   'knock-ended': {member: string, reason: 'admitted'|'denied'|'left'|'timed-out'},
 *   'locked': {locked: boolean, knock: boolean},
 *   'offer': {from: string, sdp: string},
 *   'answer': {from: string, sdp: string},
 *   'candidate': {from: string, candidate?: RTCIceCandidateInit|null, candidates?: (RTCIceCandidateInit|null)[]},
 *   'message': {from: string, data: any},
 *   'pong': {received?: number},
 *   'ice': {ice_servers: RTCIceServer[], ice_ttl_seconds: number, nat_discovery?: string[]},
 *   'error': ErrorReply,
 *   'bye': {action: 'resume'|'rejoin'|'stop', reason: string},
 *   'disconnected': {attempt: number, retry_ms: number},
 *   'closed': {code: string, reason: string},
 * }} SignalingEvents
 */

const kRetryMsFirst = 500;
const kRetryMsMax = 15_000;
const kConnectMs = 15_000;  // until the first message: a browser itself waits for minutes
const kProbeMs = 3000;  // for an answer from a connection that may have died with its network
const kUnconfirmedMax = 1024;
const kComingBack = 4050;

/** Why this client is not in the room: `code` is stable, `message` is for a person. */
export class SignalingError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = 'SignalingError';
    this.code = code;
  }
}

export class Signaling extends EventTarget {
  #url;
  /** @type {WebSocket|null} */
  #socket = null;
  /** What to join, and to join again: null when this client wants to be in no room. */
  #wanted = null;
  /** The promise that join() gave out, until it is settled. */
  #joining = null;
  #join_id = 0;
  #attempt = 0;
  #retry_timer = 0;
  #ping_timer = 0;
  #heard = true;
  #answer_timer = 0;
  /** What the member is known by, from the last `joined`. @type {{token: string, member: string}|null} */
  #resume = null;
  /** Whether the server has answered `join` on this connection. */
  #in_room = false;
  /** The last `seq` seen. */
  #seq = 0;
  /** Relayed messages that the server may not have taken yet, and the number of those that it has. */
  #unconfirmed = [];
  #confirmed = 0;
  #on_network_change = () => this.probe();

  /** @param {string|URL} [url] ws: or wss:; by default /ws on the host that served the page */
  constructor(url = new URL('/ws', location.href.replace(/^http/, 'ws'))) {
    super();
    this.#url = url;
  }

  /**
   * addEventListener with the types above; the listener gets the message itself.
   * @template {keyof SignalingEvents} T
   * @param {T} type
   * @param {(message: SignalingEvents[T]) => void} listener
   */
  on(type, listener) {
    this.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));
    return this;
  }

  get connected() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /**
   * Connects and enters a room. While the server cannot be reached the promise stays pending and `disconnected` tells
   * of each attempt, and so it does after `waiting` until a moderator lets this client in; a refusal (room full, bad
   * name, bad token) rejects it with a SignalingError, and so does leave().
   * @param {string} room
   * @param {{name?: string, token?: string}} [options] `token`: the access token, where the server asks for one
   * @returns {Promise<Joined>}
   */
  join(room, {name, token} = {}) {
    this.leave();
    this.#wanted = {room, ...(name ? {name} : {}), ...(token ? {token} : {})};
    const joined = new Promise((resolve, reject) => (this.#joining = {resolve, reject}));
    globalThis.addEventListener?.('online', this.#on_network_change);
    globalThis.navigator?.connection?.addEventListener?.('change', this.#on_network_change);
    this.#open();
    return joined;
  }

  /** Leaves the room, closes the connection and stops trying. */
  leave() {
    this.#send({type: 'leave'});
    this.#stop('left', 'You left the room.');
  }

  /** Leaves the room and enters it again, as a new member: the others make their offers anew. */
  rejoin() {
    this.#send({type: 'leave'});
    this.#forgetMember();
    this.#in_room = false;
    this.#sendJoin();
  }

  /**
   * This and the next four keep the message while the connection is lost, and send it once the member has resumed.
   * @param {string|null} to a member, or null for all others
   * @param {string} sdp
   * @returns {boolean} false: this client is in no room
   */
  offer(to, sdp) {
    return this.#sendTo(to, {type: 'offer', sdp});
  }

  /** @param {string|null} to @param {string} sdp */
  answer(to, sdp) {
    return this.#sendTo(to, {type: 'answer', sdp});
  }

  /** @param {string|null} to @param {RTCIceCandidate|RTCIceCandidateInit|null} candidate null: no more will come */
  candidate(to, candidate) {
    return this.#sendTo(to, {type: 'candidate', candidate});
  }

  /** Several in one message. @param {string|null} to @param {(RTCIceCandidate|RTCIceCandidateInit|null)[]} candidates */
  candidates(to, candidates) {
    return this.#sendTo(to, {type: 'candidate', candidates});
  }

  /** @param {string|null} to @param {any} data any JSON of the application */
  message(to, data) {
    return this.#sendTo(to, {type: 'message', data});
  }

  /**
   * For moderators, as the next three: nobody else enters. With `knock` they wait instead, and `knock` says so.
   * @param {boolean} locked @param {{knock?: boolean}} [options]
   */
  lock(locked, {knock = false} = {}) {
    return this.#send({type: 'lock', locked, knock});
  }

  /** @param {string} member */
  kick(member) {
    return this.#send({type: 'kick', member});
  }

  /** @param {string} member one who knocked */
  admit(member) {
    return this.#send({type: 'admit', member});
  }

  /** @param {string} member one who knocked */
  deny(member) {
    return this.#send({type: 'deny', member});
  }

  /** Asks for fresh ICE servers; the answer is the event `ice`. */
  ice() {
    return this.#send({type: 'ice'});
  }

  /** The answer is the event `pong`. */
  ping() {
    return this.#send({type: 'ping'});
  }

  /** Ends the pause before the next attempt to connect. */
  retryNow() {
    if (!this.#wanted || this.#socket) return;
    clearTimeout(this.#retry_timer);
    this.#open();
  }

  /**
   * For when the network may be another one, as when a call has lost its way: a connection that does not answer soon is
   * given up and opened anew.
   */
  probe() {
    if (!this.connected) return this.retryNow();
    if (this.#answer_timer) return;
    this.#expectAnswer(kProbeMs);
    this.#send({type: 'ping'});
  }

  #open() {
    const socket = new WebSocket(this.#url, 'causeway.v1');
    this.#socket = socket;
    this.#expectAnswer(kConnectMs);
    socket.onopen = () => this.#sendJoin();
    socket.onmessage = ({data}) => this.#receive(data);
    socket.onclose = () => this.#lost();
  }

  #receive(text) {
    this.#heard = true;
    clearTimeout(this.#answer_timer);
    this.#answer_timer = 0;
    const message = JSON.parse(text);
    if (message.seq !== undefined) this.#seq = message.seq;
    if (message.received !== undefined) this.#confirm(message.received);
    if (message.type === 'welcome') this.#heartbeat(message.ping_seconds);
    let {type} = message;
    if (type === 'joined') {
      if (message.received !== undefined) type = 'resumed';
      this.#onJoined(message);
    }
    this.dispatchEvent(new CustomEvent(type, {detail: message}));
    if (message.type === 'error' && message.id === this.#join_id) this.#stop(message.code, message.message);
    if (message.type === 'bye' && message.action === 'stop') this.#stop('bye', message.reason);
  }

  #onJoined(message) {
    if (message.received === undefined) this.#forgetMember();
    this.#resume = message.resume ? {token: message.resume.token, member: message.self.member} : null;
    this.#attempt = 0;
    this.#in_room = true;
    for (const text of this.#unconfirmed) this.#socket.send(text);
    this.#joining?.resolve(message);
    this.#joining = null;
  }

  #confirm(received) {
    this.#unconfirmed.splice(0, received - this.#confirmed);
    this.#confirmed = received;
  }

  #forgetMember() {
    this.#resume = null;
    this.#seq = 0;
    this.#unconfirmed = [];
    this.#confirmed = 0;
  }

  #expectAnswer(ms) {
    clearTimeout(this.#answer_timer);
    this.#answer_timer = setTimeout(() => this.#lost(), ms);
  }

  // A browser shows its page no WebSocket pings, so only an own question finds a connection that died silently.
  #heartbeat(ping_seconds = 25) {
    clearInterval(this.#ping_timer);
    this.#ping_timer = setInterval(() => {
      if (!this.#heard) return this.#lost();
      this.#heard = false;
      this.#send({type: 'ping'});
    }, ping_seconds * 1000);
  }

  #lost() {
    this.#drop(kComingBack);
    if (!this.#wanted) return;
    this.#attempt += 1;
    const pause_ms = Math.min(kRetryMsMax, kRetryMsFirst * 2 ** (this.#attempt - 1));
    const retry_ms = pause_ms * (0.5 + Math.random() / 2);  // jitter: a restarted server is not stormed all at once
    this.#retry_timer = setTimeout(() => this.#open(), retry_ms);
    this.dispatchEvent(new CustomEvent('disconnected', {detail: {attempt: this.#attempt, retry_ms}}));
  }

  #stop(code, reason) {
    const was_wanted = this.#wanted !== null;
    this.#wanted = null;
    this.#attempt = 0;
    clearTimeout(this.#retry_timer);
    globalThis.removeEventListener?.('online', this.#on_network_change);
    globalThis.navigator?.connection?.removeEventListener?.('change', this.#on_network_change);
    this.#forgetMember();
    this.#drop(1000);
    this.#joining?.reject(new SignalingError(code, reason));
    this.#joining = null;
    if (was_wanted) this.dispatchEvent(new CustomEvent('closed', {detail: {code, reason}}));
  }

  // Handlers go first: a close over a dead network is reported minutes later, to a client that has long gone on.
  #drop(code) {
    clearInterval(this.#ping_timer);
    clearTimeout(this.#answer_timer);
    this.#answer_timer = 0;
    const socket = this.#socket;
    this.#socket = null;
    this.#in_room = false;
    this.#heard = true;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code);
  }

  #sendJoin() {
    this.#join_id += 1;
    const resume = this.#resume && {token: this.#resume.token, seq: this.#seq};
    this.#send({type: 'join', id: this.#join_id, ...this.#wanted, ...(resume ? {resume} : {})});
  }

  #sendTo(to, message) {
    if (!this.#resume) return this.#send(to ? {...message, to} : message);
    const text = JSON.stringify(to ? {...message, to} : message);
    this.#unconfirmed.push(text);
    if (this.#unconfirmed.length > kUnconfirmedMax) {  // the oldest of a long absence; what comes later counts on
      this.#unconfirmed.shift();
      this.#confirmed += 1;
    }
    if (this.#in_room) this.#socket.send(text);
    return true;
  }

  #send(message) {
    if (!this.connected) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }
}
