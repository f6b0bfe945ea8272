// SPDX-License-Identifier: Apache-2.0
// What every browser test needs: a daemon of its own, a Chromium, and pages whose complaints fail the test.
// CAUSEWAY_BINARY names the daemon; CHROMIUM the browser, /usr/bin/chromium where it is not set. CAUSEWAY_WEB names a
// folder of pages to serve instead of those in the daemon, so that changes to them need no build. With
// CAUSEWAY_TEST_WORKERS the daemon runs that many workers.
import assert from 'node:assert/strict';
import {execFile, spawn} from 'node:child_process';
import {randomInt} from 'node:crypto';
import dgram from 'node:dgram';
import {once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before} from 'node:test';
import {promisify} from 'node:util';
import {chromium} from 'playwright-core';
import {lightMedia} from './light_media.mjs';
import {kWaitMs, until} from './limits.mjs';

const kBinary = process.env.CAUSEWAY_BINARY;
const kWorkers = process.env.CAUSEWAY_TEST_WORKERS ? {workers: Number(process.env.CAUSEWAY_TEST_WORKERS)} : {};
const kWeb = process.env.CAUSEWAY_WEB && path.resolve(process.env.CAUSEWAY_WEB);

export const kChromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const kUser = {name: 'alice', password: 'correct horse'};

// What Playwright switches off, whose flag this one replaces, and the address bar's own pages: they take as much time of a
// processor as the rest of a new window.
const kUnusedFeatures = [
  'AutoDeElevate', 'AvoidUnnecessaryBeforeUnloadCheckSync', 'BoundaryEventDispatchTracksNodeRemoval',
  'DestroyProfileOnBrowserClose', 'DialMediaRouteProvider', 'GlobalMediaControls', 'HttpsUpgrades', 'LensOverlay',
  'MediaRouter', 'OptimizationHints', 'PaintHolding', 'RenderDocument', 'ThirdPartyStoragePartitioning', 'Translate',
  'WebUIOmniboxAimPopup', 'WebUIOmniboxFullPopup', 'WebUIOmniboxPopup',
];
const kChromiumFlags = [
  '--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
  '--disable-quic', '--ignore-certificate-errors', `--disable-features=${kUnusedFeatures.join()}`,
];
const kFakeMediaFlags = ['--use-fake-device-for-media-stream=fps=5', '--use-fake-ui-for-media-stream'];
// Systems give ports above these to outgoing connections, of browsers too, and the daemon to relayed addresses.
const kFirstPort = 10_000;
const kLastPort = 32_000;

async function isFree(port) {
  const server = net.createServer();
  const socket = dgram.createSocket('udp4');
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    await once(socket.bind(port, '127.0.0.1'), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
    socket.close();
  }
}

/** Ports nobody uses, for UDP and TCP: the daemon takes a moment later what is let go here. */
async function freePorts(count) {
  const ports = new Set();
  while (ports.size < count) {
    const port = randomInt(kFirstPort, kLastPort);
    if (await isFree(port)) ports.add(port);
  }
  return ports;
}

export class Daemon {
  prefix = [];
  variables = {};

  /** @param {object} sections parts of the configuration that this test wants otherwise */
  static async start(sections = {}) {
    const daemon = await Daemon.#make();
    [daemon.turn_port, daemon.tls_port, daemon.web_port] = await freePorts(3);
    daemon.origin = `http://127.0.0.1:${daemon.web_port}`;
    daemon.config = path.join(daemon.folder, 'causeway.json');
    await writeFile(daemon.config, JSON.stringify(daemon.#configuration(sections)));
    await daemon.run();
    return daemon;
  }

  /**
   * With a configuration file as it is; `variables` are what the environment adds to it, `prefix` is a command that
   * runs the daemon elsewhere.
   */
  static async startInstalled(config, origin, variables, prefix = []) {
    const daemon = await Daemon.#make();
    Object.assign(daemon, {config, origin, variables, prefix});
    if (kWeb) daemon.variables.CAUSEWAY_WEB__ROOT = kWeb;
    daemon.variables.CAUSEWAY_STATE_DIRECTORY = path.join(daemon.folder, 'state');
    await daemon.run();
    return daemon;
  }

  static async #make() {
    assert.ok(kBinary, 'CAUSEWAY_BINARY must name the daemon to test.');
    const daemon = new Daemon();
    daemon.folder = await mkdtemp(path.join(tmpdir(), 'causeway-browser-'));
    return daemon;
  }

  /** The environment without what the test suites themselves are told by. */
  get #environment() {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('CAUSEWAY_'));
    return {...Object.fromEntries(own), ...this.variables};
  }

  #configuration(sections) {
    const address = '127.0.0.1';
    return {
      realm: 'browser.test',
      state_directory: path.join(this.folder, 'state'),
      listeners: [
        {transport: 'udp', address, port: this.turn_port},
        {transport: 'tcp', address, port: this.turn_port, services: ['turn']},
        {transport: 'tls', address, port: this.tls_port},
        {transport: 'tcp', address, port: this.web_port, services: ['http']},
      ],
      turn: {...kWorkers, users: {[kUser.name]: kUser.password}, relay: {addresses: [address]}},
      ...(kWeb && {web: {root: kWeb}}),
      ...sections,
    };
  }

  /** Starts the process and waits until it answers. */
  async run() {
    this.output = '';
    const [program, ...rest] = [...this.prefix, kBinary, '--config', this.config];
    this.process = spawn(program, rest, {
      stdio: ['ignore', 'pipe', 'pipe'], env: this.#environment,
    });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (text) => (this.output += text));
    this.ended = new Promise((resolve) => this.process.once('exit', resolve));
    await until(() => {
      assert.equal(this.process.exitCode, null, `The daemon ended instead of starting:\n${this.output}`);
      return this.#answers();
    }, () => `The daemon does not answer:\n${this.output}`);
  }

  #answers() {
    return new Promise((resolve) => {
      const {get} = this.origin.startsWith('https:') ? https : http;
      get(`${this.origin}/healthz`, {rejectUnauthorized: false},
        (response) => resolve(response.resume().statusCode === 200)).on('error', () => resolve(false));
    });
  }

  /** The TURN URIs of this daemon, by transport. */
  get uris() {
    return {
      udp: `turn:127.0.0.1:${this.turn_port}?transport=udp`,
      tcp: `turn:127.0.0.1:${this.turn_port}?transport=tcp`,
      tls: `turns:127.0.0.1:${this.tls_port}?transport=tcp`,
    };
  }

  /** What `causeway credential` prints for a user: {username, password}. */
  async credential(user) {
    const command = ['credential', '--config', this.config, '--user', user, '--ttl', '1h'];
    const {stdout} = await promisify(execFile)(kBinary, command, {env: this.#environment});
    const [, username, password] = /^username: (\S+)\npassword: (\S+)\n$/.exec(stdout) ?? [];
    assert.ok(username && password, `No username and password in:\n${stdout}`);
    return {username, password};
  }

  /** The link that `causeway token` makes for a room: an invitation with this role. */
  async inviteLink(room, role, name) {
    const command = ['token', '--config', this.config, '--url', this.origin, '--room', room, '--role', role, '--name', name, '--json'];
    const {stdout} = await promisify(execFile)(kBinary, command, {env: this.#environment});
    return JSON.parse(stdout).link;
  }

  /** Ends the process as a crash would, or in order. */
  async kill(signal = 'SIGTERM') {
    this.process.kill(signal);
    await this.ended;
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.kill();
    await rm(this.folder, {recursive: true, force: true});
  }
}

/**
 * @param {{media?: boolean, flags?: string[], executablePath?: string}} options `media`: a camera and a microphone that
 * need no permission
 */
export function launchBrowser({media = true, flags = [], executablePath = kChromium} = {}) {
  return chromium.launch({
    executablePath,
    args: [...kChromiumFlags, ...(media ? kFakeMediaFlags : []), ...flags],
    timeout: kWaitMs,
  });
}

/**
 * In describe(): a daemon and a browser for all of its tests, ended after them.
 * @param {(started: {daemon: Daemon, browser: import('playwright-core').Browser}) => void} put is given both before the
 * first test, and before the suite's own before()
 * @param {object} options those of launchBrowser(), and `sections` for Daemon.start()
 */
export function startAll(put, {sections, ...browser_options} = {}) {
  let daemon;
  let browser;
  before(async () => {
    daemon = await Daemon.start(sections);
    browser = await launchBrowser(browser_options);
    put({daemon, browser});
  });
  after(async () => {
    await browser?.close();
    await daemon?.stop();
  });
}

/**
 * A page in a context of its own (as another person's browser). Everything that the browser complains about, Content
 * Security Policy included, is kept: expectNoComplaints() after the test.
 * @param {{first?: () => void, prepare?: (context: object) => Promise<void>, full_media?: boolean}} options `first` runs
 * in the page before its own scripts, `prepare` gets the context before there is a page, with `full_media` pictures have
 * the size that people see; the rest is Playwright's
 */
export async function openPage(browser, url, {first, prepare, full_media = false, ...options} = {}) {
  const context = await browser.newContext({locale: 'en-GB', ...options});
  await prepareContext(context, {full_media});
  await prepare?.(context);
  if (first) await context.addInitScript(first);
  const page = await context.newPage();
  recordComplaints(page, url);
  await page.goto(url);
  return page;
}

/** What every context gets: limits for this machine and, without `full_media`, devices that cost little. */
export async function prepareContext(context, {full_media = false} = {}) {
  context.setDefaultTimeout(kWaitMs);
  if (!full_media) await context.addInitScript(lightMedia);
}

/** What the browser complains about from now on, and requests to other hosts than that of this URL. */
export function recordComplaints(page, url) {
  page.complaints = [];
  page.on('request', (request) => {
    const {protocol, host} = new URL(request.url());
    if (protocol.startsWith('http') && host !== new URL(url).host) {
      page.complaints.push(`request to another host: ${request.url()}`);
    }
  });
  page.on('pageerror', (error) => page.complaints.push(`exception: ${error.stack}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.complaints.push(`${message.type()}: ${message.text()}`);
  });
}

/** In the page, before its own scripts: what it asks for of the camera and the microphone is written down. */
export function recordOpened() {
  window.opened = [];
  const {mediaDevices} = navigator;
  const open = mediaDevices?.getUserMedia.bind(mediaDevices);
  if (open) mediaDevices.getUserMedia = (constraints) => {
    window.opened.push(Object.keys(constraints).join('+'));
    return open(constraints);
  };
}

/** @param {RegExp} [allowed] what this test provokes itself */
export function expectNoComplaints(page, allowed) {
  assert.deepEqual(page.complaints.filter((complaint) => !allowed?.test(complaint)), []);
}

/**
 * Opens the call page and enters a room by pressing what a person presses. Without `room` the URL names it.
 * @param {{name: string, room?: string, relay_only?: boolean, devices?: boolean, options?: object}} wishes
 */
export async function joinRoom(browser, url, {name, room, relay_only, devices, options = {}}) {
  const page = await openPage(browser, url, options);
  if (room) {
    await page.getByRole('textbox', {name: 'Room'}).fill(room);
    await page.getByRole('button', {name: 'Continue'}).click();
  }
  await enterRoom(page, {name, relay_only, devices});
  return page;
}

/** From the lobby. */
export async function enterRoom(page, {name, relay_only = false, devices = true}) {
  await page.getByLabel('Your name').fill(name);
  if (relay_only) await page.getByRole('switch', {name: 'Relay only'}).check();
  if (devices) await turnOnDevices(page);
  await page.getByRole('button', {name: 'Join'}).click();
  await page.getByRole('button', {name: 'Leave'}).waitFor();
}

/** In the lobby. */
export async function turnOnDevices(page) {
  await page.getByRole('button', {name: 'Turn on camera and microphone'}).click();
  await page.getByRole('button', {name: 'Stop video'}).waitFor();
}

/** Waits until this page is connected with so many members. */
export async function waitForPeers(page, count) {
  await page.locator('#tiles > [data-state="connected"]').nth(count - 1).waitFor();
  assert.equal(await page.locator('#tiles > [data-member]').count(), count);
}

/** Waits until messages and files can go to everybody. */
export const waitForLinks = (page) => page.waitForFunction(() => (
  [...window.causeway.call.peers.values()].every(({link}) => link?.open)));

/**
 * In the page. Per remote member: the types of the selected pair, how TURN is reached, the video frames decoded. Camera
 * and microphone count; a screen that was shared once has streams of its own, which stand.
 */
export function peersInPage() {
  return Promise.all([...window.causeway.call.peers.values()].map(async (peer) => {
    const received = async (kind) => {
      const stats = await peer.transceiverOf(kind)?.receiver.getStats();
      return [...(stats?.values() ?? [])].find(({type}) => type === 'inbound-rtp');
    };
    const stats = await peer.connection.getStats();
    const transport = [...stats.values()].find(({type}) => type === 'transport');
    const pair = stats.get(transport?.selectedCandidatePairId);
    const local = stats.get(pair?.localCandidateId);
    const [video, audio] = await Promise.all(['video', 'audio'].map(received));
    return {
      name: peer.name,
      local: local?.candidateType,
      remote: stats.get(pair?.remoteCandidateId)?.candidateType,
      relay_protocol: local?.relayProtocol,
      frames: video?.framesDecoded ?? 0,
      audio_packets: audio?.packetsReceived ?? 0,
      audio_energy: audio?.totalAudioEnergy ?? 0,
    };
  }));
}

export const readPeers = (page) => page.evaluate(peersInPage);

/**
 * Waits until more pictures and more sound have come from everybody than `before`, an earlier result: on a busy machine
 * one second may bring nothing.
 */
export async function expectGrowth(page, before = []) {
  const grew = ({frames, audio_packets, audio_energy}, index) => (
    frames > (before[index]?.frames ?? 0) && audio_packets > (before[index]?.audio_packets ?? 0) && audio_energy > 0);
  let peers;
  await until(async () => {
    peers = await readPeers(page);
    return peers.every(grew);
  }, () => `Media stands: ${JSON.stringify(before)}, later ${JSON.stringify(peers)}`);
  return peers;
}

const kMustHaveNames = new Set([
  'button', 'textbox', 'combobox', 'switch', 'link', 'checkbox', 'radio', 'table', 'columnheader', 'heading', 'list',
  'group',
]);

/** Everything a person can use or jump to has a name for a screen reader, and these roles are there. */
export async function expectNames(page, roles) {
  const session = await page.context().newCDPSession(page);
  const {nodes} = await session.send('Accessibility.getFullAXTree');
  const shown = nodes.filter(({ignored}) => !ignored)
    .map(({role, name}) => ({role: role?.value, name: name?.value ?? ''}));
  for (const {role, name} of shown) {
    if (kMustHaveNames.has(role)) assert.notEqual(name.trim(), '', `a ${role} has no name`);
  }
  for (const role of roles) assert.ok(shown.some((node) => node.role === role), `no ${role} on the page`);
  await session.detach();
}
