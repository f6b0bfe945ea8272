// SPDX-License-Identifier: Apache-2.0
// The data channel to one member: chat and the talk about files. It is negotiated beforehand (id 0), so that neither
// side has to wait for the other's announcement; each file has a channel of its own beside it.

const kChannelId = 0;
const kFilePrefix = 'file:';

/** Events: `message` (detail: what the other side sent), `file` (detail: {id, channel}), `open`. */
export class DataLink extends EventTarget {
  #connection;
  /** @type {RTCDataChannel} */
  #channel;

  /** @param {RTCPeerConnection} connection */
  constructor(connection) {
    super();
    this.#connection = connection;
    this.#channel = connection.createDataChannel('causeway', {negotiated: true, id: kChannelId});
    this.#channel.onopen = () => this.dispatchEvent(new Event('open'));
    this.#channel.onmessage = ({data}) => this.#onMessage(data);
    connection.ondatachannel = ({channel}) => {
      if (!channel.label.startsWith(kFilePrefix)) return channel.close();
      const id = channel.label.slice(kFilePrefix.length);
      this.dispatchEvent(new CustomEvent('file', {detail: {id, channel}}));
    };
  }

  get open() {
    return this.#channel.readyState === 'open';
  }

  /** @param {any} message any JSON @returns {boolean} false: the channel is not open */
  send(message) {
    if (!this.open) return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  /** A channel for one file. @param {string} id */
  openFile(id) {
    return this.#connection.createDataChannel(kFilePrefix + id);
  }

  #onMessage(text) {
    let detail;
    try {
      detail = JSON.parse(text);
    } catch {
      return;  // not from a page like this one
    }
    if (detail && typeof detail === 'object') this.dispatchEvent(new CustomEvent('message', {detail}));
  }
}
