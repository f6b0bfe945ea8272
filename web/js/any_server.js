// SPDX-License-Identifier: Apache-2.0
// Any STUN or TURN servers, typed in: candidates are gathered from each and shown in tables.
import {element, make} from './dom.js';
import {complaintAbout, gather} from './gather.js';
import {t} from './i18n.js';
import {announce, resultLine, showAlert} from './result_line.js';

/** @type {{uri: string, username: string, password: string}[]} */
const servers = [];

function typedServer() {
  return {uri: element('uri').value.trim(), username: element('username').value, password: element('password').value};
}

/** Takes over what is typed in; says so in words when it cannot be used. @returns {boolean} */
export function addTypedServer() {
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
  announce(t('any.added', {uri: entry.uri}));
  return true;
}

function showServers() {
  element('servers').replaceChildren(...servers.map((entry) => {
    const onclick = () => {
      servers.splice(servers.indexOf(entry), 1);
      showServers();
      element('uri').focus();
    };
    const aria = {label: t('any.remove.label', {uri: entry.uri})};
    return make('li', {}, make('code', {}, entry.username ? `${entry.uri} (${entry.username})` : entry.uri),
      make('button', {type: 'button', className: 'small', onclick, aria}, t('any.remove')));
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
  const line = resultLine(element('any-results'), `${uri} ${username}`, uri);
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
    line(verdict.good ? 'good' : 'bad', verdict.words);
    return verdict;
  } catch (error) {
    const verdict = {good: false, ms: null, words: t('any.refused', {reason: error.message})};
    line('bad', verdict.words);
    return verdict;
  }
}

async function askForMicrophone() {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({audio: true});
    for (const track of stream.getTracks()) track.stop();
  } catch (error) {
    showAlert('server-alert', t('any.no-microphone', {reason: error.name}));
  }
}

export async function gatherAll() {
  // Pressing "Gather" with a server typed in but not added means that one too.
  showAlert('server-alert', '');
  const typed = element('uri').value.trim() !== '';
  if ((typed || servers.length === 0) && !addTypedServer()) return;
  for (const table of ['candidates', 'errors']) element(table).tBodies[0].replaceChildren();
  element('any-results').replaceChildren();
  element('candidates-box').hidden = element('errors-box').hidden = true;
  if (element('ask-microphone').checked) await askForMicrophone();
  announce(t('any.gathering'));
  const policy = document.querySelector('input[name="policy"]:checked').value;
  const verdicts = await Promise.all(servers.map((entry) => gatherFrom(entry, policy)));
  announce(t('any.done', {good: verdicts.filter(({good}) => good).length, count: verdicts.length}));
}
