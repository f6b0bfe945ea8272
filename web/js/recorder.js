// SPDX-License-Identifier: Apache-2.0
// Records the call on this device alone: the pictures side by side on a canvas, all voices mixed.
import {saveBlob} from './dom.js';
import {gridFor} from './tiles_view.js';

const kWidth = 1280;
const kHeight = 720;
const kFramesPerSecond = 15;
const kGap = 10;  // as gridFor reckons
const kTypes = ['video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4'];

export const can_record = typeof MediaRecorder === 'function' && 'captureStream' in HTMLCanvasElement.prototype;

export class Recorder {
  #pictures;
  #canvas = Object.assign(document.createElement('canvas'), {width: kWidth, height: kHeight});
  #context = new AudioContext();
  #mix = this.#context.createMediaStreamDestination();
  /** @type {Map<string, MediaStreamAudioSourceNode>} */
  #voices = new Map();
  #timer = 0;
  #recorder;
  #chunks = [];

  /**
   * @param {() => {video: HTMLVideoElement, name: string, shown: boolean}[]} pictures
   * @param {() => Iterable<MediaStreamTrack>} voices
   */
  constructor(pictures, voices) {
    this.#pictures = pictures;
    const picture = this.#canvas.captureStream(kFramesPerSecond);
    const stream = new MediaStream([...picture.getTracks(), ...this.#mix.stream.getTracks()]);
    const mimeType = kTypes.find((type) => MediaRecorder.isTypeSupported(type));
    this.#recorder = new MediaRecorder(stream, mimeType ? {mimeType} : {});
    this.#recorder.ondataavailable = ({data}) => data.size > 0 && this.#chunks.push(data);
    this.#draw();
    this.#timer = setInterval(() => {
      this.#draw();
      this.#follow([...voices()]);
    }, 1000 / kFramesPerSecond);
    this.#follow([...voices()]);
    this.#recorder.start(1000);
  }

  /** The recording is handed to the person as a file. */
  async stop() {
    clearInterval(this.#timer);
    await new Promise((resolve) => {
      this.#recorder.onstop = resolve;
      this.#recorder.stop();
    });
    await this.#context.close();
    const type = this.#recorder.mimeType.split(';')[0] || 'video/webm';
    const time = new Date().toISOString().slice(0, 16).replaceAll(':', '-');
    saveBlob(new Blob(this.#chunks, {type}), `causeway-${time}.${type === 'video/mp4' ? 'mp4' : 'webm'}`);
  }

  #follow(tracks) {
    const live = new Map(tracks.filter(({readyState}) => readyState === 'live').map((track) => [track.id, track]));
    for (const [id, node] of this.#voices) {
      if (live.has(id)) continue;
      node.disconnect();
      this.#voices.delete(id);
    }
    for (const [id, track] of live) {
      if (this.#voices.has(id)) continue;
      const node = this.#context.createMediaStreamSource(new MediaStream([track]));
      node.connect(this.#mix);
      this.#voices.set(id, node);
    }
  }

  #draw() {
    const context = this.#canvas.getContext('2d');
    const pictures = this.#pictures();
    const {columns, width, height} = gridFor(pictures.length, kWidth, kHeight);
    const rows = Math.ceil(pictures.length / columns);
    const left = (kWidth - columns * width - (columns - 1) * kGap) / 2;
    const top = (kHeight - rows * height - (rows - 1) * kGap) / 2;
    context.fillStyle = '#10161c';
    context.fillRect(0, 0, kWidth, kHeight);
    pictures.forEach((picture, index) => {
      const x = left + (index % columns) * (width + kGap);
      const y = top + Math.floor(index / columns) * (height + kGap);
      drawPicture(context, picture, {x, y, width, height});
    });
  }
}

function drawPicture(context, {video, name, shown}, {x, y, width, height}) {
  context.fillStyle = '#24303b';
  context.fillRect(x, y, width, height);
  if (shown && video.videoWidth > 0) {
    const scale = Math.min(width / video.videoWidth, height / video.videoHeight);
    const [w, h] = [video.videoWidth * scale, video.videoHeight * scale];
    context.drawImage(video, x + (width - w) / 2, y + (height - h) / 2, w, h);
  }
  context.font = '600 20px system-ui, sans-serif';
  context.fillStyle = '#000000a0';
  context.fillRect(x, y + height - 34, Math.min(width, context.measureText(name).width + 20), 34);
  context.fillStyle = '#ffffff';
  context.fillText(name, x + 10, y + height - 11, width - 20);
}
