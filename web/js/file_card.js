// SPDX-License-Identifier: Apache-2.0
// One file in the chat: how far it has come, and the buttons for it. Offered to several it has a line for each of them.
import {icon, make} from './dom.js';
import {NoRoom} from './file_sink.js';
import {t} from './i18n.js';
import {toast} from './notices.js';

const kUnits = ['B', 'KB', 'MB', 'GB', 'TB'];

/** @param {number} bytes */
function sizeInWords(bytes) {
  const power = bytes > 0 ? Math.min(kUnits.length - 1, Math.floor(Math.log10(bytes) / 3)) : 0;
  const digits = {maximumFractionDigits: power > 0 ? 1 : 0};
  return `${(bytes / 1000 ** power).toLocaleString(document.documentElement.lang, digits)} ${kUnits[power]}`;
}

const isOpen = ({state}) => state === 'offered' || state === 'moving';
const nameOf = ({peer}) => peer.name || t('somebody');
const inPercent = (part) => part.toLocaleString(document.documentElement.lang, {style: 'percent'});

export class FileCard {
  line = make('li', {className: 'message file', tabIndex: -1});
  #show;

  /** @param {import('./files.js').Transfer[]} transfers of one file @param {import('./files.js').Files} files */
  constructor(transfers, files) {
    this.#show = transfers.length === 1 ? one(this.line, transfers[0], files) : several(this.line, transfers, files);
    this.show();
  }

  /** Shows what there is now. Where the button is gone that had the focus, the card has it. */
  show() {
    const focused = this.line.contains(document.activeElement);
    this.#show();
    if (focused && !this.line.contains(document.activeElement)) this.line.focus({preventScroll: true});
  }
}

/** Fills the line of a file from or for one person. @returns {() => void} shows what there is now */
function one(line, transfer, files) {
  line.classList.add('one-file');
  const {outgoing, name: file, size} = transfer;
  const top = headOf(transfer);
  const words = make('p', {className: 'message-text'});
  const progress = progressOf(transfer);
  const button = (key, className, onclick) => textButton(t(key), t(`${key}.label`, {file}), className, onclick);
  const cancel = () => files.cancel(transfer);
  const answers = [button('file.accept', 'primary', () => accept(transfer, files)), button('file.refuse', '', cancel)];
  const end = [button('file.cancel', '', cancel)];
  const actions = make('p', {className: 'buttons'});
  return () => {
    const {state, bytes} = transfer;
    const moving = state === 'moving';
    words.ariaLive = moving ? 'off' : null;  // the numbers are not read out
    const values = {name: nameOf(transfer), bytes: sizeInWords(bytes), size: sizeInWords(size)};
    setText(words, t(`file.${outgoing ? 'out' : 'in'}.${state}`, values));
    progress.value = bytes;
    setChildren(actions, state === 'offered' && !outgoing ? answers : end);
    setChildren(line, [top, words, ...(moving ? [progress] : []), ...(isOpen(transfer) ? [actions] : [])]);
  };
}

/** Fills the line of a file for several people. @returns {() => void} shows what there is now */
function several(line, transfers, files) {
  const file = transfers[0].name;
  const top = headOf(transfers[0]);
  const summary = make('p', {className: 'message-text'});
  const cancelAll = () => transfers.forEach((transfer) => files.cancel(transfer));
  const actions = make('p', {className: 'buttons'},
    textButton(t('file.cancel-all'), t('file.cancel-all.label', {file}), '', cancelAll));
  const rows = transfers.map((transfer) => receiver(transfer, files));
  const receivers = make('ul', {className: 'receivers', aria: {live: 'off', label: t('file.receivers', {file})}},
    ...rows.map((row) => row.line));
  return () => {
    for (const row of rows) row.show();
    setText(summary, summaryOf(transfers));
    setChildren(line, [top, summary, receivers, ...(transfers.some(isOpen) ? [actions] : [])]);
  };
}

function receiver(transfer, files) {
  const name = make('span', {className: 'receiver-name'}, nameOf(transfer));
  const words = make('span', {className: 'receiver-state'});
  const progress = progressOf(transfer);
  const cancel = make('button', {
    type: 'button', className: 'icon-button', onclick: () => files.cancel(transfer),
    aria: {label: t('file.cancel.one', {file: transfer.name, name: nameOf(transfer)})},
  }, icon('close'));
  const line = make('li', {className: 'receiver'});
  const show = () => {
    const {state, bytes, size} = transfer;
    setText(words, t(`file.one.${state}`, {percent: inPercent(bytes / (size || 1))}));
    progress.value = bytes;
    setChildren(line, [name, words, ...(state === 'moving' ? [progress] : []), ...(isOpen(transfer) ? [cancel] : [])]);
  };
  return {line, show};
}

function summaryOf(transfers) {
  const all = transfers.length;
  const count = (state) => transfers.filter((transfer) => transfer.state === state).length;
  if (count('offered') === all) return t('file.all.offered', {count: all});
  const rest = ['moving', 'offered'].filter((state) => count(state) > 0);
  const parts = rest.map((state) => t(`file.some.${state}`, {count: count(state)}));
  return [t('file.all.done', {count: count('done'), all}), ...parts].join(', ');
}

const headOf = ({name, size}) => (
  make('p', {className: 'message-head'}, make('b', {}, name), ' ', make('span', {}, sizeInWords(size))));

const textButton = (words, label, className, onclick) => (
  make('button', {type: 'button', className: `small ${className}`, onclick, aria: {label}}, words));

function progressOf(transfer) {
  const {name: file, size, outgoing} = transfer;
  return make('progress', {
    max: size, aria: {label: outgoing ? t('file.progress', {file, name: nameOf(transfer)}) : file},
  });
}

/** The same text again would be read out again. */
function setText(line, words) {
  if (line.textContent !== words) line.textContent = words;
}

/** Takes away and adds, and touches nothing that stays, so that the focus stays on it. */
function setChildren(parent, children) {
  for (const child of [...parent.children]) if (!children.includes(child)) child.remove();
  children.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}

async function accept(transfer, files) {
  try {
    await files.accept(transfer);
  } catch (error) {
    if (error instanceof NoRoom) return toast(t('file.no-room', {file: transfer.name}));
    if (error.name !== 'AbortError') throw error;  // otherwise no place was chosen: the offer stands
  }
}
