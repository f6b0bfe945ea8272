// SPDX-License-Identifier: Apache-2.0
// What this browser and this page bring along for a call, without asking the person for anything.
import {t} from './i18n.js';

/** @typedef {{id: string, state: 'good'|'warn'|'bad', words: string}} Check */

/** @returns {Promise<Check[]>} */
export async function environmentChecks() {
  return [secureContext(), webRtc(), codecs('video'), codecs('audio'), await devices(), screen()];
}

function secureContext() {
  const words = t(isSecureContext ? 'check.secure' : 'check.insecure');
  return {id: 'secure', state: isSecureContext ? 'good' : 'bad', words};
}

function webRtc() {
  return {id: 'webrtc', state: 'good', words: t('check.webrtc', {browser: browserName()})};
}

function browserName() {
  const [, name, version] = /(Firefox|Edg|Chrome|Version)\/(\d+)/.exec(navigator.userAgent) ?? [];
  return name ? `${{Edg: 'Edge', Version: 'Safari'}[name] ?? name} ${version}` : navigator.userAgent;
}

function codecs(kind) {
  const all = RTCRtpReceiver.getCapabilities?.(kind)?.codecs ?? [];
  const names = [...new Set(all.map(({mimeType}) => mimeType.split('/')[1]))]
    .filter((name) => !/^(rtx|red|ulpfec|flexfec-03|cn|telephone-event)$/i.test(name));
  const wanted = kind === 'video' ? /VP8|H264/i : /opus/i;
  const good = names.some((name) => wanted.test(name));
  const words = t(`check.codecs-${kind}`, {names: names.join(', ') || '–'});
  return {id: `codecs-${kind}`, state: good ? 'good' : 'bad', words};
}

async function devices() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const count = (kind) => all.filter((device) => device.kind === kind).length;
  const microphones = count('audioinput');
  const cameras = count('videoinput');
  const words = t('check.devices', {microphones, cameras});
  return {id: 'devices', state: microphones > 0 && cameras > 0 ? 'good' : 'warn', words};
}

function screen() {
  const can = typeof navigator.mediaDevices?.getDisplayMedia === 'function';
  return {id: 'screen', state: can ? 'good' : 'warn', words: t(can ? 'check.screen' : 'check.no-screen')};
}
