// A server on a painted scene, and Debian's Chromium. Requests to anywhere but the server are noted and refused.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const hasBrowser = existsSync(CHROMIUM);
export const PASSWORD = 'several words by the river';
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../..');
const pictures = process.env.SCREENSHOTS ?? join(root, 'out/review/screenshots');

const server = process.env.REVIEW_SCENE ?? join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/examples/review_scene');

/** A served scene of its own. */
export async function serve(...more) {
  const folder = mkdtempSync(join(tmpdir(), 'shorewatch-review-'));
  const child = spawn(server, [join(folder, 'scene'), ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  const origin = await new Promise((found, failed) => {
    let text = '';
    child.stdout.on('data', (part) => { text += part; if (text.includes('\n')) found(text.split('\n')[0].trim()); });
    child.once('exit', (code) => failed(new Error(`the server ended with ${code}`)));
  });
  const stop = async () => {
    const ended = new Promise((done) => { child.once('exit', done); });
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { origin, folder, stop, child };
}

export const launch = (...more) => chromium.launch({
  executablePath: CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...more],
});

/** A page of its own context; `foreign` lists what it asked of anybody else but `also`. */
export async function visit(browser, origin, { width = 1440, height = 900, locale = 'en-GB', also = origin, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale, ...options });
  const foreign = [];
  const faults = [];
  await context.route('**/*', (route) => {
    const url = route.request().url();
    if (url.startsWith(origin) || url.startsWith(also) || url.startsWith('data:') || url.startsWith('blob:')) return route.continue();
    foreign.push(url);
    return route.abort();
  });
  const page = await context.newPage();
  page.on('pageerror', (fault) => faults.push(String(fault)));
  page.on('console', (message) => { if (message.type() === 'error' && !/status of 4(01|04|09|22)/.test(message.text())) faults.push(message.text()); });
  return { page, context, foreign, faults };
}

export async function logIn(page, origin, account = 'review-1') {
  await page.goto(origin);
  await page.fill('input[name=account]', account);
  await page.fill('input[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('body[data-ready=true]');
}

/** The patch that is shown. */
export const shownId = (page) => page.locator('.facts .place small').innerText();

/** Waits until the pictures of the patch are there. */
export async function settled(page) {
  await page.waitForTimeout(200);
  await page.waitForFunction(() => document.querySelector('.stage')?.dataset.loading !== 'true');
  await page.waitForTimeout(150);
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds against the page. */
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).slice(0, 4).join(', ')}`);
}

export async function picture(page, name) {
  mkdirSync(pictures, { recursive: true });
  await settled(page);
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}

/** The server, asked directly by an account of its own. */
export async function machine(origin, account = 'super-1') {
  const answer = await fetch(`${origin}/api/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ account, password: PASSWORD }) });
  const cookie = answer.headers.get('set-cookie').split(';')[0];
  const { csrf } = await answer.json();
  return async (method, path, body) => {
    const asked = await fetch(`${origin}${path}`, { method, headers: { cookie, 'x-csrf-token': csrf, ...(body ? { 'content-type': 'application/json' } : {}) }, body: body && JSON.stringify(body) });
    const text = await asked.text();
    return { status: asked.status, body: text ? JSON.parse(text) : null };
  };
}
