'use strict';
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { PAGE, with_page } = require('../browser');
const { Receiver } = require('../receiver');
const { save_receiver } = require('../save-receiver');

/** Presses Tab until the focus is on an element, noting what it passes. */
async function tab_to(page, selector) {
  const passed = [];
  for (let n = 0; n < 80; n += 1) {
    await page.keyboard.press('Tab');
    const here = await page.evaluate((wanted) => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      return {
        found: element.matches(wanted),
        name: element.id || element.name || element.textContent.trim(),
        seen: style.outlineStyle !== 'none' || style.boxShadow !== 'none' || element.type === 'checkbox',
      };
    }, selector);
    passed.push(here.name);
    if (here.found) {
      assert.ok(here.seen, `the focus on ${here.name} can be seen`);
      return;
    }
  }
  assert.fail(`${selector} is not reached with Tab; passed ${passed.join(', ')}`);
}

test('everything can be done with the keyboard alone', with_page(async (page) => {
  const receiver = new Receiver();
  await page.goto(PAGE);
  await page.focus('.nav-tab-wrapper a');
  await tab_to(page, '#posthorn-url');
  await page.keyboard.press('Control+A');
  await page.keyboard.type(receiver.url);
  await tab_to(page, 'input[name="allow_private"]');
  if (!(await page.isChecked('input[name="allow_private"]'))) await page.keyboard.press('Space');
  await tab_to(page, 'input[value="contact.updated"]');
  await page.keyboard.press('Space');
  const ticked = await page.isChecked('input[value="contact.updated"]');
  await tab_to(page, '#posthorn-other-events');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('*');
  await tab_to(page, '#posthorn-secret');
  await page.keyboard.type(process.env.SECRET);
  await tab_to(page, '#posthorn_test');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#posthorn-result .notice-success');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'posthorn_test', 'the focus stays on the button');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.notice-success >> text=Saved');
  assert.equal(await page.inputValue('#posthorn-url'), receiver.url);
  assert.equal(await page.isChecked('input[value="contact.updated"]'), ticked);
}));

test('Enter in a field saves', with_page(async (page) => {
  await save_receiver(page, new Receiver().url, '*');
  await page.goto(PAGE);
  await page.fill('#posthorn-other-events', 'deal.*, contact.*');
  await page.press('#posthorn-other-events', 'Enter');
  await page.waitForSelector('.notice-success >> text=Saved');
  assert.equal(await page.inputValue('#posthorn-other-events'), 'deal.*, contact.*');
}));
