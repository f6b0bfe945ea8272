// SPDX-License-Identifier: Apache-2.0
// The connection to each member: which way, how good, the last two minutes, and the safety code.
import {element, make, saveBlob} from './dom.js';
import {graphOf} from './graph.js';
import {kSeries} from './history.js';
import {t} from './i18n.js';
import {toast} from './notices.js';
import {safetyCode} from './safety.js';

const kCaps = [0, 256, 512, 1000, 2000, 4000];

export class StatsView {
  #call;
  #panel;
  /** Which members are unfolded. */
  #open = new Set();

  /** @param {import('./call_view.js').Session} session @param {import('./panel.js').Panel} panel @param {AbortSignal} signal */
  constructor({call}, panel, signal) {
    this.#call = call;
    this.#panel = panel;
    for (const type of ['sample', 'peer', 'peer-left']) call.addEventListener(type, () => this.#show(), {signal});
    panel.addEventListener('shown', () => this.#show(), {signal});
    const relay_only = element('call-relay-only');
    relay_only.checked = call.relay_only;
    relay_only.addEventListener('change', () => {
      call.setRelayOnly(relay_only.checked);
      toast(t(relay_only.checked ? 'relay-only.on' : 'relay-only.off'));
    }, {signal});
    const cap = element('cap');
    const caps = [...new Set([...kCaps, call.cap_kbps])].sort((a, b) => a - b);
    cap.replaceChildren(...caps.map((kbps) => (
      new Option(kbps ? t('stats.cap.kbps', {kbps}) : t('stats.cap.none'), String(kbps)))));
    cap.value = String(call.cap_kbps);
    cap.addEventListener('change', () => call.setCap(Number(cap.value)), {signal});
    element('stats-export').addEventListener('click', () => this.#export(), {signal});
  }

  #show() {
    if (this.#panel.open !== 'stats') return;
    const box = element('stats-members');
    const peers = [...this.#call.peers.values()];
    if (peers.length === 0) return box.replaceChildren(make('p', {className: 'help'}, t('stats.nobody')));
    for (const each of [...box.children]) if (!this.#call.peers.has(each.dataset.member)) each.remove();
    for (const peer of peers) this.#showPeer(box, peer, peers.length === 1);
  }

  #showPeer(box, peer, only) {
    let part = box.querySelector(`[data-member="${CSS.escape(peer.member)}"]`);
    if (!part) {
      part = make('details', {data: {member: peer.member}, open: only || this.#open.has(peer.member)},
        make('summary', {}), make('p', {className: 'help'}), make('dl', {className: 'stats'}),
        make('p', {className: 'safety', hidden: true}, make('span', {className: 'help'}, t('stats.safety')), make('code', {}),
          make('span', {className: 'help'}, t('stats.safety-help'))));
      box.append(part);
    }
    const {route, quality, samples} = this.#call.histories.get(peer.member);
    const [summary, sentence, list, safety] = part.children;
    const way = route ? t(`route.${route.kind}`) : t('stats.no-route');
    summary.textContent = `${peer.name || t('somebody')} · ${way} · ${t(`quality.${quality}`)}`;
    sentence.textContent = route ? t(`route.${route.kind}.sentence`) : '';
    list.replaceChildren(...kSeries.map((series) => graphOf(series, samples)));
    this.#showSafety(safety, peer);
  }

  async #showSafety(line, peer) {
    const code = await safetyCode(peer.connection);
    line.hidden = code === null;
    line.querySelector('code').textContent = code ?? '';
  }

  async #export() {
    const members = await Promise.all([...this.#call.peers.values()].map(async ({member, name, connection, state}) => {
      const {samples, route} = this.#call.histories.get(member);
      return {member, name, state, route, samples, stats: [...(await connection.getStats()).values()]};
    }));
    const {relay_only, cap_kbps, self} = this.#call;
    const report = {
      made: new Date().toISOString(), browser: navigator.userAgent, self: self?.member, relay_only, cap_kbps, members,
    };
    const blob = new Blob([JSON.stringify(report, null, 2)], {type: 'application/json'});
    saveBlob(blob, `causeway-call-${report.made.slice(0, 19).replaceAll(':', '-')}.json`);
  }
}
