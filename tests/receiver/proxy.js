// A proxy for tests: it takes CONNECT for any name and leads to that port of this machine, so that a receiver on the
// loopback can have a name that only the proxy knows. GET /asked tells what it was asked for.
//
//   node proxy.js READY-FILE
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');

const asked = [];
const server = http.createServer((request, response) => {
	response.setHeader('Content-Type', 'application/json');
	response.end(JSON.stringify(asked));
});

server.on('connect', (request, near, head) => {
	asked.push({ target: request.url, authorization: request.headers['proxy-authorization'] ?? null });
	const far = net.connect(Number(request.url.split(':').pop()), '127.0.0.1', () => {
		near.write('HTTP/1.1 200 Connection established\r\n\r\n');
		far.write(head);
		far.pipe(near).pipe(far);
	});
	const end = () => {
		near.destroy();
		far.destroy();
	};
	far.on('error', end);
	near.on('error', end);
});

server.listen(0, '127.0.0.1', () => {
	// Renamed, so that nobody reads half of it.
	const ready = process.argv[2];
	fs.writeFileSync(`${ready}.new`, JSON.stringify({ address: `http://127.0.0.1:${server.address().port}` }));
	fs.renameSync(`${ready}.new`, ready);
});
