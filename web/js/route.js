// SPDX-License-Identifier: Apache-2.0
// Which way the media of a peer connection goes, read from its statistics.

/**
 * @typedef {object} Route
 * @property {'direct'|'stun'|'turn-udp'|'turn-tcp'|'turn-tls'|'turn-theirs'} kind
 * @property {string} local the type of the local candidate: host, srflx, prflx or relay
 * @property {string} remote the type of the remote candidate
 * @property {number|null} round_trip_ms
 */

/**
 * @param {RTCStatsReport} stats
 * @returns {Route|null} null while no candidate pair is selected
 */
export function routeOf(stats) {
  const pair = selectedPair(stats);
  const local = stats.get(pair?.localCandidateId);
  const remote = stats.get(pair?.remoteCandidateId);
  if (!local || !remote) return null;
  const seconds = pair.currentRoundTripTime;
  return {
    kind: kindOf(local, remote),
    local: local.candidateType,
    remote: remote.candidateType,
    round_trip_ms: seconds === undefined ? null : Math.round(seconds * 1000),
  };
}

/** @param {RTCStatsReport} stats */
export function selectedPair(stats) {
  for (const entry of stats.values()) {
    if (entry.type === 'transport' && entry.selectedCandidatePairId) return stats.get(entry.selectedCandidatePairId);
  }
  // Firefox has no transport statistics: there the pair itself says that it is the selected one.
  for (const entry of stats.values()) {
    if (entry.type === 'candidate-pair' && entry.selected) return entry;
  }
  return null;
}

function kindOf(local, remote) {
  if (local.candidateType === 'relay') {
    // relayProtocol is how this browser reaches its TURN server; a turns: URI over TCP is TLS whatever it says.
    const tls = local.relayProtocol === 'tls' || local.url?.startsWith('turns:');
    return tls ? 'turn-tls' : local.relayProtocol === 'tcp' ? 'turn-tcp' : 'turn-udp';
  }
  if (remote.candidateType === 'relay') return 'turn-theirs';
  const reflexive = [local, remote].some(({candidateType}) => candidateType === 'srflx' || candidateType === 'prflx');
  return reflexive ? 'stun' : 'direct';
}
