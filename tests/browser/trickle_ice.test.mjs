// SPDX-License-Identifier: Apache-2.0
// The relay test page, used as people use the Trickle ICE page: type in a server, gather, read the table.
import assert from 'node:assert/strict';
import {after, before, describe, it} from 'node:test';
import {Daemon, expectNoComplaints, expectNames, kUser, launchBrowser, openPage} from './support.mjs';

describe('the relay test page', () => {
  let daemon;
  let browser;
  let page;
  before(async () => {
    daemon = await Daemon.start();
    // Without a permission for media, as most people test: a browser then hides its own addresses behind .local names,
    // and the one that STUN finds is news even on this machine.
    browser = await launchBrowser({media: false});
    page = await openPage(browser, `${daemon.origin}/test`);
  });
  after(async () => {
    await browser?.close();
    await daemon?.stop();
  });

  async function add({uri, username = '', password = ''}) {
    await page.getByLabel('STUN or TURN URI').fill(uri);
    await page.getByLabel('Username').fill(username);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', {name: 'Add server'}).click();
  }

  /** Gathers from these servers and gives back the lines, the rows of candidates and those of errors. */
  async function gather(servers, policy = 'All') {
    await page.reload();
    for (const server of servers) await add(server);
    await page.getByRole('radio', {name: policy}).check();
    await page.getByRole('button', {name: 'Gather candidates'}).click();
    await page.getByRole('status').filter({hasText: /^Done/}).waitFor({timeout: 20_000});
    return {
      lines: await linesOf('Results for these servers'),
      candidates: await rowsOf('#candidates'),
      errors: await rowsOf('#errors'),
    };
  }

  function rowsOf(table) {
    return page.locator(`${table} tbody tr`).evaluateAll((rows) => rows.map((row) => (
      {...row.dataset, cells: [...row.cells].map(({textContent}) => textContent)})));
  }

  function linesOf(name) {
    return page.getByRole('list', {name}).getByRole('listitem').evaluateAll((lines) => lines.map((line) => (
      {...line.dataset, text: line.textContent})));
  }

  /** Every transport gives a relay candidate, the one over UDP a server reflexive one too. */
  async function expectAllWork({username, password}) {
    const uris = Object.values(daemon.uris);
    const {lines, candidates, errors} = await gather(uris.map((uri) => ({uri, username, password})));
    const types = (uri) => candidates.filter((row) => row.uri === uri).map(({type}) => type);
    for (const uri of uris) assert.ok(types(uri).includes('relay'), `${uri}: ${JSON.stringify({lines, errors})}`);
    assert.ok(types(daemon.uris.udp).includes('srflx'), JSON.stringify(candidates));
    const relay = candidates.find(({uri, type}) => uri === daemon.uris.tls && type === 'relay').cells;
    assert.match(relay[0], /^\d+ ms$/);
    assert.equal(relay[4], 'udp');
    assert.equal(relay[2], '127.0.0.1');
    assert.match(relay[3], /^\d{4,5}$/);
    assert.match(relay[9], /^\d+ \| \d+ \| 255$/);
    assert.equal(relay[5], 'tls');
    for (const line of lines) assert.equal(line.state, 'good', line.text);
    assert.deepEqual(errors, []);
    expectNoComplaints(page);
  }

  it('finds srflx and relay candidates over udp, tcp and tls with a static user', () => (
    expectAllWork({username: kUser.name, password: kUser.password})));

  it('finds them with the output of `causeway credential`', async () => (
    expectAllWork(await daemon.credential('visitor'))));

  it('shows 401 for a wrong password, over every transport', async () => {
    const uris = Object.values(daemon.uris);
    const wrong = {username: kUser.name, password: 'wrong'};
    const {lines, candidates, errors} = await gather(uris.map((uri) => ({uri, ...wrong})));
    for (const uri of uris) {
      assert.ok(errors.some((row) => row.uri === uri && row.code === '401'), `${uri}: ${JSON.stringify(errors)}`);
      const line = lines.find((each) => each.uri === uri);
      assert.equal(line.state, 'bad');
      assert.match(line.text, /401.*Wrong username or password/);
    }
    assert.ok(!candidates.some(({type}) => type === 'relay'));
    expectNoComplaints(page);
  });

  it('shows when a time-limited username has expired', async () => {
    const {lines} = await gather([{uri: daemon.uris.udp, username: '1600000000:visitor', password: 'any'}]);
    assert.match(lines[0].text, /401.*expired on/);
  });

  it('says that nothing listens on a port', async () => {
    const {lines} = await gather([{uri: 'turn:127.0.0.1:9?transport=tcp', username: 'a', password: 'b'}], 'Relay only');
    assert.equal(lines[0].state, 'bad');
    assert.match(lines[0].text, /No answer|cannot be reached/);
  });

  it('refuses what is no URI, or a turn: URI without a password, in words', async () => {
    await page.reload();
    await add({uri: 'turn.example.org'});
    await page.getByRole('alert').filter({hasText: 'A URI looks like'}).waitFor();
    await add({uri: daemon.uris.udp});
    await page.getByRole('alert').filter({hasText: 'needs a username and a password'}).waitFor();
    assert.equal(await page.getByRole('list', {name: 'Servers'}).getByRole('listitem').count(), 0);
  });

  it('tries every address of its own server with fresh credentials', async () => {
    await page.reload();
    await page.getByRole('button', {name: 'Test this server'}).click();
    await page.getByRole('status').filter({hasText: /^Done/}).waitFor({timeout: 20_000});
    const lines = await linesOf('Results for this server');
    for (const start of [/^stun:/, /^turn:.*transport=udp/, /^turn:.*transport=tcp/, /^turns:/]) {
      assert.ok(lines.some(({uri}) => start.test(uri)), `no ${start} in ${JSON.stringify(lines)}`);
    }
    for (const line of lines) assert.equal(line.state, 'good', line.text);
    for (const {uri, text} of lines) {
      if (uri.startsWith('turn')) assert.match(text, /relay candidate came after \d+ ms/);
    }
    expectNoComplaints(page);
  });

  it('works with the keyboard alone, and names everything for a screen reader', async () => {
    await page.reload();
    await page.getByRole('button', {name: 'Test this server'}).focus();
    await page.keyboard.press('Tab');
    await page.keyboard.type(daemon.uris.udp);
    await page.keyboard.press('Tab');
    await page.keyboard.type(kUser.name);
    await page.keyboard.press('Tab');
    await page.keyboard.type(kUser.password);
    await page.keyboard.press('Enter');
    await page.getByRole('button', {name: `Remove ${daemon.uris.udp}`}).waitFor();
    await page.getByRole('button', {name: 'Gather candidates'}).focus();
    await page.keyboard.press('Space');
    await page.getByRole('status').filter({hasText: 'Done. 1 of 1 address works.'}).waitFor({timeout: 20_000});
    const roles = ['heading', 'button', 'textbox', 'radio', 'checkbox', 'table', 'columnheader', 'list', 'link'];
    await expectNames(page, roles);
    expectNoComplaints(page);
  });
});
