// Reviewers at work, in a real browser on a real server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { hasBrowser, launch, logIn, machine, picture, serve, settled, shownId, visit, CHROMIUM } from './support.js';

const skip = hasBrowser ? false : `no browser at ${CHROMIUM}: install Debian's chromium, or set CHROMIUM`;
let browser;
before(async () => { if (hasBrowser) browser = await launch(); });
after(async () => { await browser?.close(); });

/** In the page: notes how many milliseconds after the last key the next patch's facts stand there, and when the pictures of both
    its dates do; and then the share of the map that is drawn. */
function watch() {
  const [facts, stage] = [document.querySelector('.facts'), document.querySelector('.stage')];
  const name = () => document.querySelector('.facts .place small')?.textContent;
  const old = name();
  let pressed = 0;
  window.shown = null;
  const listen = () => { pressed = performance.now(); };
  document.addEventListener('keydown', listen, { capture: true });
  const known = {};
  const observer = new MutationObserver(() => {
    const after = performance.now() - pressed;
    if (name() === old) return;
    known.facts ??= after;
    if (stage.dataset.painted !== name()) return;
    observer.disconnect();
    document.removeEventListener('keydown', listen, { capture: true });
    const canvas = document.querySelector('.map canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let i = 3; i < data.length; i += 4) drawn += data[i] > 0 ? 1 : 0;
    window.shown = { facts: known.facts, pictures: after, drawn: drawn / (data.length / 4) };
  });
  observer.observe(facts, { childList: true, subtree: true });
  observer.observe(stage, { attributes: true, attributeFilter: ['data-painted'] });
}

/** Waits until another patch is shown. */
async function nextAfter(page, id) {
  await page.waitForFunction((old) => document.querySelector('.facts .place small')?.textContent !== old, id, { timeout: 10_000 });
}

describe('a reviewer', { skip }, () => {
  let served;
  before(async () => { served = await serve(); });
  after(async () => { await served.stop(); });

  test('decides twenty patches by keyboard alone, each next one at once, and takes one back', async () => {
    const { page, context, foreign, faults } = await visit(browser, served.origin);
    await logIn(page, served.origin);
    await picture(page, 'desk');
    const keys = ['p', 'n2', 'w', 'h', 'u', 'b', 'n6'];
    const seen = [];
    const times = [];
    for (let i = 0; i < 20; i += 1) {
      await settled(page);
      const id = await shownId(page);
      assert.ok(!seen.includes(id), `${id} came twice`);
      seen.push(id);
      await page.evaluate(watch);
      for (const key of keys[i % keys.length]) await page.keyboard.press(key);
      await nextAfter(page, id);
      times.push(await page.waitForFunction(() => window.shown).then((shown) => shown.jsonValue()));
    }
    await settled(page);
    const ask = await machine(served.origin);
    for (const id of seen) assert.equal((await ask('GET', `/api/patches/${id}`)).body.review.state, 'decided', id);
    const told = (what) => times.map((time) => time[what]).sort((a, b) => a - b);
    const [facts, pictures] = [told('facts'), told('pictures')];
    const words = `to the next patch's facts ${facts.map((time) => time.toFixed(0))} ms, to the pictures of both its dates ${pictures.map((time) => time.toFixed(0))} ms`;
    console.log(words);
    assert.ok(times.every((time) => time.drawn > 0.9), `both dates are drawn where they are said to be: ${times.map((time) => time.drawn.toFixed(2))}`);
    assert.ok(facts[18] <= 150 && pictures[18] <= 150, words);
    await page.keyboard.press('z');
    await page.waitForFunction((id) => document.querySelector('.facts .place small')?.textContent === id, seen[19]);
    assert.equal((await ask('GET', `/api/patches/${seen[19]}`)).body.review.state, 'open', 'maproulette-frontend#307: there is an undo');
    assert.equal((await ask('GET', `/api/patches/${seen[18]}`)).body.review.state, 'decided');
    assert.deepEqual(foreign, [], 'nothing is asked of anybody but this server');
    assert.deepEqual(faults, []);
    await context.close();
  });

  test('says more than yes or no: a coded reason, a word, what it repeats (Rapid#686)', async () => {
    const { page, context } = await visit(browser, served.origin);
    await logIn(page, served.origin);
    const ask = await machine(served.origin);
    const first = await shownId(page);
    await page.keyboard.press('n');
    await picture(page, 'reasons');
    await page.keyboard.press('8');
    await page.keyboard.type('堤防加固 pzkw');
    await page.keyboard.press('Enter');
    await nextAfter(page, first);
    const second = await shownId(page);
    await settled(page);
    await page.keyboard.press('d');
    await page.keyboard.type(first);
    await page.keyboard.press('Enter');
    await nextAfter(page, second);
    await settled(page);
    const told = (await ask('GET', `/api/patches/${first}`)).body.decisions.at(-1);
    assert.deepEqual([told.verdict, told.reason, told.note], ['not_a_problem', 'other', '堤防加固 pzkw'], 'shortcuts paused while typing');
    assert.equal((await ask('GET', `/api/patches/${second}`)).body.decisions.at(-1).duplicate_of, first);
    await context.close();
  });

  test('corrects outline, class and severity', async () => {
    const { page, context } = await visit(browser, served.origin);
    await logIn(page, served.origin);
    await settled(page);
    const id = await shownId(page);
    await page.keyboard.press('Shift+E');
    const box = await page.locator('.map').first().boundingBox();
    const at = (x, y) => [box.x + box.width * x, box.y + box.height * y];
    for (const corner of [[0.3, 0.3], [0.7, 0.32], [0.66, 0.7]]) { await page.mouse.move(...at(...corner)); await page.mouse.click(...at(...corner)); await page.waitForTimeout(300); }
    await picture(page, 'redraw');
    await page.mouse.dblclick(...at(0.32, 0.68));
    await page.waitForTimeout(300);
    await page.keyboard.press('e');
    await page.mouse.move(...at(0.3, 0.3));
    await page.mouse.down();
    await page.mouse.move(...at(0.27, 0.26), { steps: 4 });
    await page.mouse.up();
    await page.keyboard.press('Enter');
    await page.selectOption('.choices label:nth-child(1) select', 'dumping');
    await page.selectOption('.choices label:nth-child(2) select', '3b');
    await page.selectOption('.choices label:nth-child(3) select', 'serious');
    await page.evaluate(() => document.activeElement.blur());
    await picture(page, 'corrected');
    await page.keyboard.press('p');
    await nextAfter(page, id);
    await settled(page);
    const ask = await machine(served.origin);
    const { corrected } = (await ask('GET', `/api/patches/${id}`)).body;
    assert.deepEqual([corrected.issue_class, corrected.sub_type, corrected.severity], ['dumping', '3b', 'serious']);
    assert.equal(corrected.geometry.coordinates[0].length, 5);
    await context.close();
  });

  test('moves, adds and removes corners by keyboard alone, and says what it does', async () => {
    const { page, context } = await visit(browser, served.origin);
    await logIn(page, served.origin);
    await settled(page);
    const id = await shownId(page);
    const ask = await machine(served.origin);
    const found = (await ask('GET', `/api/patches/${id}`)).body;
    const said = () => page.locator('[aria-live=polite]').innerText();
    const corners = found.geometry.coordinates[0].length - 1;
    await page.keyboard.press('e');
    await page.keyboard.press(']');
    assert.equal(await said(), `Corner 1 of ${corners}`);
    await page.keyboard.press('[');
    assert.equal(await said(), `Corner ${corners} of ${corners}`);
    await page.keyboard.press('Delete');
    assert.equal(await said(), `Corner removed, ${corners - 1} left`);
    await page.keyboard.press(']');
    for (let i = 0; i < 3; i += 1) await page.keyboard.press('ArrowUp');
    assert.equal(await said(), `Corner 1: ${found.grid.metres.toFixed(1)} m north`);
    await page.keyboard.press('j');
    assert.equal(await said(), `Corner 2 of ${corners} added`);
    await picture(page, 'corners');
    assert.equal(await page.getAttribute('.divider', 'aria-valuenow'), '50', 'the arrows move a corner, not the swipe');
    await page.keyboard.press('Enter');
    await page.keyboard.press('p');
    await nextAfter(page, id);
    await settled(page);
    const ring = (await ask('GET', `/api/patches/${id}`)).body.corrected.geometry.coordinates[0];
    assert.equal(ring.length - 1, corners);
    const moved = ring.map(([lon, lat]) => [(lon - found.geometry.coordinates[0][0][0]) * 105_000, (lat - found.geometry.coordinates[0][0][1]) * 110_600]);
    assert.ok(moved.some(([x, y]) => Math.abs(x) < 2 && Math.abs(y - 3 * found.grid.metres) < 1), `three pixels north of the first corner: ${JSON.stringify(moved)}`);
    await page.keyboard.press('z');
    await page.waitForFunction((old) => document.querySelector('.facts .place small')?.textContent === old, id);
    await context.close();
  });

  test('splits an outline: the other part waits as a patch of its own, and undo takes it back', async () => {
    const { page, context } = await visit(browser, served.origin);
    await logIn(page, served.origin);
    await settled(page);
    const id = await shownId(page);
    const ask = await machine(served.origin);
    const waiting = async () => (await ask('GET', '/api/queue/counts')).body.waiting;
    const before = await waiting();
    await page.keyboard.press('t');
    const box = await page.locator('.map').first().boundingBox();
    const x = box.x + box.width / 2; // beside the divider of the swipe
    await page.mouse.click(x + 40, box.y + 40);
    await page.waitForTimeout(300);
    await page.mouse.dblclick(x + 40, box.y + box.height - 60);
    await page.waitForTimeout(500);
    await picture(page, 'split');
    await page.keyboard.press('p');
    await nextAfter(page, id);
    await settled(page);
    const whole = (await ask('GET', `/api/patches/${id}`)).body;
    const partId = whole.decisions.at(-1).split_off;
    assert.ok(partId?.startsWith(`${id}-`), `the decision tells the split: ${partId}`);
    const part = (await ask('GET', `/api/patches/${partId}`)).body;
    assert.deepEqual([part.review.state, part.model, part.pre.pass_id, part.reach_id], ['open', whole.model, whole.pre.pass_id, whole.reach_id]);
    assert.ok(part.area_m2 > 0 && part.area_m2 <= 0.55 * whole.area_m2, `${part.area_m2} of ${whole.area_m2}`);
    assert.equal(await waiting(), before, 'one was decided, one came');
    await page.keyboard.press('z');
    await page.waitForFunction((old) => document.querySelector('.facts .place small')?.textContent === old, id);
    assert.equal((await ask('GET', `/api/patches/${partId}`)).status, 404);
    assert.equal(await waiting(), before);
    await context.close();
  });

  test('shows both dates in each way, all by keyboard, and the swipe is not shifted (mapswipetool_plugin#19, haste#104)', async () => {
    for (const deviceScaleFactor of [1, 2]) {
      const { page, context } = await visit(browser, served.origin, { deviceScaleFactor });
      await logIn(page, served.origin);
      await settled(page);
      for (let i = 0; i < 4; i += 1) await page.keyboard.press('ArrowLeft');
      assert.ok(await page.locator('.divider').isVisible());
      await settled(page);
      const shift = await page.evaluate(async () => {
        const host = document.querySelector('.stage');
        const divider = document.querySelector('.divider').getBoundingClientRect();
        const box = host.getBoundingClientRect();
        const line = (divider.left + divider.width / 2 - box.left) / box.width;
        return { line, label: document.querySelector('.divider').getAttribute('aria-valuenow') };
      });
      assert.ok(Math.abs(shift.line - 0.3) < 0.002 && shift.label === '30', JSON.stringify(shift));
      // left of the line stands the earlier date, right of it the later one, to the pixel: as whole pictures show them
      const shot = async () => {
        const { createHash } = await import('node:crypto');
        const box = await page.locator('.map').first().boundingBox();
        const cut = async (from, to) => createHash('sha256').update(await page.screenshot({ clip: { x: Math.round(box.x + box.width * from), y: box.y + 60, width: Math.floor(box.width * (to - from)) - 8, height: box.height - 200 } })).digest('hex');
        return [await cut(0.02, 0.26), await cut(0.34, 0.98)];
      };
      const slid = await shot();
      const whole = async (key, times) => { for (let i = 0; i < times; i += 1) await page.keyboard.press(key); await settled(page); return shot(); };
      const later = await whole('ArrowLeft', 10);
      const earlier = await whole('ArrowRight', 20);
      assert.equal(slid[0], earlier[0], `left of the line at ${deviceScaleFactor}`);
      assert.equal(slid[1], later[1], `right of the line at ${deviceScaleFactor}`);
      assert.notEqual(later[1], earlier[1]);
      if (deviceScaleFactor === 2) await picture(page, 'swipe-2x');
      for (const [key, mode] of [['o', 'opacity'], ['x', 'blink'], ['c', 'side_by_side'], ['s', 'swipe']]) {
        await page.keyboard.press(key);
        assert.equal(await page.getAttribute('.stage', 'data-mode'), mode);
        if (deviceScaleFactor === 1) await picture(page, mode.replaceAll('_', '-'));
      }
      await page.keyboard.press('r');
      await settled(page);
      assert.equal(await page.inputValue('.compare-bar select'), 'infrared');
      await context.close();
    }
  });

  test('finds every shortcut by ?, in Chinese and in English, and the page changes its language', async () => {
    const { page, context } = await visit(browser, served.origin, { locale: 'zh-CN' });
    await logIn(page, served.origin);
    assert.equal(await page.getAttribute('html', 'lang'), 'zh-CN');
    assert.match(await page.locator('.verdicts').innerText(), /挂账监管/);
    await picture(page, 'desk-zh');
    await page.keyboard.press('?');
    assert.match(await page.locator('dialog').innerText(), /卷帘/);
    await picture(page, 'help-zh');
    await page.keyboard.press('Escape');
    await page.click('.top nav button[lang=en]');
    await page.waitForSelector('body[data-ready=true]');
    assert.match(await page.locator('.verdicts').innerText(), /Under watch/);
    await page.keyboard.press('?');
    await picture(page, 'help');
    await context.close();
  });

  test('works with WebGL off, and text from data stays text', async () => {
    const plain = await launch('--disable-3d-apis', '--disable-webgl');
    try {
      const { page, faults } = await visit(plain, served.origin);
      page.on('dialog', () => assert.fail('a script of the data ran'));
      await logIn(page, served.origin, 'review-2');
      await settled(page);
      assert.equal(await page.evaluate(() => document.createElement('canvas').getContext('webgl')), null);
      const painted = await page.evaluate(() => {
        const canvas = document.querySelector('.map canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let bright = 0;
        for (let i = 0; i < data.length; i += 4) bright += data[i] > 40 ? 1 : 0;
        return bright / (data.length / 4);
      });
      assert.ok(painted > 0.1, `${painted} of the map is drawn`);
      assert.match(await page.locator('.words').innerText(), /<script>alert/);
      assert.deepEqual(faults, []);
    } finally {
      await plain.close();
    }
  });

  test('reviews on a phone', async () => {
    const { page, context } = await visit(browser, served.origin, { width: 390, height: 844, deviceScaleFactor: 2, hasTouch: true });
    await logIn(page, served.origin);
    await picture(page, 'phone');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} px too wide`);
    const id = await shownId(page);
    for (const verdict of await page.locator('.verdict').all()) assert.ok((await verdict.boundingBox()).height >= 44);
    await page.locator('.verdict.unsure').tap();
    await nextAfter(page, id);
    await context.close();
  });
});

describe('two reviewers', { skip }, () => {
  test('do not meet; who comes late is told, and the draft is kept (maproulette-frontend#1109)', async () => {
    const served = await serve();
    try {
      const one = await visit(browser, served.origin);
      const two = await visit(browser, served.origin);
      await logIn(one.page, served.origin, 'review-1');
      await logIn(two.page, served.origin, 'review-2');
      const [first, second] = [await shownId(one.page), await shownId(two.page)];
      assert.notEqual(first, second);
      assert.doesNotMatch(await two.page.locator('body').innerText(), /locked/i);
      // a third person decides behind the back of the first
      const ask = await machine(served.origin, 'super-1');
      const waited = await ask('POST', '/api/bulk', { batch_id: 'behind-the-back', verdict: 'under_watch', patches: [{ patch_id: first, on_version: 0 }] });
      assert.deepEqual(waited.body.left_out, [{ patch_id: first, verdict: null, why: 'leased' }], 'nobody decides on what another one looks at');
      await one.page.fill('.decide textarea', 'looks like a dike');
      await one.page.evaluate(() => document.activeElement.blur());
      // the same account in another window
      const again = await machine(served.origin, 'review-1');
      assert.equal((await again('POST', `/api/patches/${first}/lease`)).status, 200);
      assert.equal((await again('POST', `/api/patches/${first}/decisions`, { decision_id: 'from-another-window', verdict: 'under_watch', on_version: 0 })).status, 200);
      await one.page.keyboard.press('p');
      await one.page.waitForSelector('.banner:not([hidden])');
      await picture(one.page, 'conflict');
      assert.match(await one.page.locator('.banner').innerText(), /Somebody decided meanwhile: Under watch. Your draft is kept/);
      assert.equal((await ask('GET', `/api/patches/${first}`)).body.decisions.length, 1);
      await one.page.click('.banner button.small');
      await one.page.waitForFunction((id) => document.querySelector('.facts .place small')?.textContent === id, first);
      assert.equal(await one.page.inputValue('.decide textarea'), 'looks like a dike');
    } finally {
      await served.stop();
    }
  });

  test('give the second opinion on a grave one to somebody else (label-studio#831)', async () => {
    const served = await serve('--two-persons');
    try {
      const ask = await machine(served.origin, 'super-1');
      const grave = (await ask('GET', '/api/queue?severity=major&limit=1')).body.rows[0].patch_id;
      const first = await machine(served.origin, 'review-1');
      await first('POST', `/api/patches/${grave}/lease`);
      const decided = await first('POST', `/api/patches/${grave}/decisions`, { decision_id: 'first-opinion', verdict: 'problem', on_version: 0 });
      assert.equal(decided.body.review.state, 'second_opinion');
      const { page } = await visit(browser, served.origin);
      await logIn(page, served.origin, 'review-2');
      await page.selectOption('.filters select[name=state]', 'second_opinion');
      await page.waitForFunction((id) => document.querySelector('.rows [data-id]')?.dataset.id === id, grave);
      const own = await first('GET', '/api/queue?state=second_opinion');
      assert.deepEqual(own.body.rows, [], 'nobody reviews their own');
    } finally {
      await served.stop();
    }
  });
});

describe('a lease', { skip }, () => {
  test('shows its time, is renewed by work, and when it is over keeps the draft and answers 409 (tasking-manager#1084)', async () => {
    const served = await serve('--lease-seconds', '4');
    try {
      const { page } = await visit(browser, served.origin);
      await logIn(page, served.origin);
      const id = await shownId(page);
      assert.match(await page.locator('.lease').innerText(), /0:0[1-4]/);
      for (let i = 0; i < 5; i += 1) { await page.waitForTimeout(1100); await page.keyboard.press('a'); }
      assert.match(await page.locator('.lease').innerText(), /0:0[1-4]/, 'work renews it');
      await page.fill('.decide textarea', 'went for tea');
      await page.evaluate(() => document.activeElement.blur());
      await page.waitForFunction(() => /0:00/.test(document.querySelector('.lease').textContent), null, { timeout: 10_000 });
      await page.waitForTimeout(600);
      const answer = page.waitForResponse((response) => response.url().includes(`${id}/decisions`));
      await page.keyboard.press('w');
      assert.equal((await answer).status(), 409);
      await page.waitForSelector('.banner:not([hidden])');
      assert.match(await page.locator('.banner').innerText(), /time with this patch ran out/);
      await page.click('.banner button.small');
      await page.waitForFunction((old) => document.querySelector('.facts .place small')?.textContent === old, id);
      assert.equal(await page.inputValue('.decide textarea'), 'went for tea');
      const sent = page.waitForResponse((response) => response.url().includes(`${id}/decisions`));
      await page.keyboard.press('w');
      assert.equal((await sent).status(), 200);
    } finally {
      await served.stop();
    }
  });
});

describe('a closure that imagery contradicts', { skip }, () => {
  test('brings its patch back, with the reason in both languages', async () => {
    const served = await serve('--shown-again');
    try {
      const rows = (await (await machine(served.origin))('GET', '/api/queue?limit=60')).body.rows;
      const again = rows.filter((row) => row.shown_again);
      assert.equal(again.length, 1);
      for (const [locale, words] of [['en-GB', /^Shown again: closure asked for on 2024-06-30, but the imagery of 2024-10-30 still shows it\./], ['zh-CN', /^再次复核: 2024-06-30 申请销号，但 2024-10-30 影像显示问题仍在。/]]) {
        const { page, context, faults } = await visit(browser, served.origin, { locale });
        await logIn(page, served.origin);
        await page.click(`.rows [data-id="${again[0].patch_id}"] .row`);
        await page.waitForSelector('.again');
        assert.match(await page.locator('.again').innerText(), words);
        assert.equal(await page.locator('.rows .current .row-verdict').first().innerText(), locale === 'zh-CN' ? '再次复核' : 'Shown again');
        await picture(page, `shown-again-${locale.slice(0, 2)}`);
        assert.deepEqual(faults, []);
        await context.close();
      }
    } finally {
      await served.stop();
    }
  });
});
