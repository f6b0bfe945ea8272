// SPDX-License-Identifier: Apache-2.0
// The words of the pages: one file for each language in lang/, with the same keys.
//
// In HTML, data-i18n=KEY fills the text of an element, data-i18n-label its aria-label, data-i18n-placeholder and
// data-i18n-title the attributes of that name. {name} in a text stands for a value; a text that depends on a number is
// an object of plural forms, chosen by `count`.
import {recall, remember} from './storage.js';

/** Each language under its own name. */
export const kLanguages = {en: 'English', de: 'Deutsch'};

/** @type {Record<string, string|Record<string, string>>} */
let strings = {};
let plural_rules = new Intl.PluralRules('en');

/** The language in use, or the one to use: from ?lang=, from an earlier choice, from the browser. */
export function language() {
  const asked = new URLSearchParams(location.search).get('lang');
  const wanted = [asked, recall('language', null), ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())];
  return wanted.find((tag) => tag && Object.hasOwn(kLanguages, tag)) ?? 'en';
}

/** Loads the words and fills the page with them. */
export async function loadLanguage() {
  const tag = language();
  const response = await fetch(`/lang/${tag}.json`);
  strings = await response.json();
  plural_rules = new Intl.PluralRules(tag);
  document.documentElement.lang = tag;
  translate(document);
  for (const template of document.querySelectorAll('template')) translate(template.content);
}

/** @param {string} tag the page starts anew with it */
export function chooseLanguage(tag) {
  remember('language', tag);
  const url = new URL(location.href);
  url.searchParams.delete('lang');
  location.replace(url);
}

/** @param {string} key @param {Record<string, any>} [values] */
export function t(key, values = {}) {
  const entry = strings[key];
  if (entry === undefined) throw new Error(`There is no text "${key}" in lang/${document.documentElement.lang}.json`);
  const text = typeof entry === 'string' ? entry : entry[plural_rules.select(values.count)] ?? entry.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** Whether there is such a text. @param {string} key */
export const hasText = (key) => strings[key] !== undefined;

/** @param {string} key one of a family of texts @param {string} otherwise where this one is unknown */
export const textOr = (key, otherwise) => (hasText(key) ? t(key) : otherwise);

const kAttributes = {i18nLabel: 'aria-label', i18nPlaceholder: 'placeholder', i18nTitle: 'title'};

/** @param {ParentNode} root */
export function translate(root) {
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-i18n]'))) {
    each.textContent = t(each.dataset.i18n);
  }
  for (const [data, attribute] of Object.entries(kAttributes)) {
    const selector = `[data-${data.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}]`;
    for (const each of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(selector))) {
      each.setAttribute(attribute, t(each.dataset[data]));
    }
  }
}
