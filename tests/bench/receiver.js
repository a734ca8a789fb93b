'use strict';
// The bench's receivers. `node receiver.js FILE`: writes the ports to FILE as JSON.
// clock: answers 200 at once and keeps how long each event took to arrive; GET gives them and begins anew.
// count: answers 200 at once and counts requests and different Webhook-Ids; GET gives both.
// hang:  takes every connection and never answers.

const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');

let took = [];
const clock = http.createServer((request, response) => {
  if (request.method === 'GET') {
    response.end(JSON.stringify(took));
    took = [];
    return;
  }
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const arrived = process.hrtime.bigint();
    response.end();
    const sent = /"sent_ns":"t(\d+)"/.exec(Buffer.concat(parts).toString());
    if (sent) took.push(Number(arrived - BigInt(sent[1])));
  });
});
clock.keepAliveTimeout = 60000;

const seen = new Set();
let requests = 0;
const count = http.createServer((request, response) => {
  if (request.method === 'GET') {
    response.end(JSON.stringify({ requests, ids: seen.size }));
    return;
  }
  requests += 1;
  seen.add(request.headers['webhook-id']);
  request.resume().on('end', () => response.end());
});
count.keepAliveTimeout = 60000;

const hang = net.createServer((socket) => socket.on('error', () => {}).resume());

clock.listen(0, '127.0.0.1', () => count.listen(0, '127.0.0.1', () => hang.listen(0, '127.0.0.1', () => {
  const ports = { clock: clock.address().port, count: count.address().port, hang: hang.address().port };
  fs.writeFileSync(process.argv[2] + '.new', JSON.stringify(ports));
  fs.renameSync(process.argv[2] + '.new', process.argv[2]);
})));
process.on('SIGTERM', () => process.exit(0));
