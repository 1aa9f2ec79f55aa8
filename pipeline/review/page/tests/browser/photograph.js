// Photographs pages for scripts/demo: node photograph.js FOLDER DESK ACCOUNT PASSWORD PATCH NAME=URL… The review desk is
// logged in to and shown at the patch; the other pages are shown as they are.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from './support.js';

const [folder, desk, account, password, patch, ...others] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const browser = await launch();
try {
  for (const other of others) {
    const at = other.indexOf('=');
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    await page.goto(other.slice(at + 1));
    await page.screenshot({ path: join(folder, `${other.slice(0, at)}.png`), fullPage: true });
    await page.close();
  }
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' });
  await page.goto(desk);
  await page.fill('input[name=account]', account);
  await page.fill('input[name=password]', password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('body[data-ready=true]');
  await page.goto(`${desk}/#${patch}`);
  await page.waitForTimeout(1500);
  await page.screenshot({ path: join(folder, 'review-page.png') });
} finally {
  await browser.close();
}
