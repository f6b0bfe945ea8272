// SPDX-License-Identifier: Apache-2.0
// What this side sends to each member. In a full mesh everything is sent once for each, so each gets less as more come:
// first the picture gives way, and sound comes before pictures.

const kAudioKbps = 40;
const kScreenKbps = 1500;
const kVideoShareOfCap = 0.85;  // of what sound leaves, for headers and retransmissions
const kVideoKbpsMin = 60;

// By the number of others: what the camera may take, and how high its picture is.
const kSteps = [
  {others: 1, kbps: 2500, height: 720},
  {others: 2, kbps: 1500, height: 720},
  {others: 3, kbps: 900, height: 540},
  {others: 5, kbps: 500, height: 360},
  {others: 8, kbps: 250, height: 270},
  {others: Infinity, kbps: 120, height: 180},
];

/** From how many people on a mesh is at its limit: more may enter, but the page says what that costs. */
export const kComfortablePeople = 8;

/**
 * @param {number} others
 * @param {number} cap_kbps what this side may send in all; 0: no cap
 * @returns {{audio_kbps: number, video_kbps: number, screen_kbps: number, height: number}}
 */
export function sharesOf(others, cap_kbps) {
  const {kbps, height} = kSteps.find((step) => others <= step.others);
  if (!cap_kbps) return {audio_kbps: kAudioKbps, video_kbps: kbps, screen_kbps: kScreenKbps, height};
  const each = cap_kbps / Math.max(1, others);
  const audio_kbps = Math.min(kAudioKbps, Math.max(12, Math.round(each / 3)));
  const left = Math.max(kVideoKbpsMin, Math.round((each - audio_kbps) * kVideoShareOfCap));
  const fitting = kSteps.find((step) => step.kbps <= left) ?? kSteps.at(-1);
  return {
    audio_kbps, video_kbps: Math.min(kbps, left), screen_kbps: Math.min(kScreenKbps, left),
    height: Math.min(height, fitting.height),
  };
}

/**
 * Tells the senders of one peer connection.
 * @param {import('./peer.js').Peer} peer @param {number} others @param {number} cap_kbps
 */
export async function limit(peer, others, cap_kbps) {
  const {audio_kbps, video_kbps, screen_kbps, height} = sharesOf(others, cap_kbps);
  const audio = peer.transceiverOf('audio')?.sender;
  const video = peer.transceiverOf('video')?.sender;
  const taken = video?.track?.getSettings().height ?? height;
  await setEncoding(audio, {maxBitrate: audio_kbps * 1000, priority: 'high', networkPriority: 'high'});
  await setEncoding(video, {
    maxBitrate: video_kbps * 1000, priority: 'low', networkPriority: 'low',
    scaleResolutionDownBy: Math.max(1, taken / height),
  });
  await setEncoding(peer.screen_sender, {maxBitrate: screen_kbps * 1000, priority: 'medium', networkPriority: 'medium'});
}

// There are no encodings before the first negotiation; then the next call finds them.
async function setEncoding(sender, wanted) {
  const parameters = sender?.getParameters();
  if (!parameters?.encodings?.length) return;
  const [encoding] = parameters.encodings;
  if (Object.entries(wanted).every(([name, value]) => encoding[name] === value)) return;
  Object.assign(encoding, wanted);
  try {
    await sender.setParameters(parameters);
  } catch (error) {
    if (error.name !== 'InvalidStateError' && error.name !== 'InvalidModificationError') throw error;
    // closed, or negotiated anew meanwhile: the next change sets it
  }
}
