// The keyboard: one listener, single keys and sequences ('g r'), global ones and those of the screen that is shown. Nothing
// fires while somebody types, with a modifier, or under an open dialog. Single keys can be switched off (WCAG 2.1.4).
//
//   keys.global({ 'g h': { says: 'Home', run: () => navigate('/') } });
//   view.keys({ a: { says: 'Approve', run: approve } });           // gone with the view
//   keys.all()                                                      // for the help

const SEQUENCE_MS = 1200;
const STORED = 'aos.keys';

const globals = new Map();
let locals = new Map();
let first = null;
let firstTimer = null;

export const keys = {
  /** @param {Record<string, {says: string, run: function(KeyboardEvent): void, group?: string}>} bindings */
  global(bindings) { for (const [key, binding] of Object.entries(bindings)) globals.set(key, binding); },
  /** The screen's, in the place of the last screen's. */
  local(bindings) { for (const [key, binding] of Object.entries(bindings)) locals.set(key, binding); },
  clearLocal() { locals = new Map(); },
  /** @returns {{screen: Array<[string, Object]>, everywhere: Array<[string, Object]>}} */
  all() { return { screen: [...locals], everywhere: [...globals] }; },
  get areOn() {
    try { return localStorage.getItem(STORED) !== 'off'; } catch { return true; }
  },
  set areOn(value) {
    try { localStorage.setItem(STORED, value ? 'on' : 'off'); } catch { /* Then for this page only. */ }
  },
  start() { document.addEventListener('keydown', pressed); },
};

/** Whether the element takes keys as text. */
export function isTyping(element) {
  if (!element || element.isContentEditable) return !!element;
  if (element.tagName === 'TEXTAREA' || element.tagName === 'SELECT') return true;
  return element.tagName === 'INPUT' && !['checkbox', 'radio', 'button', 'submit', 'range'].includes(element.type);
}

function pressed(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target) || document.querySelector('dialog[open]')) return;
  if (!keys.areOn && event.key !== 'Escape' && event.key.length === 1) return;
  const candidates = first ? [`${first} ${event.key}`, event.key] : [event.key];
  forget();
  for (const key of candidates) {
    const binding = locals.get(key) ?? globals.get(key);
    if (!binding) continue;
    event.preventDefault();
    binding.run(event);
    return;
  }
  if ([...locals.keys(), ...globals.keys()].some((key) => key.startsWith(`${event.key} `))) {
    first = event.key;
    firstTimer = setTimeout(forget, SEQUENCE_MS);
  }
}

function forget() {
  first = null;
  clearTimeout(firstTimer);
}

/** Moves the focus among the rows of the page: elements marked `data-row`, or their first link or button. @param {number} by */
export function moveRow(by) {
  const rows = [...document.querySelectorAll('.page [data-row]')].filter((row) => row.offsetParent !== null);
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + by))];
  const target = next.matches('a, button, [tabindex]') ? next : next.querySelector('a, button, [tabindex]');
  target?.focus();
  next.scrollIntoView({ block: 'nearest' });
}
