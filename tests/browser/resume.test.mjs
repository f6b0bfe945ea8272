// SPDX-License-Identifier: Apache-2.0
// Calls whose signaling connection breaks: the page goes on as the same member, and the media never notices.
import assert from 'node:assert/strict';
import net from 'node:net';
import {after, before, describe, it} from 'node:test';
import {expectGrowth, expectNoComplaints, joinRoom, openPage, readPeers, startAll, waitForPeers} from './support.mjs';

/**
 * A wire between the browser and the daemon that can be cut: every connection breaks, and none is made meanwhile. When it
 * is silent, a new one is made and leads nowhere.
 */
class Wire {
  #sockets = new Set();
  #cut = false;
  silent = false;

  static async to(port) {
    const wire = new Wire();
    wire.server = net.createServer((near) => wire.#connect(near, port));
    await new Promise((resolve) => wire.server.listen(0, '127.0.0.1', resolve));
    wire.origin = `http://127.0.0.1:${wire.server.address().port}`;
    return wire;
  }

  #connect(near, port) {
    if (this.#cut) return near.resetAndDestroy();
    if (this.silent) return this.#sockets.add(near.on('error', () => {}));
    const far = net.connect(port, '127.0.0.1');
    for (const [from, to] of [[near, far], [far, near]]) {
      this.#sockets.add(from);
      from.on('error', () => {}).on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }

  cut() {
    this.#cut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend() {
    this.#cut = false;
  }

  close() {
    this.cut();
    this.server.close();
  }
}

describe('a call whose signaling breaks', () => {
  let daemon;
  let browser;
  let wire;
  startAll((started) => ({daemon, browser} = started), {sections: {signaling: {resume_grace_seconds: 300}}});
  before(async () => (wire = await Wire.to(daemon.web_port)));
  after(() => wire?.close());

  /** Ann behind the wire and Ben, in a call; each counts what it hears from the other. */
  async function call(room) {
    const ann = await joinRoom(browser, wire.origin, {name: 'Ann', room, relay_only: true});
    const ben = await joinRoom(browser, daemon.origin, {name: 'Ben', room, relay_only: true});
    for (const page of [ann, ben]) {
      await waitForPeers(page, 1);
      await page.evaluate(() => {
        const {call, signaling} = window.causeway;
        window.heard = [];
        window.connections = [...call.peers.values()].map((peer) => peer.connection);
        signaling.on('message', ({data}) => data.count && window.heard.push(data.count));
      });
    }
    return [ann, ben];
  }

  const say = (page, from, to) => page.evaluate(([first, last]) => {
    for (let count = first; count <= last; ++count) window.causeway.signaling.message(null, {count});
  }, [from, to]);
  const expectHeard = (page, last) => page.waitForFunction((count) => window.heard.at(-1) === count, last);
  const countOf = (page) => page.evaluate(() => window.heard);
  const sameConnections = (page) => page.evaluate(() => {
    const now = [...window.causeway.call.peers.values()].map((peer) => peer.connection);
    return now.length === window.connections.length && now.every((each, index) => each === window.connections[index]);
  });

  it('goes on as if nothing had been', async () => {
    const [ann, ben] = await call('broken');
    await say(ann, 1, 3);
    await expectHeard(ben, 3);
    const resumed = ann.evaluate(() => new Promise((resolve) => {
      window.causeway.signaling.on('resumed', ({self}) => resolve(self.name));
    }));
    wire.cut();
    await ann.waitForFunction(() => !window.causeway.signaling.connected);
    await say(ann, 4, 6);  // while there is no connection
    await say(ben, 1, 3);
    wire.mend();
    assert.equal(await resumed, 'Ann');
    await expectHeard(ben, 6);
    await expectHeard(ann, 3);
    assert.deepEqual(await countOf(ben), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(await countOf(ann), [1, 2, 3]);
    for (const page of [ann, ben]) {
      await waitForPeers(page, 1);
      await expectGrowth(page, await readPeers(page));
      assert.ok(await sameConnections(page), 'a connection was made anew');
      assert.equal(await page.getByText('left').count(), 0);
    }
    expectNoComplaints(ben);
    for (const page of [ann, ben]) await page.context().close();
  });

  it('is joined anew when the daemon was restarted', async () => {
    const [ann, ben] = await call('restarted');
    await daemon.kill();
    await daemon.run();
    for (const page of [ann, ben]) {
      await page.evaluate(() => window.causeway.signaling.retryNow());
      await page.waitForFunction(() => {
        const peers = [...window.causeway.call.peers.values()];
        return peers.length === 1 && peers[0].connection !== window.connections[0] && peers[0].state === 'connected';
      });
    }
    for (const page of [ann, ben]) await expectGrowth(page);
    for (const page of [ann, ben]) await page.context().close();
  });

  it('is given up when the server takes a connection and says nothing', async () => {
    const first = () => {  // 15 s pass as 2
      const set = window.setTimeout;
      window.setTimeout = (handler, ms, ...rest) => set(handler, ms === 15_000 ? 2000 : ms, ...rest);
    };
    const page = await openPage(browser, `${wire.origin}/r/silent`, {first});
    wire.silent = true;
    await page.getByRole('button', {name: 'Join'}).click();
    await page.getByRole('alert').filter({hasText: 'The server does not answer.'}).waitFor();
    wire.silent = false;
    await page.context().close();
  });
});
