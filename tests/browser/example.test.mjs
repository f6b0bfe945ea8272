// SPDX-License-Identifier: Apache-2.0
// The example of docs/examples as a member of a call on the call page: what one sends it comes back.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {describe, it} from 'node:test';
import {fileURLToPath} from 'node:url';
import {until} from './limits.mjs';
import {joinRoom, readPeers, startAll, waitForPeers} from './support.mjs';

const kExample = fileURLToPath(new URL('../../docs/examples/echo_member.py', import.meta.url));

describe('the example', () => {
  let daemon;
  let browser;
  startAll((started) => ({daemon, browser} = started));

  it('sends sound and pictures back to the call page', async () => {
    const page = await joinRoom(browser, `${daemon.origin}/r/echo`, {name: 'Ann'});
    const example = spawn('/usr/bin/python3', [kExample, `${daemon.origin.replace('http', 'ws')}/ws`, 'echo']);
    let output = '';
    for (const stream of [example.stdout, example.stderr]) stream.on('data', (text) => (output += text));
    const ended = once(example, 'exit');
    await waitForPeers(page, 1);
    let peer;
    await until(async () => {
      [peer] = await readPeers(page);
      return peer?.frames > 5 && peer.audio_energy > 0;
    }, () => `${JSON.stringify(peer)}\n${output}`);
    assert.equal(peer.name, 'Echo');
    example.kill();
    await ended;
    await page.context().close();
  });
});
