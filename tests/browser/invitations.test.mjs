// SPDX-License-Identifier: Apache-2.0
// A server that asks for an invitation: links with tokens, and what a listener has and has not.
import assert from 'node:assert/strict';
import {describe, it} from 'node:test';
import {expectNoComplaints, joinRoom, openPage, startAll, waitForPeers} from './support.mjs';

const kKey = {algorithm: 'HS256', secret: 'thirty-two octets, and one more..'};

describe('an invitation', () => {
  let daemon;
  let browser;
  startAll((started) => ({daemon, browser} = started), {sections: {signaling: {tokens: {keys: [kKey]}}}});

  const alert = (page, words) => page.getByRole('alert').filter({hasText: words}).waitFor();

  it('is asked for', async () => {
    const page = await openPage(browser, `${daemon.origin}/r/hall`);
    await page.getByRole('button', {name: 'Join'}).click();
    await alert(page, 'This server lets nobody in without an invitation.');
    expectNoComplaints(page);
    await page.context().close();
  });

  it('for another room, or one that was changed, lets nobody in', async () => {
    const link = await daemon.inviteLink('attic', 'member', 'Eve');
    for (const [url, words] of [[link.replace('/r/attic', '/r/hall'), /room/], [`${link.slice(0, -3)}AAA`, /invitation/]]) {
      const page = await openPage(browser, url);
      await page.getByRole('button', {name: 'Join'}).click();
      await alert(page, words);
      await page.context().close();
    }
  });

  it('says who one is and what one may do', async () => {
    const ann = await joinRoom(browser, await daemon.inviteLink('hall', 'moderator', 'Ann'), {name: 'Somebody'});
    const lea = await joinRoom(browser, await daemon.inviteLink('hall', 'listener', 'Lea'), {name: '', devices: false});
    for (const page of [ann, lea]) await waitForPeers(page, 1);
    await lea.waitForFunction(() => document.querySelector('#tiles [data-member] video').videoWidth > 0);
    await lea.locator('#tiles > [data-member]').filter({hasText: 'Ann'}).waitFor();  // not Somebody
    for (const name of ['Mute', 'Unmute', 'Start video', 'Stop video', 'Share screen', 'Raise hand', /^Chat/]) {
      assert.equal(await lea.getByRole('button', {name}).count(), 0, `a listener has ${name}`);
    }
    for (const key of ['m', 'v', 's', 'h', 'c']) await lea.keyboard.press(key);
    assert.deepEqual(await lea.evaluate(() => {
      const [{connection}] = window.causeway.call.peers.values();
      return connection.getSenders().map(({track}) => track).filter(Boolean).length;
    }), 0);
    await ann.getByRole('button', {name: 'People'}).click();
    const line = ann.getByRole('list', {name: 'People', exact: true}).getByRole('listitem').filter({hasText: 'Lea'});
    await line.getByRole('button', {name: /^Remove/}).click();
    await lea.getByRole('alert').filter({hasText: 'removed'}).waitFor();
    for (const page of [ann, lea]) expectNoComplaints(page);
    for (const page of [ann, lea]) await page.context().close();
  });
});
