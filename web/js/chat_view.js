// SPDX-License-Identifier: Apache-2.0
// Chat and files: written messages, and a card for each file that is offered.
import {element, make} from './dom.js';
import {FileCard} from './file_card.js';
import {removeLeftovers} from './file_sink.js';
import {Files} from './files.js';
import {t} from './i18n.js';
import {toast} from './notices.js';

const kMessagesMax = 500;

export class ChatView {
  #session;
  #panel;
  #files;
  #unread = 0;
  /** By what each shows. @type {Map<import('./files.js').Transfer[], FileCard>} */
  #cards = new Map();

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
    const shown = this.#cards.get(transfer.offer);
    if (shown) return shown.show();
    const card = new FileCard(transfer.offer, this.#files);
    this.#cards.set(transfer.offer, card);
    this.#append(card.line);
    const name = transfer.peer.name || t('somebody');
    if (!transfer.outgoing) this.#notify(t('file.offers', {name, file: transfer.name}));
  }
}

/** The text, with its web addresses as links. */
function withLinks(text) {
  return text.split(/(https?:\/\/[^\s<>"]+)/).map((part, index) => (
    index % 2 === 0 ? part : make('a', {href: part, target: '_blank', rel: 'noopener noreferrer'}, part)));
}
