'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { picture, with_page } = require('../browser');
const { Receiver } = require('../receiver');
const { save_receiver } = require('../save-receiver');

/** Sets a status on every contact through the screen; returns how long the page took, in seconds. */
async function bulk_edit(page, status) {
  await page.goto('/wp-admin/admin.php?page=wpestate-crm');
  await page.check('#cb-select-all-1');
  await page.click('.crm-all button');
  await page.selectOption('#bulk-action-selector-top', { label: status });
  const began = Date.now();
  await page.click('#doaction', { noWaitAfter: true });
  await page.waitForSelector('text=/contacts changed in/', { timeout: 280_000 });
  return { seconds: (Date.now() - began) / 1000, said: await page.innerText('.notice') };
}

test('a bulk action over every contact arrives once a row, and the page does not wait for the receiver', { timeout: 400_000 }, with_page(async (page) => {
  const receiver = new Receiver();
  await save_receiver(page, receiver.url, 'deal.won');
  await page.goto('/wp-admin/admin.php?page=wpestate-crm');
  const contacts = Number((await page.getAttribute('#crm-contacts', 'data-total')));
  assert.ok(contacts >= Number(process.env.CONTACTS));
  const without = await bulk_edit(page, 'Inactive');
  await save_receiver(page, receiver.url, 'contact.updated');
  await receiver.behave({ mode: 'slow', delay_ms: 20 });
  const began = Date.now();
  const with_events = await bulk_edit(page, 'VIP');
  const requests = await receiver.wait_for(contacts, 60);
  const all = (Date.now() - began) / 1000;
  console.log(`    bulk action over ${contacts} contacts: page ${with_events.seconds.toFixed(1)} s (${without.seconds.toFixed(1)} s while nobody subscribes), last one at the receiver after ${all.toFixed(1)} s`);
  await picture(page, 'crm-bulk');
  const rows = requests.map((request) => JSON.parse(request.body).data);
  assert.equal(requests.length, contacts);
  assert.equal(new Set(requests.map((request) => request.id)).size, contacts);
  assert.equal(new Set(rows.map((row) => row.contact_id)).size, contacts);
  assert.ok(rows.every((row) => row.status === 'VIP'));
  assert.ok(requests.every((request) => request.signature.state === 'ok' && request.stable && request.attempt === 1));
}));
