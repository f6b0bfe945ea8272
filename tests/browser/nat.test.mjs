// SPDX-License-Identifier: Apache-2.0
// A Firefox behind one NAT and a Chromium behind another are in a call on the call page, with the installed
// configuration on a public address: both NATs symmetric, and then also closed for all but TCP to port 443. And what the
// test page finds out behind NATs of each kind, and where there is IPv6 as well.
//
// The script runs itself again inside the network of Firefox, whose debugging port is only to be reached there.
import assert from 'node:assert/strict';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, describe, it} from 'node:test';
import {fileURLToPath} from 'node:url';
import {kFirefox, kNoFirefox, launchTrustingFirefox} from './firefox.mjs';
import {until} from './limits.mjs';
import {inside, kServerAddress, runInside, within} from './nat_network.mjs';
import {
  Daemon, enterRoom, joinRoom, kChromium, kUser, launchBrowser, openPage, readPeers, waitForPeers,
} from './support.mjs';

const kThisFile = fileURLToPath(import.meta.url);
const kConfiguration = path.join(path.dirname(kThisFile), '../../config/causeway.json');
const kHost = 'call.example';  // Firefox uses turns: with a name only
const kKinds = ['symmetric', 'https-only', 'cone', 'address-dependent', 'dual-stack'];
// What the call page is told and what it then uses; where only port 443 is open it has to find out by itself.
const kCalls = {
  'symmetric': {query: '?transport=udp', relay_protocol: 'udp'},
  'https-only': {query: '', relay_protocol: 'tls'},
};
// What the test page says of the NAT, and the browsers in which that is tried.
const kMappings = {
  'cone': ['the same port towards everybody', ['Chromium']],
  'address-dependent': ['each address another port', ['Chromium']],
  'symmetric': ['each destination another port', ['Firefox', 'Chromium']],
};
const kNatDiscovery = {addresses: [kServerAddress, '5.5.5.6'], port: 3478, alternate_port: 3479};
const kServerAddressV6 = '2400:5::5';
const kHalfHost = 'half.example';  // its IPv6 address leads nowhere
const kUris = [
  `turn:${kHost}:3478?transport=udp`, `turn:${kHost}:3478?transport=tcp`, `turns:${kHost}:443?transport=tcp`,
  `turn:${kHost}:443?transport=udp`, `turn:${kHost}:443?transport=tcp`,
];

/**
 * A script that runs a program in this namespace, where kHost has an address and no DNS server is asked. Chromium looks
 * for the names in TURN URIs with a dot at the end, and finds them in a file of hosts only so.
 */
async function writeLauncher(folder, name, prefix, program) {
  const file = path.join(folder, name);
  const mount = 'mount --bind "$0/hosts" /etc/hosts && mount --bind "$0/resolv.conf" /etc/resolv.conf && exec "$@"';
  await writeFile(file, `#!/bin/sh\nexec ${prefix.join(' ')} unshare --mount sh -c '${mount}' ${folder} ${program} "$@"\n`,
    {mode: 0o755});
  return file;
}

/** In the page: what each of these URIs gives, relayed addresses or error codes. */
function gatherInPage([uris, username, credential]) {
  return Promise.all(uris.map(async (urls) => {
    const connection = new RTCPeerConnection({iceServers: [{urls, username, credential}], iceTransportPolicy: 'relay'});
    const found = new Set();
    connection.onicecandidateerror = ({errorCode}) => found.add(errorCode);
    const done = new Promise((resolve) => (connection.onicecandidate = ({candidate}) => {
      if (candidate === null) resolve();
      else if (candidate.candidate) found.add(candidate.address);
    }));
    connection.createDataChannel('x');
    await connection.setLocalDescription();
    await done;
    connection.close();
    return [urls, ...found];
  }));
}

/** In the page, before its own scripts: of the ICE servers only STUN is left, and states are written down. */
function withoutTurn() {
  const Original = window.RTCPeerConnection;
  const onlyStun = (configuration) => ({
    ...configuration,
    iceServers: configuration.iceServers.filter(({urls}) => [urls].flat().every((url) => url.startsWith('stun:'))),
  });
  window.states = [];
  window.RTCPeerConnection = class extends Original {
    constructor(configuration) {
      super(onlyStun(configuration));
      this.addEventListener('connectionstatechange', () => window.states.push(this.connectionState));
    }

    setConfiguration(configuration) {
      super.setConfiguration(onlyStun(configuration));
    }
  };
}

if (inside) describe('behind NATs', () => {
  const {kind, holders} = inside;
  let folder;
  let daemon;
  let firefox;
  let chromium;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'causeway-nat-'));
    const hosts = [['127.0.0.1', 'localhost'], [kServerAddress, kHost], [kServerAddress, kHalfHost]];
    if (kind === 'dual-stack') hosts.push([kServerAddressV6, kHost], ['2400:5::99', kHalfHost]);
    await writeFile(path.join(folder, 'hosts'), hosts.map(([address, name]) => `${address} ${name} ${name}.\n`).join(''));
    await writeFile(path.join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\n');
    const users = JSON.stringify({[kUser.name]: kUser.password});
    const variables = {CAUSEWAY_TURN__USERS: users, CAUSEWAY_TURN__NAT_DISCOVERY: JSON.stringify(kNatDiscovery)};
    daemon = await Daemon.startInstalled(kConfiguration, `https://${kServerAddress}`, variables, within(holders.server));
    const launcher = (name, holder, program) => writeLauncher(folder, name, within(holder), program);
    [firefox, chromium] = await Promise.all([
      kCalls[kind] && launcher('firefox', holders.client_a, kFirefox)
        .then((executablePath) => launchTrustingFirefox(path.join(folder, 'profile'), executablePath)),
      launcher('chromium', holders.client_b, kChromium).then((executablePath) => launchBrowser({executablePath})),
    ]);
  });
  after(async () => {
    await Promise.all([firefox?.close(), chromium?.close()]);
    await daemon?.stop();
    await rm(folder, {recursive: true, force: true});
  });

  /** Both in a room; Firefox's page and Chromium's. */
  async function call(room, {query = '', first} = {}) {
    const url = `https://${kHost}/r/${room}${query}`;
    const fox = await firefox.open(url, first);
    await enterRoom(fox, {name: 'Fox'});
    const chrome = await joinRoom(chromium, url, {name: 'Chrome', options: {first, ignoreHTTPSErrors: true}});
    return [fox, chrome];
  }

  if (kCalls[kind]) it('is a call between Firefox and Chromium, through the relay', async () => {
    const {query, relay_protocol} = kCalls[kind];
    const [fox, chrome] = await call('relayed', {query});
    await waitForPeers(chrome, 1);
    let peers;
    await until(async () => {
      peers = (await Promise.all([fox, chrome].map(readPeers))).flat();
      return peers.every(({frames, audio_packets}) => frames >= 5 && audio_packets >= 5);
    }, () => JSON.stringify(peers));
    assert.deepEqual(peers.map(({name}) => name), ['Chrome', 'Fox']);
    for (const peer of peers) {
      assert.ok([peer.local, peer.remote].includes('relay'), JSON.stringify(peers));
      if (peer.local === 'relay') assert.equal(peer.relay_protocol, relay_protocol);
    }
  });

  /** What the test page says of its own server: the report as text. */
  async function reportOf(browser, host) {
    const url = `https://${host}/test?seconds=1&lang=en`;
    const page = await (browser === firefox ? firefox.open(url) : openPage(chromium, url, {ignoreHTTPSErrors: true}));
    await page.waitForFunction(() => !document.getElementById('own-start').disabled);
    await page.evaluate(() => document.getElementById('own-start').click());
    await page.waitForFunction(() => !document.getElementById('report').hidden);
    return page.evaluate(() => document.getElementById('report-text').value);
  }

  const [mapping, browsers] = kMappings[kind] ?? ['', []];
  for (const name of browsers) {
    it(`is no obstacle to the test page in ${name}, which sees what kind it is`, async () => {
      const report = await reportOf(name === 'Firefox' ? firefox : chromium, kHost);
      assert.match(report, /^(Everything works|Calls work)/);
      for (const words of ['A wrong password is refused', mapping, 'Connected after', 'Pictures arrive']) {
        assert.ok(report.includes(words), report);
      }
    });
  }

  if (kind === 'cone') it('is seen by a page that knows one address only', async () => {
    const page = await openPage(chromium, `https://${kHost}/test`, {ignoreHTTPSErrors: true});
    const seen = await page.evaluate(async (urls) => {
      const {natMapping} = await import('/js/nat.js');
      return natMapping([{urls}]);
    }, kUris);
    assert.equal(seen, 'one-address');
  });

  if (kind === 'dual-stack') {
    const waysOver = (report, family) => report.split('\n').filter((line) => line.endsWith(` Asked over ${family}.`));

    it('asks over IPv4 and over IPv6, each where the browser can choose', async () => {
      const report = await reportOf(chromium, kHost);
      assert.match(report, /^Everything works/);
      for (const family of ['IPv4', 'IPv6']) {
        const ways = waysOver(report, family);
        assert.ok(ways.filter((line) => /^\+ turn:.*=udp/.test(line)).length === 2, report);
      }
    });

    it('claims nothing of a family that does not lead there', async () => {
      const report = await reportOf(chromium, kHalfHost);
      assert.ok(waysOver(report, 'IPv4').filter((line) => line.startsWith('+ turn')).length >= 3, report);
      assert.deepEqual(waysOver(report, 'IPv6'), []);
    });
  }

  if (kind !== 'symmetric') return;

  it('is no call with STUN alone', async () => {
    const [fox, chrome] = await call('direct', {first: withoutTurn});
    await fox.waitForFunction(() => window.states.includes('failed'));
    for (const page of [fox, chrome]) assert.ok(!(await page.evaluate(() => window.states.includes('connected'))));
  });

  for (const [password, expected] of [[kUser.password, kServerAddress], ['wrong', 401]]) {
    it(`gives Firefox ${expected} from each URI when the password is "${password}"`, async () => {
      const page = await firefox.open(`https://${kHost}/test`);
      const found = await page.evaluate(gatherInPage, [kUris, kUser.name, password]);
      assert.deepEqual(found, kUris.map((uri) => [uri, expected]));
    });
  }
});

if (!inside) {
  for (const kind of kKinds) {
    it(`works where NATs are ${kind}`, {skip: kNoFirefox}, (test) => runInside(kind, kThisFile, test));
  }
}
