// SPDX-License-Identifier: Apache-2.0
// Gathers the ICE candidates that one STUN or TURN server leads to, and says in words what came of it.
import {t, textOr} from './i18n.js';

const kGatherMsMax = 15_000;
const kOthersMs = 2_000;  // what other answers may come later than the first: other networks of the device may have none
const kFamilies = ['IPv4', 'IPv6'];
const kUnspecified = /^(0\.0\.0\.0|\[?::\]?)$/;
// What Chromium says of a family in which it did not ask: the name has no address of it, or over TCP it took the other.
const kNotTried = /lookup|incompatible|not associated/;
const kTlsToAddress = /^turns:(\[|[\d.]+([:?]|$))/i;  // Firefox does not try these, and says nothing

/** What an error code means and what to do (RFC 8489 §14.8, RFC 8656 §19; from 600 on the browser's own). */
export function errorInWords(code, text) {
  return textOr(`turn-error.${code}`, t('turn-error.other', {code, text}));
}

/** @typedef {{ms: number, candidate: RTCIceCandidate, url: string, relay_protocol: string}} Gathered */
/** @typedef {{ms: number, code: number, text: string, url: string, address: string, family: ''|'IPv4'|'IPv6',
 *             words: string}} GatherError */
/** @typedef {{good: boolean, ms: number|null, words: string}} Verdict */
/**
 * @typedef {object} Gathering
 * @property {RTCIceServer} server
 * @property {Gathered[]} candidates
 * @property {GatherError[]} errors
 * @property {number|null} done_ms when the browser had finished; null when it was not waited for any longer
 * @property {Verdict} verdict
 * @property {Map<'IPv4'|'IPv6', Verdict>} families those over which the browser asked the server, where that can be seen
 */

/**
 * @param {{uri: string, username: string, password: string}} entry
 * @returns {string} what is wrong with it in words, or empty
 */
export function complaintAbout({uri, username, password}) {
  const match = /^(stuns?|turns?):(\[[0-9a-f:.]+\]|[^\s:?/@[\]]+)(:\d{1,5})?(\?transport=(udp|tcp))?$/i.exec(uri);
  if (!match) {
    return t('complaint.uri');
  }
  const turn = match[1].toLowerCase().startsWith('turn');
  if (turn && (!username || !password)) return t('complaint.credentials');
  if (!turn && match[4]) return t('complaint.stun-transport');
  return '';
}

/**
 * Gathers for one server alone, so that everything that comes belongs to it. Ends when the browser says so,
 * after 15 s, or on request 2 s after the server has answered.
 * @param {RTCIceServer} server
 * @param {{policy: RTCIceTransportPolicy, until_answer?: boolean, on_progress?: (gathering: Gathering) => void}} options
 * @returns {Promise<Gathering>}
 */
export async function gather(server, {policy, until_answer = false, on_progress = () => {}}) {
  const uri = [server.urls].flat()[0];
  const started = performance.now();
  const elapsed = () => Math.round(performance.now() - started);
  const connection = new RTCPeerConnection({iceServers: [server], iceTransportPolicy: policy});
  const gathering = {server, candidates: [], errors: [], done_ms: null, verdict: null, families: new Map()};
  const progress = () => {
    gathering.verdict = verdictOf(gathering, policy);
    gathering.families = verdictsByFamily(gathering, policy);
    on_progress(gathering);
  };
  let timer = 0;
  try {
    await new Promise((resolve, reject) => {
      timer = setTimeout(resolve, kGatherMsMax);
      const progressed = () => {
        progress();
        if (until_answer && hasAnswer(gathering)) setTimeout(resolve, kOthersMs);
      };
      connection.onicecandidate = ({candidate}) => {
        if (candidate?.candidate) {
          gathering.candidates.push(gathered(candidate, elapsed(), uri));
          progressed();
        }
        if (candidate) return;
        gathering.done_ms = elapsed();
        resolve();
      };
      connection.onicecandidateerror = (event) => {
        gathering.errors.push(gatherError(event, elapsed()));
        progressed();
      };
      connection.createDataChannel('gather');
      connection.setLocalDescription().catch(reject);
    });
  } finally {
    clearTimeout(timer);
    connection.close();
  }
  progress();
  return gathering;
}

function hasAnswer({server, candidates, errors}) {
  const type = isTurn(server) ? 'relay' : 'srflx';
  return candidates.some(({candidate}) => candidate.type === type) || errors.some(({code}) => code < 700);
}

const isTurn = ({urls}) => [urls].flat().some((url) => /^turns?:/i.test(url));

function gathered(candidate, ms, uri) {
  const relay_protocol = candidate.type === 'relay' ? relayProtocol(candidate, uri) : '';
  return {ms, candidate, url: candidate.url ?? '', relay_protocol};
}

// Not every browser fills it in, and then the URI that was asked for tells as well.
function relayProtocol(candidate, uri) {
  if (candidate.relayProtocol) return candidate.relayProtocol;
  return uri.startsWith('turns:') ? 'tls' : uri.includes('transport=tcp') ? 'tcp' : 'udp';
}

function gatherError({errorCode, errorText, url, address, port}, ms) {
  const from = address ? `${address}:${port}` : '';
  const family = address ? familyOf(address) : '';
  return {ms, code: errorCode, text: errorText, url, address: from, family, words: errorInWords(errorCode, errorText)};
}

const familyOf = (address) => (address.includes(':') ? 'IPv6' : 'IPv4');

/**
 * Where a name has addresses of both families a browser with both asks over both. Which one it was is seen in the related
 * address of a relay candidate (policy `all`), in a server reflexive one, and in the browser's own address of an error.
 */
function verdictsByFamily({candidates, errors, ...rest}, policy) {
  const found = new Map();
  for (const family of kFamilies) {
    const own = {
      ...rest,
      candidates: candidates.filter(({candidate}) => familyAsked(candidate) === family),
      errors: errors.filter((error) => error.family === family && !kNotTried.test(error.text)),
    };
    if (own.candidates.length + own.errors.length > 0) found.set(family, verdictOf(own, policy));
  }
  return found;
}

function familyAsked({type, address, relatedAddress}) {
  if (type === 'srflx') return familyOf(address);
  const known = type === 'relay' && relatedAddress && !kUnspecified.test(relatedAddress);
  return known ? familyOf(relatedAddress) : '';
}

function verdictOf({server, candidates, errors, done_ms}, policy) {
  const turn = isTurn(server);
  const first = (type) => candidates.find(({candidate}) => candidate.type === type);
  const relay = first('relay');
  const reflexive = first('srflx');
  if (relay) return {good: true, ms: relay.ms, words: relayInWords(relay)};
  if (!turn && reflexive) {
    return {good: true, ms: reflexive.ms, words: t('verdict.reflexive', {ms: reflexive.ms, address: reflexive.candidate.address})};
  }
  if (errors.length > 0) return {good: false, ms: errorOf(errors).ms, words: inWordsWith(errorOf(errors), server)};
  if (!turn && done_ms !== null && policy === 'all') {
    return {good: true, ms: done_ms, words: t('verdict.same')};
  }
  const untried = done_ms !== null && [server.urls].flat().some((url) => kTlsToAddress.test(url));
  return {good: false, ms: null, words: t(untried ? 'verdict.untried' : 'verdict.silent')};
}

function relayInWords({ms, candidate: {address, port}}) {
  const family = address?.includes(':') ? 'IPv6' : 'IPv4';
  return t('verdict.relay', {ms, address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`, family});
}

// Any answer of the server says more than "cannot be reached", which each other address family adds.
function errorOf(errors) {
  return errors.find(({code}) => code < 700) ?? errors[0];
}

function inWordsWith({code, text, words}, server) {
  const {username = ''} = server;
  const expiry_seconds = Number(/^(\d{9,11})(:|$)/.exec(username)?.[1] ?? NaN);
  const expired = code === 401 && expiry_seconds * 1000 < Date.now();
  const date = new Date(expiry_seconds * 1000).toLocaleString(document.documentElement.lang);
  const more = expired ? ` ${t('turn-error.expired', {date})}` : '';
  const closed = code === 701 && !isTurn(server) ? ` ${t('turn-error.stun-silent')}` : '';
  return `${code}${text ? ` ${text.replace(/\.$/, '')}` : ''}. ${words}${more}${closed}`;
}
