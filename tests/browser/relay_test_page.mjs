// SPDX-License-Identifier: Apache-2.0
// The relay test page as people use the Trickle ICE page: servers typed in, candidates gathered, the table read.
import assert from 'node:assert/strict';
import {expectNoComplaints} from './support.mjs';

export class RelayTestPage {
  /** @param page Playwright's, which shows /test */
  constructor(page) {
    this.page = page;
  }

  async add({uri, username = '', password = ''}) {
    await this.page.getByLabel('STUN or TURN URI').fill(uri);
    await this.page.getByLabel('Username').fill(username);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', {name: 'Add server'}).click();
  }

  /** Gathers from these servers and gives back the lines, the rows of candidates and those of errors. */
  async gather(servers, policy = 'All') {
    await this.page.reload();
    for (const server of servers) await this.add(server);
    await this.page.getByRole('radio', {name: policy}).check();
    await this.page.getByRole('button', {name: 'Gather candidates'}).click();
    await this.page.getByRole('status').filter({hasText: /^Done/}).waitFor();
    return {
      lines: await this.linesOf('Results for these servers'),
      candidates: await this.rowsOf('#candidates'),
      errors: await this.rowsOf('#errors'),
    };
  }

  rowsOf(table) {
    return this.page.locator(`${table} tbody tr`).evaluateAll((rows) => rows.map((row) => (
      {...row.dataset, cells: [...row.cells].map(({textContent}) => textContent)})));
  }

  linesOf(name) {
    return this.page.getByRole('list', {name}).getByRole('listitem').evaluateAll((lines) => lines.map((line) => (
      {...line.dataset, text: line.textContent})));
  }

  /** Runs the test of the page's own server; gives back the verdict and the lines of each part. */
  async testOwnServer() {
    await this.page.getByRole('button', {name: 'Test this server'}).click();
    return this.ownResults();
  }

  async ownResults() {
    await this.page.getByRole('status').filter({hasText: /^Done/}).waitFor();
    const lines = {};
    for (const part of ['browser', 'signaling', 'relay', 'call']) {
      lines[part] = await this.page.locator(`#${part}-results > li`).evaluateAll((items) => items.map((item) => (
        {...item.dataset, text: item.textContent.replace(/\s+/g, ' ')})));
    }
    const verdict = await this.page.locator('#verdict').evaluate((each) => ({state: each.dataset.state, text: each.textContent}));
    return {verdict, lines};
  }

  /** Every URI gives a relay candidate, those over UDP a server reflexive one too. */
  async expectAllWork(uris, username, password) {
    const {lines, candidates, errors} = await this.gather(uris.map((uri) => ({uri, username, password})));
    for (const uri of uris) {
      const rows = candidates.filter((row) => row.uri === uri);
      const relay = rows.find(({type}) => type === 'relay')?.cells;
      assert.ok(relay, `${uri}: ${JSON.stringify({lines, errors})}`);
      assert.match(relay[0], /^\d+ ms$/);
      assert.equal(relay[2], '127.0.0.1');
      assert.match(relay[3], /^\d{4,5}$/);
      assert.equal(relay[4], 'udp');
      assert.equal(relay[5], uri.startsWith('turns:') ? 'tls' : /transport=(\w+)/.exec(uri)[1]);
      assert.match(relay[9], /^\d+ \| \d+ \| 255$/);
      if (uri.endsWith('=udp')) assert.ok(rows.some(({type}) => type === 'srflx'), `${uri}: ${JSON.stringify(rows)}`);
    }
    for (const line of lines) assert.equal(line.state, 'good', line.text);
    assert.deepEqual(errors, []);
    expectNoComplaints(this.page);
  }

  /** Every URI fails with 401 and says so. */
  async expectWrongPassword(uris, username) {
    const {lines, candidates, errors} = await this.gather(uris.map((uri) => ({uri, username, password: 'wrong'})));
    for (const uri of uris) {
      assert.ok(errors.some((row) => row.uri === uri && row.code === '401'), `${uri}: ${JSON.stringify(errors)}`);
      const line = lines.find((each) => each.uri === uri);
      assert.equal(line.state, 'bad');
      assert.match(line.text, /401.*Wrong username or password/);
    }
    assert.ok(!candidates.some(({type}) => type === 'relay'));
    expectNoComplaints(this.page);
  }
}
