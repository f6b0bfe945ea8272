// SPDX-License-Identifier: Apache-2.0
// Calls between Chromium pages through the daemon alone: its page, its signaling, its relay.
import assert from 'node:assert/strict';
import {copyFile, mkdtemp, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {describe, it} from 'node:test';
import {setTimeout as pause} from 'node:timers/promises';
import {
  Daemon, expectGrowth, expectNoComplaints, joinRoom, openPage, readPeers, startAll, waitForPeers,
} from './support.mjs';

const kGrowSeconds = 3;
const kPermissions = ['camera', 'microphone', 'clipboard-read', 'clipboard-write'];

/** A folder with the page, as somebody makes it who reads the docs and puts their own address in. */
async function pageOfTheExample() {
  const repository = new URL('../../', import.meta.url);
  const text = await readFile(new URL('docs/web-client.md', repository), 'utf8');
  const [, example] = /<script type="module">\n(.*?)<\/script>/s.exec(text);
  const root = await mkdtemp(path.join(tmpdir(), 'causeway-example-'));
  await copyFile(new URL('web/js/signaling.js', repository), path.join(root, 'signaling.js'));
  await copyFile(new URL('web/icon.svg', repository), path.join(root, 'icon.svg'));
  await writeFile(path.join(root, 'example.js'), example.replace(/'wss:.*?'/, ''));
  await writeFile(path.join(root, 'index.html'), `<!doctype html><title>An example</title>
    <link rel="icon" href="icon.svg"><video id="remote" autoplay playsinline muted></video>
    <script type="module" src="example.js"></script>`);
  return root;
}

describe('a call', () => {
  let daemon;
  let browser;
  startAll((started) => ({daemon, browser} = started));

  /** People enter one after the other; at the end everybody is connected with everybody. */
  async function call({room, names, query = '', relay_only = true}) {
    const pages = [];
    const url = `${daemon.origin}/${query}`;
    for (const name of names) pages.push(await joinRoom(browser, url, {name, room, relay_only}));
    for (const page of pages) await waitForPeers(page, names.length - 1);
    return pages;
  }

  async function end(pages) {
    for (const page of pages) expectNoComplaints(page);
    for (const page of pages) await page.context().close();
  }

  /** Every page decodes more video and hears more of every other one, second after second. */
  async function expectMediaGrows(pages) {
    const grown = await Promise.all(pages.map((page) => expectGrowth(page)));
    for (let second = 0; second < kGrowSeconds; ++second) {
      await pause(1000);
      await Promise.all(pages.map(async (page, index) => (grown[index] = await expectGrowth(page, grown[index]))));
    }
  }

  async function expectRelayed(pages, relay_protocol) {
    for (const page of pages) {
      for (const peer of await readPeers(page)) {
        assert.equal(peer.local, 'relay');
        assert.equal(peer.remote, 'relay');
        if (relay_protocol) assert.equal(peer.relay_protocol, relay_protocol);
      }
    }
  }

  const transports = [
    {query: '', words: 'with all URIs', label: /^TURN\//},
    {query: '?transport=udp', relay_protocol: 'udp', words: 'with turn: over UDP alone', label: /^TURN\/UDP/},
    {query: '?transport=tcp', relay_protocol: 'tcp', words: 'with turn: over TCP alone', label: /^TURN\/TCP/},
    {query: '?transport=tls', relay_protocol: 'tls', words: 'with turns: alone', label: /^TURN\/TLS/},
  ];
  for (const {query, relay_protocol, words, label} of transports) {
    it(`of two goes through the relay ${words}`, async () => {
      const pages = await call({room: `two ${words}`, names: ['Ann', 'Ben'], query});
      await expectMediaGrows(pages);
      await expectRelayed(pages, relay_protocol);
      for (const page of pages) await page.locator('.tile-route').filter({hasText: label}).waitFor();
      await end(pages);
    });
  }

  it('of three goes through the relay, each with each', async () => {
    const pages = await call({room: 'three', names: ['Ann', 'Ben', 'Cleo']});
    await expectMediaGrows(pages);
    await expectRelayed(pages);
    assert.equal(await pages[0].getByText('3 people').count(), 1);
    await end(pages);
  });

  it('needs no relay where there is a direct way, and takes it when the switch is pressed', async () => {
    const pages = await call({room: 'switch', names: ['Ann', 'Ben'], relay_only: false});
    for (const page of pages) await page.locator('.tile-route').filter({hasText: /^direct|^STUN/}).waitFor();
    await pages[0].keyboard.press('i');
    await pages[0].getByRole('switch', {name: 'Relay only'}).click();
    await pages[0].locator('.tile-route').filter({hasText: /^TURN\//}).waitFor();
    await pages[1].locator('.tile-route').filter({hasText: /^TURN/}).waitFor();
    for (const page of pages) await waitForPeers(page, 1);
    await expectMediaGrows(pages);
    await end(pages);
  });

  it('shows who is muted and whose camera is off, and the picture again when it is back', async () => {
    const [ann, ben] = await call({room: 'muted', names: ['Ann', 'Ben']});
    const tile = ben.locator('#tiles > li').filter({hasText: 'Ann'});
    await tile.locator('video').and(ben.locator('.has-video video')).waitFor();
    await ann.getByRole('button', {name: 'Mute', exact: true}).click();
    await tile.getByLabel('muted').waitFor();
    await ann.getByRole('button', {name: 'Unmute'}).click();
    await tile.getByLabel('muted').waitFor({state: 'hidden'});
    await ann.getByRole('button', {name: 'Stop video'}).click();
    await tile.getByText('A', {exact: true}).waitFor();  // the initial stands for the picture
    assert.equal(await ann.evaluate(() => window.causeway.media.video), null, 'the camera is still open');
    await ann.getByRole('button', {name: 'Start video'}).click();
    await tile.getByText('A', {exact: true}).waitFor({state: 'hidden'});
    await expectMediaGrows([ann, ben]);
    await end([ann, ben]);
  });

  it('tells the others when somebody leaves, and takes the leaver back to the lobby', async () => {
    const [ann, ben] = await call({room: 'leaving', names: ['Ann', 'Ben']});
    await ann.getByRole('button', {name: 'Leave'}).click();
    await ann.getByRole('button', {name: 'Join'}).waitFor();
    await ben.getByText('Ann left.').waitFor();
    assert.equal(await ben.locator('#tiles > [data-member]').count(), 0);
    await ann.getByRole('button', {name: 'Join'}).click();  // and comes back
    for (const page of [ann, ben]) await waitForPeers(page, 1);
    await end([ann, ben]);
  });

  it('goes on with fresh credentials, over an ICE restart', async () => {
    const pages = await call({room: 'fresh', names: ['Ann', 'Ben']});
    const fragment = (page) => page.evaluate(() => {
      const [peer] = window.causeway.call.peers.values();
      return /a=ice-ufrag:(\S+)/.exec(peer.connection.localDescription.sdp)[1];
    });
    const old_fragments = await Promise.all(pages.map(fragment));
    await pages[0].evaluate(() => window.causeway.signaling.ice());
    await pages[0].waitForFunction((old) => {
      const [{connection}] = window.causeway.call.peers.values();
      return connection.signalingState === 'stable' && !connection.localDescription.sdp.includes(old);
    }, `a=ice-ufrag:${old_fragments[0]}`);
    await waitForPeers(pages[0], 1);
    assert.notEqual(await fragment(pages[1]), old_fragments[1]);
    await expectMediaGrows(pages);
    await expectRelayed(pages);
    await end(pages);
  });

  it('is made by the example of docs/web-client.md too, on a page of its own', async () => {
    const root = await pageOfTheExample();
    const server = await Daemon.start({web: {root}});
    const pages = [];
    for (let index = 0; index < 2; ++index) pages.push(await openPage(browser, `${server.origin}/`));
    for (const page of pages) await page.waitForFunction(() => document.getElementById('remote').videoWidth > 0);
    await end(pages);
    await server.stop();
  });

  it('is reached by the invite link', async () => {
    const options = {permissions: kPermissions};
    const ann = await joinRoom(browser, daemon.origin, {name: 'Ann', room: 'Büro / 3', options});
    await ann.locator('#alone').getByRole('button', {name: 'Copy link'}).click();
    await ann.getByText('Link copied.').waitFor();
    const link = await ann.evaluate(() => navigator.clipboard.readText());
    assert.equal(link, `${daemon.origin}/r/${encodeURIComponent('Büro / 3')}`);
    const ben = await joinRoom(browser, link, {name: 'Ben'});
    for (const page of [ann, ben]) await waitForPeers(page, 1);
    await end([ann, ben]);
  });
});
