// SPDX-License-Identifier: Apache-2.0
// Chat and files: written messages, files that are offered and how far they have come.
import {element, make} from './dom.js';
import {NoRoom, removeLeftovers} from './file_sink.js';
import {Files} from './files.js';
import {t} from './i18n.js';
import {toast} from './notices.js';

const kUnits = ['B', 'KB', 'MB', 'GB', 'TB'];
const kMessagesMax = 500;

/** @param {number} bytes */
export function sizeInWords(bytes) {
  const power = bytes > 0 ? Math.min(kUnits.length - 1, Math.floor(Math.log10(bytes) / 3)) : 0;
  const number = bytes / 1000 ** power;
  return `${number.toLocaleString(document.documentElement.lang, {maximumFractionDigits: power > 0 ? 1 : 0})} ${kUnits[power]}`;
}

export class ChatView {
  #session;
  #panel;
  #files;
  #unread = 0;
  /** @type {Map<string, HTMLElement>} */
  #lines = new Map();

  /** @param {import('./call_view.js').Session} session @param {import('./panel.js').Panel} panel @param {AbortSignal} signal */
  constructor(session, panel, signal) {
    this.#session = session;
    this.#panel = panel;
    this.#files = new Files(session.call);
    removeLeftovers();
    element('messages').replaceChildren();
    this.#showUnread();
    session.call.addEventListener('chat', ({detail}) => this.#onChat(detail), {signal});
    this.#files.addEventListener('transfer', ({detail}) => this.#showTransfer(detail), {signal});
    panel.addEventListener('shown', () => this.#showUnread(), {signal});
    element('chat-form').addEventListener('submit', (event) => this.#onSubmit(event), {signal});
    element('chat-text').addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) this.#onSubmit(event);
    }, {signal});
    element('chat-file').addEventListener('click', () => element('file-input').click(), {signal});
    element('file-input').addEventListener('change', () => this.#offerChosen(), {signal});
    this.#takeDrops(signal);
  }

  #onSubmit(event) {
    event.preventDefault();
    const text = element('chat-text').value.trim();
    if (!text) return;
    if (this.#session.call.peers.size === 0) return toast(t('chat.nobody'));
    this.#session.call.chat(text);
    element('chat-text').value = '';
    this.#addMessage(t('you'), text, true);
  }

  #onChat({peer, text}) {
    const name = peer.name || t('somebody');
    this.#addMessage(name, text, false);
    this.#notify(t('chat.said', {name, text: text.slice(0, 80)}));
  }

  #addMessage(name, text, own) {
    const {lang} = document.documentElement;
    const locale = navigator.language.startsWith(lang) ? navigator.language : lang;  // en-GB has other times than en-US
    const time = new Date().toLocaleTimeString(locale, {hour: '2-digit', minute: '2-digit'});
    this.#append(make('li', {className: own ? 'message own' : 'message'},
      make('p', {className: 'message-head'}, make('b', {}, name), ' ', make('time', {}, time)),
      make('p', {className: 'message-text'}, ...withLinks(text))));
  }

  #append(line) {
    const messages = element('messages');
    messages.append(line);
    while (messages.children.length > kMessagesMax) messages.firstElementChild.remove();
    element('log').scrollTop = element('log').scrollHeight;
  }

  #notify(words) {
    if (this.#panel.open === 'chat') return;
    this.#unread += 1;
    this.#showUnread();
    toast(words);
  }

  #showUnread() {
    if (this.#panel.open === 'chat') this.#unread = 0;
    const badge = element('unread');
    badge.hidden = this.#unread === 0;
    badge.textContent = String(this.#unread);
    const words = this.#unread === 0 ? t('chat.title') : t('chat.unread', {count: this.#unread});
    element('open-chat').setAttribute('aria-label', words);
  }

  #offerChosen() {
    const input = element('file-input');
    this.#offer([...input.files]);
    input.value = '';
  }

  #takeDrops(signal) {
    const call = element('call');
    const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
    call.addEventListener('dragover', (event) => hasFiles(event) && event.preventDefault(), {signal});
    call.addEventListener('drop', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.#panel.show('chat');
      this.#offer([...event.dataTransfer.files]);
    }, {signal});
  }

  #offer(files) {
    for (const file of files) {
      const offered = this.#files.offer(file, this.#session.call.peers.values());
      if (offered.length === 0) toast(t('file.nobody', {name: file.name}));
    }
  }

  #showTransfer(transfer) {
    const key = `${transfer.outgoing}${transfer.id}`;
    let line = this.#lines.get(key);
    if (!line) {
      line = make('li', {className: 'message file', data: {file: transfer.name}});
      this.#lines.set(key, line);
      this.#append(line);
      const name = transfer.peer.name || t('somebody');
      if (!transfer.outgoing) this.#notify(t('file.offers', {name, file: transfer.name}));
    }
    line.dataset.state = transfer.state;
    fillTransfer(line, transfer, this.#files);
  }
}

// While it moves only the numbers change, so that the focus stays on its button.
function fillTransfer(line, transfer, files) {
  const {state, outgoing, size, bytes, peer} = transfer;
  const name = peer.name || t('somebody');
  const words = t(`file.${outgoing ? 'out' : 'in'}.${state}`, {name, bytes: sizeInWords(bytes), size: sizeInWords(size)});
  if (line.dataset.shown !== state) {
    line.dataset.shown = state;
    const actions = make('p', {className: 'buttons'});
    const button = (key, className, onclick) => actions.append(make('button', {
      type: 'button', className: `small ${className}`, onclick, aria: {label: t(`${key}.label`, {file: transfer.name})},
    }, t(key)));
    if (state === 'offered' && !outgoing) button('file.accept', 'primary', () => accept(transfer, files));
    if (state === 'offered' || state === 'moving') {
      button(state === 'offered' && !outgoing ? 'file.refuse' : 'file.cancel', '', () => files.cancel(transfer));
    }
    line.replaceChildren(
      make('p', {className: 'message-head'}, make('b', {}, transfer.name), ' ', make('span', {}, sizeInWords(size))),
      make('p', {className: 'message-text'}),
      ...(state === 'moving' ? [make('progress', {max: size, aria: {label: transfer.name}})] : []),
      ...(actions.children.length > 0 ? [actions] : []));
  }
  line.querySelector('.message-text').textContent = words;
  const progress = line.querySelector('progress');
  if (progress) progress.value = bytes;
}

async function accept(transfer, files) {
  try {
    await files.accept(transfer);
  } catch (error) {
    if (error instanceof NoRoom) return toast(t('file.no-room', {file: transfer.name}));
    if (error.name !== 'AbortError') throw error;  // otherwise no place was chosen: the offer stands
  }
}

/** The text, with its web addresses as links. */
function withLinks(text) {
  return text.split(/(https?:\/\/[^\s<>"]+)/).map((part, index) => (
    index % 2 === 0 ? part : make('a', {href: part, target: '_blank', rel: 'noopener noreferrer'}, part)));
}
