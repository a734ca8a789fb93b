'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { PAGE, follow, picture, with_page } = require('../browser');
const { Receiver } = require('../receiver');

test('the page is found under Settings, and a first receiver is saved', with_page(async (page) => {
  const receiver = new Receiver();
  await page.goto('/wp-admin/');
  await page.hover('#menu-settings');
  await follow(page, () => page.click('#menu-settings >> text=CRM Webhooks'));
  await picture(page, 'settings-new');
  await page.fill('#posthorn-url', receiver.url);
  await page.check('text=/on my own network/');
  await page.check('input[value="contact.created"]');
  await page.check('input[value="deal.won"]');
  await page.fill('#posthorn-other-events', 'form_submitted, user.created');
  await page.fill('#posthorn-secret', process.env.SECRET);
  await follow(page, () => page.click('text=Save changes'));
  await page.waitForSelector('.notice-success >> text=Saved');
  assert.equal(await page.inputValue('#posthorn-url'), receiver.url);
  assert.ok(await page.isChecked('input[value="contact.created"]'));
  assert.ok(!(await page.isChecked('input[value="deal.lost"]')));
  assert.equal(await page.inputValue('#posthorn-secret'), '');
  assert.ok(!(await page.content()).includes(process.env.SECRET));
  await picture(page, 'settings-saved');
}));

test('a button makes a good secret, shown until it is saved and never again', with_page(async (page) => {
  await page.goto(PAGE);
  await page.click('text=Generate secret');
  const secret = await page.inputValue('#posthorn-secret');
  assert.match(secret, /^[0-9a-f]{64}$/);
  assert.equal(await page.getAttribute('#posthorn-secret', 'type'), 'text');
  await page.waitForSelector('text=/not shown again/');
  await picture(page, 'settings-secret');
  await follow(page, () => page.click('text=Save changes'));
  await page.waitForSelector('.notice-success');
  assert.ok(!(await page.content()).includes(secret));
  await page.reload();
  assert.ok(!(await page.content()).includes(secret));
  // The tests go on with the secret that the receiver knows.
  await page.fill('#posthorn-secret', process.env.SECRET);
  await follow(page, () => page.click('text=Save changes'));
  await page.waitForSelector('.notice-success');
}));

test('every mistake stands beside its field, with what was typed kept and nothing saved', with_page(async (page) => {
  await page.goto(PAGE);
  const saved = await page.inputValue('#posthorn-url');
  await page.fill('#posthorn-url', 'https://example.com/my hook');
  for (const box of await page.locator('input[name="events[]"]').all()) await box.uncheck();
  await page.fill('#posthorn-other-events', 'deal.won, deal.wonn');
  await page.fill('#posthorn-secret', 'kept but not shown');
  await follow(page, () => page.click('text=Save changes'));
  await page.waitForSelector('.notice-error >> text=Nothing was saved');
  await picture(page, 'settings-mistakes');
  for (const [field, input] of [['url', '#posthorn-url'], ['events', '#posthorn-other-events']]) {
    const mistake = page.locator(`#posthorn-${field}-mistake`);
    assert.ok(await mistake.isVisible(), field);
    assert.equal(await page.getAttribute(input, 'aria-invalid'), 'true');
    assert.ok((await page.getAttribute(input, 'aria-describedby')).includes(`posthorn-${field}-mistake`));
  }
  const [mistake, input] = [await page.locator('#posthorn-url-mistake').boundingBox(), await page.locator('#posthorn-url').boundingBox()];
  assert.ok(Math.abs(mistake.y - (input.y + input.height)) < 40, 'the message is right below the field');
  assert.ok(!(await page.locator('#posthorn-secret-mistake').isVisible()));
  assert.equal(await page.inputValue('#posthorn-url'), 'https://example.com/my hook');
  assert.equal(await page.inputValue('#posthorn-other-events'), 'deal.won, deal.wonn');
  assert.ok(!(await page.content()).includes('kept but not shown'));
  await page.goto(PAGE);
  assert.equal(await page.inputValue('#posthorn-url'), saved);
}));

test('a form that was overtaken by another window says so and keeps what was typed', with_page(async (page) => {
  await page.goto(PAGE);
  const other = await page.context().newPage();
  await other.goto(PAGE);
  await other.fill('#posthorn-other-events', 'deal.*');
  await follow(other, () => other.click('text=Save changes'));
  await other.waitForSelector('.notice-success');
  await page.fill('#posthorn-other-events', 'task.*');
  await follow(page, () => page.click('text=Save changes'));
  await page.waitForSelector('.notice-error >> text=/saved somewhere else/');
  assert.equal(await page.inputValue('#posthorn-other-events'), 'task.*');
  await other.reload();
  assert.equal(await other.inputValue('#posthorn-other-events'), 'deal.*');
}));
