// What can be told without a browser.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { area, insertCorner, moveCorner, removeCorner, split } from '../../src/geometry.js';
import { SHORTCUTS, actionOf, keyLabel, pressed } from '../../src/keys.js';
import { reasons } from '../../src/panel.js';
import { TEXTS, setLanguage } from '../../src/texts.js';

test('no two shortcuts collide, none belongs to the browser, and each is explained in both languages', () => {
  const keys = SHORTCUTS.map((shortcut) => shortcut.key);
  const within = (during) => SHORTCUTS.filter((shortcut) => shortcut.during === during).map((shortcut) => shortcut.key);
  for (const during of [undefined, 'edit']) assert.equal(new Set(within(during)).size, within(during).length, during);
  // while an outline is edited the arrows move a corner and no swipe; nothing else means two things
  assert.deepEqual(within('edit').filter((key) => within(undefined).includes(key)), ['arrowleft', 'arrowright']);
  assert.equal(new Set(SHORTCUTS.map((shortcut) => shortcut.action)).size, keys.length);
  // digits are the reasons of a rejection, / and ' open the browser's search
  for (const key of keys) assert.ok(!/^[1-9]$|^f\d+$|^[/']$|^tab$|^ $/.test(key), key);
  for (const { action } of SHORTCUTS) {
    assert.ok(TEXTS.en[`do_${action}`], action);
    assert.ok(TEXTS.zh[`do_${action}`], action);
    assert.ok(keyLabel(action).length > 0);
  }
});

test('both languages say the same things', () => {
  assert.deepEqual(Object.keys(TEXTS.zh).sort(), Object.keys(TEXTS.en).sort());
  for (const texts of Object.values(TEXTS)) {
    for (const [name, text] of Object.entries(texts)) assert.ok(text.length > 0, name);
  }
});

test('combinations with control belong to the browser', () => {
  const event = (key, more = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false, ...more });
  assert.equal(pressed(event('p', { ctrlKey: true })), null);
  assert.equal(pressed(event('p', { isComposing: true })), null);
  assert.equal(actionOf(pressed(event('P', { shiftKey: false }))), 'problem');
  assert.equal(actionOf(pressed(event('B', { shiftKey: true }))), 'bad_pass');
  assert.equal(actionOf(pressed(event('?', { shiftKey: true }))), 'help');
  assert.equal(actionOf(pressed(event('='))), 'zoom_in');
  assert.equal(actionOf('arrowleft'), 'slide_left');
  assert.equal(actionOf('arrowleft', 'edit'), 'corner_left');
  assert.equal(actionOf(pressed(event('Backspace')), 'edit'), 'corner_remove');
  assert.equal(actionOf('delete'), null);
  assert.equal(actionOf('p', 'edit'), 'problem');
});

test('a line splits an outline into parts that add up', () => {
  const square = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]];
  for (const line of [[[-1, 3], [11, 3]], [[3, -1], [4, 5], [3, 11]], [[11, 3], [5, 4], [-1, 3]]]) {
    const parts = split(square, line);
    assert.ok(parts, JSON.stringify(line));
    const total = parts.reduce((sum, part) => sum + Math.abs(area(part)), 0);
    assert.ok(Math.abs(total - 100) < 1e-9, `${total}`);
    for (const part of parts) assert.deepEqual(part[0], part.at(-1));
  }
  assert.equal(split(square, [[20, 0], [20, 10]]), null);
  assert.equal(split(square, [[5, 5], [5, 20]]), null);
});

test('corners are moved, put in and removed, and the ring stays closed', () => {
  const square = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]];
  assert.deepEqual(moveCorner(square, 0, [-1, 2]), [[-1, 2], [10, 0], [10, 10], [0, 10], [-1, 2]]);
  assert.deepEqual(insertCorner(square, 3), [[0, 0], [10, 0], [10, 10], [0, 10], [0, 5], [0, 0]]);
  const triangle = removeCorner(square, 0);
  assert.deepEqual(triangle, [[10, 0], [10, 10], [0, 10], [10, 0]]);
  assert.equal(removeCorner(triangle, 1), null);
});

test('every text is used: by the page, or as a word of what the server tells', () => {
  const read = (folder, ending) => readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name), 'utf8'));
  const here = (path) => fileURLToPath(new URL(path, import.meta.url));
  const page = readdirSync(here('../../src')).filter((name) => name.endsWith('.js') && !['texts.js', 'keys.js'].includes(name));
  const sources = page.map((name) => readFileSync(here(`../../src/${name}`), 'utf8')).join('\n');
  const words = [...read(here('../../../../domain/src'), '.rs'), ...read(here('../../../src'), '.rs'), ...read(here('../../../../store/src'), '.rs'), ...read(here('../../../../../configs'), '.toml')].join('\n');
  const actions = SHORTCUTS.map((shortcut) => `do_${shortcut.action}`);
  const groups = SHORTCUTS.map((shortcut) => `help_${shortcut.group}`);
  const told = [...words.matchAll(/"(?:finding\.)?(\w+)"/g)].flatMap(([, word]) => [word, `left_${word}`, `again_${word}`, `refused_${word}`]);
  const known = new Set([...actions, ...groups, ...told, ...[...sources.matchAll(/['"`](\w+)['"`]/g)].map(([, name]) => name)]);
  assert.deepEqual(Object.keys(TEXTS.en).filter((name) => !known.has(name)), []);
  // and what the page says has a text
  for (const [, name] of sources.matchAll(/\bt\('(\w+)'/g)) assert.ok(TEXTS.en[name], name);
});

test('reasons of rules come in the language of the reader, and those of older stores as they are', () => {
  globalThis.document = { documentElement: {} };
  const rule = (table, fired, reason) => ({ table, fired, reason });
  const both = { english: 'Pits.', chinese: '采坑。' };
  const patch = { explanation: { parts: { rules: [rule('issues', false, both), rule('issues', true, both), rule('severity', true, 'old'), rule('routing', true, both)] } } };
  setLanguage('zh');
  assert.deepEqual(reasons(patch), ['采坑。', 'old']);
  setLanguage('en');
  assert.deepEqual(reasons(patch), ['Pits.', 'old']);
  assert.deepEqual(reasons({ explanation: { parts: null } }), []);
  delete globalThis.document;
});
