// What can be told without a browser.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { area, split } from '../../src/geometry.js';
import { SHORTCUTS, actionOf, keyLabel, pressed } from '../../src/keys.js';
import { reasons } from '../../src/panel.js';
import { TEXTS, setLanguage } from '../../src/texts.js';

test('no two shortcuts collide, none belongs to the browser, and each is explained in both languages', () => {
  const keys = SHORTCUTS.map((shortcut) => shortcut.key);
  assert.equal(new Set(keys).size, keys.length);
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
