// SPDX-License-Identifier: Apache-2.0
// A headless Firefox, driven over WebDriver BiDi. Its pages are Playwright's, as those of Chromium are, so that
// support.mjs serves both. FIREFOX names the browser, /usr/bin/firefox-esr where it is not set.
import {spawnSync} from 'node:child_process';
import {readdir, stat} from 'node:fs/promises';
import path from 'node:path';
import {firefox} from 'playwright-core';
import {kWaitMs, until} from './limits.mjs';
import {prepareContext, recordComplaints} from './support.mjs';

export const kFirefox = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
const kPreferences = {
  'browser.download.alwaysOpenPanel': false,  // it would take the focus from the page
  'media.cubeb.force_mock_context': true,  // a sound card that is none: without one no AudioContext runs
  'media.navigator.permission.disabled': true,
  'media.navigator.streams.fake': true,
  'media.peerconnection.ice.loopback': true,  // the relay of the tests has no other address
};

/** Why tests with Firefox are left out here; false where they are not. */
export const kNoFirefox = spawnSync(kFirefox, ['--version']).status === 0 ? false : 'there is no firefox-esr here';

/** @param {{downloadsPath?: string, preferences?: object}} options `preferences`: what this test wants otherwise */
export function launchFirefox({preferences = {}, ...options} = {}) {
  return firefox.launch({
    channel: 'moz-firefox', executablePath: kFirefox, firefoxUserPrefs: {...kPreferences, ...preferences}, timeout: kWaitMs,
    ...options,
  });
}

/**
 * A Firefox that takes any certificate, that of turns: included, which Playwright has for a lasting profile alone. All
 * of its pages are one person's.
 * @param {string} folder for the profile @param {string} executablePath
 */
export async function launchTrustingFirefox(folder, executablePath = kFirefox) {
  const context = await firefox.launchPersistentContext(folder, {
    channel: 'moz-firefox', executablePath, firefoxUserPrefs: kPreferences, ignoreHTTPSErrors: true,
    timeout: kWaitMs,
  });
  await prepareContext(context);
  return {
    async open(url, first) {
      const page = await context.newPage();
      recordComplaints(page, url);
      if (first) await page.addInitScript(first);
      await page.goto(url);
      return page;
    },
    close: () => context.close(),
  };
}

/** The file with such a name in the folder of downloads, once all of it is there: Playwright hears nothing of these. */
export async function savedFile(folder, pattern) {
  let names;
  return until(async () => {
    names = await readdir(folder).catch(() => []);
    const name = names.find((each) => pattern.test(each) && !names.includes(`${each}.part`));
    const file = name && path.join(folder, name);
    return file && (await stat(file)).size > 0 && file;
  }, () => `no ${pattern} among what was saved: ${names}`);
}
