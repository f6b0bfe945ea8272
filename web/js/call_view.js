// SPDX-License-Identifier: Apache-2.0
// The call on the screen: title, tiles, the panel and the bar of buttons, from entering the room to leaving it.
import {keepScreenOn, noticeSleep} from './awake.js';
import {kComfortablePeople} from './bandwidth.js';
import {ChatView} from './chat_view.js';
import {showControl, showDevices, showMediaControls, withDevices} from './controls.js';
import {copyInvite, openInvite, openMore, openSettings, openShortcuts} from './dialogs.js';
import {element} from './dom.js';
import {t} from './i18n.js';
import {can_share_screen, can_share_sound} from './media.js';
import {toast} from './notices.js';
import {Panel} from './panel.js';
import {preparePeople} from './people_view.js';
import {inviteLink} from './rooms.js';
import {can_record, Recorder} from './recorder.js';
import {listenToKeys} from './shortcuts.js';
import {StatsView} from './stats_view.js';
import {recall, remember} from './storage.js';
import {TilesView} from './tiles_view.js';

/**
 * @typedef {object} Session
 * @property {import('./call.js').Call} call
 * @property {import('./moderation.js').Moderation} moderation
 * @property {import('./signaling.js').Signaling} signaling
 * @property {import('./media.js').LocalMedia} media
 * @property {string} room
 * @property {string} name
 */

// What a listener may not do.
const kSends = ['mic', 'camera', 'share', 'hand', 'chat'];

export class CallView {
  #session;
  #over = new AbortController();
  #panel;
  #tiles;
  /** @type {Recorder|null} */
  #recorder = null;

  /** Shows a call that is about to begin. @param {Session} session */
  constructor(session) {
    this.#session = session;
    const {signal} = this.#over;
    this.#panel = new Panel(signal);
    this.#tiles = new TilesView(session, signal);
    new ChatView(session, this.#panel, signal);
    new StatsView(session, this.#panel, signal);
    preparePeople(session, signal);
    const {call, media} = session;
    call.addEventListener('peer', ({detail}) => this.#onPeer(detail), {signal});
    call.addEventListener('peer-left', ({detail}) => this.#onLeft(detail), {signal});
    media.addEventListener('change', () => this.#showMedia(), {signal});
    media.addEventListener('devices', () => showDevices(element('settings-devices'), media), {signal});
    media.addEventListener('problem', ({detail}) => toast(detail.words), {signal});
    this.#listen(signal);
  }

  /** The room has been entered. */
  show() {
    const {room, call, media} = this.#session;
    const listens = call.self?.role === 'listener';
    if (listens) media.close();
    for (const id of ['mic', 'camera', 'hand', 'open-chat']) element(id).hidden = listens;
    element('share').hidden = listens || !can_share_screen;
    element('room-title').textContent = room;
    element('invite-link').value = inviteLink(room);
    this.#showMedia();
    this.#showPeople();
    element('room-title').focus();
    keepScreenOn(this.#over.signal);
    noticeSleep((seconds) => {
      toast(t('asleep', {seconds}));
      this.#session.signaling.probe();
    }, this.#over.signal);
  }

  close() {
    this.#recorder?.stop();
    if (document.fullscreenElement) document.exitFullscreen();
    if (document.pictureInPictureElement) document.exitPictureInPicture();
    this.#session.media.stopScreen();
    for (const dialog of document.querySelectorAll('dialog[open]')) /** @type {any} */ (dialog).close();
    this.#over.abort();
    element('recording-badge').hidden = element('room-locked').hidden = true;
    element('limit').textContent = '';
  }

  #listen(signal) {
    const {media, signaling, room} = this.#session;
    const listens = () => this.#session.call.self?.role === 'listener';
    const all = {
      mic: () => withDevices(() => media.toggleAudio()),
      camera: () => withDevices(() => media.toggleVideo()),
      share: () => can_share_screen && withDevices(() => this.#toggleShare()),
      hand: () => this.#toggleHand(),
      chat: () => this.#panel.toggle('chat'),
      people: () => this.#panel.toggle('people'),
      stats: () => this.#panel.toggle('stats'),
      help: () => openShortcuts(),
    };
    const actions = Object.fromEntries(Object.entries(all).map(([name, action]) => (
      [name, kSends.includes(name) ? () => listens() || action() : action])));
    const presses = {
      ...actions, 'invite': () => openInvite(room), 'more': () => this.#openMore(), 'leave': () => signaling.leave(),
      'copy-link': () => copyInvite(room),
    };
    for (const id of ['mic', 'camera', 'share', 'hand', 'invite', 'more', 'leave', 'copy-link']) {
      element(id).addEventListener('click', presses[id], {signal});
    }
    element('invite-link').addEventListener('focus', ({target}) => target.select(), {signal});
    const push = element('push-to-talk');
    push.checked = recall('push-to-talk', false);
    push.addEventListener('change', () => this.#setPushToTalk(push.checked), {signal});
    if (push.checked) media.setMuted(true);
    listenToKeys(actions, (down) => this.#talk(down), signal);
  }

  #onPeer(peer) {
    toast(t('came', {name: peer.name || t('somebody')}));
    let hand = false;
    peer.addEventListener('change', () => {
      if (peer.said?.hand && !hand) toast(t('hand-up', {name: peer.name || t('somebody')}));
      hand = peer.said?.hand === true;
      this.#showRecording();
    });
    this.#showPeople();
  }

  #onLeft({peer, reason}) {
    const key = {left: 'gone.left', lost: 'gone.lost', kicked: 'gone.kicked'}[reason];
    if (key) toast(t(key, {name: peer.name || t('somebody')}));
    this.#showPeople();
    this.#showRecording();
  }

  #showPeople() {
    const {people} = this.#session.call;
    element('count').textContent = t('people.count', {count: people});
    element('alone').hidden = people > 1;
    element('limit').textContent = people > kComfortablePeople ? t('limit', {count: people}) : '';
  }

  #showMedia() {
    const {media} = this.#session;
    showMediaControls('mic', 'camera', media);
    const words = t(media.screen ? 'screen.stop' : 'screen.start');
    showControl('share', {on: true, words, icon: 'screen'});
    element('share').classList.toggle('active', media.screen !== null);
  }

  #showRecording() {
    const {call} = this.#session;
    element('recording-badge').hidden = !call.recording && ![...call.peers.values()].some(({said}) => said?.recording);
  }

  async #toggleShare() {
    const {media} = this.#session;
    if (media.screen) return media.stopScreen();
    try {
      await media.shareScreen();
    } catch {
      return toast(t('screen.failed'));
    }
    const silent = media.screen !== null && media.screen.getAudioTracks().length === 0;
    if (silent) toast(t(can_share_sound ? 'screen.no-sound' : 'screen.never-sound'));
  }

  #toggleHand() {
    const {call} = this.#session;
    call.raiseHand(!call.hand);
    element('hand').setAttribute('aria-pressed', String(call.hand));
    toast(t(call.hand ? 'hand.up' : 'hand.down'));
  }

  #setPushToTalk(on) {
    remember('push-to-talk', on);
    if (on) this.#session.media.setMuted(true);
    toast(t(on ? 'settings.push-on' : 'settings.push-off'));
  }

  #talk(down) {
    if (element('push-to-talk').checked) this.#session.media.setMuted(!down);
  }

  #openMore() {
    const {room, call, media} = this.#session;
    const video = document.pictureInPictureEnabled ? this.#tiles.main_video : null;
    openMore([
      ...(call.self?.role === 'listener' ? [] : [{icon: 'hand', narrow: true, action: () => this.#toggleHand(),
        words: t(call.hand ? 'call.hand-down' : 'call.hand')}]),
      {icon: 'people', words: t('people.title'), narrow: true, action: () => this.#panel.show('people')},
      {icon: 'link', words: t('invite.title'), narrow: true, action: () => openInvite(room)},
      {icon: 'signal', words: t('stats.title'), action: () => this.#panel.show('stats')},
      ...(video ? [{icon: 'picture', words: t('call.picture'), action: () => this.#togglePicture(video)}] : []),
      ...(document.fullscreenEnabled ? [{icon: 'full', action: toggleFullScreen,
        words: t(document.fullscreenElement ? 'call.full-end' : 'call.full')}] : []),
      ...(can_record ? [{icon: 'record', words: t(call.recording ? 'record.stop' : 'record.start'),
        action: () => this.#toggleRecording()}] : []),
      {icon: 'settings', words: t('settings.title'), action: () => openSettings(media)},
      {icon: 'keyboard', words: t('shortcuts.title'), action: openShortcuts},
    ]);
  }

  async #togglePicture(video) {
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await video.requestPictureInPicture();
    } catch {
      toast(t('call.picture-failed'));
    }
  }

  async #toggleRecording() {
    const {call, media} = this.#session;
    const recorder = this.#recorder;
    this.#recorder = recorder ? null : new Recorder(() => this.#tiles.pictures, () => this.#voices(media, call));
    call.setRecording(!recorder);
    this.#showRecording();
    toast(t(recorder ? 'record.saved' : 'record.on'));
    await recorder?.stop();
  }

  /** @returns {MediaStreamTrack[]} */
  #voices(media, call) {
    const streams = [...call.peers.values()].flatMap(({stream, screen}) => [stream, screen]);
    return [media.stream, ...streams].flatMap((stream) => stream.getAudioTracks());
  }
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => toast(t('call.full-failed')));
}
