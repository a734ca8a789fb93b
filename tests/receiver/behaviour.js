'use strict';
// How the receiver answers: well, badly, or not at all. One behaviour for every path, and others for single paths.

const MODES = {
  ok: 'answers 200',
  status: 'answers `status`, with `headers` and `body`',
  slow: 'waits `delay_ms`, then answers `status`',
  hang: 'reads the request and never answers',
  reset: 'reads the request and resets the connection',
  redirect: 'answers `status` (302) to `location`',
  trickle: 'sends the answer byte by byte, one each `delay_ms`, for ever',
  endless: 'answers 200 with a body that never ends',
  cut: 'promises a longer body than it sends, and closes',
  garbage: 'answers with something that is not HTTP',
  refuse: 'stops listening on the hook port (for all paths)',
};

class Behaviour {
  constructor() {
    this.everywhere = { mode: 'ok' };
    this.paths = new Map();
  }

  /**
   * Sets how requests are answered from now on.
   *
   * @param {{mode: string, path?: string, match?: string, times?: number, status?: number, delay_ms?: number,
   *   body?: string, headers?: object, location?: string, secrets?: string[]}} rule `path`: only there;
   *   `match`: only bodies that hold this text; `times`: so often, then 200 again.
   * @returns {?string} What is wrong with the rule.
   */
  set(rule) {
    if (!(rule.mode in MODES)) return `mode: "${rule.mode}" is none of ${Object.keys(MODES).join(', ')}`;
    if (rule.mode === 'refuse' && rule.path) return 'refuse closes the port, so it cannot be set for one path';
    if (rule.status !== undefined && !(Number.isInteger(rule.status) && rule.status >= 200 && rule.status <= 599)) {
      return 'status: must be an integer from 200 to 599';
    }
    if (rule.path) this.paths.set(rule.path, { ...rule });
    else this.everywhere = { ...rule };
    return null;
  }

  reset() {
    this.everywhere = { mode: 'ok' };
    this.paths.clear();
  }

  /** The rule for a request; a rule that was limited by `times` counts down. */
  rule_for(path, body) {
    const rule = this.paths.get(path) ?? this.everywhere;
    if (rule.match && !body.includes(rule.match)) return { mode: 'ok' };
    if (rule.times !== undefined) {
      if (rule.times <= 0) return { mode: 'ok' };
      rule.times -= 1;
    }
    return rule;
  }

  state() {
    return { everywhere: this.everywhere, paths: Object.fromEntries(this.paths), modes: MODES };
  }
}

/**
 * Answers one request by a rule.
 *
 * @param {(answer: string, status: ?number) => void} told Called once with what the sender got.
 */
function answer(rule, response, told) {
  const { mode, status = 200, delay_ms = 0, headers = {}, body } = rule;
  const socket = response.socket;
  const reply = (code, extra = {}) => {
    const text = body ?? JSON.stringify({ received: code >= 200 && code < 300 });
    // The record comes first: a test that has its answer must find the request.
    told(`${mode} ${code}`, code);
    response.writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers, ...extra });
    response.end(text);
  };
  switch (mode) {
    case 'status':
      return reply(status);
    case 'slow':
      setTimeout(() => reply(status), delay_ms || 1000).unref();
      return;
    case 'redirect':
      return reply(rule.status ?? 302, { location: rule.location ?? 'http://127.0.0.1:9/elsewhere' });
    case 'hang':
      told('hang', null);
      return;
    case 'reset':
      told('reset', null);
      socket.resetAndDestroy();
      return;
    case 'garbage':
      told('garbage', null);
      socket.end('this is not HTTP\r\n\r\n');
      return;
    case 'cut':
      told('cut', null);
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nonly this much');
      return;
    case 'trickle':
    case 'endless': {
      told(mode, null);
      response.writeHead(200, { 'content-type': 'text/plain' });
      const piece = mode === 'trickle' ? '.' : '.'.repeat(65536);
      const timer = setInterval(() => response.write(piece), delay_ms || (mode === 'trickle' ? 500 : 5));
      response.on('close', () => clearInterval(timer));
      return;
    }
    default:
      return reply(200);
  }
}

module.exports = { Behaviour, answer, MODES };
