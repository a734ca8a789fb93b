'use strict';
// Keeps what arrived: the newest requests in memory, all of them in a JSON Lines file, and counters of everything.

const fs = require('node:fs');

class Record {
  /**
   * @param {{file: ?string, keep: number}} options `file`: where each request is appended as one line of JSON;
   *   `keep`: how many of the newest stay in memory.
   */
  constructor({ file, keep }) {
    this.keep = keep;
    this.file = file;
    this.watchers = new Set();
    this.clear();
  }

  clear() {
    this.requests = [];
    this.answered = new Set(); // path + id that got a 2xx
    this.seen = new Map(); // path + id → how often
    this.n ??= 0; // keeps rising, so that ?since= stays meaningful after a clear
    this.counts = { received: 0, ok: 0, wrong: 0, missing: 0, stale: 0, unchecked: 0, repeats: 0, duplicates: 0, tests: 0 };
    this.by_event = {};
    this.stream?.end();
    this.stream = this.file ? fs.createWriteStream(this.file, { flags: this.stream ? 'w' : 'a', mode: 0o600 }) : null;
    for (const watcher of this.watchers) watcher(null);
  }

  /** Adds a request; `answer` is filled in by whoever answers it, through `answered_with`. */
  add(request) {
    const key = request.id === null ? null : `${request.path} ${request.id}`;
    request.n = ++this.n;
    request.seen = 1;
    request.duplicate = false;
    if (key !== null) {
      request.seen = (this.seen.get(key) ?? 0) + 1;
      this.seen.set(key, request.seen);
      // A repeat after a failure is what a retry is for; one after a success is a duplicate.
      request.duplicate = this.answered.has(key);
    }
    this.counts.received += 1;
    this.counts[request.signature.state] += 1;
    if (request.seen > 1) this.counts.repeats += 1;
    if (request.duplicate) this.counts.duplicates += 1;
    if (request.test) this.counts.tests += 1;
    if (request.event !== null) this.by_event[request.event] = (this.by_event[request.event] ?? 0) + 1;
    this.requests.push(request);
    // Dropping in blocks keeps adding cheap at thousands a second.
    if (this.requests.length > this.keep * 1.25) this.requests = this.requests.slice(-this.keep);
    return request;
  }

  /** What the sender was told: `ok 200`, `reset`, … Written to the file only now, so that a line is complete. */
  answered_with(request, answer, status) {
    request.answer = answer;
    request.status = status;
    if (status >= 200 && status < 300 && request.id !== null) this.answered.add(`${request.path} ${request.id}`);
    this.stream?.write(JSON.stringify(request) + '\n');
    for (const watcher of this.watchers) watcher(request);
  }

  /** Requests after number `since`, oldest first; at most `limit`; of one path and event where given. */
  list({ since = 0, limit = 10000, path = null, event = null }) {
    const found = [];
    for (const request of this.requests) {
      if (request.n <= since || (path && request.path !== path) || (event && request.event !== event)) continue;
      found.push(request);
      if (found.length >= limit) break;
    }
    return found;
  }

  summary() {
    return { ...this.counts, unique: this.seen.size, last: this.n, by_event: this.by_event };
  }
}

module.exports = { Record };
