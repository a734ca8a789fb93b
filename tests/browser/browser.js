'use strict';
// The browser and the owner's session in it.

const { after } = require('node:test');
const path = require('node:path');
const { chromium } = require('playwright-core');

const SITE = process.env.SITE;
const PAGE = '/wp-admin/options-general.php?page=posthorn';

let browser = null;
let session = null;

async function launch() {
  browser ??= await chromium.launch({
    executablePath: process.env.CHROMIUM || undefined,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  return browser;
}

after(() => browser?.close());

/** Logs in once; every test gets a fresh context with that session. */
async function owners_session() {
  if (session === null) {
    const context = await (await launch()).newContext({ baseURL: SITE });
    const page = await context.newPage();
    await page.goto('/wp-login.php');
    await page.fill('#user_login', 'admin');
    await page.fill('#user_pass', 'admin');
    await page.click('#wp-submit');
    await page.waitForURL(/wp-admin/);
    session = await context.storageState();
    await context.close();
  }
  return session;
}

/**
 * Runs a test with a page of the owner's, and closes it.
 *
 * @param {(page: import('playwright-core').Page) => Promise<void>} run
 * @param {object} options Of the browser context: viewport, javaScriptEnabled, storageState (null: a visitor).
 */
const with_page =
  (run, options = {}) =>
  async () => {
    const context = await (await launch()).newContext({
      baseURL: SITE,
      viewport: { width: 1280, height: 900 },
      // WordPress 7 fades from page to page, and a picture taken meanwhile breaks that off with an error.
      reducedMotion: 'reduce',
      storageState: await owners_session(),
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const errors = [];
    page.on('pageerror', (error) => errors.push(error.message));
    try {
      await run(page);
      if (errors.length > 0) throw new Error(`the page's script failed: ${errors.join('; ')}`);
    } catch (error) {
      await picture(page, `failed-${Date.now()}`).catch(() => {});
      throw error;
    } finally {
      await context.close();
    }
  };

/**
 * Does what leads to another page, and waits until all of that is there: who reads sooner may find half of a row.
 *
 * @param {import('playwright-core').Page} page
 * @param {() => Promise<void>} act
 */
const follow = (page, act) => Promise.all([page.waitForEvent('load'), act()]);

const picture = (page, name) => page.screenshot({ path: path.join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });

module.exports = { PAGE, SITE, follow, picture, with_page };
