// SPDX-License-Identifier: Apache-2.0
// How the NAT in front of this browser maps ports, as far as a browser can see it (RFC 4787 §4.1): from one socket it asks
// several UDP ports of the server which address they see. A server with two addresses tells of three (RFC 5780 §4.3), and
// then all is known; what one address sees leaves open what another would.

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

/** @typedef {'endpoint-independent'|'address-dependent'|'address-and-port-dependent'|'one-address'} Mapping */

/**
 * @param {RTCIceServer[]} servers
 * @param {string[]} [discovery] `nat_discovery` of the server
 * @returns {Promise<Mapping|null>} `one-address`: the same for all ports of one; null: no NAT, or too little to say
 */
export async function natMapping(servers, discovery) {
  const urls = discovery ?? stunUris(servers);
  if (urls.length < 2) return null;
  const {seen, complete} = await addressesSeen(urls);
  if (discovery && !complete) return natMapping(servers);
  if (seen > 1) return discovery && seen < urls.length ? 'address-dependent' : 'address-and-port-dependent';
  return complete && seen > 0 ? discovery ? 'endpoint-independent' : 'one-address' : null;
}

/** How many addresses of one socket these see, and whether all have answered. */
async function addressesSeen(urls) {
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
  return {seen: Math.max(0, ...[...ports.values()].map(({size}) => size)), complete};
}
