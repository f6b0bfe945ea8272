// SPDX-License-Identifier: Apache-2.0
// Two libdatachannel peers, whose ICE library is libjuice, behind symmetric NATs, where only the relay connects them: on
// one machine libjuice finds ways around it.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {after, before, describe, it} from 'node:test';
import {fileURLToPath} from 'node:url';
import {inside, kServerAddress, runInside, within} from './nat_network.mjs';
import {Daemon, kUser} from './support.mjs';

const kThisFile = fileURLToPath(import.meta.url);
const kPeer = fileURLToPath(new URL('datachannel_peer.mjs', import.meta.url));
const kConfiguration = fileURLToPath(new URL('../../config/causeway.json', import.meta.url));
const kStun = {hostname: kServerAddress, port: 3478};
const kTurn = {...kStun, username: kUser.name, password: kUser.password, relayType: 'TurnUdp'};

/** What both peers say at the end. */
async function talk() {
  const ice_servers = JSON.stringify([kStun, kTurn]);
  const peers = [['client_a', 'offer'], ['client_b', 'answer']].map(([client, role]) => {
    const [program, ...rest] = [...within(inside.holders[client]), process.execPath, kPeer, role, ice_servers];
    return spawn(program, rest);
  });
  for (const [from, to] of [peers, [...peers].reverse()]) {
    from.stdout.pipe(to.stdin);
    to.stdin.on('error', () => {});  // it has ended already
  }
  return Promise.all(peers.map(async (peer) => {
    let said = '';
    for await (const text of peer.stderr) said += text;
    return JSON.parse(said);
  }));
}

if (inside) describe('libdatachannel', () => {
  let daemon;
  before(async () => {
    const users = JSON.stringify({[kUser.name]: kUser.password});
    daemon = await Daemon.startInstalled(kConfiguration, `https://${kServerAddress}`, {CAUSEWAY_TURN__USERS: users},
      within(inside.holders.server));
  });
  after(() => daemon?.stop());

  it('connects through the relay', async () => {
    const said = await talk();
    for (const {text, pair} of said) assert.ok(text === 'pong' && pair.includes('relay'), JSON.stringify(said));
  });
});

if (!inside) it('works behind symmetric NATs', (test) => runInside('symmetric', kThisFile, test));
