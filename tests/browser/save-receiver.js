'use strict';
const { PAGE } = require('./browser');

/** Saves a receiver on the settings page, with these events and no others. */
async function save_receiver(page, url, events) {
  await page.goto(PAGE);
  await page.fill('#posthorn-url', url);
  await page.check('input[name="allow_private"]');
  await page.check('input[name="enabled"]');
  for (const box of await page.locator('input[name="events[]"]').all()) await box.uncheck();
  await page.fill('#posthorn-other-events', events);
  await page.fill('#posthorn-secret', process.env.SECRET);
  await page.click('#posthorn_save');
  await page.waitForSelector('.notice-success >> text=Saved');
}

module.exports = { save_receiver };
