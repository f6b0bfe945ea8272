// SPDX-License-Identifier: Apache-2.0
// The panel beside the tiles (over them on a phone): chat, people, or connection, one at a time.
import {element} from './dom.js';
import {t} from './i18n.js';

const kPanels = {
  chat: {body: 'chat-panel', title: 'chat.title', button: 'open-chat', focus: 'chat-text'},
  people: {body: 'people-panel', title: 'people.title', button: 'open-people', focus: 'panel-title'},
  stats: {body: 'stats-panel', title: 'stats.title', button: null, focus: 'panel-title'},
};

/** Event: `shown` (another panel is open, or none). */
export class Panel extends EventTarget {
  /** @type {keyof typeof kPanels|null} */
  open = null;

  /** @param {AbortSignal} signal the end of the call */
  constructor(signal) {
    super();
    for (const [name, {button}] of Object.entries(kPanels)) {
      if (button) element(button).addEventListener('click', () => this.toggle(/** @type {any} */ (name)), {signal});
    }
    element('panel-close').addEventListener('click', () => this.show(null), {signal});
    element('panel').addEventListener('keydown', (event) => event.key === 'Escape' && this.show(null), {signal});
    signal.addEventListener('abort', () => this.show(null));
  }

  toggle(name) {
    this.show(this.open === name ? null : name);
  }

  show(name) {
    const before = this.open && kPanels[this.open];
    this.open = name;
    element('panel').hidden = name === null;
    for (const [each, {body, button}] of Object.entries(kPanels)) {
      element(body).hidden = each !== name;
      if (button) element(button).setAttribute('aria-expanded', String(each === name));
    }
    if (name) {
      element('panel-title').textContent = t(kPanels[name].title);
      element(kPanels[name].focus).focus();
    } else if (before) {
      const button = element(before.button ?? 'more');
      (button.checkVisibility?.() === false ? element('more') : button).focus();
    }
    this.dispatchEvent(new Event('shown'));
  }
}
