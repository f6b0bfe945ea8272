// SPDX-License-Identifier: Apache-2.0
// The first page: a new call, a room whose name one knows, or one where one has been lately.
import {element, icon, make} from './dom.js';
import {chooseLanguage, kLanguages, language, t} from './i18n.js';
import {showAlert} from './notices.js';
import {forgetRoom, newRoomName, pathOf, recentRooms, roomOfInput} from './rooms.js';

/** @param {(room: string) => void} enter */
export function prepareLanding(enter) {
  element('new-call').addEventListener('click', () => enter(newRoomName()));
  element('enter-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const room = roomOfInput(element('room').value);
    const complaint = complaintAbout(room);
    showAlert(complaint);
    if (complaint) return element('room').focus();
    enter(room);
  });
  const select = element('language');
  for (const [tag, name] of Object.entries(kLanguages)) select.append(new Option(name, tag));
  select.value = language();
  select.addEventListener('change', () => chooseLanguage(select.value));
}

/** @param {(room: string) => void} enter */
export function showRecent(enter) {
  const rooms = recentRooms();
  element('recent').hidden = rooms.length === 0;
  element('recent-rooms').replaceChildren(...rooms.map((room) => {
    const link = make('a', {href: pathOf(room), onclick: (event) => {
      event.preventDefault();
      enter(room);
    }}, room);
    const forget = make('button', {type: 'button', className: 'icon-button', onclick: () => {
      forgetRoom(room);
      showRecent(enter);
    }, aria: {label: t('landing.forget', {room})}}, icon('close'));
    return make('li', {}, link, forget);
  }));
}

function complaintAbout(room) {
  if (room === '') return t('landing.room-missing');
  if (room === '.' || room === '..') return t('landing.room-dots');
  return new TextEncoder().encode(room).length > 128 ? t('landing.room-long') : '';
}
