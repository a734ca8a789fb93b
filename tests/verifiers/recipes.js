'use strict';
// Verifies requests as the five systems document it, and says whether each is what its system promises. Nothing here is
// Posthorn's: only Node's own crypto and JSON. Reads from standard input a list of { format, event, secrets, headers, body }
// and prints a list of complaints for each; none is right.

const { createHmac, timingSafeEqual } = require('node:crypto');

const hex = (secret, ...signed) => {
  const mac = createHmac('sha256', Buffer.from(secret, 'utf8'));
  for (const part of signed) mac.update(part);
  return mac.digest('hex');
};
const same = (one, other) =>
  typeof one === 'string' && Buffer.byteLength(one) === Buffer.byteLength(other) && timingSafeEqual(Buffer.from(one), Buffer.from(other));

// What a receiver does that parses first and signs what it prints again.
const reprinted = (body) => JSON.stringify(JSON.parse(body));

const FORMATS = {
  wpresidence: {
    keys: ['event', 'timestamp', 'data', 'site_url'],
    event: (body) => body.event,
    data: (body) => body.data,
    verify: (headers, body, secret) => same(headers['x-crm-signature'], hex(secret, body)),
  },
  winnerr: {
    keys: ['id', 'event', 'apiVersion', 'createdAt', 'data', 'organization', 'user'],
    event: (body) => body.event,
    data: (body) => body.data.object,
    verify: (headers, body, secret) =>
      Math.abs(Date.now() / 1000 - Number(headers['x-winnerr-timestamp'])) < 300 &&
      same(headers['x-winnerr-signature'], 'sha256=' + hex(secret, headers['x-winnerr-timestamp'] + '.', body)),
    more: (headers, body) => ({
      'X-Winnerr-Event is the event': headers['x-winnerr-event'] === body.event,
      'X-Winnerr-Delivery is a UUID': /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(headers['x-winnerr-delivery']),
      'User-Agent': /^Winnerr-Webhooks\/1\.0 Posthorn\//.test(headers['user-agent']),
      id: body.id === headers['webhook-id'] && /^evt_/.test(body.id),
      apiVersion: body.apiVersion === '2024-01',
      'keys of data': ['object', 'previousAttributes', 'changes'].every((key, at) => Object.keys(body.data)[at] === key),
    }),
  },
  'winnerr-settings': {
    keys: ['event', 'timestamp', 'organizationId', 'data'],
    event: (body) => body.event,
    data: (body) => body.data,
    verify: (headers, body, secret) => same(headers['x-winnerr-signature'], 'sha256=' + hex(secret, body)),
  },
  realtorbot: {
    keys: ['id', 'type', 'timestamp', 'data'],
    event: (body) => body.type,
    data: (body) => body.data,
    verify: (headers, body, secret) => same(headers['x-realtorbot-signature'], hex(secret, reprinted(body))),
    more: (headers, body) => ({ id: body.id === headers['webhook-id'] && /^evt_/.test(body.id) }),
  },
  'real-estate': {
    keys: ['id', 'type', 'created', 'data'],
    event: (body) => body.type,
    data: (body) => Object.values(body.data)[0],
    verify: (headers, body, secret) =>
      same(headers['x-webhook-signature'], hex(secret, headers['x-webhook-timestamp'], reprinted(body))),
    more: (headers, body) => ({ 'one entity': Object.keys(body.data).length === 1 }),
  },
  'standard-webhooks': {
    keys: ['type', 'timestamp', 'data'],
    event: (body) => body.type,
    data: (body) => body.data,
    verify: (headers, body, secret) => {
      const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
      const mac = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
      return headers['webhook-signature'].split(' ').includes('v1,' + mac.digest('base64'));
    },
  },
  github: {
    keys: ['event', 'timestamp', 'data', 'site_url'],
    event: (body) => body.event,
    data: (body) => body.data,
    verify: (headers, body, secret) => same(headers['x-hub-signature-256'], 'sha256=' + hex(secret, body)),
    more: (headers, body) => ({
      'X-GitHub-Event': headers['x-github-event'] === body.event,
      'X-GitHub-Delivery': /^[0-9a-f-]{36}$/.test(headers['x-github-delivery']),
    }),
  },
  stripe: {
    keys: ['id', 'type', 'created', 'data'],
    event: (body) => body.type,
    data: (body) => body.data.object,
    verify: (headers, body, secret) => {
      const [time, ...signatures] = headers['stripe-signature'].split(',');
      return signatures.includes('v1=' + hex(secret, time.replace('t=', '') + '.' + body));
    },
  },
};

const EACH_SECRET = ['standard-webhooks', 'stripe'];

function complaints({ format, names, secrets, headers, body, data, deleted }) {
  const recipe = FORMATS[format];
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const parsed = JSON.parse(body);
  const checks = {
    'JSON.stringify(JSON.parse(body)) === body': JSON.stringify(parsed) === body,
    'keys in order': JSON.stringify(Object.keys(parsed)) === JSON.stringify(recipe.keys),
    event: names.includes(recipe.event(parsed)),
    'Content-Type': lower['content-type'] === 'application/json',
    'Webhook-Id': /^evt_[0-9a-f]{32}$/.test(lower['webhook-id']),
    'no header breaks a line': Object.values(headers).every((value) => !/[\r\n]/.test(value)),
    'the newest secret': recipe.verify(lower, body, secrets[0]),
    'the older secret': recipe.verify(lower, body, secrets[1]) === EACH_SECRET.includes(format),
    'a secret that has ended': !recipe.verify(lower, body, secrets[2]),
    'a changed body': !recipe.verify(lower, body.replace(/^\{/, '{"x":1,'), secrets[0]),
    // Every field arrives, whatever is odd about it.
    fields: deleted || data.every((key) => Object.hasOwn(recipe.data(parsed), key)),
    ...recipe.more?.(lower, parsed),
  };
  return Object.entries(checks).filter(([, holds]) => !holds).map(([what]) => what);
}

const requests = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(requests.map(complaints)));
