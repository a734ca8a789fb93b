'use strict';
const assert = require('node:assert/strict');
const { afterEach, test } = require('node:test');
const { PAGE, follow, picture, with_page } = require('../browser');
const { Receiver } = require('../receiver');
const { save_receiver } = require('../save-receiver');

afterEach(() => Receiver.reset());

test('a receiver that fails is tried three times by the schedule; then the page shows the dead letter', with_page(async (page) => {
  const receiver = new Receiver();
  await receiver.behave({ mode: 'status', status: 500, body: 'database is down' });
  await save_receiver(page, receiver.url, 'contact.*');
  await page.goto('/wp-admin/admin.php?page=wpestate-crm-contact');
  await page.fill('#crm-first_name', 'Annie');
  await page.fill('#crm-email', 'annie@example.com');
  await page.click('.crm-contact .button-primary');
  const requests = await receiver.wait_for(3, 20);
  assert.deepEqual(requests.map((request) => request.attempt), [1, 2, 3]);
  assert.equal(new Set(requests.map((request) => request.id)).size, 1);
  assert.equal(new Set(requests.map((request) => request.body)).size, 1);
  const times = requests.map((request) => Date.parse(request.received_at));
  for (const [before, after] of [[times[0], times[1]], [times[1], times[2]]]) {
    assert.ok(after - before >= 500, 'half a second lies between, as configured');
  }

  await page.goto(PAGE);
  await page.waitForSelector('.posthorn-status >> text=/failed for good.*contact.created.*500/');
  await picture(page, 'settings-failed');
  await follow(page, () => page.click('.posthorn-status .posthorn-bad a'));
  const row = page.locator('.posthorn-deliveries tbody tr').first();
  assert.match(await row.innerText(), /contact\.created[\s\S]*Failed[\s\S]*3[\s\S]*500/);
  await picture(page, 'deliveries-failed');
  await follow(page, () => row.locator('a').click());
  assert.equal(await page.locator('h3 >> text=/Attempt/').count(), 3);
  assert.match(await page.innerText('.posthorn'), /database is down/);
  await page.click('text=What was sent');
  await picture(page, 'delivery');
  assert.match(await page.innerText('.posthorn-body'), /^\{"event":"contact.created"/);
  assert.ok(!(await page.content()).includes(process.env.SECRET));
}));

test('a receiver that was away gets what it missed when it is back', with_page(async (page) => {
  const receiver = new Receiver();
  await save_receiver(page, `${receiver.url}?schedule=2,2,2,2,2,2,2,2,2,2`, 'contact.*');
  await Receiver.refuse();
  await page.goto('/wp-admin/admin.php?page=wpestate-crm-contact');
  await page.fill('#crm-first_name', 'Mae');
  await page.click('.crm-contact .button-primary');
  await page.waitForSelector('text=The contact is added.');
  await page.goto(`${PAGE}&tab=deliveries`);
  await page.waitForSelector('.posthorn-deliveries tbody tr >> text=Waiting');
  await Receiver.reset();
  const [request] = await receiver.wait_for(1, 20);
  assert.equal(request.signature.state, 'ok');
}));
