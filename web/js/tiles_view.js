// SPDX-License-Identifier: Apache-2.0
// All tiles of a call: as large as they can be in the room there is, or one large and the others beside it.
import {element} from './dom.js';
import {t} from './i18n.js';
import {Tile} from './tile.js';

const kWidest = 16 / 9;
const kTallest = {portrait: 1, landscape: 4 / 3};  // where there is little width, more of its height is used
const kGap = 10;

/**
 * The largest tiles that fit, none wider or taller than a picture is shown well. One alone takes all there is.
 * @returns {{columns: number, width: number, height: number}} of each tile, in pixels
 */
export function gridFor(count, box_width, box_height) {
  if (count === 1) return {columns: 1, width: box_width, height: box_height};
  const tallest = box_width < box_height ? kTallest.portrait : kTallest.landscape;
  let best = {columns: 1, width: 0, height: 0};
  for (let columns = 1; columns <= count; ++columns) {
    const rows = Math.ceil(count / columns);
    const width_max = (box_width - kGap * (columns - 1)) / columns;
    const height_max = (box_height - kGap * (rows - 1)) / rows;
    const width = Math.floor(Math.min(width_max, height_max * kWidest));
    const height = Math.floor(Math.min(height_max, width / tallest));
    if (width * height > best.width * best.height) best = {columns, width, height};
  }
  return best;
}

export class TilesView {
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #box = element('tiles');
  #session;
  /** What a person has pinned, or a shared screen: the key of a tile. */
  #pinned = null;
  #observer = new ResizeObserver(() => this.#layOut());

  /** @param {import('./call_view.js').Session} session @param {AbortSignal} signal the end of the call */
  constructor(session, signal) {
    this.#session = session;
    const {call, media, name} = session;
    this.#add('self', new Tile(name || t('you'), media.stream, name ? t('you.name', {name}) : t('you')));
    this.#observer.observe(this.#box);
    call.addEventListener('peer', ({detail}) => this.#addPeer(detail), {signal});
    call.addEventListener('peer-left', ({detail}) => this.#removePeer(detail.peer), {signal});
    call.addEventListener('sample', () => this.#showHistories(), {signal});
    call.addEventListener('self', () => this.showSelf(), {signal});
    call.speaker.addEventListener('speaker', ({detail}) => this.#showSpeaker(detail), {signal});
    media.addEventListener('change', () => this.showSelf(), {signal});
    media.addEventListener('output', () => this.#playOnChosen(), {signal});
    signal.addEventListener('abort', () => this.#close());
    this.showSelf();
    this.#tiles.get('self').play();
  }

  get pinned() {
    return this.#pinned;
  }

  /** The picture to be shown in a small window: the large one, who speaks, or the first of the others. */
  get main_video() {
    const speaker = this.#session.call.speaker.current?.member;
    const others = [...this.#tiles].filter(([key, tile]) => key !== 'self' && tile.element.classList.contains('has-video'));
    const found = others.find(([key]) => key === this.#pinned) ?? others.find(([key]) => key === speaker) ?? others[0];
    return found?.[1].video ?? null;
  }

  /** For a recording: what is shown. @returns {{video: HTMLVideoElement, name: string, shown: boolean}[]} */
  get pictures() {
    return [...this.#tiles.values()].map(({video, element: tile}) => ({
      video, name: tile.querySelector('.tile-name').textContent, shown: tile.classList.contains('has-video'),
    }));
  }

  showSelf() {
    const {media, call} = this.#session;
    this.#tiles.get('self')?.showLocal(media, call.hand);
    this.#showScreen('self-screen', media.screen, t('tile.own-screen'), true);
  }

  #addPeer(peer) {
    const name = peer.name || t('somebody');
    const tile = new Tile(name, peer.stream);
    this.#add(peer.member, tile);
    this.#playOnChosen();
    peer.addEventListener('change', () => this.#showPeer(peer, tile));
    peer.addEventListener('track', () => tile.play());
    this.#showPeer(peer, tile);
  }

  #showPeer(peer, tile) {
    if (this.#tiles.get(peer.member) !== tile) return;  // has left
    tile.showPeer(peer);
    const shares = peer.said?.screen && peer.screen.getTracks().length > 0;
    const name = t('tile.screen', {name: peer.name || t('somebody')});
    this.#showScreen(`${peer.member}-screen`, shares ? peer.screen : null, name, false);
  }

  #removePeer(peer) {
    this.#remove(peer.member);
    this.#remove(`${peer.member}-screen`);
  }

  // A screen that is shared is shown large, until the person wants otherwise.
  #showScreen(key, stream, label, own) {
    const tile = this.#tiles.get(key);
    if (!stream) return this.#remove(key);
    if (tile) {
      if (tile.video.paused) tile.play();
      return;
    }
    const made = new Tile(label, stream, label);
    made.showScreen(own);
    made.element.dataset.screen = key;
    this.#add(key, made);
    made.play();
    this.#playOnChosen();
    if (!own) this.#pin(key);
  }

  #add(key, tile) {
    this.#box.insertBefore(tile.element, this.#tiles.get('self')?.element ?? null);
    this.#tiles.set(key, tile);
    tile.pin.addEventListener('click', () => this.#pin(this.#pinned === key ? null : key));
    this.#layOut();
  }

  #remove(key) {
    const tile = this.#tiles.get(key);
    if (!tile) return;
    tile.remove();
    this.#tiles.delete(key);
    if (this.#pinned === key) this.#pinned = null;
    this.#layOut();
  }

  #pin(key) {
    this.#pinned = key;
    this.#layOut();
  }

  #layOut() {
    const count = this.#tiles.size;
    const box = this.#box.getBoundingClientRect();  // not clientWidth, which may round up
    for (const [key, tile] of this.#tiles) {
      tile.element.classList.toggle('pinned', key === this.#pinned);
      tile.pin.setAttribute('aria-pressed', String(key === this.#pinned));
      tile.pin.hidden = count < 2;
    }
    this.#box.classList.toggle('spotlight', this.#pinned !== null && count > 1);
    this.#box.style.setProperty('--others', String(Math.max(1, count - 1)));
    const {width, height} = gridFor(count, box.width, box.height);
    this.#box.style.setProperty('--tile-width', `${width}px`);
    this.#box.style.setProperty('--tile-height', `${height}px`);
  }

  #showHistories() {
    for (const [member, history] of this.#session.call.histories) this.#tiles.get(member)?.showHistory(history);
  }

  #showSpeaker(peer) {
    for (const [key, tile] of this.#tiles) tile.element.classList.toggle('speaking', key === peer?.member);
  }

  #playOnChosen() {
    const {output} = this.#session.media.chosen;
    if (output) for (const tile of this.#tiles.values()) tile.playOn(output);
  }

  #close() {
    this.#observer.disconnect();
    for (const key of [...this.#tiles.keys()]) this.#remove(key);
  }
}
