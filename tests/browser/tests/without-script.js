'use strict';
const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { PAGE, follow, picture, with_page } = require('../browser');
const { Receiver } = require('../receiver');

const without = { javaScriptEnabled: false };

describe('without JavaScript', () => {
  test('settings are saved', with_page(async (page) => {
    const receiver = new Receiver();
    await page.goto(PAGE);
    await page.fill('#posthorn-url', receiver.url);
    await page.check('input[name="allow_private"]');
    await page.fill('#posthorn-other-events', '*');
    await follow(page, () => page.click('#posthorn_save'));
    assert.match(await page.innerText('.notice-success'), /saved/);
    assert.equal(await page.inputValue('#posthorn-url'), receiver.url);
  }, without));

  test('a test is sent to what is typed, and what was typed is still there', with_page(async (page) => {
    const receiver = new Receiver();
    await page.goto(PAGE);
    await page.fill('#posthorn-url', receiver.url);
    await page.check('input[name="allow_private"]');
    await page.fill('#posthorn-secret', process.env.SECRET);
    await follow(page, () => page.click('#posthorn_test'));
    assert.match(await page.innerText('#posthorn-result'), /accepted/);
    assert.equal(await page.inputValue('#posthorn-url'), receiver.url);
    assert.equal((await receiver.requests())[0].signature.state, 'ok');
    assert.ok(!(await page.content()).includes(process.env.SECRET));
    await picture(page, 'without-script');
    // Saved now without typing it again, the secret is the one that was tested.
    await follow(page, () => page.click('#posthorn_save'));
    assert.match(await page.innerText('.notice-success'), /saved/);
  }, without));

  test('no button is offered that would do nothing', with_page(async (page) => {
    await page.goto(PAGE);
    for (const button of await page.locator('#posthorn-form button, #posthorn-form input[type=button]').all()) {
      assert.ok(!(await button.isVisible()), await button.innerText());
    }
  }, without));
});
