// SPDX-License-Identifier: Apache-2.0
// Who is in the call, and what each says of itself.
import {element, icon, make} from './dom.js';
import {t} from './i18n.js';

/** @param {import('./call_view.js').Session} session @param {AbortSignal} signal the end of the call */
export function preparePeople({call, media, name}, signal) {
  const show = () => {
    const own = {...media.state, hand: call.hand, recording: call.recording};
    const self = personLine(name ? t('you.name', {name}) : t('you'), own, call.self?.role);
    const others = [...call.peers.values()].map((peer) => personLine(peer.name || t('somebody'), peer.said, peer.role));
    element('people-list').replaceChildren(self, ...others);
  };
  call.addEventListener('peer', ({detail}) => {
    detail.addEventListener('change', show);
    show();
  }, {signal});
  for (const type of ['peer-left', 'self']) call.addEventListener(type, show, {signal});
  media.addEventListener('change', show, {signal});
  show();
}

function personLine(name, said, role) {
  const {audio = true, video = true, screen = false, hand = false, recording = false} = said ?? {};
  const signs = [
    hand && icon('hand', t('tile.hand')), screen && icon('screen', t('people.shares')),
    recording && icon('record', t('people.records')), !video && icon('camera-off', t('people.no-camera')),
    !audio && icon('mic-off', t('tile.muted')),
  ].filter(Boolean);
  const words = make('span', {className: 'person-name'}, name);
  if (role === 'moderator') words.append(' ', make('small', {}, t('people.moderator')));
  return make('li', {}, words, make('span', {className: 'person-signs'}, ...signs));
}
