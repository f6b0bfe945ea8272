// SPDX-License-Identifier: Apache-2.0
// The relay test page, used as people use the Trickle ICE page: type in a server, gather, read the table.
import assert from 'node:assert/strict';
import {before, describe, it} from 'node:test';
import {RelayTestPage} from './relay_test_page.mjs';
import {expectNames, expectNoComplaints, kUser, openPage, startAll} from './support.mjs';

describe('the relay test page', () => {
  let daemon;
  let browser;
  let page;
  let relay_test;
  // Without a permission for media, as most people test: a browser then hides its own addresses behind .local names,
  // and the one that STUN finds is news even on this machine.
  startAll((started) => ({daemon, browser} = started), {media: false});
  before(async () => {
    page = await openPage(browser, `${daemon.origin}/test`);
    relay_test = new RelayTestPage(page);
  });

  const expectAllWork = ({username, password}) => relay_test.expectAllWork(Object.values(daemon.uris), username, password);

  it('finds srflx and relay candidates over udp, tcp and tls with a static user', () => (
    expectAllWork({username: kUser.name, password: kUser.password})));

  it('finds them with the output of `causeway credential`', async () => (
    expectAllWork(await daemon.credential('visitor'))));

  it('shows 401 for a wrong password, over every transport', () => (
    relay_test.expectWrongPassword(Object.values(daemon.uris), kUser.name)));

  it('shows when a time-limited username has expired', async () => {
    const {lines} = await relay_test.gather([{uri: daemon.uris.udp, username: '1600000000:visitor', password: 'any'}]);
    assert.match(lines[0].text, /401.*expired on/);
  });

  it('says that nothing listens on a port', async () => {
    const {lines} = await relay_test.gather([{uri: 'turn:127.0.0.1:9?transport=tcp', username: 'a', password: 'b'}], 'Relay only');
    assert.equal(lines[0].state, 'bad');
    assert.match(lines[0].text, /No answer|cannot be reached/);
  });

  it('refuses what is no URI, or a turn: URI without a password, in words', async () => {
    await page.reload();
    await relay_test.add({uri: 'turn.example.org'});
    await page.getByRole('alert').filter({hasText: 'A URI looks like'}).waitFor();
    await relay_test.add({uri: daemon.uris.udp});
    await page.getByRole('alert').filter({hasText: 'needs a username and a password'}).waitFor();
    assert.equal(await page.getByRole('list', {name: 'Servers'}).getByRole('listitem').count(), 0);
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
    await page.getByRole('status').filter({hasText: 'Done. 1 of 1 address works.'}).waitFor();
    const roles = ['heading', 'button', 'textbox', 'radio', 'checkbox', 'table', 'columnheader', 'list', 'link'];
    await expectNames(page, roles);
    expectNoComplaints(page);
  });
});
