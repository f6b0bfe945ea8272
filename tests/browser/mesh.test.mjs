// SPDX-License-Identifier: Apache-2.0
// In a full mesh each device sends to each other one: what each is sent falls as more come, and the page says so.
import assert from 'node:assert/strict';
import {before, describe, it} from 'node:test';
import {until} from './limits.mjs';
import {expectNoComplaints, joinRoom, startAll, waitForPeers} from './support.mjs';

/** In the page. What the senders to each member are told, the sound before the picture; null: not yet negotiated. */
function toldToSenders() {
  return [...window.causeway.call.peers.values()].map((peer) => ['audio', 'video'].map((kind) => {
    const {encodings: [encoding]} = peer.transceiverOf(kind).sender.getParameters();
    return encoding?.maxBitrate ? [encoding.maxBitrate / 1000, encoding.priority, encoding.scaleResolutionDownBy ?? 1] : null;
  }));
}

/** In the page: more members enter its room, who answer nobody. */
async function bringOthers(count) {
  const {Signaling} = await import('/js/signaling.js');
  window.others = Array.from({length: count}, () => new Signaling());
  for (const [index, each] of window.others.entries()) await each.join('mesh', {name: `Guest ${index}`});
}

function leaveWithOthers() {
  for (const each of window.others) each.leave();
}

/** In the page. All of every tile is seen, none covers another, and they take a good part of what is there. */
function tilesFit({width, height}) {
  const tiles = [...document.querySelectorAll('#tiles > li')].map((tile) => tile.getBoundingClientRect());
  const covers = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const bar = document.querySelector('.controls').getBoundingClientRect();
  const area = tiles.reduce((sum, tile) => sum + tile.width * tile.height, 0);
  return innerWidth === width && document.documentElement.scrollWidth <= width
    && tiles.every((tile) => tile.left >= 0 && tile.right <= width && tile.top >= 0 && tile.bottom <= bar.top)
    && tiles.every((tile, index) => tiles.slice(index + 1).every((other) => !covers(tile, other)))
    && area > width * height / 4;
}

function tilesInWords() {
  return [...document.querySelectorAll('#tiles > li')].map((tile) => {
    const {left, top, width, height} = tile.getBoundingClientRect();
    return [left, top, width, height].map(Math.round).join(' ');
  }).join(', ');
}

describe('a mesh', () => {
  let daemon;
  let browser;
  let ann;
  const others = [];
  startAll((started) => ({daemon, browser} = started));
  before(async () => {
    ann = await joinRoom(browser, `${daemon.origin}/r/mesh`, {name: 'Ann', options: {full_media: true}});  // what she sends has sizes
  });

  /** Waits until Ann tells this to her senders to each of so many. */
  async function expectTold(members, {video_kbps, scale}) {
    const wanted = JSON.stringify(Array.from({length: members}, () => [[40, 'high', 1], [video_kbps, 'low', scale]]));
    let told;
    await until(async () => {
      told = JSON.stringify(await ann.evaluate(toldToSenders));
      return told === wanted;
    }, () => `told ${told} instead of ${wanted}`);
  }

  it('sends smaller pictures to each as more come, and no less sound', async () => {
    const height = await ann.evaluate(() => window.causeway.media.video.getSettings().height);
    const steps = [[2500, 720], [1500, 720], [900, 540]];
    for (const [index, [video_kbps, limit]] of steps.entries()) {
      others.push(await joinRoom(browser, `${daemon.origin}/r/mesh`, {name: `Other ${index}`, devices: false}));
      await waitForPeers(ann, others.length);
      await expectTold(others.length, {video_kbps, scale: Math.max(1, height / limit)});
    }
    await others.pop().context().close();
    await expectTold(2, {video_kbps: 1500, scale: Math.max(1, height / 720)});
    expectNoComplaints(ann);
  });

  it('says what it costs when many are there, until some leave', async () => {
    const words = ann.getByText('each device sends to each other one');
    assert.equal(await words.isVisible(), false);
    await others[0].evaluate(bringOthers, 6);
    await words.filter({hasText: '9 people'}).waitFor();
    await others[0].evaluate(leaveWithOthers);
    await words.waitFor({state: 'hidden'});
    for (const page of [ann, ...others]) expectNoComplaints(page);
  });

  it('shows twelve side by side, from a small phone to a wall', async () => {
    await others[0].evaluate(bringOthers, 9);
    await ann.locator('#tiles > li').nth(11).waitFor();
    for (const [width, height] of [[320, 640], [740, 360], [768, 1024], [1440, 900], [3840, 2160]]) {
      await ann.setViewportSize({width, height});
      await ann.waitForFunction(tilesFit, {width, height}).catch(async () => (
        assert.fail(`${width}x${height}: ${await ann.evaluate(tilesInWords)}`)));
    }
    await others[0].evaluate(leaveWithOthers);
    expectNoComplaints(ann);
  });
});
