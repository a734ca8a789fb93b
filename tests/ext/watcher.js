#!/usr/bin/env node
'use strict';
// A receiver that notes when each request begins and ends, so that tests can tell what overlapped what, and which
// requests were open when their sender was killed. What it answers follows from the path:
//
//   POST /delay/20   200 after 20 ms        POST /hang   never
//   GET  /counts     {received, unique, open, broken}; broken: the sender went away before the answer
//   GET  /requests   [{path, id, attempt, sequence, data, begin, end, broken}], times in ms
//
// tests/receiver is the one that misbehaves and verifies; this one measures.

const fs = require('node:fs');
const http = require('node:http');

const requests = [];
const ids = new Set();
let open = 0;
let broken = 0;

const now = () => performance.timeOrigin + performance.now();

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
    entry.data = JSON.parse(Buffer.concat(chunks).toString('utf8')).data;
    // Only whole requests count as received.
    requests.push(entry);
    ids.add(entry.id);
    const [, how, ms] = request.url.split('/');
    if (how !== 'delay') return;
    const reply = () => {
      // Before the answer leaves: the sender may begin the next request as soon as it has it.
      entry.end = now();
      response.writeHead(200, { 'content-length': 2 });
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
