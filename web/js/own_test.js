// SPDX-License-Identifier: Apache-2.0
// The test of this server from this browser and this network, step by step, as a report of plain values.
import {environmentChecks} from './environment.js';
import {gather} from './gather.js';
import {t} from './i18n.js';
import {natMapping} from './nat.js';
import {relayCall} from './relay_call.js';
import {Signaling} from './signaling.js';

const kServerMsMax = 10_000;
const kPings = 5;

/** @typedef {{id: string, state: 'good'|'warn'|'bad', words: string, uri?: string, ms?: number|null}} Line */
/** @typedef {'browser'|'signaling'|'relay'|'call'} Part */
/**
 * @typedef {object} Report
 * @property {string} id what the log of the server calls this visitor
 * @property {string} made
 * @property {string} page
 * @property {string} browser
 * @property {Record<Part, Line[]>} parts
 * @property {{state: 'good'|'warn'|'bad', words: string}} verdict
 */

/**
 * @param {{seconds: number, show: (part: Part, line: Line|{id: string, state: 'trying', words: string, uri?: string}) => void,
 *          say: (words: string) => void}} options
 * @returns {Promise<Report>}
 */
export async function testOwnServer({seconds, show, say}) {
  /** @type {Report} */
  const report = {
    id: '', made: new Date().toISOString(), page: location.origin, browser: navigator.userAgent,
    parts: {browser: [], signaling: [], relay: [], call: []}, verdict: {state: 'bad', words: ''},
  };
  const add = (part, line) => {
    report.parts[part].push(line);
    show(part, line);
  };
  say(t('say.browser'));
  for (const check of await environmentChecks()) add('browser', check);
  say(t('say.signaling'));
  show('signaling', {id: 'websocket', state: 'trying', words: t('trying')});
  const {servers, nat_discovery, id, line, leave} = await askServer();
  report.id = id;
  add('signaling', line);
  if (servers) {
    say(t('say.relay', {count: servers.length}));
    const working = await testUris(servers, add, show);
    await testWrongPassword(working ?? servers.find(isTurn), add, show);
    const mapping = answersStun(servers) ? await natMapping(servers, nat_discovery) : 'clients-only';
    if (mapping) add('relay', {id: 'nat', state: 'good', words: t(`nat.${mapping}`)});
    if (working) await testCall(working, {seconds, add, show, say});
  }
  leave();
  report.verdict = verdictOf(report.parts, servers);
  return report;
}

/**
 * The ICE servers that this server gives to a member of a room that nobody else knows, each URI alone. They are good
 * until `leave` is called: credentials end with their member.
 */
async function askServer() {
  const signaling = new Signaling();
  const random = [...crypto.getRandomValues(new Uint8Array(12))];
  const room = `test-${random.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  const leave = () => signaling.leave();
  const timer = setTimeout(leave, kServerMsMax);
  let asked = false;
  signaling.on('disconnected', () => asked || leave());
  const started = performance.now();
  try {
    const {self, ice_servers, nat_discovery} = await signaling.join(room, {name: 'Relay test'});
    const ms = Math.round(performance.now() - started);
    const round_trip = await pingTime(signaling);
    const servers = ice_servers.flatMap(({urls, ...credentials}) => (
      [urls].flat().map((url) => ({...credentials, urls: url}))));
    const username = servers.find((server) => server.username)?.username;
    const line = {id: 'websocket', state: 'good', words: t('signaling.good', {ms, round_trip}), ms: round_trip};
    asked = true;
    return {servers, nat_discovery, id: username?.split(':')[1] ?? self.member, line, leave};
  } catch (error) {
    const words = error.code === 'left' ? t('signaling.silent') : t('signaling.refused', {reason: error.message});
    return {servers: null, id: '', line: {id: 'websocket', state: 'bad', words}, leave};
  } finally {
    clearTimeout(timer);
  }
}

async function pingTime(signaling) {
  const times = [];
  for (let count = 0; count < kPings; ++count) {
    const started = performance.now();
    const answered = new Promise((resolve) => signaling.addEventListener('pong', resolve, {once: true}));
    signaling.ping();
    await answered;
    times.push(performance.now() - started);
  }
  return Math.round(10 * times.sort((a, b) => a - b)[Math.floor(kPings / 2)]) / 10;
}

const isTurn = ({urls}) => urls.startsWith('turn');

// A server whose `turn.binding` is "allocated" names TURN over UDP, but no STUN.
function answersStun(servers) {
  const over_udp = servers.some(({urls}) => urls.startsWith('turn:') && !urls.endsWith('transport=tcp'));
  return !over_udp || servers.some(({urls}) => urls.startsWith('stun:'));
}

/** @returns {Promise<RTCIceServer|null>} the first that works, in the order of the server */
async function testUris(servers, add, show) {
  const results = await Promise.all(servers.map(async (server) => {
    const uri = server.urls;
    show('relay', {id: uri, uri, state: 'trying', words: t('trying')});
    const {verdict, families} = await gather(server, {policy: 'all', until_answer: true});
    const line = ({good, words, ms}) => ({id: uri, uri, state: good ? 'good' : 'bad', words, ms});
    if (families.size === 0) add('relay', line(verdict));
    for (const [family, each] of families) {
      const over = line({...each, words: t('verdict.over', {family, words: each.words})});
      add('relay', {...over, id: family === 'IPv6' && families.size > 1 ? `${uri} ${family}` : uri});
    }
    return verdict.good && isTurn(server) ? server : null;
  }));
  return results.find(Boolean) ?? null;
}

// A relay that takes any password is open to everybody.
async function testWrongPassword(server, add, show) {
  if (!server) return;
  const id = 'wrong-password';
  show('relay', {id, state: 'trying', words: t('trying')});
  const wrong = {...server, credential: `${server.credential}-wrong`};
  const {candidates, errors} = await gather(wrong, {policy: 'relay', until_answer: true});
  const open = candidates.some(({candidate}) => candidate.type === 'relay');
  const refused = errors.some(({code}) => code === 401);
  const key = open ? 'password.open' : refused ? 'password.refused' : 'password.silent';
  add('relay', {id, state: open ? 'bad' : refused ? 'good' : 'warn', words: t(key)});
}

async function testCall(server, {seconds, add, show, say}) {
  const id = 'relay-call';
  const step = (name) => {
    say(t(`say.call.${name}`));
    show('call', {id, uri: server.urls, state: 'trying', words: t(`say.call.${name}`)});
  };
  try {
    const result = await relayCall(server, {seconds, step});
    add('call', {id, uri: server.urls, state: 'good', words: t('call.connected', {ms: result.connected_ms}), ms: result.connected_ms});
    const {round_trip_ms, loss_percent, jitter_ms, sent_mbps, received_mbps, frames} = result;
    const smooth = loss_percent <= 2 && round_trip_ms <= 400;
    add('call', {id: 'data', state: smooth ? 'good' : 'warn', words: t('call.data', {round_trip_ms, loss_percent, jitter_ms})});
    const fast = Math.min(sent_mbps, received_mbps) >= 0.5;
    add('call', {id: 'throughput', state: fast ? 'good' : 'warn', words: t('call.throughput', {sent_mbps, received_mbps})});
    add('call', {id: 'video', state: frames > 0 ? 'good' : 'bad', words: t(frames > 0 ? 'call.video' : 'call.no-video', {frames})});
  } catch (error) {
    add('call', {id, uri: server.urls, state: 'bad', words: t('call.failed', {reason: error.message})});
  }
}

/** @param {Report['parts']} parts @param {RTCIceServer[]|null} servers @returns {Report['verdict']} */
function verdictOf(parts, servers) {
  const bad = (part) => parts[part].filter(({state}) => state === 'bad');
  const turns = parts.relay.filter(({uri}) => uri?.startsWith('turn'));
  const ways = parts.relay.filter(({uri}) => uri);
  const failed = ways.filter(({state}) => state === 'bad');
  if (!servers) return {state: 'bad', words: t('sum.no-server')};
  if (bad('relay').some(({id}) => id === 'wrong-password')) return {state: 'bad', words: t('sum.open')};
  if (turns.length === 0) return {state: 'bad', words: t('sum.no-turn')};
  if (turns.every(({state}) => state === 'bad')) return {state: 'bad', words: t('sum.no-relay')};
  if (bad('call').length > 0) return {state: 'bad', words: t('sum.no-call')};
  if (bad('browser').length > 0) return {state: 'warn', words: t('sum.browser')};
  if (failed.length > 0) return {state: 'warn', words: t('sum.some', {count: failed.length, all: ways.length})};
  return {state: 'good', words: t('sum.good')};
}

/** The report as text, for a message to whoever runs the server. @param {Report} report */
export function reportInText({id, made, page, browser, parts, verdict}) {
  const marks = {good: '+', warn: '!', bad: '-'};
  const lines = Object.entries(parts).flatMap(([part, all]) => [
    `[${part}]`, ...all.map(({state, uri, words}) => `${marks[state]} ${uri ? `${uri}  ` : ''}${words}`), '']);
  return [verdict.words, '', `id: ${id || '–'}`, `time: ${made}`, `page: ${page}`, `browser: ${browser}`, '', ...lines].join('\n');
}
