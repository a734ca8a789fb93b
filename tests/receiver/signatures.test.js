'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { createHmac } = require('node:crypto');
const { verify } = require('./signatures');

const BODY = Buffer.from('{"event":"contact.created","data":{"contact_id":7}}');
const SECRET = 'correct horse battery staple';
const NOW_S = 1776429296;
const plain = createHmac('sha256', SECRET).update(BODY).digest('hex');
const timed = (between) => createHmac('sha256', SECRET).update(`${NOW_S}${between}`).update(BODY).digest('hex');

const SIGNED = {
  wpresidence: { 'x-crm-signature': plain },
  winnerr: { 'x-winnerr-signature': `sha256=${timed('.')}`, 'x-winnerr-timestamp': `${NOW_S}` },
  'winnerr-settings': { 'x-winnerr-signature': `sha256=${plain}` },
  realtorbot: { 'x-realtorbot-signature': plain },
  'real-estate': { 'x-webhook-signature': timed(''), 'x-webhook-timestamp': `${NOW_S}` },
  github: { 'x-hub-signature-256': `sha256=${plain}` },
  stripe: { 'stripe-signature': `t=${NOW_S},v1=${'0'.repeat(64)},v1=${timed('.')}` },
};

for (const [format, headers] of Object.entries(SIGNED)) {
  test(`a ${format} signature is recognised and verified`, () => {
    assert.deepEqual(verify(headers, BODY, ['other', SECRET], NOW_S).state, 'ok');
    assert.equal(verify(headers, BODY, [SECRET], NOW_S).format, format);
  });
  test(`a ${format} signature of another body or secret is wrong`, () => {
    assert.equal(verify(headers, Buffer.from('{"event":"x"}'), [SECRET], NOW_S).state, 'wrong');
    assert.equal(verify(headers, BODY, ['other'], NOW_S).state, 'wrong');
  });
}

test('a signed time outside the replay window is stale', () => {
  assert.equal(verify(SIGNED.winnerr, BODY, [SECRET], NOW_S + 301).state, 'stale');
  assert.equal(verify(SIGNED.winnerr, BODY, [SECRET], NOW_S + 300).state, 'ok');
});

test('no signature header is missing, and no secret leaves it unchecked', () => {
  assert.equal(verify({}, BODY, [SECRET], NOW_S).state, 'missing');
  assert.equal(verify(SIGNED.github, BODY, [], NOW_S).state, 'unchecked');
});

test('standard-webhooks decodes the key and covers id and time', () => {
  const key = Buffer.from('0123456789abcdef0123456789abcdef');
  const signature = createHmac('sha256', key).update(`evt_1.${NOW_S}.`).update(BODY).digest('base64');
  const headers = { 'webhook-id': 'evt_1', 'webhook-timestamp': `${NOW_S}`, 'webhook-signature': `v1,AAAA v1,${signature}` };
  assert.equal(verify(headers, BODY, [`whsec_${key.toString('base64')}`], NOW_S).state, 'ok');
  assert.equal(verify({ ...headers, 'webhook-id': 'evt_2' }, BODY, [`whsec_${key.toString('base64')}`], NOW_S).state, 'wrong');
});
