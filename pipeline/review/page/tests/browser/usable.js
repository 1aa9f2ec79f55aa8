// How long until a reviewer who is logged in can decide: node usable.js DESK ACCOUNT PASSWORD prints milliseconds, the longest of
// five times that the page is opened with nothing of it in the browser's cache.
import { launch } from './support.js';

const [desk, account, password] = process.argv.slice(2);
const browser = await launch();
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const client = await page.context().newCDPSession(page);
  await client.send('Network.setCacheDisabled', { cacheDisabled: true });
  await page.goto(desk);
  await page.fill('input[name=account]', account);
  await page.fill('input[name=password]', password);
  await page.keyboard.press('Enter');
  await page.waitForSelector('body[data-ready=true]');
  const times = [];
  for (let round = 0; round < 5; round += 1) {
    await page.goto('about:blank');
    const begun = performance.now();
    await page.goto(desk, { waitUntil: 'commit' });
    await page.waitForSelector('body[data-ready=true] .facts .place');
    times.push(performance.now() - begun);
  }
  console.log(Math.max(...times).toFixed(0));
} finally {
  await browser.close();
}
