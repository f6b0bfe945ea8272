// SPDX-License-Identifier: Apache-2.0
// One libdatachannel peer as a process: descriptions and candidates leave by standard output and come in by standard
// input, so that two of them are wired together, wherever each one runs. Says on standard error how it ended.
//
// datachannel_peer.mjs offer|answer ICE_SERVERS (as JSON)
import {createInterface} from 'node:readline';
import library from 'node-datachannel';

const [, , role, ice_servers] = process.argv;
const connection = new library.PeerConnection(role, {iceServers: JSON.parse(ice_servers)});
const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

function end(text) {
  const {local, remote} = connection.getSelectedCandidatePair() ?? {};
  process.stderr.write(`${JSON.stringify({text, pair: [local?.type, remote?.type]})}\n`, () => process.exit());
}

connection.onLocalDescription((sdp, type) => tell({sdp, type}));
connection.onLocalCandidate((candidate, mid) => tell({candidate, mid}));
connection.onStateChange((state) => {
  if (state === 'failed') end(state);
});
createInterface(process.stdin).on('line', (line) => {
  const {sdp, type, candidate, mid} = JSON.parse(line);
  if (sdp) connection.setRemoteDescription(sdp, type);
  else connection.addRemoteCandidate(candidate, mid);
}).on('close', () => end('pong'));  // the other one has got our answer

if (role === 'offer') {
  const channel = connection.createDataChannel('chat');
  channel.onOpen(() => channel.sendMessage('ping'));
  channel.onMessage(end);
} else {
  connection.onDataChannel((channel) => channel.onMessage(() => channel.sendMessage('pong')));
}
