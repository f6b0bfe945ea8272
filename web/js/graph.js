// SPDX-License-Identifier: Apache-2.0
// A small graph of one number over the last two minutes.
import {make, makeSvg} from './dom.js';
import {t} from './i18n.js';

const kWidth = 120;
const kHeight = 32;
const kSamples = 60;

/**
 * @param {string} series one of kSeries
 * @param {import('./history.js').Sample[]} samples
 */
export function graphOf(series, samples) {
  const values = samples.map((sample) => sample[series]);
  const known = values.filter((value) => value !== null);
  const top = Math.max(1, ...known);
  const latest = values.at(-1) ?? null;
  const words = latest === null ? '–' : t(`stats.${series}.value`, {value: latest});
  const x = (index) => kWidth - (values.length - 1 - index) * (kWidth / (kSamples - 1));
  const y = (value) => kHeight - 1 - (value / top) * (kHeight - 2);
  let path = '';
  values.forEach((value, index) => {
    if (value === null) return;
    const start = index === 0 || values[index - 1] === null;
    path += `${start ? 'M' : 'L'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  const svg = makeSvg('svg', {viewBox: `0 0 ${kWidth} ${kHeight}`, class: 'graph', 'aria-hidden': 'true', preserveAspectRatio: 'none'},
    makeSvg('path', {d: `M0 ${kHeight - 0.5}H${kWidth}`, class: 'graph-base'}), makeSvg('path', {d: path || 'M0 0', class: 'graph-line'}));
  return make('div', {className: 'stat'},
    make('dt', {}, t(`stats.${series}`)), make('dd', {}, make('b', {}, words), svg));
}
