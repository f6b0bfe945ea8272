// SPDX-License-Identifier: Apache-2.0
// Which way the media of a peer connection goes, read from its statistics.

/**
 * @typedef {object} Route
 * @property {'direct'|'STUN'|'TURN/UDP'|'TURN/TCP'|'TURN/TLS'|'TURN (theirs)'} label
 * @property {string} sentence the label in words
 * @property {string} local the type of the local candidate: host, srflx, prflx or relay
 * @property {string} remote the type of the remote candidate
 * @property {number|null} round_trip_ms
 */

const kSentences = {
  'direct': 'Media goes directly between the two networks.',
  'STUN': 'Media goes directly, through an address that STUN found.',
  'TURN/UDP': 'Media goes through the relay, over UDP.',
  'TURN/TCP': 'Media goes through the relay, over TCP.',
  'TURN/TLS': 'Media goes through the relay, over TLS.',
  'TURN (theirs)': 'Media goes through the relay of the other side.',
};

/**
 * @param {RTCPeerConnection} connection
 * @returns {Promise<Route|null>} null while no candidate pair is selected
 */
export async function routeOf(connection) {
  const stats = await connection.getStats();
  const pair = selectedPair(stats);
  if (!pair) return null;
  const local = stats.get(pair.localCandidateId);
  const remote = stats.get(pair.remoteCandidateId);
  if (!local || !remote) return null;
  const label = labelOf(local, remote);
  const seconds = pair.currentRoundTripTime;
  return {
    label,
    sentence: kSentences[label],
    local: local.candidateType,
    remote: remote.candidateType,
    round_trip_ms: seconds === undefined ? null : Math.round(seconds * 1000),
  };
}

function selectedPair(stats) {
  for (const entry of stats.values()) {
    if (entry.type === 'transport' && entry.selectedCandidatePairId) return stats.get(entry.selectedCandidatePairId);
  }
  // Firefox has no transport statistics: there the pair itself says that it is the selected one.
  for (const entry of stats.values()) {
    if (entry.type === 'candidate-pair' && entry.selected) return entry;
  }
  return null;
}

function labelOf(local, remote) {
  if (local.candidateType === 'relay') {
    // relayProtocol is how this browser reaches its TURN server; a turns: URI over TCP is TLS whatever it says.
    const tls = local.relayProtocol === 'tls' || local.url?.startsWith('turns:');
    return tls ? 'TURN/TLS' : local.relayProtocol === 'tcp' ? 'TURN/TCP' : 'TURN/UDP';
  }
  if (remote.candidateType === 'relay') return 'TURN (theirs)';
  const reflexive = [local, remote].some(({candidateType}) => candidateType === 'srflx' || candidateType === 'prflx');
  return reflexive ? 'STUN' : 'direct';
}
