// SPDX-License-Identifier: Apache-2.0
// Two homes behind NATs and a public server, in network namespaces: tests/support/nat_network.sh says how.
import {spawn} from 'node:child_process';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

const kScript = fileURLToPath(new URL('../support/nat_network.sh', import.meta.url));

export const kServerAddress = '5.5.5.5';

export class NatNetwork {
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
