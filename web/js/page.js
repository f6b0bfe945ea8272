// SPDX-License-Identifier: Apache-2.0
// The call page: from the landing to the lobby to the call and back.
//
// For tests and support, in the address of the page:
//   ?relay=1                the relay-only switch is on from the start
//   ?transport=udp|tcp|tls  of the ICE servers only the turn: URIs over UDP, over TCP, or the turns: URIs are used
//   ?cap=KBPS               what this side sends in all
//   ?lang=en|de             the language
// and in the page: `window.causeway` = {call, media, signaling}; `call.peers` maps member ids to {connection, …}.
import {element} from './dom.js';
import {loadLanguage, t, textOr} from './i18n.js';
import {prepareLanding, showRecent} from './landing.js';
import {Lobby} from './lobby.js';
import {LocalMedia} from './media.js';
import {showAlert, showConnection} from './notices.js';
import {pathOf, rememberRoom, roomOfPath} from './rooms.js';
import {Signaling} from './signaling.js';

const kShortAttempts = 2;  // to connect again, before more is said than that

const query = new URLSearchParams(location.search);
const media = new LocalMedia();

/** @type {Lobby} */
let lobby;
/** @type {(import('./call_view.js').Session & {view: import('./call_view.js').CallView})|null} */
let session = null;

// What only a call needs is loaded while one is in the lobby: the first page is there sooner.
const loadCall = () => Promise.all([import('./call.js'), import('./call_view.js'), import('./moderation.js')]);

/** @param {'landing'|'lobby'|'call'} name */
function showPart(name) {
  for (const part of ['landing', 'lobby', 'call']) element(part).hidden = part !== name;
  if (name !== 'lobby') lobby.hide();
}

function showLanding() {
  media.close();
  document.title = 'Causeway';
  showPart('landing');
  showRecent(enter);
}

/** @param {string} room @param {boolean} pressed */
function showLobby(room, pressed) {
  document.title = `${room} – Causeway`;
  loadCall().catch(() => {});  // joining says so
  showConnection('');
  showPart('lobby');
  lobby.show(room, pressed);
}

// The address says where one is: a link to a room leads to its lobby, and "back" leads back.
function enter(room) {
  showAlert('');
  history.pushState(null, '', pathOf(room, location.search));
  showLobby(room, true);
}

function goBack() {
  session?.signaling.leave();  // one may be waiting to be let in
  showAlert('');
  history.pushState(null, '', `/${location.search}`);
  showLanding();
  element('new-call').focus();
}

function showAddress() {
  session?.signaling.leave();
  const room = roomOfPath(location.pathname);
  if (room) showLobby(room, false);
  else showLanding();
}

function onDisconnected({attempt, retry_ms}) {
  if (element('call').hidden) return endSession(t('connection.none'));
  const offline = navigator.onLine === false;
  if (attempt <= kShortAttempts) return showConnection(t(offline ? 'connection.offline' : 'connection.again'));
  const seconds = Math.ceil(retry_ms / 1000);
  showConnection(t('connection.lost', {when: t('connection.when', {count: seconds})}));
}

// The words of the server are English; those that we know are said in the language of the page.
function onClosed({code, reason}) {
  if (code === 'left') return endSession('');
  if (code !== 'bye') return endSession(textOr(`error.${code}`, reason));
  endSession(textOr(`bye.${reason}`, t('bye', {reason})));
}

function endSession(words) {
  if (!session) return;
  const {call, signaling, view, room} = session;
  view.close();
  call.close();
  session = null;
  signaling.leave();
  showLobby(room, false);
  showAlert(words);
  element('join').focus();
}

async function join({name, relay_only}) {
  showAlert('');
  element('join').disabled = true;
  element('join').textContent = t('lobby.joining');
  const room = roomOfPath(location.pathname);
  const parts_of_call = await loadCall().catch(() => null);
  if (!parts_of_call) {
    showLobby(room, false);
    return showAlert(t('connection.none'));
  }
  const [{Call}, {CallView}, {Moderation}] = parts_of_call;
  const signaling = new Signaling();
  const call = new Call(signaling, media, {relay_only, transport: transportOf(query), cap_kbps: capOf(query)});
  const moderation = new Moderation(call, signaling);
  const parts = {call, signaling, moderation, media, room, name};
  session = {...parts, view: new CallView(parts)};
  window.causeway = {call, media, signaling};
  signaling
    .on('joined', () => showConnection(''))
    .on('resumed', () => showConnection(''))
    .on('waiting', () => showConnection(t('lobby.waiting')))
    .on('disconnected', onDisconnected)
    .on('closed', onClosed);
  try {
    // An invitation's token stands behind the '#', which no server and no log sees.
    await signaling.join(room, {name, token: new URLSearchParams(location.hash.slice(1)).get('token') ?? ''});
  } catch {
    return;  // onClosed has said why
  }
  rememberRoom(room);
  showPart('call');
  session.view.show();
}

function transportOf(parameters) {
  const transport = parameters.get('transport');
  return ['udp', 'tcp', 'tls'].includes(transport) ? transport : null;
}

function capOf(parameters) {
  const kbps = Number(parameters.get('cap'));
  return Number.isInteger(kbps) && kbps > 0 ? kbps : 0;
}

async function start() {
  await loadLanguage();
  element('outdated').remove();
  if (!('RTCPeerConnection' in window)) {
    element('landing').hidden = false;
    element('landing').inert = true;  // nothing there would lead anywhere
    return showAlert(t('no-webrtc'));
  }
  lobby = new Lobby(media, {join, back: goBack, relay_only: query.get('relay') === '1'});
  prepareLanding(enter);
  element('retry').addEventListener('click', () => session?.signaling.retryNow());
  addEventListener('popstate', showAddress);
  addEventListener('pagehide', () => session?.signaling.leave());  // the others see it at once
  showAddress();
}

start();
