// SPDX-License-Identifier: Apache-2.0
// Calls that go on longer than the TURN credentials they began with, which live for seconds here.
import assert from 'node:assert/strict';
import {describe, it} from 'node:test';
import {kSlowness, until} from './limits.mjs';
import {expectGrowth, expectNoComplaints, joinRoom, startAll, waitForPeers} from './support.mjs';

const kLifeSeconds = Math.ceil(10 * Math.min(4, kSlowness));
const kLives = 2;

/** Keeps the fresh credentials that the server pushes at 80 % of the life from the page, from when `held.back` is true. */
const holding = (held) => (context) => context.routeWebSocket('**/ws', (page) => {
  page.connectToServer().onMessage((text) => {
    if (!held.back || JSON.parse(text).type !== 'ice') page.send(text);
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
    const end = Date.now() + kLives * kLifeSeconds * 1000;
    await until(async () => {
      grown = await Promise.all(pages.map((page, index) => expectGrowth(page, grown[index])));
      return Date.now() > end && expired() >= kLives;
    }, () => daemon.output);
    for (const page of pages) expectNoComplaints(page);
    for (const page of pages) await page.context().close();
  });

  it('ends without them', async () => {
    const before = expired();
    const held = {back: false};
    const pages = await call('not renewed', {prepare: holding(held)});
    held.back = true;
    await Promise.all(pages.map((page) => page.locator('#tiles > [data-member]:not([data-state="connected"])').waitFor()));
    // A refused refresh may end the call a moment before the server ends the allocation.
    await until(() => expired() > before, () => daemon.output);
    for (const page of pages) await page.context().close();
  });
});
