// SPDX-License-Identifier: Apache-2.0
// A short code of the DTLS certificates of both ends. Media is encrypted between the browsers; who can change what the
// signaling server relays could put himself between them, and then the two would not see the same code.
import {wordsOf} from './syllables.js';

const kBytes = 20;  // ten syllables of 80: 63 bits

/**
 * The same on both sides; null before both descriptions are there, or where the page is not secure.
 * @param {RTCPeerConnection} connection
 * @returns {Promise<string|null>}
 */
export async function safetyCode(connection) {
  const both = [connection.localDescription, connection.remoteDescription].map(fingerprintOf);
  if (both.includes(null) || !crypto.subtle) return null;
  const text = both.sort().join('\n');
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return wordsOf(new Uint8Array(hash).slice(0, kBytes), 2).join(' ');
}

function fingerprintOf(description) {
  const [, algorithm, value] = /^a=fingerprint:(\S+) ([0-9a-f:]+)/im.exec(description?.sdp ?? '') ?? [];
  return value ? `${algorithm.toLowerCase()} ${value.toUpperCase()}` : null;
}
