// SPDX-License-Identifier: Apache-2.0
// Gathers the ICE candidates that one STUN or TURN server leads to, and says in words what came of it.

const kGatherMsMax = 15_000;

// What the error codes mean for whoever runs the test (RFC 8489 §14.8, RFC 8656 §19; from 600 on the browser's own).
const kErrors = {
  300: 'The server asks to use another server instead.',
  400: 'The server did not understand the request.',
  401: 'Wrong username or password, or a time-limited username that has expired.',
  403: 'The server does not allow this.',
  420: 'The server does not know an attribute which the browser sent.',
  437: 'The server does not know this allocation: it may have been restarted.',
  438: 'The nonce was stale, and stayed stale after the browser asked again.',
  440: 'The server has no relay addresses of this family (IPv4 or IPv6).',
  441: 'The allocation belongs to another username.',
  442: 'The server does not relay over the requested transport.',
  486: 'The quota of this user is used up: too many allocations at once.',
  500: 'The server failed; its log says more.',
  508: 'The server has no relay port or no capacity left.',
  600: 'The browser could not make sense of the answer.',
  700: 'The browser could not use this server.',
  701: 'The server cannot be reached: a wrong host or port, a firewall, or a certificate that the browser refuses.',
};

/** @param {number} code @param {string} text what the server or the browser said */
export function errorInWords(code, text) {
  return kErrors[code] ?? `Error ${code}${text ? `: ${text}` : ''}.`;
}

/** @typedef {{ms: number, candidate: RTCIceCandidate, url: string, relay_protocol: string}} Gathered */
/** @typedef {{ms: number, code: number, text: string, url: string, address: string, words: string}} GatherError */
/** @typedef {{good: boolean, ms: number|null, words: string}} Verdict */
/**
 * @typedef {object} Gathering
 * @property {RTCIceServer} server
 * @property {Gathered[]} candidates
 * @property {GatherError[]} errors
 * @property {number|null} done_ms when the browser had finished; null when it was not waited for any longer
 * @property {Verdict} verdict
 */

/**
 * @param {{uri: string, username: string, password: string}} entry
 * @returns {string} what is wrong with it in words, or empty
 */
export function complaintAbout({uri, username, password}) {
  const match = /^(stuns?|turns?):(\[[0-9a-f:.]+\]|[^\s:?/@[\]]+)(:\d{1,5})?(\?transport=(udp|tcp))?$/i.exec(uri);
  if (!match) {
    return 'A URI looks like stun:HOST:PORT, turn:HOST:PORT?transport=udp, turn:HOST:PORT?transport=tcp or ' +
      'turns:HOST:PORT.';
  }
  const turn = match[1].toLowerCase().startsWith('turn');
  if (turn && (!username || !password)) return 'A turn: or turns: URI needs a username and a password.';
  if (!turn && match[4]) return 'A stun: URI takes no ?transport=.';
  return '';
}

/**
 * Gathers for one server alone, so that everything that comes belongs to it. Ends when the browser says so, when the
 * relay candidate asked for is there, or after 15 s.
 * @param {RTCIceServer} server
 * @param {{policy: RTCIceTransportPolicy, until_relay?: boolean, on_progress?: (gathering: Gathering) => void}} options
 * @returns {Promise<Gathering>}
 */
export async function gather(server, {policy, until_relay = false, on_progress = () => {}}) {
  const uri = [server.urls].flat()[0];
  const started = performance.now();
  const elapsed = () => Math.round(performance.now() - started);
  const connection = new RTCPeerConnection({iceServers: [server], iceTransportPolicy: policy});
  const gathering = {server, candidates: [], errors: [], done_ms: null, verdict: null};
  const progress = () => {
    gathering.verdict = verdictOf(gathering, policy);
    on_progress(gathering);
  };
  let timer = 0;
  try {
    await new Promise((resolve, reject) => {
      timer = setTimeout(resolve, kGatherMsMax);
      connection.onicecandidate = ({candidate}) => {
        if (candidate?.candidate) {
          gathering.candidates.push(gathered(candidate, elapsed(), uri));
          progress();
        }
        const enough = until_relay && candidate?.type === 'relay';
        if (!candidate) gathering.done_ms = elapsed();
        if (!candidate || enough) resolve();
      };
      connection.onicecandidateerror = (event) => {
        gathering.errors.push(gatherError(event, elapsed()));
        progress();
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
  return {ms, code: errorCode, text: errorText, url, address: from, words: errorInWords(errorCode, errorText)};
}

function verdictOf({server, candidates, errors, done_ms}, policy) {
  const turn = [server.urls].flat().some((url) => /^turns?:/i.test(url));
  const first = (type) => candidates.find(({candidate}) => candidate.type === type);
  const relay = first('relay');
  const reflexive = first('srflx');
  if (relay) return {good: true, ms: relay.ms, words: `Works: a relay candidate came after ${relay.ms} ms.`};
  if (errors.length > 0) return {good: false, ms: errorOf(errors).ms, words: inWordsWith(errorOf(errors), server)};
  if (!turn && reflexive) {
    return {good: true, ms: reflexive.ms, words: `Works: the server saw this browser after ${reflexive.ms} ms.`};
  }
  if (!turn && done_ms !== null && policy === 'all') {
    return {good: true, ms: done_ms, words: 'No error: the server saw the address that this device has anyway.'};
  }
  const words = 'No answer: a wrong host or port, a firewall, or nothing listens there.';
  return {good: false, ms: null, words};
}

// Any answer of the server says more than "cannot be reached", which each other address family adds.
function errorOf(errors) {
  return errors.find(({code}) => code < 700) ?? errors[0];
}

function inWordsWith({code, text, words}, {username = ''}) {
  const expiry_seconds = Number(/^(\d{9,11})(:|$)/.exec(username)?.[1] ?? NaN);
  const expired = code === 401 && expiry_seconds * 1000 < Date.now();
  const more = expired ? ` This username expired on ${new Date(expiry_seconds * 1000).toLocaleString()}.` : '';
  return `${code}${text ? ` ${text.replace(/\.$/, '')}` : ''}. ${words}${more}`;
}
