// SPDX-License-Identifier: Apache-2.0
// The test page: this server step by step with one verdict, or any server that is typed in.
//
// /test#relay, #call, #signaling and #browser start the test at once and lead to that part: links for support.
// ?seconds=N is how long each direction of the throughput takes.
import {addTypedServer, gatherAll} from './any_server.js';
import {copyText, element, saveBlob} from './dom.js';
import {chooseLanguage, kLanguages, language, loadLanguage, t} from './i18n.js';
import {reportInText, testOwnServer} from './own_test.js';
import {announce, resultLine, showAlert} from './result_line.js';

const kParts = ['browser', 'signaling', 'relay', 'call'];
const kSeconds = 5;

/** @type {import('./own_test.js').Report|null} */
let report = null;

function showVerdict(state, words) {
  element('verdict').dataset.state = state;
  element('verdict-words').textContent = words;
}

function say(words) {
  showVerdict('trying', words);
  announce(words);
}

async function testThisServer() {
  for (const part of kParts) {
    element(`${part}-results`).replaceChildren();
    element(part).hidden = true;
  }
  element('report').hidden = true;
  const show = (part, {id, uri, state, words}) => {
    element(part).hidden = false;
    resultLine(element(`${part}-results`), id, uri)(state, words);
  };
  const asked = Number(new URLSearchParams(location.search).get('seconds'));
  report = await testOwnServer({seconds: asked > 0 && asked <= 60 ? asked : kSeconds, show, say});
  showVerdict(report.verdict.state, report.verdict.words);
  element('report-id').textContent = report.id || '–';
  element('report-text').value = reportInText(report);
  element('report').hidden = false;
  announce(t('done', {verdict: report.verdict.words}));
}

async function copyReport() {
  const done = await copyText(element('report-text').value);
  if (!done) element('report-text').select();
  announce(t(done ? 'report.copied' : 'report.copy-yourself'));
}

function saveReport() {
  const blob = new Blob([JSON.stringify(report, null, 2)], {type: 'application/json'});
  saveBlob(blob, `causeway-test-${report.made.slice(0, 19).replaceAll(':', '-')}.json`);
}

/** Runs the action on a press, one at a time, and keeps the focus on the button. */
function onPress(id, action) {
  const button = element(id);
  button.disabled = false;
  button.addEventListener('click', async () => {
    if (button.getAttribute('aria-busy') === 'true') return;
    button.setAttribute('aria-busy', 'true');
    await action();
    button.removeAttribute('aria-busy');
  });
}

function followLink() {
  const part = location.hash.slice(1);
  if (!kParts.includes(part)) return;
  element('own-start').click();
  element(part).hidden = false;
  element(part).scrollIntoView();
}

async function start() {
  await loadLanguage();
  document.title = `${t('test.title')} – Causeway`;
  element('outdated').remove();
  const select = element('language');
  for (const [tag, name] of Object.entries(kLanguages)) select.append(new Option(name, tag));
  select.value = language();
  select.addEventListener('change', () => chooseLanguage(select.value));
  if (!('RTCPeerConnection' in window)) return showVerdict('bad', t('no-webrtc'));
  showVerdict('none', t('test.ready'));
  onPress('own-start', testThisServer);
  onPress('gather', gatherAll);
  onPress('report-copy', copyReport);
  onPress('report-save', saveReport);
  element('server-form').addEventListener('submit', (event) => {
    event.preventDefault();
    addTypedServer();
  });
  addEventListener('hashchange', followLink);
  followLink();
}

start();
