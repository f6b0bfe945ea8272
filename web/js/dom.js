// SPDX-License-Identifier: Apache-2.0
// The few things that every part of the pages does with elements.

/** @param {string} id @returns {any} */
export const element = (id) => document.getElementById(id);

/**
 * An element with properties and children: make('a', {href, className, onclick}, 'text', other_element).
 * @param {string} tag @param {Record<string, any>} [properties] `data` and `aria` are objects of attributes
 * @param {...(Node|string)} children
 * @returns {any}
 */
export function make(tag, {data = {}, aria = {}, ...properties} = {}, ...children) {
  const made = document.createElement(tag);
  Object.assign(made, properties);
  Object.assign(made.dataset, data);
  for (const [name, value] of Object.entries(aria)) made.setAttribute(`aria-${name}`, String(value));
  made.append(...children);
  return made;
}

const kSvg = 'http://www.w3.org/2000/svg';

/** @param {string} tag @param {Record<string, string|number>} attributes @param {...Node} children */
export function makeSvg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(kSvg, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** A symbol of the sprite. @param {string} name @param {string} [label] what it says where it stands alone */
export function icon(name, label) {
  const says = label ? {'role': 'img', 'aria-label': label} : {'aria-hidden': 'true'};
  return makeSvg('svg', says, makeSvg('use', {href: `#icon-${name}`}));
}

/** A copy of what a template holds. @param {string} id @returns {any} */
export const copyOf = (id) => element(id).content.firstElementChild.cloneNode(true);

/** Copies text for the person; without https there is no clipboard. @returns {Promise<boolean>} */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Lets the person save a blob. @param {Blob} blob @param {string} name */
export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  make('a', {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
