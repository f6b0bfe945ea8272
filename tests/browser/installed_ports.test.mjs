// SPDX-License-Identifier: Apache-2.0
// Trickle ICE against the very ports of the installed configuration, 3478 and 443, in a network namespace of the
// test's own, where these ports are free and no packet can leave.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import path from 'node:path';
import {after, before, describe, it} from 'node:test';
import {fileURLToPath} from 'node:url';
import {RelayTestPage} from './relay_test_page.mjs';
import {Daemon, kUser, launchBrowser, openPage} from './support.mjs';

const kThisFile = fileURLToPath(import.meta.url);
const kConfiguration = path.join(path.dirname(kThisFile), '../../config/causeway.json');
const kUris = [
  'turn:127.0.0.1:3478?transport=udp', 'turn:127.0.0.1:3478?transport=tcp', 'turns:127.0.0.1:443?transport=tcp',
  'turn:127.0.0.1:443?transport=udp', 'turn:127.0.0.1:443?transport=tcp',
];
// Chromium gathers on loopback where another network card is up: a veth pair whose both ends are inside looks like one.
const kMakeNetwork = 'ip link set lo up && ip link add eth0 type veth peer name eth1 && ' +
  'ip address add 10.99.0.1/24 dev eth0 && ip link set eth0 up && ip link set eth1 up && exec "$@"';

function unshare(command) {
  const as_root = process.getuid() === 0 ? [] : ['--map-root-user'];
  return spawnSync('unshare', [...as_root, '--net', 'sh', '-c', kMakeNetwork, 'sh', ...command],
    {encoding: 'utf8', env: {...process.env, TRICKLE_ICE_INSIDE: '1', NODE_TEST_CONTEXT: undefined}});
}

if (process.env.TRICKLE_ICE_INSIDE) {
  describe('the installed configuration', () => {
    let daemon;
    let browser;
    let relay_test;
    before(async () => {
      const users = JSON.stringify({[kUser.name]: kUser.password});
      daemon = await Daemon.startInstalled(kConfiguration, 'https://127.0.0.1', {CAUSEWAY_TURN__USERS: users});
      browser = await launchBrowser({media: false});
      const page = await openPage(browser, `${daemon.origin}/test`, {ignoreHTTPSErrors: true});
      relay_test = new RelayTestPage(page);
    });
    after(async () => {
      await browser?.close();
      await daemon?.stop();
    });

    it('gives srflx and relay candidates on 3478 and 443 to a static user', () => (
      relay_test.expectAllWork(kUris, kUser.name, kUser.password)));

    it('gives them to the output of `causeway credential`', async () => {
      const {username, password} = await daemon.credential('visitor');
      await relay_test.expectAllWork(kUris, username, password);
    });

    it('answers 401 to a wrong password', () => relay_test.expectWrongPassword(kUris, kUser.name));
  });
} else {
  const possible = unshare(['true']).status === 0;
  it('works on ports 3478 and 443', {skip: !possible && 'no network namespace can be made here'}, () => {
    const run = unshare([process.execPath, '--test', kThisFile]);
    assert.equal(run.status, 0, run.stdout + run.stderr);
  });
}
