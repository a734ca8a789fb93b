'use strict';
// Lists what arrives, newest first. Everything that comes from a request is set as text, never as markup.

const SHOWN = 200;
const MODES = [
  { label: 'Works', rule: { mode: 'ok' }, meaning: 'Every delivery is accepted.' },
  { label: 'Switched off', rule: { mode: 'refuse' }, meaning: 'Refuses connections: nothing arrives until it is back.' },
  { label: 'Answers 500', rule: { mode: 'status', status: 500 }, meaning: 'Deliveries arrive and fail; each is tried again.' },
  { label: 'Answers 429', rule: { mode: 'status', status: 429, headers: { 'retry-after': '10' } }, meaning: 'Asks to wait 10 s; that uses up no attempt.' },
  { label: 'Hangs', rule: { mode: 'hang' }, meaning: 'Never answers; the sender gives up after its timeout.' },
  { label: 'Resets', rule: { mode: 'reset' }, meaning: 'Breaks the connection off.' },
  { label: 'Redirects', rule: { mode: 'redirect' }, meaning: 'Points elsewhere; Posthorn does not follow.' },
];
const SIGNATURES = {
  ok: ['verified', 'good'], wrong: ['wrong', 'bad'], missing: ['unsigned', 'warn'],
  stale: ['too old', 'bad'], unchecked: ['not checked', ''],
};

const by_id = (id) => document.getElementById(id);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
let shown = []; // newest first: {request, row, detail}

// "contact 7, Zoë Miller" from whatever the body has.
function record_of(request) {
  let body;
  try {
    body = JSON.parse(request.body);
  } catch {
    return request.body.slice(0, 60);
  }
  let data = body?.data ?? {};
  const inner = data && Object.values(data);
  if (data?.object) data = data.object;
  else if (inner?.length === 1 && inner[0] && typeof inner[0] === 'object') data = inner[0];
  if (!data || typeof data !== 'object') return '';
  const entity = (request.event ?? '').split('.')[0];
  const number = data[`${entity}_id`] ?? data.id ?? Object.entries(data).find(([key]) => key.endsWith('_id'))?.[1];
  const name = [data.first_name, data.last_name].filter(Boolean).join(' ') || data.title || data.deal_title || data.name || data.email || data.message || data.enquiry_message || '';
  const parts = [number === undefined ? '' : `${/_/.test(entity) ? '' : entity} ${number}`.trim(), String(name).slice(0, 70), data.stage ?? data.deal_stage ?? ''];
  return parts.filter(Boolean).join(' · ');
}

function row_of(request) {
  const [label, tone] = SIGNATURES[request.signature.state];
  const signature = make('span', { className: `tag ${tone}`, textContent: label });
  signature.title = [request.signature.format ?? 'no signature header', request.signature.skew_s === null ? '' : `signed ${request.signature.skew_s} s ago`].filter(Boolean).join(', ');
  const event = make('td', {}, make('span', { className: 'event', textContent: request.event ?? request.method }));
  if (request.test) event.append(make('span', { className: 'tag', textContent: 'test' }));
  if (request.duplicate) event.append(make('span', { className: 'tag bad', textContent: 'duplicate' }));
  else if (request.seen > 1) event.append(make('span', { className: 'tag warn', textContent: 'retry' }));
  const accepted = request.status >= 200 && request.status < 300;
  const row = make('tr', { className: 'request', tabIndex: 0 },
    make('td', { className: 'time', textContent: new Date(request.received_at).toLocaleTimeString('en-GB') + '.' + request.received_at.slice(20, 23) }),
    event,
    make('td', { className: 'record', textContent: record_of(request) }),
    make('td', { className: 'num', textContent: request.attempt ?? '–' }),
    make('td', { className: 'num', textContent: request.sequence ?? '–' }),
    make('td', {}, signature),
    make('td', {}, make('span', { className: `tag ${accepted ? '' : 'bad'}`, textContent: request.status ?? request.answer })),
  );
  row.setAttribute('aria-expanded', 'false');
  const toggle = () => toggle_detail(row, request);
  row.onclick = toggle;
  row.onkeydown = (pressed) => { if (pressed.key === 'Enter' || pressed.key === ' ') { pressed.preventDefault(); toggle(); } };
  return row;
}

function toggle_detail(row, request) {
  if (row.nextSibling?.classList.contains('detail')) {
    row.nextSibling.remove();
    row.setAttribute('aria-expanded', 'false');
    return;
  }
  let body = request.body;
  try {
    body = JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    // Not JSON: shown as it came.
  }
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`).join('\n');
  const cell = make('td', { colSpan: 7 },
    make('div', { className: 'sides' },
      make('div', {}, make('h3', { textContent: `Body, ${request.bytes} bytes` }), make('pre', { textContent: body })),
      make('div', {}, make('h3', { textContent: `${request.method} ${request.url}` }), make('pre', { textContent: headers }))));
  row.after(make('tr', { className: 'detail' }, cell));
  row.setAttribute('aria-expanded', 'true');
}

const matches = (request) => {
  const wanted = by_id('filter').value.trim().toLowerCase();
  return !wanted || `${request.event} ${record_of(request)} ${request.id} ${request.path}`.toLowerCase().includes(wanted);
};

function add(requests, fresh) {
  const rows = by_id('rows');
  for (const request of requests) {
    if (shown.some((one) => one.request.n === request.n)) continue;
    const row = row_of(request);
    if (fresh) row.classList.add('fresh');
    row.hidden = !matches(request);
    rows.prepend(row);
    shown.unshift({ request, row });
  }
  for (const { row } of shown.splice(SHOWN)) {
    if (row.nextSibling?.classList.contains('detail')) row.nextSibling.remove();
    row.remove();
  }
  by_id('empty').hidden = shown.length > 0;
}

function show_state({ counts, behaviour, hook }) {
  const values = { ...counts, bad: counts.wrong + counts.missing + counts.stale, retried: counts.repeats - counts.duplicates };
  for (const cell of document.querySelectorAll('[data-count]')) {
    const value = values[cell.dataset.count];
    cell.textContent = value.toLocaleString('en-GB');
    if (['bad', 'duplicates'].includes(cell.dataset.count)) cell.classList.toggle('alarm', value > 0);
  }
  by_id('hook').textContent = hook;
  const current = MODES.find(({ rule }) => rule.mode === behaviour.mode && (rule.status ?? 0) === (behaviour.status ?? 0));
  for (const button of by_id('modes').children) button.setAttribute('aria-pressed', String(button.textContent === current?.label));
  by_id('meaning').textContent = current?.meaning ?? `Set through the API: ${behaviour.mode}`;
}

for (const { label, rule } of MODES) {
  const button = make('button', { type: 'button', textContent: label, className: rule.mode === 'ok' ? '' : 'bad' });
  button.onclick = () => fetch('control', { method: 'POST', body: JSON.stringify(rule) });
  by_id('modes').append(button);
}
by_id('clear').onclick = () => fetch('requests', { method: 'DELETE' });
by_id('filter').oninput = () => {
  for (const { request, row } of shown) {
    row.hidden = !matches(request);
    if (row.nextSibling?.classList.contains('detail')) row.nextSibling.hidden = row.hidden;
  }
};

const events = new EventSource('events');
const live = (on) => {
  by_id('live').classList.toggle('on', on);
  by_id('live').textContent = on ? 'live' : 'not connected';
};
events.onopen = () => live(true);
events.onerror = () => live(false);
events.addEventListener('all', ({ data }) => {
  const state = JSON.parse(data);
  by_id('rows').replaceChildren();
  shown = [];
  show_state(state);
  add(state.requests, false);
});
events.addEventListener('more', ({ data }) => {
  const state = JSON.parse(data);
  show_state(state);
  add(state.requests, true);
});
