/** The console: one page, no build, that shows what is served and why, and what was used. It only reads. */
import { createHash } from 'node:crypto';
import { usageMarkup, usageScript, usageStyle } from './console-usage.ts';

const style = `
:root { color-scheme: light dark; --line: light-dark(#d9dde3, #333a44); --soft: light-dark(#5b6675, #9aa5b4); --good: #1a7f4b; --bad: #c2362b; --wait: #a86a00; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem; font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.1rem; margin: 0 0 1.5rem; letter-spacing: .02em; }
h2 { font-size: .8rem; text-transform: uppercase; letter-spacing: .08em; color: var(--soft); margin: 2rem 0 .5rem; }
code { font: 13px/1.4 ui-monospace, monospace; }
.now { border: 1px solid var(--line); border-left: 6px solid var(--good); border-radius: 6px; padding: 1rem 1.25rem; }
.now.HELD, .now.COLD, .now.lost { border-left-color: var(--bad); }
.now.BAKING, .now.FETCHING, .now.VERIFYING, .now.WARMING { border-left-color: var(--wait); }
.now b { font-size: 1.35rem; }
.why { color: var(--bad); margin: .5rem 0 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 500; width: 14rem; }
section[hidden] { display: none; }
form { display: flex; gap: .5rem; margin: 1rem 0 0; }
form[hidden] { display: none; }
input { flex: 1; font: inherit; padding: .3rem .5rem; }
${usageStyle}`;

const script = `
const $ = (id) => document.getElementById(id);
const row = (name, value) => { const tr = document.createElement('tr'); const th = document.createElement('th'); const td = document.createElement('td'); th.textContent = name; td.textContent = value ?? '–'; tr.append(th, td); return tr; };
const fill = (id, rows) => $(id).replaceChildren(...rows.map(([name, value]) => row(name, value)));
function show(s) {
  $('now').className = 'now ' + s.state;
  $('state').textContent = s.state;
  $('revision').textContent = s.active ? s.active.revision : 'nothing is served';
  $('subject').textContent = s.active?.source ? s.active.source.subject + ' — ' + s.active.source.author : '';
  $('why').textContent = s.held ? s.held.reason + ': ' + s.held.detail : '';
  fill('serving', [['artifact', s.active?.commit], ['sequence', s.active?.seq], ['digest', s.active?.digest], ['health', s.active?.health],
    ['rollout', s.rollout && s.rollout.candidate.revision + ' serves ' + Math.round(s.rollout.share * 10000) / 100 + ' % until ' + s.rollout.endsAt],
    ['trial ends', s.bake?.endsAt], ['models', s.active?.models.join(', ')],
    ['providers', s.active?.providers.map((p) => p.name + (p.inRotation ? '' : ' (out: secret absent)')).join(', ')],
    ['requests in flight', s.active?.inFlight], ['generations live', s.generationsLive]]);
  fill('source', [['tip', s.tip.commit], ['last answer', s.source.lastOkAt], ['next poll', s.source.nextPollAt], ['error', s.source.error]]);
  fill('history', s.history.map((h) => [new Date(h.at).toLocaleString(), h.to + (h.reason ? ': ' + h.reason : '') + (h.commit ? ' (' + h.commit.slice(0, 12) + ')' : '')]));
}
let token = '';
const read = (path) => fetch(path, { headers: token ? { authorization: 'Bearer ' + token } : {} });
const line = (cells, sort) => { const tr = document.createElement('tr'); tr.append(...cells.map((text) => { const cell = document.createElement(sort); cell.textContent = text; return cell; })); return tr; };
${usageScript}$('ask').addEventListener('submit', (event) => { event.preventDefault(); token = $('token').value; refresh(); });
async function refresh() {
  try {
    const answer = await read('/status');
    $('ask').hidden = answer.status !== 401;
    if (!answer.ok) throw new Error(answer.status === 401 ? 'it wants the admin token' : 'status ' + answer.status);
    const status = await answer.json();
    show(status);
    await showUsage(status.ledger, status.active?.revision);
  }
  catch (error) { $('now').className = 'now lost'; $('why').textContent = 'the gateway does not answer: ' + error.message; }
}
refresh(); setInterval(refresh, 1000);
`;

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing but this page's own style and script may run in it. */
export const consolePolicy = `default-src 'none'; connect-src 'self'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

export const consolePage = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Headgate</title><style>${style}</style></head>
<body>
<h1>Headgate</h1>
<section id="now" class="now" aria-live="polite"><b id="revision">…</b> <span id="state"></span><div id="subject"></div><p id="why" class="why"></p>
<form id="ask" hidden><input id="token" type="password" autocomplete="off" aria-label="admin token" placeholder="admin token"><button>Show</button></form></section>
<h2>Serving</h2><table id="serving"></table>
${usageMarkup}<h2>Source</h2><table id="source"></table>
<h2>History</h2><table id="history"></table>
<script>${script}</script>
</body>
</html>
`;
