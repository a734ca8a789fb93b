#!/usr/bin/env node
'use strict';
// The test receiver: one port takes webhooks, another serves a page that lists them and an API that controls it.
//
//   node receiver.js [--hook-port 0] [--page-port 0] [--host 127.0.0.1] [--secret S]… [--record requests.jsonl]
//                    [--keep 20000] [--ready-file ready.json] [--title TEXT]
//
// Port 0 takes any free port; which one is printed and written to the ready file. Needs Node 18, and nothing else.

const fs = require('node:fs');
const http = require('node:http');
const { parseArgs } = require('node:util');
const { Behaviour, answer } = require('./behaviour');
const { control } = require('./control');
const { Record } = require('./record');
const { verify } = require('./signatures');

// A body that is larger is cut in the record; the signature is still checked over all of it.
const BODY_KEPT_BYTES = 1024 * 1024;

const { values: options } = parseArgs({
  options: {
    'hook-port': { type: 'string', default: '0' },
    'page-port': { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    secret: { type: 'string', multiple: true, default: [] },
    record: { type: 'string' },
    keep: { type: 'string', default: '20000' },
    'ready-file': { type: 'string' },
    title: { type: 'string', default: 'Webhook receiver' },
  },
});

const state = {
  title: options.title,
  secrets: options.secret,
  behaviour: new Behaviour(),
  record: new Record({ file: options.record ?? null, keep: Number(options.keep) }),
  hook: null, // the address webhooks go to, once it listens
};

function receive(request, response) {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('error', () => {}); // a sender that goes away is its own business
  response.on('error', () => {});
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    const entry = state.record.add(describe(request, body));
    const rule = state.behaviour.rule_for(entry.path, entry.body);
    answer(rule, response, (how, status) => state.record.answered_with(entry, how, status));
  });
}

// Everything a test or a person may ask about one request.
function describe(request, body) {
  const { headers } = request;
  const path = request.url.split('?')[0];
  const rule = state.behaviour.paths.get(path);
  const secrets = rule?.secrets ?? state.secrets;
  const now_ms = Date.now();
  let parsed = null;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    // Not JSON: recorded as it is.
  }
  const text = (value) => (typeof value === 'string' ? value : null);
  return {
    received_at: new Date(now_ms).toISOString(),
    method: request.method,
    path,
    url: request.url,
    event: text(parsed?.event) ?? text(parsed?.type) ?? text(headers['x-github-event']),
    id: headers['webhook-id'] ?? null,
    attempt: number(headers['webhook-attempt']),
    sequence: number(headers['webhook-sequence']),
    test: headers['webhook-test'] === '1',
    signature: verify(headers, body, secrets, now_ms / 1000),
    // JavaScript-stable: what JSON.parse and JSON.stringify make of the body is the body.
    stable: parsed !== null && JSON.stringify(parsed) === body.toString('utf8'),
    bytes: body.length,
    headers,
    body: body.subarray(0, BODY_KEPT_BYTES).toString('utf8'),
  };
}

const number = (value) => (/^\d+$/.test(value ?? '') ? Number(value) : null);

const hook_server = http.createServer({ keepAliveTimeout: 30_000 }, receive);
hook_server.on('clientError', (_, socket) => socket.destroy());
let hook_port = Number(options['hook-port']);

// Both end when the port is in the wanted state, so that a test can rely on it.
const open_hook = () =>
  new Promise((done, failed) => {
    if (hook_server.listening) return done();
    hook_server.once('error', failed);
    hook_server.listen(hook_port, options.host, () => {
      hook_server.off('error', failed);
      hook_port = hook_server.address().port; // the same one when it opens again
      done();
    });
  });
const close_hook = () =>
  new Promise((done) => {
    if (!hook_server.listening) return done();
    hook_server.close(() => done());
    hook_server.closeAllConnections();
  });

async function start() {
  await open_hook();
  state.hook = `http://${options.host}:${hook_port}/hook`;
  const page_server = http.createServer(control(state, { open_hook, close_hook }));
  page_server.listen(Number(options['page-port']), options.host, () => {
    const addresses = { hook: state.hook, page: `http://${options.host}:${page_server.address().port}/`, pid: process.pid };
    console.log(JSON.stringify(addresses));
    if (options['ready-file']) {
      // Renamed into place: whoever waits for the file never sees half of it.
      fs.writeFileSync(options['ready-file'] + '.new', JSON.stringify(addresses));
      fs.renameSync(options['ready-file'] + '.new', options['ready-file']);
    }
  });
  page_server.on('error', fail);
}

function fail(error) {
  console.error(`receiver: ${error.message}`);
  process.exit(1);
}

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
start().catch(fail);
