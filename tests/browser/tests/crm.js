'use strict';
// The owner's own work in the CRM, clicked through: what it announces arrives once, signed, with the record's data.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { picture, with_page } = require('../browser');
const { Receiver } = require('../receiver');
const { save_receiver } = require('../save-receiver');

test('what is done in the CRM arrives once, signed, in the order of the work', with_page(async (page) => {
  const receiver = new Receiver();
  await save_receiver(page, receiver.url, '*');

  await page.goto('/wp-admin/admin.php?page=wpestate-crm-contact');
  await page.fill('#crm-first_name', 'Katherine');
  await page.fill('#crm-last_name', 'Johnson');
  await page.fill('#crm-email', 'katherine@example.com');
  await page.fill('#crm-zipcode', '02139');
  await page.fill('#crm-pref_min_price', '450000');
  await page.click('.crm-contact .button-primary');
  await page.waitForSelector('text=The contact is added.');
  await page.fill('#crm-city', 'Cambridge');
  await page.click('.crm-contact .button-primary');
  await page.waitForSelector('text=Saved.');
  const requests = await receiver.wait_for(2);
  assert.deepEqual(requests.map((request) => request.event), ['contact.created', 'contact.updated']);
  assert.deepEqual(requests.map((request) => request.signature.state), ['ok', 'ok']);
  const [created, updated] = requests.map((request) => JSON.parse(request.body).data);
  assert.equal(created.zipcode, '02139');
  assert.equal(created.pref_min_price, 450000);
  assert.deepEqual([created.city, updated.city], ['', 'Cambridge']);
}));

test('a deal moved on the board to its end is a stage change and a win', with_page(async (page) => {
  const receiver = new Receiver();
  await save_receiver(page, receiver.url, 'deal.*');
  await page.goto('/wp-admin/admin.php?page=wpestate-crm-deals');
  const card = page.locator('.crm-stage:not(.is-closed_won):not(.is-closed_lost) .crm-card').first();
  const deal = Number(await card.getAttribute('data-deal'));
  await card.locator('select').selectOption('closed_won');
  const requests = await receiver.wait_for(2);
  assert.deepEqual(requests.map((request) => request.event), ['deal.stage_changed', 'deal.won']);
  for (const request of requests) {
    const { data } = JSON.parse(request.body);
    assert.deepEqual([data.deal_id, data.stage, data.status], [deal, 'closed_won', 'won']);
  }
  await picture(page, 'crm-deals');
}));

test('a completed task is one event', with_page(async (page) => {
  const receiver = new Receiver();
  await save_receiver(page, receiver.url, 'task.completed');
  await page.goto('/wp-admin/admin.php?page=wpestate-crm-tasks');
  const button = page.locator('[data-crm-do="wpestate_crm_complete_task"]').first();
  const task = Number(await button.getAttribute('data-crm-task_id'));
  await button.click();
  const [request] = await receiver.wait_for(1);
  const { event, data } = JSON.parse(request.body);
  assert.deepEqual([event, data.task_id, data.status], ['task.completed', task, 'completed']);
}));

test('a visitor’s form is a contact, an enquiry and a submission', with_page(async (page) => {
  const receiver = new Receiver();
  await save_receiver(page, receiver.url, '*');
  const visitor = await page.context().browser().newPage({ baseURL: process.env.SITE });
  await visitor.goto('/enquiry/');
  await visitor.fill('[name="wpestate_crm_enquiry[name]"]', 'Dorothy Vaughan');
  await visitor.fill('[name="wpestate_crm_enquiry[email]"]', 'dorothy@example.com');
  await visitor.fill('[name="wpestate_crm_enquiry[message]"]', 'Is “Quay 3” still free?');
  await visitor.click('text=Send enquiry');
  await visitor.waitForSelector('text=/Your enquiry is with us/');
  await visitor.close();
  const requests = await receiver.wait_for(3);
  assert.deepEqual(requests.map((request) => request.event).sort(), ['contact.created', 'enquiry.created', 'form_submitted']);
  const form = requests.find((request) => request.event === 'form_submitted');
  assert.equal(JSON.parse(form.body).data.message, 'Is “Quay 3” still free?');
}));
