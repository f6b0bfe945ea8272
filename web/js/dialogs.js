// SPDX-License-Identifier: Apache-2.0
// The windows over the call: inviting, settings, shortcuts, and the menu of what is needed less often.
import {showDevices} from './controls.js';
import {copyText, element, icon, make, makeSvg} from './dom.js';
import {t} from './i18n.js';
import {toast} from './notices.js';
import {inviteLink} from './rooms.js';
import {kShortcuts} from './shortcuts.js';

const kQuietZone = 4;

/** Closes by its buttons, by a press beside it, and (the browser's part) by Escape. @param {string} id */
function openDialog(id) {
  const dialog = element(id);
  dialog.onclick = ({target}) => {
    if (target === dialog || target.closest('[data-close]')) dialog.close();
  };
  dialog.showModal();
}

/** @param {string} room */
export async function copyInvite(room) {
  const link = inviteLink(room);
  if (await copyText(link)) toast(t('invite.copied'));
  else prompt(t('invite.copy-yourself'), link);
}

/** @param {string} room */
export async function openInvite(room) {
  const link = inviteLink(room);
  element('dialog-link').value = link;
  element('dialog-link').onfocus = ({target}) => target.select();
  element('dialog-copy').onclick = () => copyInvite(room);
  const share = {title: 'Causeway', text: t('invite.share-text', {room}), url: link};
  element('dialog-share').hidden = !navigator.share;
  element('dialog-share').onclick = () => navigator.share(share).catch(() => {});  // the person has thought better of it
  openDialog('invite-dialog');
  element('dialog-copy').focus();
  const {qrCode} = await import('./qr.js');
  const rows = qrCode(link);
  element('qr').replaceChildren(...(rows ? [pictureOf(rows, t('invite.qr'))] : []));
}

function pictureOf(rows, label) {
  const size = rows.length + 2 * kQuietZone;
  const path = rows.flatMap((row, y) => row.map((dark, x) => (
    dark ? `M${x + kQuietZone} ${y + kQuietZone}h1v1h-1z` : ''))).join('');
  return makeSvg('svg', {viewBox: `0 0 ${size} ${size}`, role: 'img', 'aria-label': label, 'shape-rendering': 'crispEdges'},
    makeSvg('rect', {width: size, height: size, class: 'qr-light'}), makeSvg('path', {d: path, class: 'qr-dark'}));
}

/** @param {import('./media.js').LocalMedia} media */
export async function openSettings(media) {
  await showDevices(element('settings-devices'), media);
  openDialog('settings-dialog');
}

export function openShortcuts() {
  element('shortcuts-list').replaceChildren(...kShortcuts.flatMap(({key, words}) => [
    make('dt', {}, make('kbd', {}, key === ' ' ? t('shortcuts.space') : key.toUpperCase())), make('dd', {}, t(words))]));
  openDialog('shortcuts-dialog');
}

/**
 * @param {{icon: string, words: string, narrow?: boolean, pressed?: boolean, action: () => void}[]} items `narrow`: the
 * bar has a button for it where there is room
 */
export function openMore(items) {
  element('more-items').replaceChildren(...items.map(({icon: name, words, narrow, pressed, action}) => {
    const onclick = () => {
      element('more-dialog').close();
      action();
    };
    const aria = pressed === undefined ? {} : {pressed};
    return make('li', {className: narrow ? 'narrow' : ''}, make('button', {type: 'button', onclick, aria}, icon(name), words));
  }));
  openDialog('more-dialog');
}
