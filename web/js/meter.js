// SPDX-License-Identifier: Apache-2.0
// How loud the microphone is, for the lobby: speaking moves a bar.

const kEveryMs = 80;
const kSilenceDb = -60;

export class Meter {
  #context = null;
  #source = null;
  #timer = 0;
  #track = null;
  #show;

  /** @param {(level: number) => void} show gets 0 (silence) to 1 */
  constructor(show) {
    this.#show = show;
  }

  /** @param {MediaStreamTrack|null} track what to listen to from now on */
  listen(track) {
    if (track === this.#track) return;
    this.#track = track;
    clearInterval(this.#timer);
    this.#source?.disconnect();
    this.#show(0);
    if (!track) return;
    this.#context ??= new AudioContext();
    this.#context.resume();
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1024;
    this.#source = this.#context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      this.#show(levelOf(samples));
    }, kEveryMs);
  }
}

function levelOf(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const db = 10 * Math.log10(power + 1e-12);
  return Math.min(1, Math.max(0, 1 - db / kSilenceDb));
}
