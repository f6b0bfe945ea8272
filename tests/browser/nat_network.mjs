// SPDX-License-Identifier: Apache-2.0
// Two homes behind NATs and a public server, in network namespaces: tests/support/nat_network.sh says how.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

const kScript = fileURLToPath(new URL('../support/nat_network.sh', import.meta.url));

export const kServerAddress = '5.5.5.5';

/** In a test that runInside() runs: the kind of network and, by name, what holds its namespaces. */
export const inside = process.env.NAT_NETWORK ? JSON.parse(process.env.NAT_NETWORK) : null;

class NatNetwork {
  /** Of this kind (an argument of the script); `unavailable` says why there is none. */
  static async start(kind) {
    const network = new NatNetwork();
    network.script = spawn(kScript, [kind], {stdio: 'pipe'});
    let errors = '';
    network.script.stderr.on('data', (text) => (errors += text));
    network.holders = {};
    for await (const line of createInterface(network.script.stdout)) {
      if (line === 'up') return network;
      const [name, pid] = line.split(' ');
      network.holders[name] = pid;
    }
    network.unavailable = `no network with NATs can be made here: ${errors.trim()}`;
    return network;
  }

  stop() {
    this.script.stdin.end();
  }
}

/** A prefix that runs a command in a namespace: from outside, and as root or from within another one. */
export function within(holder) {
  const user = process.getuid() === 0 ? [] : ['--user', '--preserve-credentials'];
  return ['nsenter', '--target', holder, '--net', ...user];
}

/** Runs a test file in the home of client_a, in a new network of this kind; `test` is skipped where there is none. */
export async function runInside(kind, file, test) {
  const network = await NatNetwork.start(kind);
  if (network.unavailable) return test.skip(network.unavailable);
  const {holders} = network;
  const [program, ...rest] = [...within(holders.client_a), process.execPath, '--test', file];
  const run = spawn(program, rest, {
    env: {...process.env, NAT_NETWORK: JSON.stringify({kind, holders}), NODE_TEST_CONTEXT: undefined},
  });
  let output = '';
  for (const stream of [run.stdout, run.stderr]) stream.on('data', (text) => (output += text));
  const [code] = await once(run, 'exit');
  network.stop();
  assert.equal(code, 0, output);
}
