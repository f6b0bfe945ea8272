// SPDX-License-Identifier: Apache-2.0
// The call page: the lobby, the call, and every word that a person reads there.
//
// For tests and support, in the address of the page:
//   ?relay=1             the relay-only switch is on from the start
//   ?transport=udp|tcp|tls  of the ICE servers only the turn: URIs over UDP, over TCP, or the turns: URIs are used
// and in the page: `window.causeway` = {call, media, signaling}; `call.peers` maps member ids to {connection, …}.
import {Call} from './call.js';
import {LocalMedia} from './media.js';
import {Signaling} from './signaling.js';
import {Tile} from './tile.js';

const kToastMs = 5000;
const kNobody = 'Somebody';

const kShortAttempts = 2;  // to connect again, before more is said than that
const kServerGone = 'The server does not answer. Check that you are online, and then press Join again.';

const query = new URLSearchParams(location.search);
const media = new LocalMedia();

/** @type {{call: Call, signaling: Signaling, tiles: Map<string, Tile>, self: Tile, room: string}|null} */
let session = null;
let toast_timer = 0;

const element = (id) => /** @type {any} */ (document.getElementById(id));

// ---- words ---------------------------------------------------------------------------------------------------------

function showAlert(words) {
  element('alert').textContent = words;
  element('alert').hidden = !words;
}

function toast(words) {
  clearTimeout(toast_timer);
  element('status').textContent = words;
  toast_timer = setTimeout(() => (element('status').textContent = ''), kToastMs);
}

function showConnection(words) {
  element('connection-words').textContent = words;
  element('connection').hidden = !words;
}

// ---- microphone and camera -----------------------------------------------------------------------------------------

function setControl(id, on, label, icon) {
  const button = element(id);
  button.querySelector('span').textContent = label;
  button.querySelector('use').setAttribute('href', `#${icon}`);
  button.classList.toggle('off', !on);
}

function showMedia() {
  const {audio, video} = media.state;
  for (const id of ['mic', 'lobby-mic']) {
    setControl(id, audio, audio ? 'Mute' : 'Unmute', audio ? 'icon-mic' : 'icon-mic-off');
  }
  for (const id of ['camera', 'lobby-camera']) {
    setControl(id, video, video ? 'Stop video' : 'Start video', video ? 'icon-camera' : 'icon-camera-off');
  }
  element('preview-tile').classList.toggle('has-video', video);
  element('preview').srcObject = video ? media.stream : null;  // without a picture it would hold up the load event
  for (const kind of /** @type {const} */ (['audio', 'video'])) {
    if (media[kind]) for (const item of problemItems(kind)) item.remove();
  }
  session?.self.showLocal(media);
}

function problemItems(kind) {
  return [...element('problems').children].filter((item) => item.dataset.kinds.includes(kind));
}

function showProblem({code, kinds, words}) {
  for (const kind of kinds) for (const item of problemItems(kind)) item.remove();
  const item = document.createElement('li');
  item.textContent = words;
  item.dataset.kinds = kinds.join(' ');
  item.dataset.code = code;
  element('problems').append(item);
  if (session) toast(words);
}

async function showDevices() {
  for (const [kind, id] of /** @type {const} */ ([['audio', 'microphones'], ['video', 'cameras']])) {
    const select = element(id);
    const devices = await media.devices(kind);
    const options = devices.map(({deviceId, label}, index) => new Option(label || `Device ${index + 1}`, deviceId));
    const used = media[kind]?.getSettings().deviceId ?? media.chosen[kind];
    select.replaceChildren(...(options.length > 0 ? options : [new Option('None found', '')]));
    select.value = devices.some(({deviceId}) => deviceId === used) ? used : select.options[0].value;
    select.disabled = devices.length < 2;
  }
}

// One at a time: a second press while the browser still asks its question must not open a second camera.
async function withMediaControls(action) {
  const controls = ['mic', 'lobby-mic', 'camera', 'lobby-camera'].map(element);
  const focused = document.activeElement;
  for (const control of controls) control.disabled = true;
  await action();
  for (const control of controls) control.disabled = false;
  if (focused instanceof HTMLElement && controls.includes(focused)) focused.focus();
}

// ---- the call ------------------------------------------------------------------------------------------------------

function inviteLink(room) {
  return `${location.origin}/r/${encodeURIComponent(room)}`;
}

async function copyInviteLink() {
  const link = inviteLink(session.room);
  try {
    await navigator.clipboard.writeText(link);
    toast('Link copied. Whoever opens it can join this call.');
  } catch {
    prompt('Copy this link and send it to whom you want to call:', link);  // no clipboard without https
  }
}

function showCount() {
  const people = session.tiles.size + 1;
  element('count').textContent = people === 1 ? 'Only you' : `${people} people`;
}

function addPeer(peer) {
  const name = peer.name || kNobody;
  const tile = new Tile(name, peer.stream);
  session.tiles.set(peer.member, tile);
  peer.addEventListener('change', () => tile.showPeer(peer));
  peer.addEventListener('track', () => tile.play());
  tile.showPeer(peer);
  element('tiles').insertBefore(tile.element, session.self.element);
  showCount();
  toast(`${name} is here.`);
}

const kDepartures = {
  'left': (name) => `${name} left.`,
  'lost': (name) => `${name} lost the connection.`,
  'kicked': (name) => `${name} was removed.`,
};

function removePeer({peer, reason}) {
  session.tiles.get(peer.member)?.remove();
  session.tiles.delete(peer.member);
  showCount();
  const words = kDepartures[reason]?.(peer.name || kNobody);
  if (words) toast(words);
}

function showCall(room) {
  element('lobby').hidden = true;
  element('call').hidden = false;
  element('room-title').textContent = room;
  element('invite-link').value = inviteLink(room);
  document.title = `${room} – Causeway`;
  history.replaceState(null, '', `/r/${encodeURIComponent(room)}${location.search}`);
  session.self.showLocal(media);
  session.self.play();
  showCount();
  element('room-title').focus();
}

function showLobby() {
  element('lobby').hidden = false;
  element('call').hidden = true;
  element('join').disabled = false;
  element('join').textContent = 'Join';
  showConnection('');
  document.title = 'Causeway';
}

function onDisconnected({attempt, retry_ms}) {
  const in_call = !element('call').hidden;
  if (!in_call) return endSession(kServerGone);
  if (attempt <= kShortAttempts) return showConnection('Reconnecting…');
  const seconds = Math.ceil(retry_ms / 1000);
  const when = seconds > 1 ? `in ${seconds} seconds` : 'now';
  showConnection(`The connection to the server is lost. Trying again ${when}. Until it is back nobody can join.`);
}

function onClosed({code, reason}) {
  if (code === 'left') return endSession('');
  endSession(code === 'bye' ? `The server ended the call: ${reason}.` : reason);
}

function endSession(words) {
  if (!session) return;
  const {call, signaling, tiles, self} = session;
  call.close();
  for (const tile of [...tiles.values(), self]) tile.remove();
  session = null;
  signaling.leave();
  showLobby();
  showAlert(words);
  element('join').focus();
}

const selfTile = (name) => new Tile(name || 'You', media.stream, name ? `${name} (you)` : 'You');

async function join(name, room) {
  showAlert('');
  element('join').disabled = true;
  element('join').textContent = 'Joining…';
  const signaling = new Signaling();
  const relay_only = element('relay-only').checked;
  const call = new Call(signaling, media, {relay_only, transport: transportOf(query)});
  session = {call, signaling, room, tiles: new Map(), self: selfTile(name)};
  element('tiles').append(session.self.element);
  window.causeway = {call, signaling, media};
  call.addEventListener('peer', (event) => addPeer(event.detail));
  call.addEventListener('peer-left', (event) => removePeer(event.detail));
  signaling
    .on('joined', () => showConnection(''))
    .on('resumed', () => showConnection(''))
    .on('disconnected', onDisconnected)
    .on('closed', onClosed);
  try {
    await signaling.join(room, {name});
  } catch {
    return;  // onClosed has said why
  }
  showCall(room);
}

function transportOf(parameters) {
  const transport = parameters.get('transport');
  return ['udp', 'tcp', 'tls'].includes(transport) ? transport : null;
}

// ---- start ---------------------------------------------------------------------------------------------------------

function roomOfAddress() {
  const [, room] = /^\/r\/(.+)$/.exec(location.pathname) ?? [];
  try {
    return room ? decodeURIComponent(room) : '';
  } catch {
    return '';  // broken percent-encoding: somebody typed it
  }
}

// Nobody guesses it: 12 of 32 characters, 60 bits, without those that look alike.
function newRoomName() {
  const characters = 'abcdefghijkmnpqrstuvwxyz23456789';
  const random = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => characters[byte % 32]).join('');
  return random.replace(/(.{4})(?=.)/g, '$1-');
}

// Storage may be forbidden; then the name is typed again.
function remembered(name) {
  try {
    if (name !== undefined) localStorage.setItem('name', name);
    return localStorage.getItem('name') ?? '';
  } catch {
    return '';
  }
}

function onJoin(event) {
  event.preventDefault();
  const name = element('name').value.trim();
  const room = element('room').value.trim();
  if (room === '.' || room === '..') return showAlert('A room cannot be named “.” or “..”: no link can hold that.');
  remembered(name);
  join(name, room);
}

function toggleRelayOnly() {
  const on = element('call-relay-only').getAttribute('aria-checked') !== 'true';
  showRelayOnly(on);
  session.call.setRelayOnly(on);
  toast(on ? 'Connecting again, through the relay only.' : 'Connecting again, by the best way there is.');
}

function showRelayOnly(on) {
  element('relay-only').checked = on;
  element('call-relay-only').setAttribute('aria-checked', String(on));
}

function listen() {
  element('join-form').addEventListener('submit', onJoin);
  element('relay-only').addEventListener('change', (event) => showRelayOnly(event.target.checked));
  element('call-relay-only').addEventListener('click', toggleRelayOnly);
  element('leave').addEventListener('click', () => session?.signaling.leave());
  element('invite').addEventListener('click', copyInviteLink);
  element('invite-link').addEventListener('focus', (event) => event.target.select());
  element('retry').addEventListener('click', () => session?.signaling.retryNow());
  const onMedia = (id, type, action) => {
    element(id).addEventListener(type, ({target}) => withMediaControls(() => action(target)));
  };
  for (const id of ['mic', 'lobby-mic']) onMedia(id, 'click', () => media.toggleAudio());
  for (const id of ['camera', 'lobby-camera']) onMedia(id, 'click', () => media.toggleVideo());
  onMedia('microphones', 'change', ({value}) => media.choose('audio', value));
  onMedia('cameras', 'change', ({value}) => media.choose('video', value));
  media.addEventListener('change', showMedia);
  media.addEventListener('devices', showDevices);
  media.addEventListener('problem', (event) => showProblem(event.detail));
  addEventListener('pagehide', () => session?.signaling.leave());  // the others see it at once
}

async function start() {
  if (!('RTCPeerConnection' in window)) {
    return showAlert('This browser cannot make calls: it has no WebRTC, or it is switched off. Use a current version ' +
      'of Firefox, Chrome, Edge or Safari.');
  }
  listen();
  element('name').value = remembered();
  element('room').value = roomOfAddress() || newRoomName();
  showRelayOnly(query.get('relay') === '1');
  element('join').disabled = false;
  showMedia();
  await showDevices();
  await withMediaControls(() => media.open(['audio', 'video']));
}

element('outdated').remove();
start();
