// SPDX-License-Identifier: Apache-2.0
// Calls that go on longer than the TURN credentials they began with, which live for seconds here.
import assert from 'node:assert/strict';
import {describe, it} from 'node:test';
import {setTimeout as pause} from 'node:timers/promises';
import {expectGrowth, expectNoComplaints, joinRoom, startAll, waitForPeers} from './support.mjs';

const kLifeSeconds = 10;
const kLives = 3;
const kEndedMsMax = 5_000;

/** Keeps the fresh credentials that the server pushes at 80 % of the life from the page. */
const withoutFreshOnes = (context) => context.routeWebSocket('**/ws', (page) => {
  page.connectToServer().onMessage((text) => {
    if (JSON.parse(text).type !== 'ice') page.send(text);
  });
});

describe('a relayed call whose credentials expire', () => {
  let daemon;
  let browser;
  startAll((started) => ({daemon, browser} = started), {sections: {signaling: {ice_ttl_seconds: kLifeSeconds}}});

  async function call(room, options) {
    const pages = [];
    for (const name of ['Ann', 'Ben']) {
      pages.push(await joinRoom(browser, `${daemon.origin}/r/${room}`, {name, relay_only: true, options}));
    }
    for (const page of pages) await waitForPeers(page, 1);
    return pages;
  }

  const expired = () => daemon.output.match(/\(credential expired\)/g)?.length ?? 0;

  it('goes on with fresh ones, on new allocations', async () => {
    const pages = await call('renewed');
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
    const pages = await call('not renewed', {prepare: withoutFreshOnes});
    await Promise.all(pages.map((page) => page.locator('#tiles > [data-member]:not([data-state="connected"])').waitFor()));
    // A refused refresh may end the call a moment before the server ends the allocation.
    for (const deadline = Date.now() + kEndedMsMax; expired() === before; await pause(50)) {
      assert.ok(Date.now() < deadline, daemon.output);
    }
    for (const page of pages) await page.context().close();
  });
});
