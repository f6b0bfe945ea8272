// SPDX-License-Identifier: Apache-2.0
// A call whose network goes away and comes back, the same or another one: sound and pictures flow again by themselves,
// on the same page, for the same member. Ann and Ben are behind symmetric NATs, so the relay is part of the way.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {after, before, describe, it} from 'node:test';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {scaled, until} from './limits.mjs';
import {inside, kServerAddress, runInside, within} from './nat_network.mjs';
import {Daemon, joinRoom, kChromium, launchBrowser, readPeers, waitForPeers} from './support.mjs';

const kThisFile = fileURLToPath(import.meta.url);
const kConfiguration = path.join(path.dirname(kThisFile), '../../config/causeway.json');
const kAwayMs = 20_000;
const kGraceSeconds = '300';  // a slow machine may take longer to come back than the default allows
const kResumedMsMax = scaled(10_000);  // no heartbeat finds a dead connection so soon: the call that lost its way asked

/** Runs this in the namespace of a holder. */
function shell(holder, script) {
  const [program, ...rest] = [...within(inside.holders[holder]), 'sh', '-ec', script];
  execFileSync(program, rest, {stdio: 'pipe'});
}

if (inside) describe('a call on the move', () => {
  const {holders} = inside;
  let folder;
  let daemon;
  let browsers;
  let ann;
  let ben;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'causeway-roaming-'));
    daemon = await Daemon.startInstalled(kConfiguration, `https://${kServerAddress}`,
      {CAUSEWAY_SIGNALING__RESUME_GRACE_SECONDS: kGraceSeconds}, within(holders.server));
    browsers = await Promise.all(['client_a', 'client_b'].map(async (home) => {
      const executablePath = path.join(folder, home);
      await writeFile(executablePath, `#!/bin/sh\nexec ${within(holders[home]).join(' ')} ${kChromium} "$@"\n`, {mode: 0o755});
      return launchBrowser({executablePath});
    }));
    [ann, ben] = await Promise.all([[browsers[0], 'Ann'], [browsers[1], 'Ben']].map(([browser, name]) => (
      joinRoom(browser, `https://${kServerAddress}/r/roaming`, {name, options: {ignoreHTTPSErrors: true}}))));
    for (const page of [ann, ben]) {
      await waitForPeers(page, 1);
      await page.evaluate(() => {
        const {call, signaling} = window.causeway;
        window.at_first = {page: true, member: call.self.member};
        signaling.on('resumed', () => (window.resumed = true));
      });
    }
    await flow();
  });
  after(async () => {
    await Promise.all((browsers ?? []).map((browser) => browser.close()));
    await daemon?.stop();
    await rm(folder, {recursive: true, force: true});
  });

  const counts = async (page) => (await readPeers(page)).map(({frames, audio_packets}) => [frames, audio_packets]);

  /** Waits until sound and pictures come in on both sides; how long that took. */
  async function flow() {
    const from = Date.now();
    await Promise.all([ann, ben].map((page) => {
      let last;
      let now;
      return until(async () => {
        last = now;
        await pause(500);
        now = await counts(page);
        return now.length === 1 && now[0].every((count, index) => count > last?.[0]?.[index]);
      }, () => JSON.stringify(now));
    }));
    return Date.now() - from;
  }

  async function expectStill() {
    await pause(kAwayMs / 4);
    const stood = await counts(ben);
    await pause(kAwayMs / 4);
    assert.deepEqual(await counts(ben), stood, 'the network is not gone');
  }

  async function expectBack(test) {
    test.diagnostic(`back after ${((await flow()) / 1000).toFixed(1)} s`);
    for (const page of [ann, ben]) {
      const {at_first, self} = await page.evaluate(() => ({at_first: window.at_first, self: window.causeway.call.self.member}));
      assert.deepEqual(at_first, {page: true, member: self});
    }
  }

  it(`survives ${kAwayMs / 1000} s without network`, async (test) => {
    shell('client_b', 'ip link set eth0 down');
    await expectStill();
    await pause(kAwayMs / 2);
    shell('client_b', 'ip link set eth0 up; ip route add default via 10.2.0.1');
    await expectBack(test);
  });

  it(`survives ${kAwayMs / 1000} s in which all packets vanish, and nothing says so`, async (test) => {
    shell('nat_b', `nft 'add table ip tunnel { chain vanish { type filter hook forward priority 1; policy drop; }; }'`);
    await expectStill();
    await pause(kAwayMs / 2);
    shell('nat_b', 'nft delete table ip tunnel');
    await expectBack(test);
  });

  it('goes on with another card and address', async (test) => {
    shell('nat_b', `ip link add lan2 type veth peer name eth1 netns ${holders.client_b}; ip address add 10.3.0.1/24 dev lan2; ip link set lan2 up`);
    shell('nat_b', 'nft insert rule ip nat forward ip saddr 10.2.0.2 drop; nft add rule ip nat forward iifname lan2 accept');
    shell('client_b', 'ip address add 10.3.0.2/24 dev eth1; ip link set eth1 up; ip link set eth0 down; ip route add default via 10.3.0.1');
    await pause(1000);
    await ben.evaluate(() => (window.resumed = false));
    await expectBack(test);
    await ben.waitForFunction(() => window.resumed, null, {timeout: kResumedMsMax});
  });
});

if (!inside) it('survives its network', (test) => runInside('symmetric', kThisFile, test));
