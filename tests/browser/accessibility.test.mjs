// SPDX-License-Identifier: Apache-2.0
// axe-core finds nothing on any page and in any state, in light and dark; and what a first visit costs.
import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {describe, it} from 'node:test';
import {fileInput} from './call_page.mjs';
import {RelayTestPage} from './relay_test_page.mjs';
import {expectNoComplaints, joinRoom, openPage, startAll, turnOnDevices, waitForLinks, waitForPeers} from './support.mjs';

const kFirstVisitBytesMax = 100_000;
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** In the page, before its scripts: a place for files where nothing is ever written. */
function withStillDisk() {
  const never = () => new Promise(() => {});
  window.showSaveFilePicker = async () => ({createWritable: async () => ({write: never, close: never, abort: never})});
}

describe('the pages for everybody', () => {
  let daemon;
  let browser;
  startAll((started) => ({daemon, browser} = started));

  async function expectNoViolation(page, state) {
    const violations = await page.evaluate(`${axe}; axe.run(document, {resultTypes: ['violations']})
      .then(({violations}) => violations.map(({id, nodes}) => id + ': ' + nodes.map(({html, failureSummary}) => (
        html.slice(0, 160) + ' ' + failureSummary)).join(' | ')))`);
    assert.deepEqual(violations, [], state);
  }

  async function end(...pages) {
    for (const page of pages) {
      expectNoComplaints(page);
      await page.context().close();
    }
  }

  for (const colorScheme of ['light', 'dark']) {
    const options = {colorScheme, reducedMotion: 'reduce'};

    it(`have no violation before a call (${colorScheme})`, async () => {
      const page = await openPage(browser, daemon.origin, options);
      await expectNoViolation(page, 'landing');
      await page.getByRole('button', {name: 'Continue'}).click();
      await page.getByRole('alert').waitFor();
      await expectNoViolation(page, 'landing with an error');
      await page.getByRole('button', {name: 'New call'}).click();
      await expectNoViolation(page, 'lobby');
      await turnOnDevices(page);
      await expectNoViolation(page, 'lobby with a camera');
      await page.getByRole('button', {name: 'Join'}).click();
      await page.getByRole('button', {name: 'Leave'}).waitFor();
      await expectNoViolation(page, 'alone in a call');
      await page.getByRole('button', {name: 'Leave'}).click();
      await page.getByRole('button', {name: 'Back'}).click();
      await page.getByRole('heading', {name: 'Lately'}).waitFor();
      await expectNoViolation(page, 'landing with rooms');
      await end(page);
    });

    it(`have no violation in a call (${colorScheme})`, async () => {
      const url = `${daemon.origin}/r/axe-${colorScheme}`;
      const ann = await joinRoom(browser, url, {name: 'Ann', options});
      const ben = await joinRoom(browser, url, {name: 'Ben', devices: false, options: {...options, first: withStillDisk}});
      const cleo = await joinRoom(browser, url, {name: 'Cleo', devices: false, options});
      for (const page of [ann, ben, cleo]) await waitForPeers(page, 2);
      for (const page of [ann, ben, cleo]) await waitForLinks(page);
      await expectNoViolation(ann, 'call');
      await ann.getByRole('button', {name: 'Chat'}).click();
      await ann.getByLabel('Write to everybody').fill('Hello, see https://example.org/');
      await ann.keyboard.press('Enter');
      await ben.evaluate(() => window.causeway.call.chat('Hello Ann'));
      await ann.getByRole('log').getByText('Hello Ann').waitFor();
      await fileInput(ann).setInputFiles({name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('note')});
      await ann.getByText('Offered to 2 people').waitFor();
      await ben.getByRole('button', {name: /^Chat/}).click();
      for (const page of [ann, ben]) await expectNoViolation(page, 'chat');
      await ben.getByRole('button', {name: 'Accept note.txt'}).click();
      await ann.getByRole('progressbar', {name: 'note.txt for Ben'}).waitFor();
      for (const page of [ann, ben]) await expectNoViolation(page, 'chat with a file on the way');
      await ann.getByRole('button', {name: 'Raise hand'}).click();
      await ann.getByRole('button', {name: 'People'}).click();
      await expectNoViolation(ann, 'people');
      await ann.keyboard.press('Escape');
      await ann.keyboard.press('i');
      await ann.locator('#stats-members summary').first().click();
      await ann.locator('.safety code').first().waitFor();
      await expectNoViolation(ann, 'connection');
      await ann.getByRole('button', {name: 'Show Ben large'}).click();
      await ann.getByRole('button', {name: 'More'}).click();
      await expectNoViolation(ann, 'more');
      await ann.keyboard.press('Escape');
      await ann.getByRole('button', {name: 'Invite', exact: true}).click();
      await ann.getByRole('img', {name: 'The invite link as a QR code'}).waitFor();
      await expectNoViolation(ann, 'invite');
      await ann.keyboard.press('Escape');
      await ann.keyboard.press('?');
      await expectNoViolation(ann, 'shortcuts');
      await end(ann, ben, cleo);
    });

    it(`have no violation on the test page (${colorScheme})`, async () => {
      const page = await openPage(browser, `${daemon.origin}/test?seconds=1`, options);
      await expectNoViolation(page, 'test');
      const test_page = new RelayTestPage(page);
      await test_page.testOwnServer();
      await expectNoViolation(page, 'test, done');
      const user = {username: 'nobody', password: 'wrong'};
      await test_page.gather([{uri: daemon.uris.udp, ...user}, {uri: 'turn:127.0.0.1:9?transport=tcp', ...user}]);
      await expectNoViolation(page, 'test with failures');
      await end(page);
    });
  }

  it('speak German where the browser does', async () => {
    const page = await openPage(browser, daemon.origin, {locale: 'de-CH'});
    await page.getByRole('button', {name: 'Neues Gespräch'}).click();
    await page.getByRole('button', {name: 'Beitreten'}).click();
    await page.getByRole('button', {name: 'Auflegen'}).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
    await page.goto(`${daemon.origin}/?lang=en`);
    await page.getByLabel('Language').selectOption('Deutsch');
    await page.getByRole('button', {name: 'Neues Gespräch'}).waitFor();
    await end(page);
  });

  it(`cost a first visit less than ${kFirstVisitBytesMax / 1000} KB`, async () => {
    const page = await openPage(browser, 'about:blank');
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0;
    session.on('Network.loadingFinished', ({encodedDataLength}) => (bytes += encodedDataLength));
    await page.goto(daemon.origin, {waitUntil: 'networkidle'});
    await page.getByRole('button', {name: 'New call'}).waitFor();
    assert.ok(bytes > 10_000 && bytes < kFirstVisitBytesMax, `${bytes} bytes`);
    console.log(`# a first visit: ${bytes} bytes`);
    await page.context().close();
  });
});
