'use strict';
// The page and the control API, on a port of their own so that they answer while the hook port refuses.
//
//   GET /                 the page             GET /events          what arrives, as server-sent events
//   GET /health           {hook, listening}    GET /summary         counters
//   GET /requests?since=N&limit=N&path=/hook/a&event=deal.won       what arrived, oldest first
//   DELETE /requests      forget all           GET /control         how it answers
//   POST /control         {mode, …} see behaviour.js; {"mode": "ok"} also opens the port again
//   DELETE /control       answer 200 everywhere

const fs = require('node:fs');
const path = require('node:path');

// How often the page is told, and how many requests it is told of at most each time: counters carry the rest.
const TELL_EVERY_MS = 200;
const TELL_AT_MOST = 100;
const SHOWN_AT_FIRST = 200;

function control(state, { open_hook, close_hook }) {
  const json = (response, value, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(value));
  };
  const snapshot = () => ({ counts: state.record.summary(), behaviour: state.behaviour.everywhere, hook: state.hook });

  const set_behaviour = async (request, response) => {
    let rule;
    try {
      rule = JSON.parse(await body_of(request));
    } catch {
      return json(response, { error: 'the body is not JSON' }, 400);
    }
    const wrong = state.behaviour.set(rule);
    if (wrong) return json(response, { error: wrong }, 400);
    await (state.behaviour.everywhere.mode === 'refuse' ? close_hook() : open_hook());
    json(response, state.behaviour.state());
  };

  const watch = (request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const tell = (event, value) => response.write(`event: ${event}\ndata: ${JSON.stringify(value)}\n\n`);
    tell('all', { ...snapshot(), requests: state.record.requests.slice(-SHOWN_AT_FIRST) });
    let waiting = [];
    let counted = -1;
    const noticed = (entry) => {
      if (entry === null) tell('all', { ...snapshot(), requests: [] });
      else waiting.push(entry);
      if (waiting.length > TELL_AT_MOST * 2) waiting = waiting.slice(-TELL_AT_MOST);
    };
    state.record.watchers.add(noticed);
    let mode = JSON.stringify(state.behaviour.everywhere);
    const timer = setInterval(() => {
      const mode_now = JSON.stringify(state.behaviour.everywhere);
      if (waiting.length === 0 && mode === mode_now && counted === state.record.counts.received) return;
      mode = mode_now;
      counted = state.record.counts.received;
      tell('more', { ...snapshot(), requests: waiting.slice(-TELL_AT_MOST) });
      waiting = [];
    }, TELL_EVERY_MS);
    response.on('close', () => {
      clearInterval(timer);
      state.record.watchers.delete(noticed);
    });
  };

  const static_file = (response, name, type) => {
    response.writeHead(200, { 'content-type': type });
    response.end(fs.readFileSync(path.join(__dirname, 'page', name)));
  };

  return async (request, response) => {
    const url = new URL(request.url, 'http://receiver');
    const query = Object.fromEntries(url.searchParams);
    switch (`${request.method} ${url.pathname}`) {
      case 'GET /':
        return static_file(response, 'page.html', 'text/html; charset=utf-8');
      case 'GET /page.css':
        return static_file(response, 'page.css', 'text/css');
      case 'GET /page.js':
        return static_file(response, 'page.js', 'text/javascript');
      case 'GET /events':
        return watch(request, response);
      case 'GET /health':
        return json(response, { ok: true, hook: state.hook, listening: state.behaviour.everywhere.mode !== 'refuse' });
      case 'GET /summary':
        return json(response, state.record.summary());
      case 'GET /requests': {
        const requests = state.record.list({
          since: Number(query.since ?? 0),
          limit: Number(query.limit ?? 10000),
          path: query.path ?? null,
          event: query.event ?? null,
        });
        return json(response, { ...state.record.summary(), requests });
      }
      case 'DELETE /requests':
        state.record.clear();
        return json(response, state.record.summary());
      case 'GET /control':
        return json(response, state.behaviour.state());
      case 'POST /control':
        return set_behaviour(request, response);
      case 'DELETE /control':
        state.behaviour.reset();
        await open_hook();
        return json(response, state.behaviour.state());
      default:
        return json(response, { error: `nothing at ${request.method} ${url.pathname}` }, 404);
    }
  };
}

async function body_of(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

module.exports = { control };
