// SPDX-License-Identifier: Apache-2.0
// A headless Firefox, driven by WebDriver BiDi: what the tests need of it and no more.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import WebSocket from 'ws';

const kStartMsMax = 30_000;
const kPollMs = 200;
const kPreferences = {
  'app.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'media.autoplay.default': 0,
  'media.gmp-manager.updateEnabled': false,
  'media.navigator.permission.disabled': true,
  'media.navigator.streams.fake': true,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'toolkit.telemetry.enabled': false,
};

export class Firefox {
  #next_id = 0;
  #waiting = new Map();

  /** @param {string[]} prefix a command that runs it elsewhere */
  static async launch(prefix = []) {
    const firefox = new Firefox();
    firefox.profile = await mkdtemp(path.join(tmpdir(), 'causeway-firefox-'));
    const lines = Object.entries(kPreferences).map(([name, value]) => (
      `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`));
    await writeFile(path.join(firefox.profile, 'user.js'), lines.join(''));
    const [program, ...rest] = [...prefix, 'firefox-esr', '--headless', '--no-remote', '--profile', firefox.profile,
      '--remote-debugging-port', '0'];
    firefox.process = spawn(program, rest, {
      stdio: ['ignore', 'ignore', 'pipe'], env: {...process.env, HOME: firefox.profile},
    });
    firefox.ended = once(firefox.process, 'exit');
    firefox.socket = new WebSocket(`${await firefox.#address()}/session`);
    firefox.socket.on('message', (text) => firefox.#onMessage(JSON.parse(text)));
    await once(firefox.socket, 'open');
    await firefox.#command('session.new', {capabilities: {alwaysMatch: {acceptInsecureCerts: true}}});
    return firefox;
  }

  #address() {
    let said = '';
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Error(`Firefox says nothing of WebDriver BiDi:\n${said}`));
      const timer = setTimeout(fail, kStartMsMax);
      this.process.once('exit', fail);
      this.process.stderr.on('data', (text) => {
        said += text;
        const found = /WebDriver BiDi listening on (ws:\S+)/.exec(said);
        if (!found) return;
        clearTimeout(timer);
        resolve(found[1]);
      });
    });
  }

  #command(method, params) {
    const id = this.#next_id++;
    this.socket.send(JSON.stringify({id, method, params}));
    return new Promise((resolve, reject) => this.#waiting.set(id, {method, resolve, reject}));
  }

  #onMessage({id, type, result, error, message}) {
    const {method, resolve, reject} = this.#waiting.get(id) ?? {};
    this.#waiting.delete(id);
    if (type === 'success') resolve?.(result);
    if (type === 'error') reject?.(new Error(`${method}: ${error}: ${message}`));
  }

  /** Opens a tab. @param {() => void} [first] runs in the page before its own scripts */
  async open(url, first) {
    const {context} = await this.#command('browsingContext.create', {type: 'tab'});
    if (first) {
      await this.#command('script.addPreloadScript', {functionDeclaration: `${first}`, contexts: [context]});
    }
    await this.#command('browsingContext.navigate', {context, url, wait: 'complete'});
    return new FirefoxPage((method, params) => this.#command(method, params), context);
  }

  async close() {
    this.process.kill();
    await this.ended;
    await rm(this.profile, {recursive: true, force: true, maxRetries: 5});
  }
}

class FirefoxPage {
  #command;
  #context;

  constructor(command, context) {
    this.#command = command;
    this.#context = context;
  }

  /** What this function, run in the page, gives back; it may be a promise. The arguments and the value are JSON. */
  async evaluate(body, ...values) {
    const {result, exceptionDetails} = await this.#command('script.evaluate', {
      expression: `Promise.resolve((${body})(...${JSON.stringify(values)})).then(JSON.stringify)`,
      awaitPromise: true, target: {context: this.#context}, userActivation: true,
    });
    assert.equal(exceptionDetails, undefined, exceptionDetails?.text);
    return result.type === 'string' ? JSON.parse(result.value) : undefined;
  }

  async waitFor(condition, ms = 30_000) {
    const deadline = Date.now() + ms;
    while (!(await this.evaluate(condition))) {
      assert.ok(Date.now() < deadline, `still false in Firefox: ${condition}`);
      await new Promise((resolve) => setTimeout(resolve, kPollMs));
    }
  }
}
