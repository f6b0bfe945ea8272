// SPDX-License-Identifier: Apache-2.0
// Words that can be said and written down in any language, made of random or given bytes: "mavoti", "kureba".

const kConsonants = 'bdfghklmnprstvwz';
const kVowels = 'aeiou';
const kSyllables = [...kConsonants].flatMap((consonant) => [...kVowels].map((vowel) => consonant + vowel));

/**
 * 80 syllables, so each is worth 6.3 bits; two bytes choose one, which makes them all but equally likely.
 * @param {Uint8Array} bytes two for each syllable
 * @param {number} per_word
 */
export function wordsOf(bytes, per_word) {
  const words = [];
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    const syllable = kSyllables[(bytes[at] * 256 + bytes[at + 1]) % kSyllables.length];
    if ((at / 2) % per_word === 0) words.push('');
    words[words.length - 1] += syllable;
  }
  return words;
}
