'use strict';
// The CRM sends webhooks itself; the owner is warned, takes them over, and can give them back.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { PAGE, follow, picture, with_page } = require('../browser');
const { Receiver } = require('../receiver');

const widths = { wide: 1280, phone: 360 };

/** Sets the CRM's own webhook on its screen. */
async function crm_sends(page, url, events = '') {
  await page.goto('/wp-admin/admin.php?page=wpestate-crm-switches');
  await page.selectOption('#crm-native_webhooks', url === '' ? 'off' : 'on');
  await page.fill('#crm-url', url);
  await page.fill('#crm-events', events);
  await page.fill('#crm-secret', process.env.SECRET);
  await page.click('#submit');
  await page.waitForSelector('text=Saved.');
}

async function add_contact(page, name) {
  await page.goto('/wp-admin/admin.php?page=wpestate-crm-contact');
  await page.fill('#crm-first_name', name);
  await page.fill('#crm-email', `${name.toLowerCase()}-${Date.now()}@example.com`);
  await page.click('.crm-contact .button-primary');
  await page.waitForSelector('text=The contact is added.');
}

/** Pictures of what is open, in every width; nothing may stick out. */
async function pictures(page, name) {
  for (const [size, width] of Object.entries(widths)) {
    await page.setViewportSize({ width, height: 900 });
    await picture(page, `${name}-${size}`);
    const wide = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide[0] <= wide[1], `${name}, ${size}: ${wide.join(' of ')}`);
  }
  await page.setViewportSize({ width: widths.wide, height: 900 });
}

describe('the CRM’s own webhooks', () => {
  const receiver = new Receiver();
  const moved = new Receiver();
  const crms = (requests) => requests.filter((request) => request.id === null).length;

  test('are noticed and warned about on every page', with_page(async (page) => {
    await crm_sends(page, receiver.url, 'contact.created,deal.won,moon.landed');
    await add_contact(page, 'Emmy');
    assert.equal(crms(await receiver.wait_for(1)), 1);
    await page.goto('/wp-admin/');
    await page.waitForSelector('.notice-warning >> text=/webhooks itself/');
    await pictures(page, 'native-notice');
    await follow(page, () => page.click('text=Settle it'));
    await page.waitForSelector('.posthorn-panel-warning >> text=/twice/');
    await pictures(page, 'native-warning');
  }));

  test('are taken over: settings copied, a redirect followed by hand, saved', with_page(async (page) => {
    await receiver.behave({ mode: 'redirect', status: 307, location: moved.url });
    await page.goto(PAGE);
    await page.click('text=Take over…');
    await page.waitForSelector('.posthorn-panel-step >> text=/redirects to/');
    await pictures(page, 'native-redirect');
    await follow(page, () => page.click('.posthorn-panel-step >> text=Use that address'));
    await page.waitForSelector('.posthorn-panel-step .notice-success');
    assert.equal(await page.inputValue('#posthorn-url'), moved.url);
    assert.ok(await page.isChecked('input[value="deal.won"]'));
    assert.ok(!(await page.isChecked('input[value="deal.lost"]')));
    assert.ok(!(await page.content()).includes(process.env.SECRET));
    assert.equal((await moved.wait_for(1))[0].signature.state, 'ok');
    await pictures(page, 'native-take-over');
    await page.press('#posthorn-url', 'Enter');
    await page.waitForSelector('.notice-success >> text=Saved');

    const before = [(await receiver.requests()).length, (await moved.requests()).length];
    await add_contact(page, 'Sofja');
    const arrived = (await moved.wait_for(before[1] + 1)).slice(before[1]);
    assert.deepEqual(arrived.map((request) => [request.event, request.signature.state, request.id !== null]), [['contact.created', 'ok', true]]);
    assert.equal((await receiver.requests()).length, before[0], 'the CRM’s own call was answered');
    await page.goto(PAGE);
    await page.waitForSelector('.posthorn-panel >> text=/1 call of the CRM’s own webhook module was answered here/');
    await pictures(page, 'native-settled');
  }));

  test('are given back', with_page(async (page) => {
    await receiver.behave({ mode: 'ok' });
    await page.goto(PAGE);
    await follow(page, () => page.click('text=Let the CRM send again'));
    await page.waitForSelector('#posthorn-form');
    assert.equal(await page.locator('text=Let the CRM send again').count(), 0);
    const before = crms(await receiver.requests());
    await add_contact(page, 'Maria');
    assert.equal(crms(await receiver.wait_for(before + 1)), before + 1);
    await crm_sends(page, '');
  }));
});
