// SPDX-License-Identifier: Apache-2.0
// Calls that go on longer than the TURN credentials they began with. Theirs live for seconds here: what the server says
// of ICE servers is changed on its way to the page, into credentials that the server takes for its own.
import assert from 'node:assert/strict';
import {createHmac} from 'node:crypto';
import {describe, it} from 'node:test';
import {expectGrowth, expectNoComplaints, joinRoom, startAll, waitForPeers} from './support.mjs';

const kSecret = 'a secret of the server and of this test';
const kLifeSeconds = 6;
const kLives = 3;

/** The credentials of this list, alive for kLifeSeconds from now (draft-uberti-behave-turn-rest-00). */
function shortened(ice_servers) {
  const expiry = Math.floor(Date.now() / 1000) + kLifeSeconds;
  return ice_servers.map(({username, credential, ...server}) => {
    if (!username) return server;
    const name = username.replace(/^\d+/, `${expiry}`);
    return {...server, username: name, credential: createHmac('sha1', kSecret).update(name).digest('base64')};
  });
}

/** The server pushes fresh ones at 80 % of the life that it knows of; here it is asked for some at 80 % of theirs. */
const shortLives = ({renewed}) => (context) => context.routeWebSocket('**/ws', (page) => {
  const server = page.connectToServer();
  server.onMessage((text) => {
    const message = JSON.parse(text);
    if (message.ice_servers) {
      message.ice_servers = shortened(message.ice_servers);
      if (renewed) setTimeout(() => server.send('{"type":"ice"}'), kLifeSeconds * 800).unref();
    }
    page.send(JSON.stringify(message));
  });
});

describe('a relayed call whose credentials expire', () => {
  let daemon;
  let browser;
  const turn = {shared_secrets: [kSecret], relay: {addresses: ['127.0.0.1']}};
  startAll((started) => ({daemon, browser} = started), {sections: {turn}});

  async function call(room, how) {
    const options = {prepare: shortLives(how)};
    const pages = [];
    for (const name of ['Ann', 'Ben']) {
      pages.push(await joinRoom(browser, `${daemon.origin}/r/${room}`, {name, relay_only: true, options}));
    }
    for (const page of pages) await waitForPeers(page, 1);
    return pages;
  }

  const expired = () => daemon.output.match(/\(credential expired\)/g)?.length ?? 0;

  it('goes on with fresh ones, on new allocations', async () => {
    const pages = await call('renewed', {renewed: true});
    let grown = await Promise.all(pages.map((page) => expectGrowth(page)));
    for (const end = Date.now() + kLives * kLifeSeconds * 1000; Date.now() < end;) {
      await pages[0].waitForTimeout(500);
      grown = await Promise.all(pages.map((page, index) => expectGrowth(page, grown[index])));
    }
    assert.ok(expired() >= kLives - 1, daemon.output);
    for (const page of pages) expectNoComplaints(page);
    for (const page of pages) await page.context().close();
  });

  it('ends without them', async () => {
    const before = expired();
    const pages = await call('not renewed', {renewed: false});
    await Promise.all(pages.map((page) => page.locator('#tiles > [data-member]:not([data-state="connected"])').waitFor()));
    assert.ok(expired() > before, daemon.output);
    for (const page of pages) await page.context().close();
  });
});
