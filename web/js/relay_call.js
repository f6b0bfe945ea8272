// SPDX-License-Identifier: Apache-2.0
// A call of this browser with itself, both ends through the relay: that candidates come says little of whether media
// arrives. Measures the round trip, loss, jitter and throughput of data, and counts pictures.

const kConnectMsMax = 15_000;
const kEchoes = 20;
const kProbes = 100;
const kProbeMs = 20;
const kProbeBytes = 160;      // 20 ms of speech
const kLateMs = 1000;
const kBulkBytes = 16 * 1024;
const kBulkAhead = 1024 * 1024;
const kFramesEnough = 10;
const kFramesMsMax = 10_000;

/**
 * @typedef {object} RelayCallResult
 * @property {number} connected_ms
 * @property {number} round_trip_ms the median
 * @property {number} loss_percent of small packets that were sent to the other end and back
 * @property {number} jitter_ms
 * @property {number} sent_mbps
 * @property {number} received_mbps
 * @property {number} frames pictures that were decoded at the other end
 */

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Within the time, or an Error with this text. */
function within(ms, promise, text) {
  let timer = 0;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(text)), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/**
 * @param {RTCIceServer} server
 * @param {{seconds: number, step: (name: 'connect'|'echo'|'loss'|'send'|'receive'|'video') => void}} options
 * @returns {Promise<RelayCallResult>}
 */
export async function relayCall(server, {seconds, step}) {
  const configuration = {iceServers: [server], iceTransportPolicy: /** @type {const} */ ('relay')};
  const near = new RTCPeerConnection(configuration);
  const far = new RTCPeerConnection(configuration);
  const picture = movingPicture();
  try {
    step('connect');
    const started = performance.now();
    const channels = openChannels(near, far);
    near.addTransceiver(picture.track, {direction: 'sendonly'});
    await within(kConnectMsMax, connect(near, far), 'no connection through the relay');
    await within(kConnectMsMax, channels.opened, 'no data channel through the relay');
    const connected_ms = Math.round(performance.now() - started);
    step('echo');
    const round_trip_ms = await roundTrip(channels.echo);
    step('loss');
    const {loss_percent, jitter_ms} = await losses(channels.probe);
    step('video');
    const frames = await framesOf(far);
    step('send');
    const sent_mbps = await throughput(channels.bulk, channels.far.bulk, seconds);
    step('receive');
    const received_mbps = await throughput(channels.far.bulk, channels.bulk, seconds);
    return {connected_ms, round_trip_ms, loss_percent, jitter_ms, sent_mbps, received_mbps, frames};
  } finally {
    picture.stop();
    near.close();
    far.close();
  }
}

/** A canvas that changes, as a track. */
function movingPicture() {
  const canvas = Object.assign(document.createElement('canvas'), {width: 320, height: 180});
  const context = canvas.getContext('2d');
  let count = 0;
  const draw = () => {
    context.fillStyle = `hsl(${(count * 7) % 360} 60% 50%)`;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = '#ffffff';
    context.fillRect((count++ * 5) % canvas.width, 60, 60, 60);
  };
  draw();
  const timer = setInterval(draw, 66);
  const [track] = canvas.captureStream(15).getVideoTracks();
  return {track, stop: () => {
    clearInterval(timer);
    track.stop();
  }};
}

// The same ids on both ends, so that none has to be announced. The far end sends back what comes on echo and probe.
function openChannels(near, far) {
  const kinds = {echo: {id: 0}, probe: {id: 1, ordered: false, maxRetransmits: 0}, bulk: {id: 2}};
  const open = (connection) => Object.fromEntries(Object.entries(kinds).map(([name, options]) => {
    const channel = connection.createDataChannel(name, {negotiated: true, ...options});
    channel.binaryType = 'arraybuffer';
    return [name, channel];
  }));
  const [own, other] = [open(near), open(far)];
  for (const name of ['echo', 'probe']) {
    other[name].onmessage = ({data}) => other[name].readyState === 'open' && other[name].send(data);
  }
  const opened = Promise.all([...Object.values(own), ...Object.values(other)].map((channel) => (
    new Promise((resolve) => (channel.onopen = resolve)))));
  return {...own, far: other, opened};
}

async function connect(near, far) {
  for (const [from, to] of [[near, far], [far, near]]) {
    from.onicecandidate = ({candidate}) => candidate && to.addIceCandidate(candidate).catch(() => {});  // closed
  }
  const done = new Promise((resolve) => {
    near.onconnectionstatechange = () => near.connectionState === 'connected' && resolve(undefined);
  });
  await near.setLocalDescription();
  await far.setRemoteDescription(near.localDescription);
  await far.setLocalDescription();
  await near.setRemoteDescription(far.localDescription);
  return done;
}

async function roundTrip(channel) {
  const times = [];
  for (let count = 0; count < kEchoes; ++count) {
    const started = performance.now();
    const back = new Promise((resolve) => (channel.onmessage = resolve));
    channel.send('x');
    await within(kConnectMsMax, back, 'nothing came back through the relay');
    times.push(performance.now() - started);
  }
  return Math.round(10 * times.sort((a, b) => a - b)[kEchoes / 2]) / 10;
}

// Jitter as in RFC 3550, section 6.4.1, of the times to the other end and back.
async function losses(channel) {
  const sent = [];
  const seen = new Set();
  let jitter = 0;
  let last = null;
  channel.onmessage = ({data}) => {
    const index = new DataView(data).getUint32(0);
    const time = performance.now() - sent[index];
    if (last !== null) jitter += (Math.abs(time - last) - jitter) / 16;
    last = time;
    seen.add(index);
  };
  const packet = new DataView(new ArrayBuffer(kProbeBytes));
  for (let index = 0; index < kProbes; ++index) {
    packet.setUint32(0, index);
    sent[index] = performance.now();
    channel.send(packet.buffer);
    await pause(kProbeMs);
  }
  for (let waited = 0; waited < kLateMs && seen.size < kProbes; waited += kProbeMs) await pause(kProbeMs);
  return {loss_percent: Math.round((100 * (kProbes - seen.size)) / kProbes), jitter_ms: Math.round(10 * jitter) / 10};
}

async function throughput(from, to, seconds) {
  const chunk = new Uint8Array(kBulkBytes);
  const end = performance.now() + seconds * 1000;
  let bytes = 0;
  to.onmessage = ({data}) => performance.now() < end && (bytes += data.byteLength);
  from.bufferedAmountLowThreshold = kBulkAhead / 2;
  while (performance.now() < end) {
    if (from.bufferedAmount < kBulkAhead) {
      from.send(chunk);
      continue;
    }
    const low = new Promise((resolve) => (from.onbufferedamountlow = resolve));
    await Promise.race([low, pause(end - performance.now())]);
  }
  to.onmessage = null;
  return Math.round((bytes * 8) / seconds / 10_000) / 100;
}

async function framesOf(connection) {
  for (let waited = 0, frames = 0; ; waited += 200) {
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type === 'inbound-rtp' && entry.kind === 'video') frames = entry.framesDecoded ?? 0;
    }
    if (frames >= kFramesEnough || waited >= kFramesMsMax) return frames;
    await pause(200);
  }
}
