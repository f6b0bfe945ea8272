// SPDX-License-Identifier: Apache-2.0
// Names of rooms: new ones, those of links, and those where one has been lately.
import {nameText} from './name_text.js';
import {recall, remember} from './storage.js';
import {wordsOf} from './syllables.js';

const kRecentMax = 5;

/** A name that can be read aloud and that nobody guesses: nine syllables of 80, 56 bits. */
export function newRoomName() {
  return wordsOf(crypto.getRandomValues(new Uint8Array(18)), 3).join('-');
}

/** @param {string} room @param {string} [search] */
export function pathOf(room, search = '') {
  return `/r/${encodeURIComponent(room)}${search}`;
}

export const inviteLink = (room) => location.origin + pathOf(room);

/** The room that a path names; empty for none. @param {string} path */
export function roomOfPath(path) {
  const [, room] = /^\/r\/(.+)$/.exec(path) ?? [];
  try {
    return room ? decodeURIComponent(room) : '';
  } catch {
    return '';  // broken percent-encoding: somebody typed it
  }
}

/** What a person typed or pasted: a name, or an invite link of this server. @param {string} text */
export function roomOfInput(text) {
  const trimmed = nameText(text);
  if (!trimmed.startsWith(`${location.origin}/r/`)) return trimmed;
  return roomOfPath(new URL(trimmed).pathname);
}

/** @returns {string[]} the latest first */
export const recentRooms = () => recall('rooms', []);

/** @param {string} room */
export function rememberRoom(room) {
  remember('rooms', [room, ...recentRooms().filter((each) => each !== room)].slice(0, kRecentMax));
}

/** @param {string} room */
export function forgetRoom(room) {
  remember('rooms', recentRooms().filter((each) => each !== room));
}
