// SPDX-License-Identifier: Apache-2.0
// Cameras, microphones and screens that cost little: without a graphics card or a codec in hardware, pictures of the size
// that people see keep a processor busy for each page.

/** In the page, before its own scripts: what is opened is small, slow and not filtered. */
export function lightMedia() {
  const {mediaDevices} = navigator;
  if (!mediaDevices) return;
  const kPicture = {width: 160, height: 90, frameRate: 5};
  const kScreen = {width: {max: 320}, height: {max: 180}, frameRate: {max: 5}};
  const kSound = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
  const lighter = (wanted, light) => wanted && {...(wanted === true ? {} : wanted), ...light};
  for (const [method, video_light] of [['getUserMedia', kPicture], ['getDisplayMedia', kScreen]]) {
    const open = mediaDevices[method]?.bind(mediaDevices);
    if (open) mediaDevices[method] = ({audio = false, video = false}) => (
      open({audio: lighter(audio, kSound), video: lighter(video, video_light)}));
  }
}

/** In the page, before its own scripts: a small canvas is what there is to share. A headless Firefox has no screen. */
export function withScreen() {
  if (!navigator.mediaDevices) return;
  navigator.mediaDevices.getDisplayMedia = async () => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 160, height: 90});
    const context = canvas.getContext('2d');
    setInterval(() => context.fillRect(Math.random() * 150, Math.random() * 80, 10, 10), 200);
    return canvas.captureStream(5);
  };
}
