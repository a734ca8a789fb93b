'use strict';
// Verifies signatures the way each system tells its receivers to. Written from those recipes, and on purpose not from
// Posthorn's code: two implementations that agree are worth more than one that agrees with itself.

const { createHmac, timingSafeEqual } = require('node:crypto');

// Receivers that sign a time refuse one that is further off than this, in seconds.
const REPLAY_WINDOW_S = 300;

const hex = (key, ...parts) => parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest('hex');

const same = (expected, given) => {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
};

// "t=1,v1=aa,v1=bb" → { t: ['1'], v1: ['aa', 'bb'] }
const pairs = (header) => {
  const found = {};
  for (const part of header.split(',')) {
    const at = part.indexOf('=');
    if (at > 0) (found[part.slice(0, at).trim()] ??= []).push(part.slice(at + 1).trim());
  }
  return found;
};

// Each recipe: `header` says that a request speaks the format; `check` gives whether one secret made the signature, and
// `time` the signed Unix time, where the format has one. The order matters: the first whose headers are there wins.
const RECIPES = [
  {
    format: 'wpresidence',
    header: 'x-crm-signature',
    check: (secret, headers, body) => same(hex(secret, body), headers['x-crm-signature']),
  },
  {
    format: 'winnerr',
    header: 'x-winnerr-signature',
    applies: (headers) => 'x-winnerr-timestamp' in headers,
    time: (headers) => headers['x-winnerr-timestamp'],
    check: (secret, headers, body) =>
      same('sha256=' + hex(secret, headers['x-winnerr-timestamp'], '.', body), headers['x-winnerr-signature']),
  },
  {
    format: 'winnerr-settings',
    header: 'x-winnerr-signature',
    check: (secret, headers, body) => same('sha256=' + hex(secret, body), headers['x-winnerr-signature']),
  },
  {
    format: 'realtorbot',
    header: 'x-realtorbot-signature',
    // Its documentation parses the body and signs what JavaScript prints for it.
    check: (secret, headers, body) => same(hex(secret, reprinted(body)), headers['x-realtorbot-signature']),
  },
  {
    format: 'real-estate',
    header: 'x-webhook-signature',
    time: (headers) => headers['x-webhook-timestamp'] ?? '',
    check: (secret, headers, body) =>
      same(hex(secret, headers['x-webhook-timestamp'] ?? '', reprinted(body)), headers['x-webhook-signature']),
  },
  {
    format: 'standard-webhooks',
    header: 'webhook-signature',
    time: (headers) => headers['webhook-timestamp'] ?? '',
    check: (secret, headers, body) => {
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
      const expected = createHmac('sha256', key)
        .update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`)
        .update(body)
        .digest('base64');
      return headers['webhook-signature'].split(' ').some((one) => same('v1,' + expected, one));
    },
  },
  {
    format: 'github',
    header: 'x-hub-signature-256',
    check: (secret, headers, body) => same('sha256=' + hex(secret, body), headers['x-hub-signature-256']),
  },
  {
    format: 'stripe',
    header: 'stripe-signature',
    time: (headers) => pairs(headers['stripe-signature']).t?.[0] ?? '',
    check: (secret, headers, body) => {
      const { t = [''], v1 = [] } = pairs(headers['stripe-signature']);
      const expected = hex(secret, t[0], '.', body);
      return v1.some((one) => same(expected, one));
    },
  },
];

const reprinted = (body) => {
  try {
    return JSON.stringify(JSON.parse(body.toString('utf8')));
  } catch {
    return '';
  }
};

/**
 * Says whether a request is signed, and by whom.
 *
 * @param {object} headers Lower-case names, as Node gives them.
 * @param {Buffer} body    The raw body.
 * @param {string[]} secrets Any of these may have signed.
 * @param {number} now_s   Unix seconds.
 * @returns {{state: 'ok'|'missing'|'wrong'|'stale'|'unchecked', format: ?string, skew_s: ?number}}
 *   `stale`: signed by us, at a time outside the replay window; `unchecked`: signed, but the receiver has no secret.
 */
function verify(headers, body, secrets, now_s) {
  const recipe = RECIPES.find((one) => one.header in headers && (!one.applies || one.applies(headers)));
  if (!recipe) return { state: 'missing', format: null, skew_s: null };
  const time = recipe.time ? Number(recipe.time(headers)) : null;
  const skew_s = time === null ? null : Math.round(now_s - time);
  const result = (state) => ({ state, format: recipe.format, skew_s });
  if (secrets.length === 0) return result('unchecked');
  if (!secrets.some((secret) => recipe.check(secret, headers, body))) return result('wrong');
  if (skew_s !== null && !(Math.abs(skew_s) <= REPLAY_WINDOW_S)) return result('stale');
  return result('ok');
}

module.exports = { verify, FORMATS: RECIPES.map((one) => one.format) };
