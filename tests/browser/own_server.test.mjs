// SPDX-License-Identifier: Apache-2.0
// The test page's look at its own server: one verdict, every step behind it, and a report for whoever runs the server.
import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {describe, it} from 'node:test';
import {RelayTestPage} from './relay_test_page.mjs';
import {expectNoComplaints, openPage, startAll} from './support.mjs';

/** In the page, before its scripts: of the ICE servers some get another port, where nobody listens. */
function withDeadUdp() {
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor({iceServers, ...rest}) {
      const dead = (url) => (url.endsWith('transport=udp') ? 'turn:127.0.0.1:9?transport=tcp' : url);
      super({...rest, iceServers: iceServers.map((server) => ({...server, urls: dead([server.urls].flat()[0])}))});
    }
  };
}

describe('the test of this server', () => {
  let daemon;
  let browser;
  startAll((started) => ({daemon, browser} = started));

  const open = (hash = '', options = {}) => openPage(browser, `${daemon.origin}/test?seconds=1${hash}`, options);

  it('finds everything in order, measures a call through the relay, and names itself in the log', async () => {
    const page = await open();
    const {verdict, lines} = await new RelayTestPage(page).testOwnServer();
    assert.deepEqual(verdict, {state: 'good', text: 'Everything works. Calls from this browser and this network will work.'},
      JSON.stringify(lines));
    for (const start of [/^stun:/, /^turn:.*transport=udp/, /^turn:.*transport=tcp/, /^turns:/]) {
      assert.ok(lines.relay.some(({uri}) => start.test(uri)), `no ${start} in ${JSON.stringify(lines.relay)}`);
    }
    for (const line of Object.values(lines).flat()) assert.equal(line.state, 'good', line.text);
    for (const {uri, text} of lines.relay) {
      if (uri.startsWith('turn')) assert.match(text, /relay candidate came after \d+ ms \(IPv4 127\.0\.0\.1:\d+\)/);
    }
    assert.match(lines.relay.find(({key}) => key === 'wrong-password').text, /A wrong password is refused/);
    const call = lines.call.map(({text}) => text).join('\n');
    assert.match(call, /Round trip [\d.]+ ms, loss \d+ %, jitter [\d.]+ ms/);
    const [, sent, received] = /Sent ([\d.]+) Mbit\/s, received ([\d.]+) Mbit\/s/.exec(call);
    assert.ok(Number(sent) > 0.5 && Number(received) > 0.5, call);
    assert.match(call, /Pictures arrive: \d+ decoded/);
    const id = await page.locator('#report-id').textContent();
    assert.ok(daemon.output.includes(id), `${id} is not in the log:\n${daemon.output}`);
    expectNoComplaints(page);
    await page.context().close();
  });

  it('has a report to copy and one to save', async () => {
    const page = await open('', {permissions: ['clipboard-read', 'clipboard-write']});
    await new RelayTestPage(page).testOwnServer();
    await page.getByRole('button', {name: 'Copy report'}).click();
    await page.getByRole('status').filter({hasText: 'Report copied.'}).waitFor();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    const id = await page.locator('#report-id').textContent();
    for (const part of ['Everything works', `id: ${id}`, '[relay]', '+ turn:', '[call]']) assert.ok(text.includes(part), text);
    const download = page.waitForEvent('download');
    await page.getByRole('button', {name: 'Save report (JSON)'}).click();
    const report = JSON.parse(await readFile(await (await download).path(), 'utf8'));
    assert.deepEqual([report.id, report.verdict.state], [id, 'good']);
    await page.context().close();
  });

  it('starts at once by a link for support', async () => {
    const page = await open('#relay');
    const {verdict} = await new RelayTestPage(page).ownResults();
    assert.equal(verdict.state, 'good');
    await page.context().close();
  });

  it('says which way fails, and that calls work all the same', async () => {
    const page = await open('', {first: withDeadUdp});
    const {verdict, lines} = await new RelayTestPage(page).testOwnServer();
    assert.deepEqual([verdict.state, /Calls work\. \d of \d ways/.test(verdict.text)], ['warn', true], verdict.text);
    const dead = lines.relay.find(({uri}) => uri.endsWith('=udp'));
    assert.equal(dead.state, 'bad');
    assert.match(dead.text, /No answer|cannot be reached/);
    assert.match(lines.relay.find(({key}) => key === 'wrong-password').text, /A wrong password is refused/);
    await page.context().close();
  });

  it('says that the server is gone', async () => {
    const page = await open();
    await daemon.kill('SIGKILL');
    const {verdict, lines} = await new RelayTestPage(page).testOwnServer();
    assert.match(verdict.text, /The server cannot be reached/);
    assert.match(lines.signaling[0].text, /does not answer on \/ws/);
    expectNoComplaints(page, /WebSocket connection to|ERR_CONNECTION/);
    await page.context().close();
    await daemon.run();
  });
});
