/** The part of the console that asks the ledger: what was used in a period, two commits side by side, and single calls. */

export const usageStyle = `
.figures td, .figures th { width: auto; text-align: right; }
.figures :first-child { text-align: left; }
#calls td, #calls th { width: auto; font-size: 13px; padding-right: .6rem; white-space: nowrap; overflow-wrap: normal; }
#calls td:nth-child(2) { white-space: normal; overflow-wrap: anywhere; min-width: 11rem; }
.wide { overflow-x: auto; }
.spread { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.spread { margin-bottom: .75rem; }
.spread > * { flex: 0 1 9rem; min-width: 6rem; }
#compare > * { flex-basis: 12rem; }
select, button { font: inherit; padding: .3rem .5rem; }
#period { font-size: .8rem; color: inherit; text-transform: none; letter-spacing: 0; }
#older { margin: .75rem 0; }
`;

const outcomes = ['served', 'refused', 'failed', 'left', 'in_vain'];
/** What calls can be told apart by in the form; each is a parameter `where`. */
const filters = ['consumer', 'team', 'model', 'route', 'provider', 'revision'];

const field = (name: string): string =>
  `<input id="by-${name}" placeholder="${name}" aria-label="${name}" autocomplete="off">`;
const option = (value: string, text = value): string => `<option value="${value}">${text}</option>`;

export const usageMarkup = `
<section id="spent" hidden>
<h2>Used in the last <select id="period" aria-label="period">${option('24h', '24 hours')}${option('7d', '7 days')}${option('30d', '30 days')}</select></h2>
<table id="usage" class="figures"></table>
<h2>Before and after a commit</h2>
<form id="compare" class="spread"><select id="before" aria-label="before"></select><select id="after" aria-label="after"></select></form>
<table id="compared" class="figures"></table><p id="compared-why" class="why"></p>
<h2>Calls</h2>
<form id="filter" class="spread">${filters.map(field).join('')}<select id="by-ended" aria-label="outcome">${option('', 'any outcome')}${outcomes.map((name) => option(name)).join('')}</select>${field('request')}<button>Show</button></form>
<div class="wide"><table id="calls"></table></div><p id="calls-why" class="why"></p><button id="older" type="button" hidden>Older</button>
</section>
`;

/** Goes by `$`, `line` and `read` of the page; whatever was told is set as text, never as markup. */
export const usageScript = `
const figure = (n) => n === undefined ? '–' : n.toLocaleString();
const head = (name) => line([name, 'calls', 'refused', 'failed', 'tokens in', 'tokens out', 'cost in USD', 'p50 ms', 'p95 ms'], 'th');
const used = (name, r) => line([name || '–', figure(r.calls), figure(r.refused), figure(r.failed), figure(r.inputTokens), figure(r.outputTokens), r.costUsd, figure(r.p50Ms), figure(r.p95Ms)], 'td');
const period = () => $('period').value;
const asked = (path, pairs) => read(path + '?' + new URLSearchParams(pairs));
const problemOf = async (answer) => (await answer.json().catch(() => ({}))).detail ?? 'status ' + answer.status;
let askedAt = 0;
let turn = 0;
async function showUsed() {
  const mine = turn += 1;
  const lines = [];
  for (const by of ['revision', 'model', 'consumer']) {
    const answer = await asked('/api/usage', [['since', period()], ['limit', 20], ['by', by]]);
    if (!answer.ok) return;
    const { rows, total } = await answer.json();
    lines.push(head(by), ...rows.map((r) => used(r.group[by], r)));
    if (by === 'consumer') lines.push(head('in all'), used($('period').selectedOptions[0].textContent, total));
  }
  if (mine === turn) $('usage').replaceChildren(...lines);
}
let known = '';
let isChosen = false;
async function listRevisions(active) {
  const answer = await asked('/api/usage', [['since', period()], ['limit', 10000], ['by', (period() === '24h' ? 'hour' : 'day') + ',revision']]);
  if (!answer.ok) return;
  const seen = (await answer.json()).rows.map((r) => r.group.revision).filter((name) => name !== '');
  const first = [...new Set(seen)];
  const newest = first.toSorted((one, other) => seen.lastIndexOf(other) - seen.lastIndexOf(one) || first.indexOf(other) - first.indexOf(one)).slice(0, 100);
  if (JSON.stringify([active, newest]) === known) return;
  known = JSON.stringify([active, newest]);
  const after = (isChosen && $('after').value) || (newest.includes(active) ? active : newest[0]);
  const before = (isChosen && $('before').value) || newest.find((name) => name !== after);
  for (const [id, chosen] of [['before', before], ['after', after]]) {
    $(id).replaceChildren(...newest.map((name) => new Option(name, name)));
    $(id).value = newest.includes(chosen) ? chosen : newest[0] ?? '';
  }
}
const share = (part, all) => all === 0 ? undefined : part / all;
const compared = [
  ['calls', (s) => s.calls, figure],
  ['refused', (s) => share(s.refused, s.calls), 'share'],
  ['failed', (s) => share(s.failed, s.calls), 'share'],
  ['p50 ms', (s) => s.p50Ms, figure],
  ['p95 ms', (s) => s.p95Ms, figure],
  ['cost of a call in USD', (s) => s.costPerCallUsd === undefined ? undefined : Number(s.costPerCallUsd), (n) => n === undefined ? '–' : n.toLocaleString(undefined, { maximumSignificantDigits: 6 })],
  ['cost in USD', (s) => Number(s.costUsd), (n) => n === undefined ? '–' : n.toLocaleString(undefined, { maximumSignificantDigits: 6 })],
  ['tokens in of a call', (s) => share(s.inputTokens, s.calls), (n) => n === undefined ? '–' : figure(Math.round(n))],
  ['tokens out of a call', (s) => share(s.outputTokens, s.calls), (n) => n === undefined ? '–' : figure(Math.round(n))],
];
const percent = (n) => n === undefined ? '–' : (n * 100).toLocaleString(undefined, { maximumFractionDigits: 2 }) + ' %';
const signed = (n, unit) => (n > 0 ? '+' : '') + (n * 100).toLocaleString(undefined, { maximumFractionDigits: 1 }) + unit;
function compareLine([name, of, how], one, other) {
  const [before, after] = [one, other].map((side) => side ? of(side) : undefined);
  const tell = how === 'share' ? percent : how;
  const change = before === undefined || after === undefined ? '–' : how === 'share' ? signed(after - before, ' points') : before === 0 ? '–' : signed(after / before - 1, ' %');
  return line([name, tell(before), tell(after), change], 'td');
}
const at = (text) => new Date(text).toLocaleString();
async function showCompared() {
  const [before, after] = [$('before').value, $('after').value];
  $('compare').hidden = before === '';
  if (before === '' || before === after) {
    $('compared').replaceChildren();
    $('compared-why').textContent = before === '' ? '' : 'Two commits are compared: choose another.';
    return;
  }
  const answer = await asked('/api/usage/compare', [['revision', before], ['with', after]]);
  const why = answer.ok ? '' : await problemOf(answer);
  const report = answer.ok ? await answer.json() : undefined;
  if (before !== $('before').value || after !== $('after').value) return;
  $('compared-why').textContent = why;
  if (!report) return $('compared').replaceChildren();
  const sides = [report.revision, report.with];
  $('compared').replaceChildren(line(['', ...sides.map((side) => side.revision), 'change'], 'th'),
    line(['answered from', ...sides.map((side) => at(side.from)), ''], 'td'), line(['until', ...sides.map((side) => at(side.to)), ''], 'td'),
    ...compared.map((each) => compareLine(each, report.revision.total, report.with.total)));
}
const callHead = () => line(['ended at', 'request', 'revision', 'asked for', 'consumer', 'target', 'outcome', 'status', 'ms', 'USD'], 'th');
const callLine = (c) => line([at(c.at), c.request, c.revision || '–', c.matched, c.consumer || '–', c.target || '–', c.code ? c.ended + ' ' + c.code : c.ended, c.status ?? '–', figure(c.ms), c.costUsd], 'td');
let wanted = [];
let next;
async function showCalls(more) {
  const pairs = more ? [...wanted, ['after', next]] : wanted;
  const answer = await asked('/api/usage/calls', [['limit', 50], ...pairs]);
  $('calls-why').textContent = answer.ok ? '' : await problemOf(answer);
  if (!answer.ok) return;
  const report = await answer.json();
  const lines = report.calls.map(callLine);
  if (more) $('calls').append(...lines);
  else $('calls').replaceChildren(callHead(), ...lines);
  next = report.next;
  $('older').hidden = next === undefined;
}
function ask() {
  const request = $('by-request').value.trim();
  const where = [${[...filters, 'ended'].map((name) => `'${name}'`).join(', ')}].map((name) => [name, $('by-' + name).value.trim()]).filter(([, value]) => value !== '');
  wanted = [...where.map(([name, value]) => ['where', name + '=' + value]), ...(request ? [['request', request]] : [['since', period()]])];
  return showCalls(false);
}
const failed = (error) => { $('calls-why').textContent = error.message; };
$('filter').addEventListener('submit', (event) => { event.preventDefault(); ask().catch(failed); });
$('older').addEventListener('click', () => showCalls(true).catch(failed));
$('compare').addEventListener('change', () => { isChosen = true; showCompared().catch(failed); });
$('period').addEventListener('change', () => { askedAt = 0; known = ''; ask().catch(failed); });
let isBegun = false;
async function showUsage(ledger, active) {
  $('spent').hidden = !ledger.canAnswer;
  if (!ledger.canAnswer || Date.now() < askedAt + (period() === '24h' ? 5000 : 60000)) return;
  askedAt = Date.now();
  await showUsed();
  await listRevisions(active);
  await showCompared();
  if (!isBegun) await ask();
  isBegun = true;
}
`;
