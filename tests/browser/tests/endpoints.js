'use strict';
const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { PAGE, follow, picture, with_page } = require('../browser');
const { Receiver } = require('../receiver');

const LIST = `${PAGE}&tab=endpoints`;
const NEW = `${LIST}&endpoint=new`;
const narrow = { viewport: { width: 390, height: 844 } };

/** Fills what a new endpoint needs. */
async function fill(page, name, url) {
  await page.goto(NEW);
  await page.fill('#posthorn-description', name);
  await page.fill('#posthorn-url', url);
  await page.check('input[name="allow_private"]');
}

/** The row of an endpoint in the list. */
const row = (page, name) => page.locator('.posthorn-endpoints tbody tr', { has: page.locator(`.row-title:text-is("${name}")`) });

describe('endpoints', () => {
  test('one is added with conditions, tested and saved without leaving the page before', with_page(async (page) => {
    const receiver = new Receiver();
    await fill(page, 'Big deals', receiver.url);
    await page.fill('#posthorn-other-events', 'deal.*');
    assert.ok(await page.isChecked('input[name="all_events"][value="0"]'), 'naming events means only these');
    const rows = page.locator('#posthorn-filter-rows .posthorn-row');
    assert.equal(await rows.count(), 1, 'one free row');
    await page.fill('input[name="filters[0][field]"]', 'amount');
    await page.selectOption('select[name="filters[0][operator]"]', 'gte');
    await page.fill('input[name="filters[0][value]"]', '1000');
    await page.click('[data-posthorn-add="posthorn-filter-rows"]');
    assert.equal(await rows.count(), 2);
    assert.match(await page.evaluate(() => document.activeElement.name), /^filters\[\d+\]\[field\]$/, 'the new row has the focus');
    await page.click('[name="posthorn_try"]');
    await page.waitForSelector('#posthorn-tried .posthorn-tried li');
    assert.match(await page.innerText('#posthorn-tried'), /would (be|have been) sent/);
    await page.click('[name="posthorn_generate"]');
    await page.waitForSelector('#posthorn-secret[type="text"]');
    assert.match(await page.inputValue('#posthorn-secret'), /^\S{32,}$/);
    assert.equal(await page.evaluate(() => document.activeElement.name), 'posthorn_generate', 'the focus stays on the button');
    await page.fill('#posthorn-secret', process.env.SECRET);
    await page.click('[name="posthorn_test"]');
    await page.waitForSelector('#posthorn-result .notice-success');
    assert.equal((await receiver.requests())[0].signature.state, 'ok');
    assert.equal(await page.inputValue('#posthorn-url'), receiver.url, 'the form is still there');
    await picture(page, 'endpoint-filled');
    await follow(page, () => page.click('.submit .button-primary'));
    await page.waitForSelector('.notice-success >> text=Endpoint added');
    assert.match(await row(page, 'Big deals').innerText(), /deal\.\*[\s\S]*with conditions/);
    await picture(page, 'endpoints-list');
  }));

  test('any event is tested with its sample, changed, and the request is shown unsent', with_page(async (page) => {
    const receiver = new Receiver();
    await fill(page, 'Sample', receiver.url);
    await page.click('#posthorn-test-choice > summary');
    await page.selectOption('#posthorn-test_event', 'deal.won');
    await page.focus('[name="posthorn_sample"]');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.getElementById('posthorn-test_data').value.includes('deal_id'));
    assert.equal(await page.evaluate(() => document.activeElement.name), 'posthorn_sample', 'the focus stays on the button');
    await page.fill('#posthorn-test_data', '{"deal_id": 4711}');
    await page.click('[name="posthorn_preview"]');
    await page.waitForSelector('#posthorn-result pre');
    assert.match(await page.innerText('#posthorn-result'), /Nothing was sent[\s\S]*"deal_id":4711/);
    assert.deepEqual(await receiver.requests(), []);
    await page.click('[name="posthorn_test"]');
    await page.waitForSelector('#posthorn-result .notice-success');
    assert.equal((await receiver.requests())[0].event, 'deal.won');
    await page.fill('#posthorn-test_data', '{');
    await page.click('#posthorn-test-choice > summary');
    await page.click('[name="posthorn_test"]');
    await page.waitForSelector('#posthorn-test_data-mistake:not([hidden])');
    assert.ok(await page.isVisible('#posthorn-test_data-mistake'), 'the part that was closed is open');
    await picture(page, 'test-choice');
  }));

  test('a mistake is shown beside its field, and in the part that was closed', with_page(async (page) => {
    await fill(page, 'Wrong', 'https://example.com/');
    await page.click('.posthorn-advanced > summary');
    await page.fill('#posthorn-timeout', 'soon');
    await follow(page, () => page.click('.submit .button-primary'));
    await page.waitForSelector('.notice-error');
    assert.ok(await page.isVisible('#posthorn-timeout-mistake'));
    assert.equal(await page.inputValue('#posthorn-description'), 'Wrong');
    await picture(page, 'endpoint-mistake');
  }));

  test('without JavaScript one is duplicated, switched on and deleted with the keyboard', with_page(async (page) => {
    await page.goto(LIST);
    await follow(page, () => row(page, 'Big deals').locator('button', { hasText: 'Duplicate' }).press('Enter'));
    assert.match(await page.innerText('.notice-success'), /switched off/);
    const copy = row(page, 'Big deals (copy)');
    assert.match(await copy.innerText(), /Off/);
    await follow(page, () => copy.locator('button', { hasText: 'Switch on' }).press('Enter'));
    assert.match(await page.innerText('.notice-success'), /switched on/);
    await follow(page, () => row(page, 'Big deals (copy)').locator('a', { hasText: 'Delete' }).press('Enter'));
    assert.match(await page.innerText('.posthorn h2'), /Delete Big deals \(copy\)\?/);
    await picture(page, 'endpoint-delete');
    await follow(page, () => page.locator('button', { hasText: 'Delete endpoint' }).press('Enter'));
    assert.equal(await row(page, 'Big deals (copy)').count(), 0);
  }, { javaScriptEnabled: false }));

  test('without JavaScript there are free rows, and buttons load the page anew with what was typed', with_page(async (page) => {
    await fill(page, 'No script', 'https://example.com/');
    await page.fill('input[name="filters[1][field]"]', 'amount');
    await page.fill('input[name="filters[1][value]"]', '5');
    await follow(page, () => page.click('[name="posthorn_try"]'));
    assert.match(await page.innerText('#posthorn-tried'), /would (be|have been) sent/);
    assert.equal(await page.inputValue('#posthorn-description'), 'No script');
    assert.equal(await page.inputValue('input[name="filters[0][field]"]'), 'amount');
  }, { javaScriptEnabled: false }));

  test('every field of the form has a name', with_page(async (page) => {
    await page.goto(NEW);
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll('#posthorn-endpoint-form input:not([type=hidden]):not([type=submit]), #posthorn-endpoint-form select')]
        .filter((field) => field.labels.length === 0).map((field) => field.name));
    assert.deepEqual(nameless, []);
  }));

  test('the list of deliveries says to whom each goes, where there are several', with_page(async (page) => {
    await page.goto(`${PAGE}&tab=deliveries`);
    if (await page.locator('.posthorn-deliveries tbody tr').count() > 0) {
      assert.match(await page.innerText('.posthorn-deliveries tbody tr td'), /to \S/);
    }
  }));

  test('list and form fit a phone', with_page(async (page) => {
    for (const [name, address] of [['endpoints-narrow', LIST], ['endpoint-narrow', NEW]]) {
      await page.goto(address);
      await picture(page, name);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), name);
    }
  }, narrow));

  test('the last that was added is deleted again', with_page(async (page) => {
    await page.goto(LIST);
    await follow(page, () => row(page, 'Big deals').locator('a', { hasText: 'Delete' }).click());
    await follow(page, () => page.click('text=Delete endpoint'));
    await page.waitForSelector('.notice-success');
    assert.equal(await row(page, 'Big deals').count(), 0);
  }));
});
