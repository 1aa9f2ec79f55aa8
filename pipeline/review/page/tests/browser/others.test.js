// Supervisors, administrators, the river, and the rules of accessibility.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CHROMIUM, PASSWORD, hasBrowser, launch, logIn, machine, picture, serve, shownId, violations, visit } from './support.js';

const skip = hasBrowser ? false : `no browser at ${CHROMIUM}: install Debian's chromium, or set CHROMIUM`;

describe('everybody else', { skip }, () => {
  let browser;
  let served;
  before(async () => { browser = await launch(); served = await serve(); });
  after(async () => { await browser.close(); await served.stop(); });

  test('no page breaks a rule of accessibility', async () => {
    const { page } = await visit(browser, served.origin);
    await page.goto(served.origin);
    await page.waitForSelector('form');
    await picture(page, 'login');
    assert.deepEqual(await violations(page), [], 'log in');
    await logIn(page, served.origin, 'super-1');
    await picture(page, 'desk-supervisor');
    assert.deepEqual(await violations(page), [], 'desk');
    await page.keyboard.press('n');
    assert.deepEqual(await violations(page), [], 'reasons');
    await page.keyboard.press('Escape');
    await page.keyboard.press('l');
    assert.deepEqual(await violations(page), [], 'layers');
    for (const key of ['?', 'g']) {
      await page.keyboard.press(key);
      await page.waitForSelector('dialog[open]');
      await page.waitForTimeout(200);
      assert.deepEqual(await violations(page), [], key);
      await page.keyboard.press('Escape');
    }
  });

  test('a supervisor decides on a selection and on a whole pass, takes it back, and audits a sample', async () => {
    const ask = await machine(served.origin, 'super-1');
    const reviewer = await machine(served.origin, 'review-1');
    const rows = (await reviewer('GET', '/api/queue?limit=12')).body.rows;
    for (const [i, row] of rows.entries()) {
      await reviewer('POST', `/api/patches/${row.patch_id}/lease`);
      const body = { decision_id: `decided-${i}-of-twelve`, verdict: i % 3 ? 'not_a_problem' : 'problem', on_version: 0, seconds: 20 + i, ...(i % 3 ? { reason: 'season_or_crop' } : {}) };
      assert.equal((await reviewer('POST', `/api/patches/${row.patch_id}/decisions`, body)).status, 200);
    }
    const { page } = await visit(browser, served.origin);
    await logIn(page, served.origin, 'super-1');
    const boxes = page.locator('.rows input[type=checkbox]');
    for (let i = 2; i < 5; i += 1) await boxes.nth(i).check();
    await page.selectOption('.bulk select', 'historical_harmless');
    await picture(page, 'bulk');
    await page.click('.bulk button');
    await page.waitForFunction(() => /3 decided/.test(document.querySelector('.toast').textContent));
    await page.keyboard.press('z');
    await page.waitForFunction(() => /Taken back/.test(document.querySelector('.toast').textContent));
    // a rejection of many asks for its reason, and names what somebody decided since the list was shown
    await page.waitForFunction(() => document.querySelectorAll('.rows input[type=checkbox]').length > 5);
    await page.waitForTimeout(500);
    const wanted = await page.locator('.rows li').evaluateAll((items) => items.slice(7, 10).map((item) => item.dataset.id));
    for (let i = 7; i < 10; i += 1) await boxes.nth(i).check();
    const { version } = (await ask('GET', `/api/patches/${wanted[1]}`)).body.review;
    await reviewer('POST', `/api/patches/${wanted[1]}/lease`);
    const meanwhile = await reviewer('POST', `/api/patches/${wanted[1]}/decisions`, { decision_id: 'decided-meanwhile', verdict: 'under_watch', on_version: version });
    assert.equal(meanwhile.status, 200);
    await page.selectOption('.bulk select', 'not_a_problem');
    await page.click('.bulk button');
    assert.equal((await ask('GET', `/api/patches/${wanted[0]}`)).body.review.state, 'open', 'nothing is sent without a reason');
    await page.selectOption('.bulk-reason', 'other');
    await page.click('.bulk button');
    assert.equal((await ask('GET', `/api/patches/${wanted[0]}`)).body.review.state, 'open', 'other needs words');
    await page.fill('.bulk-note', 'works on the dike, announced');
    await picture(page, 'bulk-reason');
    await page.click('.bulk button');
    await page.waitForFunction((id) => document.querySelector('.banner').textContent.includes(id), wanted[1]);
    assert.match(await page.locator('.banner').innerText(), /Left out, 1: .*decided meanwhile/);
    await picture(page, 'bulk-left-out');
    const rejected = (await ask('GET', `/api/patches/${wanted[0]}`)).body.decisions.at(-1);
    assert.deepEqual([rejected.reason, rejected.note], ['other', 'works on the dike, announced']);
    assert.equal((await ask('GET', `/api/patches/${wanted[1]}`)).body.review.verdict, 'under_watch', 'what was decided meanwhile stays');
    // one of them was taken back in another window: the others are, and this one is named
    assert.equal((await ask('POST', `/api/patches/${wanted[0]}/undo`, { decision_id: 'taken-back-elsewhere' })).status, 200);
    await page.keyboard.press('z');
    await page.waitForFunction((id) => fetch(`/api/patches/${id}`).then((answer) => answer.json()).then((told) => told.review.state === 'open'), wanted[2]);
    await page.waitForFunction((id) => /Not taken back, 1:/.test(document.querySelector('.banner').textContent) && document.querySelector('.banner').textContent.includes(id), wanted[0]);
    await page.waitForTimeout(500);
    const waiting = async () => (await ask('GET', '/api/queue/counts')).body.waiting;
    const before = await waiting();
    await page.keyboard.press('Shift+B');
    await page.waitForFunction(() => /Whole pass/.test(document.querySelector('.toast').textContent));
    assert.ok((await waiting()) < before);
    await page.keyboard.press('z');
    await page.waitForFunction(() => /Taken back/.test(document.querySelector('.toast').textContent), null, { timeout: 20_000 });
    assert.equal(await waiting(), before);
    await page.click('text=Audit');
    await page.fill('dialog input[name=percent]', '100');
    await page.click('dialog .primary');
    await page.waitForFunction(() => /Audit: 13/.test(document.querySelector('.toast').textContent)); // twelve, and the one decided meanwhile
    await page.waitForSelector('.facts .chip.state');
    const id = await shownId(page);
    await page.keyboard.press('w');
    await page.waitForFunction((old) => document.querySelector('.facts .place small')?.textContent !== old, id);
    await page.waitForTimeout(800);
    const told = (await ask('GET', `/api/patches/${id}`)).body;
    assert.deepEqual([told.review.verdict, told.decisions.at(-1).source], ['under_watch', 'audit']);
    await page.keyboard.press('g');
    await page.waitForSelector('dialog .interval');
    await picture(page, 'figures');
  });

  test('an administrator adds an account, whose owner chooses a password', async () => {
    const { page } = await visit(browser, served.origin);
    await logIn(page, served.origin, 'admin-1');
    await page.click('text=Accounts');
    await page.waitForSelector('dialog tbody tr');
    await page.fill('dialog input[name=account]', 'review-9');
    await page.fill('dialog input[name=scope]', 'unit:460102');
    await page.click('dialog form .primary');
    await page.waitForFunction(() => /review-9 · Password/.test(document.querySelector('dialog p.told').textContent));
    await picture(page, 'accounts');
    assert.deepEqual(await violations(page), []);
    const password = /: (\S+)$/.exec(await page.locator('dialog p.told').innerText())[1];
    const owner = await visit(browser, served.origin);
    await owner.page.goto(served.origin);
    await owner.page.fill('input[name=account]', 'review-9');
    await owner.page.fill('input[name=password]', password);
    await owner.page.keyboard.press('Enter');
    await owner.page.waitForSelector('input[name=new]');
    await picture(owner.page, 'first-password');
    await owner.page.fill('input[name=new]', 'quiet water under bridges');
    await owner.page.keyboard.press('Enter');
    await owner.page.waitForSelector('body[data-ready=true]');
  });

  test('a patch whose imagery nobody can show is decided on by what is known of it', async () => {
    const blind = await serve('--patches', '3', '--without-sensors');
    try {
      const { page, faults } = await visit(browser, blind.origin);
      await logIn(page, blind.origin);
      const first = await shownId(page);
      await page.waitForSelector('.no-imagery-word', { state: 'visible' });
      await picture(page, 'no-imagery');
      await page.keyboard.press('p');
      await page.waitForFunction((id) => document.querySelector('.facts .place small').innerText !== id, first);
      assert.deepEqual(faults, []);
    } finally {
      await blind.stop();
    }
  });

  test('somebody at the river opens the link, adds a photograph, and reports', async () => {
    const desk = await visit(browser, served.origin);
    await logIn(desk.page, served.origin, 'review-2');
    const id = await shownId(desk.page);
    await desk.page.keyboard.press('f');
    await desk.page.waitForSelector('dialog .qr');
    await picture(desk.page, 'field-link');
    const link = await desk.page.getAttribute('dialog .long-link', 'href');
    const river = await visit(browser, served.origin, { width: 390, height: 844, deviceScaleFactor: 2, hasTouch: true, permissions: ['geolocation'], geolocation: { longitude: 107.82, latitude: 18.06 } });
    await river.page.goto(link);
    await river.page.waitForSelector('body[data-ready=true]');
    await river.page.waitForFunction(() => /Distance/.test(document.body.innerText));
    const photo = join(served.folder, 'photo.jpg');
    // a JPEG with nothing but an EXIF block: time and place
    writeFileSync(photo, exifJpeg());
    await river.page.setInputFiles('#photo', photo);
    await river.page.waitForFunction(() => /2024:06:25 09:30:00/.test(document.body.innerText) && /107\.82500/.test(document.body.innerText));
    await picture(river.page, 'field');
    assert.deepEqual(await violations(river.page), []);
    await river.page.check('input[value=problem]');
    await river.page.click('button.primary');
    await river.page.waitForSelector('.thanks');
    const ask = await machine(served.origin, 'super-1');
    const told = (await ask('GET', `/api/patches/${id}`)).body;
    assert.deepEqual([told.decisions.at(-1).source, told.photos.length], ['field', 1]);
    const token = link.split('#')[1];
    const more = await fetch(`${served.origin}/api/queue`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(more.status, 403, 'the link opens one patch only');
    assert.deepEqual(river.foreign, []);
    assert.ok(PASSWORD);
  });
});

/** The least JPEG that a camera could have written: SOI, an EXIF block with DateTimeOriginal and a position, EOI. */
function exifJpeg() {
  const parts = [];
  const u16 = (value) => { const b = Buffer.alloc(2); b.writeUInt16BE(value); return b; };
  const u32 = (value) => { const b = Buffer.alloc(4); b.writeUInt32BE(value); return b; };
  const entry = (tag, type, count, value) => Buffer.concat([u16(tag), u16(type), u32(count), value]);
  const time = Buffer.from('2024:06:25 09:30:00\0');
  // offsets from the TIFF header: IFD0 at 8 (2 entries), EXIF IFD, GPS IFD, then data
  const exifAt = 8 + 2 + 2 * 12 + 4;
  const gpsAt = exifAt + 2 + 12 + 4;
  const dataAt = gpsAt + 2 + 4 * 12 + 4;
  const degrees = (value) => { const whole = Math.floor(value); const minutes = Math.floor((value - whole) * 60); const seconds = ((value - whole) * 60 - minutes) * 60; return Buffer.concat([u32(whole), u32(1), u32(minutes), u32(1), u32(Math.round(seconds * 1000)), u32(1000)]); };
  parts.push(Buffer.from('MM\0*'), u32(8), u16(2), entry(0x8769, 4, 1, u32(exifAt)), entry(0x8825, 4, 1, u32(gpsAt)), u32(0));
  parts.push(u16(1), entry(0x9003, 2, time.length, u32(dataAt)), u32(0));
  parts.push(u16(4), entry(1, 2, 2, Buffer.from('N\0\0\0')), entry(2, 5, 3, u32(dataAt + time.length)), entry(3, 2, 2, Buffer.from('E\0\0\0')), entry(4, 5, 3, u32(dataAt + time.length + 24)), u32(0));
  parts.push(time, degrees(18.0625), degrees(107.825));
  const body = Buffer.concat([Buffer.from('Exif\0\0'), ...parts]);
  return Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe1]), u16(body.length + 2), body, Buffer.from([0xff, 0xd9])]);
}
