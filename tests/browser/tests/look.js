'use strict';
// Every screen in three widths: nothing sticks out, and pictures for people to look at.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { PAGE, picture, with_page } = require('../browser');

const widths = { wide: 1440, tablet: 782, phone: 360 };
const screens = {
  settings: PAGE, endpoints: `${PAGE}&tab=endpoints`, endpoint: `${PAGE}&tab=endpoints&endpoint=new`,
  deliveries: `${PAGE}&tab=deliveries`, failed: `${PAGE}&tab=deliveries&state=dead`,
};

describe('nothing is wider than the window', () => {
  for (const [size, width] of Object.entries(widths)) {
    for (const [screen, address] of Object.entries(screens)) {
      test(`${screen}, ${width} pixels`, with_page(async (page) => {
        await page.goto(address);
        await picture(page, `${screen}-${size}`);
        const wide = await page.evaluate(() => ({
          page: document.documentElement.scrollWidth,
          window: document.documentElement.clientWidth,
          out: [...document.querySelectorAll('.posthorn *')]
            .filter((element) => !element.closest('.posthorn-scroll') && element.getBoundingClientRect().right > window.innerWidth + 1 && element.offsetParent)
            .map((element) => `${element.tagName} ${element.id || element.className}`),
        }));
        assert.deepEqual(wide.out, []);
        assert.ok(wide.page <= wide.window, `${wide.page} of ${wide.window}`);
      }, { viewport: { width, height: 900 } }));
    }
  }
});

test('the settings page has one heading of the first rank, and every field has a name', with_page(async (page) => {
  await page.goto(PAGE);
  assert.equal(await page.locator('.posthorn h1').count(), 1);
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll('.posthorn input:not([type=hidden]):not([type=submit])')].filter((field) => field.labels.length === 0).map((field) => field.name));
  assert.deepEqual(nameless, []);
}));
