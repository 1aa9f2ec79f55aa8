// Every shortcut, in one table: what is pressed, what it does, in which group of the help it stands. `digits` take the reason of a
// rejection and count only while one is asked for. What has `during` counts while that tool is used, and goes before the others then.

/** Shortcuts at the desk. */
export const SHORTCUTS = [
  { key: 'p', action: 'problem', group: 'verdict' },
  { key: 'n', action: 'not_a_problem', group: 'verdict' },
  { key: 'w', action: 'under_watch', group: 'verdict' },
  { key: 'h', action: 'historical_harmless', group: 'verdict' },
  { key: 'u', action: 'unsure', group: 'verdict' },
  { key: 'b', action: 'bad_imagery', group: 'verdict' },
  { key: 'd', action: 'duplicate', group: 'verdict' },
  { key: 'z', action: 'undo', group: 'verdict' },
  { key: 'k', action: 'skip', group: 'verdict' },
  { key: 'shift+b', action: 'bad_pass', group: 'verdict' },
  { key: 's', action: 'swipe', group: 'compare' },
  { key: 'o', action: 'opacity', group: 'compare' },
  { key: 'x', action: 'blink', group: 'compare' },
  { key: 'c', action: 'side_by_side', group: 'compare' },
  { key: 'arrowleft', action: 'slide_left', group: 'compare' },
  { key: 'arrowright', action: 'slide_right', group: 'compare' },
  { key: 'r', action: 'next_bands', group: 'compare' },
  { key: ',', action: 'earlier_pass', group: 'compare' },
  { key: '.', action: 'later_pass', group: 'compare' },
  { key: '+', action: 'zoom_in', group: 'map' },
  { key: '-', action: 'zoom_out', group: 'map' },
  { key: '0', action: 'home', group: 'map' },
  { key: 'a', action: 'outline', group: 'map' },
  { key: 'l', action: 'layers', group: 'map' },
  { key: 'm', action: 'measure', group: 'map' },
  { key: 'e', action: 'edit', group: 'correct' },
  { key: 't', action: 'split', group: 'correct' },
  { key: 'shift+e', action: 'redraw', group: 'correct' },
  { key: 'v', action: 'correct', group: 'correct' },
  { key: 'i', action: 'note', group: 'correct' },
  { key: '[', action: 'corner_before', group: 'corners', during: 'edit' },
  { key: ']', action: 'corner_after', group: 'corners', during: 'edit' },
  { key: 'arrowleft', action: 'corner_left', group: 'corners', during: 'edit' },
  { key: 'arrowright', action: 'corner_right', group: 'corners', during: 'edit' },
  { key: 'arrowup', action: 'corner_up', group: 'corners', during: 'edit' },
  { key: 'arrowdown', action: 'corner_down', group: 'corners', during: 'edit' },
  { key: 'j', action: 'corner_insert', group: 'corners', during: 'edit' },
  { key: 'delete', action: 'corner_remove', group: 'corners', during: 'edit' },
  { key: 'q', action: 'queue', group: 'page' },
  { key: 'f', action: 'field_link', group: 'page' },
  { key: 'g', action: 'figures', group: 'page' },
  { key: '?', action: 'help', group: 'page' },
  { key: 'escape', action: 'cancel', group: 'page' },
  { key: 'enter', action: 'confirm', group: 'page' },
];

/** The name of what was pressed; `null` for combinations that belong to the browser. */
export function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  // keyboards without Delete have Backspace in its place
  const key = { '=': '+', Backspace: 'delete' }[event.key] ?? event.key.toLowerCase();
  const isLetter = /^[a-z]$/.test(key);
  return event.shiftKey && isLetter ? `shift+${key}` : key;
}

/** What a key means, perhaps while a tool is used; without caps lock playing a part. */
export function actionOf(key, during = null) {
  const meant = (tool) => SHORTCUTS.find((shortcut) => shortcut.key === key && (shortcut.during ?? null) === tool);
  return (meant(during) ?? meant(null))?.action ?? null;
}

/** How a key is shown. */
export function keyLabel(action) {
  const key = SHORTCUTS.find((shortcut) => shortcut.action === action)?.key ?? '';
  const names = { arrowleft: '←', arrowright: '→', arrowup: '↑', arrowdown: '↓', delete: 'Del', escape: 'Esc', enter: '⏎' };
  return key.split('+').filter(Boolean).map((part) => names[part] ?? (part === 'shift' ? '⇧' : part.toUpperCase())).join('') || '+';
}
