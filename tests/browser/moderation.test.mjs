// SPDX-License-Identifier: Apache-2.0
// What a moderator does at the door of a room, and what those in front of it see.
import assert from 'node:assert/strict';
import {before, describe, it} from 'node:test';
import {expectNoComplaints, joinRoom, openPage, startAll, waitForPeers} from './support.mjs';

describe('a moderator', () => {
  let daemon;
  let browser;
  let ann;
  const url = (room = 'door') => `${daemon.origin}/r/${room}`;
  startAll((started) => ({daemon, browser} = started));
  before(async () => {
    ann = await joinRoom(browser, url(), {name: 'Ann', devices: false});
    await ann.getByRole('button', {name: 'People'}).click();
  });

  async function knock(name) {
    const page = await openPage(browser, url());
    await page.getByLabel('Your name').fill(name);
    await page.getByRole('button', {name: 'Join'}).click();
    return page;
  }

  it('makes a waiting room, lets one in and refuses another', async () => {
    await ann.getByLabel('Who may enter').selectOption('Whom a moderator lets in');
    await ann.locator('#room-locked').waitFor();
    const ben = await knock('Ben');
    await ben.getByText('A moderator of this room has to let you in.').waitFor();
    await ann.getByRole('button', {name: 'Let Ben in'}).click();
    for (const page of [ann, ben]) await waitForPeers(page, 1);
    assert.equal(await ben.locator('#moderation[hidden]').count(), 1, 'a member may open the door');
    const cleo = await knock('Cleo');
    await ann.getByRole('button', {name: 'Refuse Cleo'}).click();
    await cleo.getByRole('alert').filter({hasText: 'You were not let in'}).waitFor();
    const dan = await knock('Dan');
    await ann.getByRole('button', {name: 'Let Dan in'}).waitFor();
    await dan.getByRole('button', {name: 'Back'}).click();  // has thought better of it
    await dan.getByRole('button', {name: 'New call'}).waitFor();
    await ann.getByRole('button', {name: 'Let Dan in'}).waitFor({state: 'hidden'});
    for (const page of [ann, ben, cleo, dan]) expectNoComplaints(page);
    for (const page of [cleo, dan]) await page.context().close();
    await ann.getByRole('button', {name: 'Remove Ben'}).click();
    await ben.getByRole('alert').filter({hasText: 'A moderator has removed you'}).waitFor();
    await ann.getByText('Ben was removed.').waitFor();
    await ben.context().close();
  });

  it('shuts the room, and opens it again', async () => {
    await ann.getByLabel('Who may enter').selectOption('Nobody');
    const eve = await knock('Eve');
    await eve.getByRole('alert').filter({hasText: 'This room is locked'}).waitFor();
    await ann.getByLabel('Who may enter').selectOption('Everybody with the link');
    await ann.locator('#room-locked').waitFor({state: 'hidden'});
    await eve.getByRole('button', {name: 'Join'}).click();
    for (const page of [ann, eve]) await waitForPeers(page, 1);
    for (const page of [ann, eve]) expectNoComplaints(page);
    await eve.context().close();
  });
});
