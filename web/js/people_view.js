// SPDX-License-Identifier: Apache-2.0
// Who is in the call and what each says of itself; for moderators also the door, and who waits in front of it.
import {element, icon, make} from './dom.js';
import {t} from './i18n.js';
import {toast} from './notices.js';

/** @param {import('./call_view.js').Session} session @param {AbortSignal} signal the end of the call */
export function preparePeople({call, media, name, moderation}, signal) {
  const show = () => {
    const own = {...media.state, hand: call.hand, recording: call.recording};
    const self = personLine(name ? t('you.name', {name}) : t('you'), own, call.self?.role);
    const others = [...call.peers.values()].map((peer) => {
      const line = personLine(peer.name || t('somebody'), peer.said, peer.role);
      if (moderation.allowed) line.append(kickButton(peer, moderation));
      return line;
    });
    withFocusKept(element('people-list'), [self, ...others]);
    showDoor(moderation);
  };
  call.addEventListener('peer', ({detail}) => {
    detail.addEventListener('change', show);
    show();
  }, {signal});
  for (const type of ['peer-left', 'self']) call.addEventListener(type, show, {signal});
  media.addEventListener('change', show, {signal});
  moderation.addEventListener('change', show, {signal});
  moderation.addEventListener('knock', ({detail}) => toast(t('door.knock', {name: detail.name || t('somebody')})), {signal});
  element('door').addEventListener('change', ({target}) => moderation.setDoor(target.value), {signal});
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

function kickButton({member, name}, moderation) {
  const label = t('people.kick.label', {name: name || t('somebody')});
  const onclick = () => moderation.kick(member);
  return make('button', {type: 'button', className: 'small', onclick, data: {key: `kick ${member}`}, aria: {label}}, t('people.kick'));
}

function showDoor(moderation) {
  element('moderation').hidden = !moderation.allowed;
  element('door').value = moderation.door;
  element('room-locked').hidden = !moderation.locked;
  const lines = [...moderation.waiting].map(([member, name]) => {
    const who = name || t('somebody');
    const button = (key, className, welcome) => make('button', {
      type: 'button', className: `small ${className}`, data: {key: `${key} ${member}`},
      onclick: () => moderation.answer(member, welcome), aria: {label: t(`${key}.label`, {name: who})},
    }, t(key));
    return make('li', {}, make('span', {className: 'person-name'}, who),
      make('span', {className: 'buttons'}, button('door.admit', 'primary', true), button('door.deny', '', false)));
  });
  element('waiting').hidden = !moderation.allowed || lines.length === 0;
  withFocusKept(element('waiting-list'), lines);
}

/** Replaces the lines of a list; a button that has the focus keeps it. */
function withFocusKept(list, lines) {
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  list.replaceChildren(...lines);
  if (focused) list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}
