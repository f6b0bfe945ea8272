// SPDX-License-Identifier: Apache-2.0
// Pictures of every page and state in three sizes, to be looked at before a release:
//   node tests/browser/screenshots.mjs FOLDER [light|dark]
import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import {fileInput} from './call_page.mjs';
import {RelayTestPage} from './relay_test_page.mjs';
import {Daemon, joinRoom, launchBrowser, openPage, turnOnDevices, waitForPeers} from './support.mjs';

const kSizes = [[360, 740], [768, 1024], [1440, 900]];
const kNames = ['Ann', 'Ben Okafor', 'Cleo', 'Dimitri', 'Elif', 'Femi', 'Greta', 'Hiro', 'Inés'];
// More is too much for a small machine, and so are all ways to the relay for each of 36 connections.
const kWithCamera = ['Ann', 'Ben Okafor', 'Dimitri', 'Elif'];
const kSparing = '?transport=udp&cap=400';
const [folder, colorScheme = 'light'] = process.argv.slice(2);

/** In the page, before its scripts: a camera that shows somebody, and one colour for each person. */
function drawnCamera() {
  const hue = Math.floor(Math.random() * 360);
  const draw = (context, {width, height}, time) => {
    const ground = context.createLinearGradient(0, 0, width, height);
    ground.addColorStop(0, `hsl(${hue} 45% 38%)`);
    ground.addColorStop(1, `hsl(${hue + 60} 45% 62%)`);
    context.fillStyle = ground;
    context.fillRect(0, 0, width, height);
    const x = width / 2 + Math.sin(time / 900) * 12;
    context.fillStyle = `hsl(${hue + 180} 30% 88%)`;
    context.beginPath();
    context.arc(x, height * 0.42, height * 0.17, 0, 7);
    context.ellipse(x, height * 0.98, height * 0.36, height * 0.34, 0, 0, 7);
    context.fill();
  };
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await open({...constraints, ...(constraints.video ? {video: true} : {})});
    if (!constraints.video) return stream;
    for (const track of stream.getVideoTracks()) {
      stream.removeTrack(track);
      track.stop();
    }
    const canvas = Object.assign(document.createElement('canvas'), {width: 640, height: 360});
    const context = canvas.getContext('2d');
    draw(context, canvas, 0);
    setInterval(() => draw(context, canvas, performance.now()), 200);
    stream.addTrack(canvas.captureStream(5).getVideoTracks()[0]);
    return stream;
  };
}

/** In the page, before its scripts: of the ICE servers two lead nowhere. */
function withDeadServers() {
  const Original = window.RTCPeerConnection;
  const dead = {'transport=udp': 'turn:127.0.0.1:9?transport=tcp', 'transport=tcp': 'turn:127.0.0.1:10?transport=tcp'};
  window.RTCPeerConnection = class extends Original {
    constructor({iceServers, ...rest}) {
      const urlOf = ([url]) => (url.startsWith('turn:') ? dead[url.split('?')[1]] ?? url : url);
      super({...rest, iceServers: iceServers.map((server) => ({...server, urls: urlOf([server.urls].flat())}))});
    }
  };
}

/** In the page, before its scripts: a place for files, where nothing happens any more after so many bytes. */
function withDisk() {
  window.disk_bytes = 4_000_000;
  window.showSaveFilePicker = async () => {
    let bytes = 0;
    const write = async (piece) => (bytes += piece.byteLength) > window.disk_bytes && new Promise(() => {});
    const nothing = async () => {};
    return {createWritable: async () => ({write, close: nothing, abort: nothing})};
  };
}

const daemon = await Daemon.start({signaling: {room_members_max: 9}});
const browser = await launchBrowser();
const options = {colorScheme, first: drawnCamera, prepare: (context) => context.addInitScript(withDisk)};

async function take(page, name, {fullPage = false} = {}) {
  for (const [width, height] of kSizes) {
    await page.setViewportSize({width, height});
    await page.waitForTimeout(600);
    await page.screenshot({path: path.join(folder, `${name}-${width}.png`), fullPage});
  }
}

async function entry() {
  const page = await openPage(browser, daemon.origin, options);
  await take(page, 'landing');
  await page.getByRole('textbox', {name: 'Room'}).fill('.');
  await page.getByRole('button', {name: 'Continue'}).click();
  await take(page, 'error-landing');
  await page.getByRole('textbox', {name: 'Room'}).fill('tea');
  await page.getByRole('button', {name: 'Continue'}).click();
  await take(page, 'lobby-off');
  await page.getByLabel('Your name').fill('Ann');
  await turnOnDevices(page);
  await take(page, 'lobby');
  await page.getByRole('button', {name: 'Join'}).click();
  await take(page, 'call-1');
  await page.context().close();
  const denied = {...options, first: () => {
    const refuse = () => Promise.reject(new DOMException('No', 'NotAllowedError'));
    navigator.mediaDevices.getUserMedia = refuse;
  }};
  const without = await openPage(browser, `${daemon.origin}/r/tea`, denied);
  await without.getByRole('button', {name: 'Turn on camera and microphone'}).click();
  await take(without, 'error-devices');
  await without.context().close();
}

async function calls() {
  const url = `${daemon.origin}/r/mavoti-kureba-soduno`;
  const pages = [];
  const enter = async (count) => {
    while (pages.length < count) {
      const name = kNames[pages.length];
      const query = pages.length < 2 ? '' : kSparing;
      pages.push(await joinRoom(browser, url + query, {name, devices: kWithCamera.includes(name), options}));
    }
    await waitForPeers(pages[0], count - 1);
    await pages[0].waitForTimeout(5000);  // for the numbers, and until the news has gone
  };
  await enter(2);
  const [page] = pages;
  await take(page, 'call-2');
  await enter(5);
  await take(page, 'call-5');
  await page.getByRole('button', {name: /^Chat/}).click();
  await pages[1].evaluate(() => window.causeway.call.chat('Shall we look at the plan? https://example.org/plan'));
  await page.getByLabel('Write to everybody').fill('Yes, here it is.');
  await page.keyboard.press('Enter');
  await sendFile(pages);
  await page.waitForTimeout(5000);
  await take(page, 'chat');
  await page.getByRole('button', {name: 'People'}).click();
  await take(page, 'people');
  await page.keyboard.press('Escape');
  await page.keyboard.press('i');
  await page.waitForTimeout(3000);
  await page.locator('#stats-members summary').first().click();
  await take(page, 'stats');
  await page.keyboard.press('Escape');
  await page.getByRole('button', {name: 'Show Ben Okafor large'}).focus();
  await page.keyboard.press('Enter');
  await take(page, 'pinned');
  await page.keyboard.press('Enter');
  await page.getByRole('button', {name: 'More'}).click();
  await take(page, 'more');
  await page.keyboard.press('Escape');
  await page.getByRole('button', {name: 'Invite', exact: true}).click();
  await take(page, 'invite');
  await page.keyboard.press('Escape');
  await enter(9);
  await take(page, 'call-9');
  const full = await joinFull(url);
  await take(full, 'error-full');
  await daemon.kill('SIGKILL');
  await page.getByText('The connection to the server is lost.').waitFor();
  await take(page, 'error-connection');
  for (const each of [...pages, full]) await each.context().close();
  await daemon.run();
}

/** One has all of it, one a part, one does not want it, and one has not answered. */
async function sendFile([page, ...others]) {
  await fileInput(page).setInputFiles({name: 'plan.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(9_000_000)});
  await others[0].evaluate(() => (window.disk_bytes = Infinity));
  for (const [index, name] of ['Accept plan.pdf', 'Accept plan.pdf', 'Refuse plan.pdf'].entries()) {
    await others[index].getByRole('button', {name: /^Chat/}).click();
    await others[index].getByRole('button', {name}).click();
  }
}

async function joinFull(url) {
  const page = await openPage(browser, url, options);
  await page.getByRole('button', {name: 'Join'}).click();
  await page.getByRole('alert').filter({hasText: 'full'}).waitFor();
  return page;
}

async function tests() {
  for (const [name, first] of [['test', undefined], ['test-failures', withDeadServers]]) {
    const page = await openPage(browser, `${daemon.origin}/test?seconds=1`, {colorScheme, first});
    if (!first) await take(page, 'test-ready');
    await new RelayTestPage(page).testOwnServer();
    await page.evaluate(() => scrollTo(0, 0));
    await take(page, name, {fullPage: true});
    await page.context().close();
  }
}

try {
  await mkdir(folder, {recursive: true});
  await entry();
  await calls();
  await tests();
} finally {
  await browser.close();
  await daemon.stop();
}
