// Logging in by an identity provider, which is another site than the page.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, hasBrowser, launch, logIn, picture, serve, violations, visit } from './support.js';

const skip = hasBrowser ? false : `no browser at ${CHROMIUM}: install Debian's chromium, or set CHROMIUM`;

describe('an identity provider', { skip }, () => {
  let browser;
  let served;
  before(async () => { [browser, served] = await Promise.all([launch(), serve('--patches', '6', '--provider')]); });
  after(async () => { await browser?.close(); await served?.stop(); });

  const account = (page) => page.evaluate(() => fetch('/api/session').then((answer) => answer.json()).then((session) => session.account));

  test('lets somebody in who clicks through, and the session is an ordinary one', async () => {
    const { page, context, foreign, faults } = await visit(browser, served.origin, { also: 'http://localhost:' });
    await page.goto(served.origin);
    await page.waitForSelector('button.provider');
    assert.equal(await page.locator('button.provider').innerText(), 'Log in by Water login');
    await picture(page, 'log-in-provider');
    assert.deepEqual(await violations(page), []);
    await page.click('button.provider');
    await page.waitForURL(/^http:\/\/localhost:\d+\/authorize\?/);
    const flow = (await context.cookies(`${served.origin}/api/session/provider/callback`)).find((cookie) => cookie.name === 'shorewatch_log_in');
    assert.deepEqual([flow.sameSite, flow.httpOnly], ['Lax', true]);
    await page.click('#go-on');
    await page.waitForSelector('body[data-ready=true]');
    assert.equal(page.url(), `${served.origin}/`, 'neither code nor state stays in the address');
    assert.equal(await account(page), 'review-1');
    const cookies = await context.cookies(`${served.origin}/api/session/provider/callback`);
    assert.deepEqual(cookies.map((cookie) => [cookie.name, cookie.sameSite, cookie.httpOnly]), [['shorewatch_session', 'Strict', true]]);
    await page.reload();
    await page.waitForSelector('body[data-ready=true]');
    assert.deepEqual([foreign, faults], [[], []]);
  });

  test('why somebody stays out is told in both languages, and nothing but words of our own', async () => {
    for (const [locale, words] of [['en-GB', /no account for you here/], ['zh-CN', /您在此没有账号/]]) {
      const { page } = await visit(browser, served.origin, { locale });
      await page.goto(`${served.origin}/#refused=provider_unknown`);
      await page.waitForSelector('button.provider');
      assert.match(await page.locator('.fault').innerText(), words);
      assert.equal(page.url(), `${served.origin}/`, 'told once');
      await picture(page, `log-in-refused-${locale.slice(0, 2)}`);
    }
    const { page } = await visit(browser, served.origin);
    await page.goto(`${served.origin}/#refused=%3Cimg%20src=x%3E`);
    await page.waitForSelector('button.provider');
    assert.match(await page.locator('.fault').innerText(), /refuses this server/);
    assert.equal(await page.locator('.fault img').count(), 0);
  });

  test('passwords go on, and without a provider there is no button', async () => {
    const { page } = await visit(browser, served.origin);
    await logIn(page, served.origin, 'review-2');
    assert.equal(await account(page), 'review-2');
    const plain = await serve('--patches', '6');
    try {
      const { page: other, foreign } = await visit(browser, plain.origin);
      await other.goto(plain.origin);
      await other.waitForSelector('input[name=password]');
      assert.equal(await other.locator('button.provider').count(), 0);
      assert.deepEqual(foreign, []);
    } finally {
      await plain.stop();
    }
  });

  test('an administrator links an account', async () => {
    const { page } = await visit(browser, served.origin);
    await logIn(page, served.origin, 'admin-1');
    await page.click('text=Accounts');
    const row = page.locator('dialog tbody tr', { hasText: 'review-2' });
    await row.getByText('Link', { exact: true }).click();
    await row.getByText('Unlink', { exact: true }).waitFor();
    await picture(page, 'accounts-provider');
  });
});
