// SPDX-License-Identifier: Apache-2.0
// What people press on the call page during a call, in any browser.

/** The lines of the chat with these words. */
export const message = (page, words) => page.getByRole('log').getByRole('listitem').filter({hasText: words});

/** Takes the files to send. */
export const fileInput = (page) => page.getByLabel('Send a file', {exact: true}).and(page.locator('input'));

/** In the page: of the next file that it sends only the first slice leaves, so that it is on its way until it is cancelled. */
export function holdNextFile() {
  const read = Blob.prototype.arrayBuffer;
  let slices = 0;
  Blob.prototype.arrayBuffer = function readOrWait() {
    return slices++ === 0 ? read.call(this) : new Promise(() => {});
  };
}

export async function openChat(page) {
  const closed = page.getByRole('button', {name: /^Chat/, expanded: false});
  if (await closed.count()) await closed.click();
}

/** Presses a button of the dialog "More". */
export async function more(page, name) {
  await page.getByRole('button', {name: 'More'}).click();
  await page.getByRole('dialog', {name: 'More'}).getByRole('button', {name}).click();
}
