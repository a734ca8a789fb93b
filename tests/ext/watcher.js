#!/usr/bin/env node
'use strict';
// A receiver that notes when each request begins and ends, so that tests can tell what overlapped what, and which
// requests were open when their sender was killed. What it answers follows from the path:
//
//   POST /delay/20   200 after 20 ms        POST /hang   never
//   POST /flaky/20   the same, but 500 to the first attempt of every sixth id, and to the first two of some of those
//   GET  /counts     {received, unique, open, broken}; broken: the sender went away before the answer
//   GET  /requests   [{path, id, attempt, sequence, data, body, begin, end, broken, failures}], times in ms; body: its hash;
//                    failures: how many attempts of that id fail
//
// tests/receiver is the one that misbehaves and verifies; this one measures.

const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');

const requests = [];
const ids = new Set();
let open = 0;
let broken = 0;

const now = () => performance.timeOrigin + performance.now();

const hash = (text) => crypto.createHash('sha1').update(text).digest('hex');

// The same answer to an attempt that is repeated.
const failuresOf = (id) => {
  const chance = parseInt(hash(id).slice(0, 8), 16) % 60;
  return chance < 2 ? 2 : Number(chance < 10);
};

const server = http.createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
  if (request.method === 'GET') {
    const counts = { received: requests.length, unique: ids.size, open, broken };
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify(request.url === '/counts' ? counts : requests));
  }
  const entry = {
    path: request.url,
    id: request.headers['webhook-id'],
    attempt: Number(request.headers['webhook-attempt']),
    sequence: Number(request.headers['webhook-sequence']),
    data: null,
    body: null,
    failures: 0,
    begin: now(),
    end: null,
    broken: false,
  };
  open += 1;
  response.on('close', () => {
    open -= 1;
    entry.end ??= now();
    if (!response.writableFinished) {
      entry.broken = true;
      broken += 1;
    }
  });
  request.on('error', () => {});
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    entry.data = JSON.parse(body.toString('utf8')).data;
    entry.body = hash(body);
    // Only whole requests count as received.
    requests.push(entry);
    ids.add(entry.id);
    const [, how, ms] = request.url.split('/');
    if (how !== 'delay' && how !== 'flaky') return;
    if (how === 'flaky') entry.failures = failuresOf(entry.id);
    const status = entry.attempt <= entry.failures ? 500 : 200;
    const reply = () => {
      // Before the answer leaves: the sender may begin the next request as soon as it has it.
      entry.end = now();
      response.writeHead(status, { 'content-length': 2 });
      response.end('ok');
    };
    if (ms === '0') reply();
    else setTimeout(reply, Number(ms));
  });
});

server.listen(0, '127.0.0.1', 1024, () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  fs.writeFileSync(`${process.argv[2]}.new`, JSON.stringify({ address }));
  fs.renameSync(`${process.argv[2]}.new`, process.argv[2]);
});
