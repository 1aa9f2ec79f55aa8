// Elements from plain descriptions. Text is always text: nothing from data is ever read as markup.

/** An element: attributes, `on…` listeners, `class`, `text`, then children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'text') element.textContent = value;
    else if (name === 'class') element.className = value;
    else if (name === 'value') element.value = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** The same for SVG. */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Puts other children into an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Whether somebody is typing: shortcuts pause then. */
export function isTyping(target) {
  if (!(target instanceof Element)) return false;
  if (target.closest('[contenteditable="true"]')) return true;
  const field = target.closest('input, textarea, select');
  return field !== null && !['checkbox', 'radio', 'range', 'button'].includes(field.type);
}

let spoken;
/** Says something to who can't see it. */
export function announce(text) {
  spoken ??= document.body.appendChild(h('div', { class: 'unseen', role: 'status', 'aria-live': 'polite' }));
  spoken.textContent = text;
}
