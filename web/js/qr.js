// SPDX-License-Identifier: Apache-2.0
// An encoder of QR codes (ISO/IEC 18004): bytes, error correction level M, versions 1 to 20. Enough for any invite link.

// Per version: error correction codewords of a block, and the numbers of data codewords of all its blocks (level M).
const kBlocks = [
  [10, [[1, 16]]], [16, [[1, 28]]], [26, [[1, 44]]], [18, [[2, 32]]], [24, [[2, 43]]], [16, [[4, 27]]], [18, [[4, 31]]],
  [22, [[2, 38], [2, 39]]], [22, [[3, 36], [2, 37]]], [26, [[4, 43], [1, 44]]], [30, [[1, 50], [4, 51]]],
  [22, [[6, 36], [2, 37]]], [22, [[8, 37], [1, 38]]], [24, [[4, 40], [5, 41]]], [24, [[5, 41], [5, 42]]],
  [28, [[7, 45], [3, 46]]], [28, [[10, 46], [1, 47]]], [26, [[9, 43], [4, 44]]], [26, [[3, 44], [11, 45]]],
  [26, [[3, 41], [13, 42]]],
];
const kFormatM = 0;  // the two bits of level M in the format information

const kExp = new Uint8Array(512);
const kLog = new Uint8Array(256);
for (let power = 0, value = 1; power < 255; ++power) {
  kExp[power] = kExp[power + 255] = value;
  kLog[value] = power;
  value = (value << 1) ^ (value & 0x80 ? 0x11d : 0);
}
const times = (a, b) => (a && b ? kExp[kLog[a] + kLog[b]] : 0);

/** The remainder of the data over the generator polynomial of this degree (Reed-Solomon). */
function correctionOf(data, degree) {
  let generator = [1];
  for (let root = 0; root < degree; ++root) {
    const next = new Array(generator.length + 1).fill(0);
    generator.forEach((factor, index) => {
      next[index] ^= factor;
      next[index + 1] ^= times(factor, kExp[root]);
    });
    generator = next;
  }
  const rest = [...data, ...new Array(degree).fill(0)];
  for (let at = 0; at < data.length; ++at) {
    const factor = rest[at];
    if (factor) generator.forEach((each, index) => (rest[at + index] ^= times(each, factor)));
  }
  return rest.slice(data.length);
}

const lengthBits = (version) => (version < 10 ? 8 : 16);
const capacityOf = (version) => kBlocks[version - 1][1].reduce((sum, [count, size]) => sum + count * size, 0);

function codewordsOf(bytes, version) {
  const bits = [];
  const put = (value, count) => {
    for (let bit = count - 1; bit >= 0; --bit) bits.push((value >> bit) & 1);
  };
  const capacity = capacityOf(version);
  put(4, 4);  // byte mode
  put(bytes.length, lengthBits(version));
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, capacity * 8 - bits.length));
  while (bits.length % 8) bits.push(0);
  for (let pad = 0xec; bits.length < capacity * 8; pad ^= 0xec ^ 0x11) put(pad, 8);
  const words = [];
  for (let at = 0; at < bits.length; at += 8) words.push(bits.slice(at, at + 8).reduce((value, bit) => value * 2 + bit, 0));
  return words;
}

/** All blocks with their correction, interleaved. */
function interleaved(words, version) {
  const [degree, groups] = kBlocks[version - 1];
  const data = [];
  let at = 0;
  for (const [count, size] of groups) {
    for (let block = 0; block < count; ++block) data.push(words.slice(at, (at += size)));
  }
  const correction = data.map((block) => correctionOf(block, degree));
  const out = [];
  for (const blocks of [data, correction]) {
    for (let column = 0; column < Math.max(...blocks.map(({length}) => length)); ++column) {
      for (const block of blocks) if (column < block.length) out.push(block[column]);
    }
  }
  return out;
}

/** Bits of a BCH code behind its data. */
function withCheck(value, generator, degree) {
  let rest = value << degree;
  for (let bit = 31 - Math.clz32(rest); rest >= 1 << degree; bit = 31 - Math.clz32(rest)) rest ^= generator << (bit - degree);
  return (value << degree) | rest;
}

function alignmentsOf(version, size) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((size - 13) / (2 * (count - 1))) * 2;
  return [6, ...Array.from({length: count - 1}, (_, index) => size - 7 - step * (count - 2 - index))];
}

class Matrix {
  constructor(version) {
    this.version = version;
    this.size = 17 + 4 * version;
    this.dark = Array.from({length: this.size}, () => new Array(this.size).fill(false));
    this.fixed = Array.from({length: this.size}, () => new Array(this.size).fill(false));
    this.#drawPatterns();
  }

  set(row, column, dark) {
    if (row < 0 || column < 0 || row >= this.size || column >= this.size) return;
    this.dark[row][column] = dark;
    this.fixed[row][column] = true;
  }

  #drawPatterns() {
    const {size, version} = this;
    for (let at = 0; at < size; ++at) {
      this.set(6, at, at % 2 === 0);
      this.set(at, 6, at % 2 === 0);
    }
    for (const [row, column] of [[3, 3], [3, size - 4], [size - 4, 3]]) this.#square(row, column, 4, [2, 4]);
    const places = alignmentsOf(version, size);
    const last = places.length - 1;
    places.forEach((row, i) => places.forEach((column, j) => {
      const corner = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
      if (!corner) this.#square(row, column, 2, [1]);
    }));
    this.drawFormat(0);
    if (version < 7) return;
    const bits = withCheck(version, 0x1f25, 12);
    for (let bit = 0; bit < 18; ++bit) {
      const dark = ((bits >> bit) & 1) === 1;
      this.set(Math.floor(bit / 3), size - 11 + (bit % 3), dark);
      this.set(size - 11 + (bit % 3), Math.floor(bit / 3), dark);
    }
  }

  // Rings around a middle; those with these distances are light.
  #square(row, column, reach, light) {
    for (let y = -reach; y <= reach; ++y) {
      for (let x = -reach; x <= reach; ++x) this.set(row + y, column + x, !light.includes(Math.max(Math.abs(x), Math.abs(y))));
    }
  }

  drawFormat(mask) {
    const bits = withCheck((kFormatM << 3) | mask, 0x537, 10) ^ 0x5412;
    const {size} = this;
    for (let bit = 0; bit < 15; ++bit) {
      const dark = ((bits >> bit) & 1) === 1;
      const along = bit < 6 ? bit : bit < 8 ? bit + 1 : size - 15 + bit;
      this.set(along, 8, dark);
      const across = bit < 8 ? size - 1 - bit : bit === 8 ? 7 : 14 - bit;
      this.set(8, across, dark);
    }
    this.set(size - 8, 8, true);
  }

  /** In two columns at a time, up and down, from the right. */
  drawWords(words) {
    let bit = 0;
    for (let right = this.size - 1; right > 0; right -= 2) {
      if (right === 6) right = 5;
      const up = ((right + 1) & 2) === 0;
      for (let step = 0; step < this.size; ++step) {
        const row = up ? this.size - 1 - step : step;
        for (const column of [right, right - 1]) {
          if (this.fixed[row][column]) continue;
          this.dark[row][column] = bit < words.length * 8 && ((words[bit >> 3] >> (7 - (bit & 7))) & 1) === 1;
          bit += 1;
        }
      }
    }
  }

  invert(mask) {
    for (let row = 0; row < this.size; ++row) {
      for (let column = 0; column < this.size; ++column) {
        if (!this.fixed[row][column] && kMasks[mask](row, column)) this.dark[row][column] = !this.dark[row][column];
      }
    }
  }
}

const kMasks = [
  (r, c) => (r + c) % 2 === 0, (r) => r % 2 === 0, (r, c) => c % 3 === 0, (r, c) => (r + c) % 3 === 0,
  (r, c) => (Math.floor(r / 2) + Math.floor(c / 3)) % 2 === 0, (r, c) => ((r * c) % 2) + ((r * c) % 3) === 0,
  (r, c) => (((r * c) % 2) + ((r * c) % 3)) % 2 === 0, (r, c) => (((r + c) % 2) + ((r * c) % 3)) % 2 === 0,
];

/** How hard a picture is to read: long runs, blocks, what looks like a finder, too dark or too light. */
function penaltyOf({dark, size}) {
  let penalty = 0;
  const lines = [...dark, ...dark.map((_, column) => dark.map((row) => row[column]))]
    .map((line) => line.map((each) => (each ? '1' : '0')).join(''));
  for (const line of lines) {
    for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) penalty += run.length - 2;
    penalty += 40 * [...line.matchAll(/(?=10111010000|00001011101)/g)].length;
  }
  let count = 0;
  for (let row = 0; row < size; ++row) {
    for (let column = 0; column < size; ++column) {
      count += dark[row][column] ? 1 : 0;
      if (row === 0 || column === 0) continue;
      const same = dark[row][column] === dark[row - 1][column] && dark[row][column] === dark[row][column - 1] &&
        dark[row][column] === dark[row - 1][column - 1];
      if (same) penalty += 3;
    }
  }
  return penalty + 10 * Math.floor(Math.abs((count * 20) / (size * size) - 10));
}

/**
 * @param {string} text
 * @returns {boolean[][]|null} rows of modules, dark or not, without the quiet zone of four; null: the text is too long
 */
export function qrCode(text) {
  const bytes = new TextEncoder().encode(text);
  const fits = (version) => 4 + lengthBits(version) + bytes.length * 8 <= capacityOf(version) * 8;
  const version = kBlocks.findIndex((_, index) => fits(index + 1)) + 1;
  if (version === 0) return null;
  const matrix = new Matrix(version);
  matrix.drawWords(interleaved(codewordsOf(bytes, version), version));
  let best = {mask: 0, penalty: Infinity};
  for (let mask = 0; mask < kMasks.length; ++mask) {
    matrix.invert(mask);
    matrix.drawFormat(mask);
    const penalty = penaltyOf(matrix);
    if (penalty < best.penalty) best = {mask, penalty};
    matrix.invert(mask);
  }
  matrix.invert(best.mask);
  matrix.drawFormat(best.mask);
  return matrix.dark;
}
