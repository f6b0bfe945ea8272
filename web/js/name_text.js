// SPDX-License-Identifier: Apache-2.0
// Names that people read: of members, rooms and files.

// What turns the direction of the text around it, or breaks its line: with one of them "photo\u202Egpj.exe" reads
// "photoexe.jpg". The server refuses them in names of members and rooms (UTR 36 §2.1).
const kLayoutControls = /[\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/g;

/** A name that shows its characters in the order in which they stand. @param {string} text */
export const nameText = (text) => text.replace(kLayoutControls, '').trim();
