// SPDX-License-Identifier: Apache-2.0
// Where a file goes that is received: onto the disk piece by piece where the browser can, so that it may be larger than
// the memory. It asks the person for a place, or uses the browser's own private folder, or else the memory.
import {saveBlob} from './dom.js';

const kMemoryMax = 256 * 1024 * 1024;
const kPrefix = 'incoming-';

/**
 * @typedef {object} Sink
 * @property {(piece: Uint8Array) => Promise<void>} write
 * @property {() => Promise<void>} finish the person has the file then, or is asked to save it
 * @property {() => Promise<void>} abort what there is of it is thrown away
 */

/** Thrown where a file fits nowhere. */
export class NoRoom extends Error {}

/**
 * From a press of a button, which the question for a place needs. An AbortError: the person wants no place.
 * @param {string} name @param {number} size @returns {Promise<Sink>}
 */
export async function openSink(name, size) {
  if ('showSaveFilePicker' in window) {
    const handle = await window.showSaveFilePicker({suggestedName: name});
    const writable = await handle.createWritable();
    return {write: (piece) => writable.write(piece), finish: () => writable.close(), abort: () => writable.abort()};
  }
  return (await privateFolderSink(name, size)) ?? memorySink(name, size);
}

async function privateFolderSink(name, size) {
  try {
    const {quota = 0, usage = 0} = await navigator.storage.estimate();
    if (size > quota - usage) return null;
    const folder = await navigator.storage.getDirectory();
    const own_name = `${kPrefix}${crypto.randomUUID()}`;
    const handle = await folder.getFileHandle(own_name, {create: true});
    const writable = await handle.createWritable();
    const remove = () => folder.removeEntry(own_name).catch(() => {});
    return {
      write: (piece) => writable.write(piece),
      finish: async () => {
        await writable.close();
        saveBlob(await handle.getFile(), name);  // removed with the leftovers at the next visit: it is being saved now
      },
      abort: async () => {
        await writable.abort();
        await remove();
      },
    };
  } catch {
    return null;  // not in this browser, or not in a private window
  }
}

function memorySink(name, size) {
  if (size > kMemoryMax) throw new NoRoom();
  const pieces = [];
  return {
    write: async (piece) => void pieces.push(piece),
    finish: async () => saveBlob(new Blob(pieces), name),
    abort: async () => void pieces.splice(0),
  };
}

/** Removes what earlier visits have left in the private folder. */
export async function removeLeftovers() {
  try {
    const folder = await navigator.storage.getDirectory();
    for await (const name of /** @type {any} */ (folder).keys()) {
      if (name.startsWith(kPrefix)) await folder.removeEntry(name).catch(() => {});  // another tab is writing it
    }
  } catch {
    // no such folder in this browser
  }
}
