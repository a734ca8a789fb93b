'use strict';
const assert = require('node:assert/strict');
const { afterEach, describe, test } = require('node:test');
const { PAGE, picture, with_page } = require('../browser');
const { Receiver } = require('../receiver');

/** Presses the button with this receiver's URL typed, and returns what the page says. */
async function press(page, url) {
  await page.goto(PAGE);
  await page.fill('#posthorn-url', url);
  await page.check('text=/on my own network/');
  await page.fill('#posthorn-secret', process.env.SECRET);
  await page.click('text=Test Webhook');
  return result(page);
}

async function result(page) {
  await page.waitForSelector('#posthorn-result .notice');
  return page.innerText('#posthorn-result');
}

describe('Test Webhook', () => {
  afterEach(() => Receiver.reset());

  test('passes with 200, and shows status, time and answer, without saving', with_page(async (page) => {
    const receiver = new Receiver();
    await receiver.behave({ mode: 'status', status: 200, body: '<b>thank you</b>' });
    const said = await press(page, receiver.url);
    assert.match(said, /accepted/);
    assert.match(said, /200 OK/);
    assert.match(said, /\d m?s/);
    assert.match(said, /<b>thank you<\/b>/);
    await picture(page, 'test-passed');
    const [request] = await receiver.requests();
    assert.equal(request.test, true);
    assert.equal(request.signature.state, 'ok');
    assert.ok(!(await page.content()).includes(process.env.SECRET));
    await page.reload();
    assert.notEqual(await page.inputValue('#posthorn-url'), receiver.url);
  }));

  test('names a refused connection', with_page(async (page) => {
    await Receiver.refuse();
    assert.match(await press(page, new Receiver().url), /could not be reached[\s\S]*refused/i);
    await picture(page, 'test-refused');
  }));

  test('names a redirect and offers its target', with_page(async (page) => {
    const [old, moved] = [new Receiver(), new Receiver()];
    await old.behave({ mode: 'redirect', location: moved.url });
    assert.ok((await press(page, old.url)).includes(`redirects to ${moved.url}`));
    await picture(page, 'test-redirect');
    await page.click('text=Use that address');
    assert.equal(await page.inputValue('#posthorn-url'), moved.url);
    await page.click('text=Test Webhook');
    await page.waitForSelector('#posthorn-result .notice-success');
  }));

  test('says of a 500 that it is the receiver', with_page(async (page) => {
    const receiver = new Receiver();
    await receiver.behave({ mode: 'status', status: 500, body: 'database is down' });
    assert.match(await press(page, receiver.url), /500 Internal Server Error[\s\S]*at the receiver[\s\S]*database is down/);
  }));

  test('gives up after 15 seconds on a receiver that hangs, and the page stays usable', with_page(async (page) => {
    const receiver = new Receiver();
    await receiver.behave({ mode: 'hang' });
    page.setDefaultTimeout(40_000);
    const began = Date.now();
    await page.goto(PAGE);
    await page.fill('#posthorn-url', receiver.url);
    await page.check('text=/on my own network/');
    await page.click('text=Test Webhook');
    await page.waitForSelector('#posthorn-result >> text=/Sending a test/');
    // Pressed again while it waits, nothing more is sent. Forced: Playwright itself would wait for the button.
    await page.click('text=Test Webhook', { force: true });
    const said = await result(page);
    assert.match(said, /15 s/);
    assert.ok(Date.now() - began < 25_000);
    assert.equal((await receiver.requests()).length, 1);
  }));

  test('tells a mistake beside its field, and takes it back when it is mended', with_page(async (page) => {
    const receiver = new Receiver();
    assert.match(await press(page, 'ftp://example.com/'), /not sent/);
    assert.ok(await page.locator('#posthorn-url-mistake').isVisible());
    await page.fill('#posthorn-url', receiver.url);
    await page.click('text=Test Webhook');
    await page.waitForSelector('#posthorn-result .notice-success');
    assert.ok(!(await page.locator('#posthorn-url-mistake').isVisible()));
  }));
});
