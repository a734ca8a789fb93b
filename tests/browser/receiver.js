'use strict';
// The test receiver as the tests use it: every test asks for a path of its own.

const page = process.env.RECEIVER_PAGE;
let number = 0;

async function call(method, where, body) {
  const answer = await fetch(page + where, { method, body: body && JSON.stringify(body) });
  const value = await answer.json();
  if (value.error) throw new Error(value.error);
  return value;
}

class Receiver {
  constructor() {
    this.path = `/hook/browser-${process.pid}-${(number += 1)}`;
    this.arrived = [];
    this.url = new URL(this.path, process.env.RECEIVER_HOOK).href;
  }

  /** What arrived so far, oldest first. Only what is new is fetched: thousands are too many to fetch at every look. */
  async requests() {
    const since = this.arrived.at(-1)?.n ?? 0;
    const answer = await call('GET', `requests?limit=100000&since=${since}&path=${encodeURIComponent(this.path)}`);
    this.arrived.push(...answer.requests);
    return this.arrived;
  }

  behave = (rule) => call('POST', 'control', { path: this.path, ...rule });

  /** Waits until so many requests are here, and returns them. */
  async wait_for(count, seconds = 10) {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const requests = await this.requests();
      if (requests.length >= count) return requests;
      if (Date.now() > deadline) throw new Error(`${requests.length} of ${count} requests in ${seconds} s`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  static refuse = () => call('POST', 'control', { mode: 'refuse' });

  static reset = () => call('DELETE', 'control');
}

module.exports = { Receiver };
