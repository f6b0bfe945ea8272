// SPDX-License-Identifier: Apache-2.0
// The relay test page: this server's own URIs, or any that are typed in.
import {complaintAbout, gather} from './gather.js';
import {Signaling} from './signaling.js';

const kServerMsMax = 10_000;

/** @type {{uri: string, username: string, password: string}[]} */
const servers = [];

const element = (id) => /** @type {any} */ (document.getElementById(id));

function announce(words) {
  element('status').textContent = words;
}

function showAlert(id, words) {
  element(id).textContent = words;
  element(id).hidden = !words;
}

/** A line that says of one URI how the test stands. */
function resultLine(list, uri) {
  const line = element('result-template').content.firstElementChild.cloneNode(true);
  line.querySelector('.result-uri').textContent = uri;
  line.querySelector('.result-words').textContent = 'Trying…';
  line.dataset.uri = uri;
  line.dataset.state = 'trying';
  list.append(line);
  return (verdict) => {
    line.dataset.state = verdict.good ? 'good' : 'bad';
    line.querySelector('.result-words').textContent = verdict.words;
  };
}

function announceSum(verdicts) {
  const good = verdicts.filter((verdict) => verdict.good).length;
  announce(`Done. ${good} of ${verdicts.length} ${verdicts.length === 1 ? 'address works' : 'addresses work'}.`);
}

// ---- this server ---------------------------------------------------------------------------------------------------

/** The ICE servers that this server gives to a member of a room, taken from a room that nobody else knows. */
async function ownServers() {
  const signaling = new Signaling();
  const random = [...crypto.getRandomValues(new Uint8Array(12))];
  const room = `test-${random.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  const timer = setTimeout(() => signaling.leave(), kServerMsMax);
  signaling.on('disconnected', () => signaling.leave());
  try {
    const {ice_servers} = await signaling.join(room, {name: 'Relay test'});
    return ice_servers.flatMap(({urls, ...credentials}) => [urls].flat().map((url) => ({...credentials, urls: url})));
  } catch (error) {
    const gone = error.code === 'left';
    throw new Error(gone ? 'The server does not answer on /ws. Is it running, and are you online?' : error.message);
  } finally {
    clearTimeout(timer);
    signaling.leave();
  }
}

async function testOwnServer() {
  const list = element('own-results');
  list.replaceChildren();
  showAlert('own-alert', '');
  announce('Asking the server for its addresses.');
  let own;
  try {
    own = await ownServers();
  } catch (error) {
    return showAlert('own-alert', error.message);
  }
  if (own.length === 0) {
    return showAlert('own-alert', 'The server named no STUN or TURN address: its listeners have no turn service.');
  }
  announce(`Trying ${own.length} addresses.`);
  const verdicts = await Promise.all(own.map(async (server) => {
    const show = resultLine(list, server.urls);
    const turn = server.urls.startsWith('turn');
    const {verdict} = await gather(server, {policy: turn ? 'relay' : 'all', until_relay: true});
    show(verdict);
    return verdict;
  }));
  announceSum(verdicts);
}

// ---- any server ----------------------------------------------------------------------------------------------------

function typedServer() {
  return {uri: element('uri').value.trim(), username: element('username').value, password: element('password').value};
}

/** Takes over what is typed in; says so in words when it cannot be used. @returns {boolean} */
function addTypedServer() {
  const entry = typedServer();
  const complaint = complaintAbout(entry);
  showAlert('server-alert', complaint);
  if (complaint) {
    element('uri').focus();
    return false;
  }
  const same = servers.findIndex(({uri, username}) => uri === entry.uri && username === entry.username);
  if (same >= 0) servers.splice(same, 1);
  servers.push(entry);
  element('uri').value = '';  // the username and password stay: the next port of the same server wants them too
  showServers();
  announce(`Added ${entry.uri}.`);
  return true;
}

function showServers() {
  element('servers').replaceChildren(...servers.map((entry) => {
    const item = document.createElement('li');
    const label = document.createElement('code');
    label.textContent = entry.username ? `${entry.uri} (${entry.username})` : entry.uri;
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.className = 'small';
    remove.textContent = 'Remove';
    remove.setAttribute('aria-label', `Remove ${entry.uri}`);
    remove.onclick = () => {
      servers.splice(servers.indexOf(entry), 1);
      showServers();
      element('uri').focus();
    };
    item.append(label, remove);
    return item;
  }));
}

function addRow(table, cells) {
  const row = element(table).tBodies[0].insertRow();
  for (const cell of cells) row.insertCell().textContent = String(cell ?? '');
  return row;
}

// A priority is 2^24 × type preference + 2^8 × local preference + (256 − component), RFC 8445 §5.1.2.1.
function priorityParts(priority) {
  return `${priority >>> 24} | ${(priority >>> 8) & 0xffff} | ${priority & 0xff}`;
}

function addCandidate({ms, candidate, url, relay_protocol}, uri) {
  const {type, component, foundation, protocol, address, port, priority} = candidate;
  const row = addRow('candidates', [
    `${ms} ms`, type, address, port, protocol, relay_protocol, url || uri, component, foundation,
    priorityParts(priority),
  ]);
  row.className = type;
  row.cells[2].className = 'address';
  row.dataset.type = type;
  row.dataset.uri = uri;
}

function addError({ms, code, words, text, url, address}, uri) {
  const row = addRow('errors', [`${ms} ms`, code, words, text, url || uri, address]);
  row.dataset.code = String(code);
  row.dataset.uri = uri;
}

async function gatherFrom({uri, username, password}, policy) {
  const show = resultLine(element('any-results'), uri);
  let candidates_shown = 0;
  let errors_shown = 0;
  const on_progress = ({candidates, errors}) => {
    for (const candidate of candidates.slice(candidates_shown)) addCandidate(candidate, uri);
    for (const error of errors.slice(errors_shown)) addError(error, uri);
    candidates_shown = candidates.length;
    errors_shown = errors.length;
    element('candidates-box').hidden = element('candidates').tBodies[0].rows.length === 0;
    element('errors-box').hidden = element('errors').tBodies[0].rows.length === 0;
  };
  const credentials = /^turn/i.test(uri) ? {username, credential: password} : {};
  try {
    const {verdict} = await gather({urls: uri, ...credentials}, {policy, on_progress});
    show(verdict);
    return verdict;
  } catch (error) {
    const verdict = {good: false, ms: null, words: `The browser refuses this address: ${error.message}`};
    show(verdict);
    return verdict;
  }
}

async function askForMicrophone() {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({audio: true});
    for (const track of stream.getTracks()) track.stop();
  } catch (error) {
    showAlert('server-alert', `The microphone was not given, so fewer addresses are shown (${error.name}).`);
  }
}

async function gatherAll() {
  // Pressing "Gather" with a server typed in but not added means that one too.
  showAlert('server-alert', '');
  const typed = element('uri').value.trim() !== '';
  if ((typed || servers.length === 0) && !addTypedServer()) return;
  for (const table of ['candidates', 'errors']) element(table).tBodies[0].replaceChildren();
  element('any-results').replaceChildren();
  element('candidates-box').hidden = element('errors-box').hidden = true;
  if (element('ask-microphone').checked) await askForMicrophone();
  announce('Gathering candidates.');
  const policy = document.querySelector('input[name="policy"]:checked').value;
  announceSum(await Promise.all(servers.map((entry) => gatherFrom(entry, policy))));
}

// ---- start ---------------------------------------------------------------------------------------------------------

/** Runs the action on a press, one at a time, and keeps the focus on the button. */
function onPress(id, action) {
  const button = element(id);
  button.disabled = false;
  button.addEventListener('click', async () => {
    if (button.getAttribute('aria-busy') === 'true') return;
    button.setAttribute('aria-busy', 'true');
    await action();
    button.removeAttribute('aria-busy');
  });
}

function start() {
  if (!('RTCPeerConnection' in window)) {
    return showAlert('own-alert', 'This browser has no WebRTC, or it is switched off, so there is nothing to test.');
  }
  onPress('own-start', testOwnServer);
  onPress('gather', gatherAll);
  element('server-form').addEventListener('submit', (event) => {
    event.preventDefault();
    addTypedServer();
  });
}

element('outdated').remove();
start();
