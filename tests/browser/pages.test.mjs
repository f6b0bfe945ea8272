// SPDX-License-Identifier: Apache-2.0
// What can be said of the pages without a browser: their words in every language, and the QR encoder by a foreign decoder.
import assert from 'node:assert/strict';
import {readdir, readFile} from 'node:fs/promises';
import {it} from 'node:test';
import jsqr from 'jsqr';

const kWeb = new URL('../../web/', import.meta.url);
const read = (name) => readFile(new URL(name, kWeb), 'utf8');
const readStrings = async (tag) => JSON.parse(await read(`lang/${tag}.json`));

/** The values that a text wants, of all its plural forms. */
const valuesOf = (entry) => (
  [...new Set([entry].flatMap((text) => (typeof text === 'string' ? [text] : Object.values(text))).join(' ')
    .match(/\{\w+\}/g))].sort().join());

it('every language has the same texts with the same values', async () => {
  const english = await readStrings('en');
  for (const file of await readdir(new URL('lang/', kWeb))) {
    const strings = JSON.parse(await read(`lang/${file}`));
    assert.deepEqual(Object.keys(strings), Object.keys(english), file);
    for (const [key, entry] of Object.entries(english)) {
      assert.equal(valuesOf(strings[key]), valuesOf(entry), `${file}: ${key}`);
    }
  }
});

it('every text that the pages name is there, and every one that is there is named', async () => {
  const names = (await readdir(new URL('js/', kWeb))).map((name) => `js/${name}`);
  const sources = (await Promise.all([...names, 'index.html', 'test.html'].map(read))).join('\n');
  const strings = await readStrings('en');
  for (const [, key] of sources.matchAll(/data-i18n(?:-\w+)?="([^"]+)"|\bt\('([^'$]+)'[,)]/g)) {
    if (key) assert.ok(strings[key], `${key} is missing`);
  }
  // `family.${name}` stands for every text of the family.
  const families = [...sources.matchAll(/`([a-z][\w-]*\.[\w.-]*)\$\{/g)].map(([, start]) => start);
  for (const key of Object.keys(strings)) {
    const named = sources.includes(`'${key}'`) || sources.includes(`"${key}"`);
    assert.ok(named || families.some((start) => key.startsWith(start)) || /\.label$/.test(key), `${key} is used nowhere`);
  }
});

it('a QR code is read as what it was made of', async () => {
  const {qrCode} = await import(`data:text/javascript,${encodeURIComponent(await read('js/qr.js'))}`);
  const texts = ['a', 'https://call.example.org/r/mavoti-kureba-soduno', 'https://example.org/r/Büro%20☕'];
  for (let length = 10; length <= 660; length += 25) texts.push('https://x.example/'.padEnd(length, 'Az09-_'));
  for (const text of texts) {
    const rows = qrCode(text);
    const scale = 3;
    const size = (rows.length + 8) * scale;
    const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
    for (let y = 0; y < size; ++y) {
      for (let x = 0; x < size; ++x) {
        const dark = rows[Math.floor(y / scale) - 4]?.[Math.floor(x / scale) - 4];
        if (dark) pixels.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3);
      }
    }
    assert.equal(jsqr(pixels, size, size)?.data, text, `${text.length} characters`);
  }
  assert.equal(qrCode('x'.repeat(700)), null);
});
