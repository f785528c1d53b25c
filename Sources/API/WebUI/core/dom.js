// Elements from values, never from markup. This is the only place that makes elements, so what it refuses cannot happen:
// no inline handlers or styles, no scripts or frames, no address other than our own, http(s) or a blob of ours.
//
//   h('p', { class: 'muted', on: { click: open } }, 'Hello ', h('b', null, name))
//   svg('path', { d: 'M0 0' })
//   fill(element, ...children)          replaces what is in it
//
// props: class (text or list; falsy members are left out), on (listeners), data, style (by CSSOM), all else an attribute;
// null and false are left out, true is an empty attribute. Children: text, nodes, lists; null and false are left out.

const SVG = 'http://www.w3.org/2000/svg';
const REFUSED_TAGS = new Set(['script', 'iframe', 'object', 'embed', 'base', 'meta', 'link', 'style']);
const ADDRESSES = new Set(['href', 'src', 'action', 'formaction', 'poster', 'xlink:href']);
const REFUSED_ATTRIBUTES = new Set(['style', 'srcdoc', 'srcset', 'ping']);

/** @param {string} tag @param {?Object} [props] @param {...*} children @returns {HTMLElement} */
export function h(tag, props, ...children) {
  if (REFUSED_TAGS.has(tag)) throw new Error(`an element that is not made here: ${tag}`);
  return build(document.createElement(tag), props, children);
}

/** @param {string} tag @param {?Object} [props] @param {...*} children @returns {SVGElement} */
export function svg(tag, props, ...children) {
  if (REFUSED_TAGS.has(tag) || tag === 'foreignObject') throw new Error(`an element that is not made here: ${tag}`);
  return build(document.createElementNS(SVG, tag), props, children);
}

/** Replaces what is in the element. @param {Element} element @param {...*} children */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** Adds children as `h` takes them. @param {Node} element @param {Array} children */
export function append(element, children) {
  for (const child of children) {
    if (child == null || child === false || child === true) continue;
    if (Array.isArray(child)) append(element, child);
    else element.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** A fragment of children. @param {...*} children @returns {DocumentFragment} */
export function fragment(...children) {
  const result = document.createDocumentFragment();
  append(result, children);
  return result;
}

/** Whether an address may stand in the page: a path of ours, an anchor, a blob, http or https. @param {string} address */
export function isSafeAddress(address) {
  const text = String(address);
  if (/^[#?]/.test(text) || /^\/(?![/\\])/.test(text)) return true;
  try {
    return ['http:', 'https:', 'blob:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}

let lastID = 0;
/** An id for `aria-labelledby` and its like, unique in the page. @param {string} [stem] */
export const uid = (stem = 'u') => `${stem}-${++lastID}`;

/** Shows an element or hides it. @param {Element} element @param {boolean} isShown */
export function show(element, isShown) {
  if (element.hidden === isShown) element.hidden = !isShown;
}

function build(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value == null || value === false) continue;
    if (name === 'class') {
      const names = [value].flat(2).filter(Boolean).join(' ');
      if (names) element.setAttribute('class', names);
    } else if (name === 'on') {
      for (const [type, listener] of Object.entries(value)) if (listener) element.addEventListener(type, listener);
    } else if (name === 'data') {
      for (const [key, datum] of Object.entries(value)) if (datum != null) element.dataset[key] = datum;
    } else if (name === 'style') {
      for (const [key, datum] of Object.entries(value)) element.style.setProperty(key, datum);
    } else if (name === 'value' && 'value' in element) {
      element.value = value;
    } else {
      setAttribute(element, name, value);
    }
  }
  append(element, children);
  return element;
}

function setAttribute(element, name, value) {
  const lower = name.toLowerCase();
  if (lower.startsWith('on') || REFUSED_ATTRIBUTES.has(lower)) throw new Error(`an attribute that is not set here: ${name}`);
  if (ADDRESSES.has(lower) && !isSafeAddress(value)) throw new Error(`an address that is not set here: ${name}`);
  element.setAttribute(name, value === true ? '' : String(value));
}

const BOXES = new Set(['ARTICLE', 'ASIDE', 'DD', 'DIV', 'DL', 'HEADER', 'LI', 'NAV', 'OL', 'P', 'SECTION', 'TABLE', 'TBODY', 'TD', 'TR', 'UL']);

/**
 * Makes the element hold these children, leaves alone what is the same, and keeps where the reader was: the focus (by `data-key`
 * of the element or of what is around it), what was unfolded, and how far things with `data-key` were scrolled. Boxes have no
 * listeners of their own here; `details` with a `data-key` keep what was read into them.
 * @param {Element} element @param {...*} children
 */
export function redraw(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const holder = focused?.closest('[data-key]');
  const place = holder && element.contains(holder) && holder !== element
    ? { key: holder.dataset.key, at: focusables(holder).indexOf(focused) } : null;
  const kept = new Map();
  for (const one of element.querySelectorAll('[data-key]')) {
    if (one.tagName === 'DETAILS') kept.set(one.dataset.key, { open: one.open });
    else if (one.scrollTop || one.scrollLeft) kept.set(one.dataset.key, { top: one.scrollTop, left: one.scrollLeft });
  }
  merge(element, fragment(...children));
  for (const one of element.querySelectorAll('[data-key]')) {
    const was = kept.get(one.dataset.key);
    if (!was) continue;
    if (was.open != null) { if (one.open !== was.open) one.open = was.open; }
    else { one.scrollTop = was.top; one.scrollLeft = was.left; }
  }
  if (!place || element.contains(document.activeElement)) return element;
  const again = [...element.querySelectorAll('[data-key]')].find((one) => one.dataset.key === place.key);
  (place.at < 0 ? again : focusables(again ?? element)[place.at] ?? again)?.focus?.({ preventScroll: true });
  return element;
}

const focusables = (element) => [...element.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')];

function merge(old, fresh) {
  const [was, is] = [[...old.childNodes], [...fresh.childNodes]];
  is.forEach((node, index) => {
    const before = was[index];
    if (!before) old.appendChild(node);
    else if (before.isEqualNode(node) || isSameFold(before, node)) return;
    else if (isSameBox(before, node)) merge(before, node);
    else old.replaceChild(node, before);
  });
  for (const node of was.slice(is.length)) node.remove();
}

const isSameFold = (a, b) => a.tagName === 'DETAILS' && b.tagName === 'DETAILS' && a.dataset.key != null && a.dataset.key === b.dataset.key
  && !!a.firstChild?.isEqualNode(b.firstChild);

const isSameBox = (a, b) => BOXES.has(a.tagName) && a.tagName === b.tagName && a.attributes.length === b.attributes.length
  && [...a.attributes].every(({ name, value }) => b.getAttribute(name) === value);
