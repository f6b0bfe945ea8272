// SPDX-License-Identifier: Apache-2.0
// How the NAT in front of this browser maps ports, as far as a browser can see it (RFC 4787 §4.1): from one socket it asks
// several UDP ports of the server which address they see.

const kGatherMsMax = 5000;

/** The STUN URIs of what of the server speaks UDP: each TURN port answers STUN too. @param {RTCIceServer[]} servers */
function stunUris(servers) {
  const uris = servers.flatMap(({urls}) => [urls].flat())
    .map((uri) => /^(?:stun|turn):(.+?)(?:\?transport=udp)?$/.exec(uri)?.[1])
    .filter((where) => where && !where.includes('?'));
  return [...new Set(uris)].map((where) => `stun:${where}`);
}

// What hides an address from the page hides that of the socket too: then the number of the network tells as well.
const socketOf = ({candidate, relatedAddress, relatedPort}) => (
  `${relatedAddress}:${relatedPort} ${/network-id (\d+)/.exec(candidate)?.[1]}`);

/**
 * @param {RTCIceServer[]} servers
 * @returns {Promise<'same'|'different'|null>} whether all see the same port; null: there is no NAT, or too little to say
 */
export async function natMapping(servers) {
  const urls = stunUris(servers);
  if (urls.length < 2) return null;
  const connection = new RTCPeerConnection({iceServers: [{urls}]});
  const ports = new Map();
  let complete = true;
  let timer = 0;
  try {
    await new Promise((resolve, reject) => {
      timer = setTimeout(resolve, kGatherMsMax);
      connection.onicecandidateerror = () => (complete = false);  // a port that does not answer may have seen another
      connection.onicecandidate = ({candidate}) => {
        if (!candidate) return resolve();
        if (candidate.type !== 'srflx') return;
        const socket = socketOf(candidate);
        ports.set(socket, (ports.get(socket) ?? new Set()).add(`${candidate.address}:${candidate.port}`));
      };
      connection.createDataChannel('nat');
      connection.setLocalDescription().catch(reject);
    });
  } finally {
    clearTimeout(timer);
    connection.close();
  }
  if ([...ports.values()].some(({size}) => size > 1)) return 'different';
  return complete && ports.size > 0 ? 'same' : null;
}
