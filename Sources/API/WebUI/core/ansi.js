// What a terminal would have shown, as classes: SGR colours and weights (ECMA-48 8.3.117). Whatever else a terminal obeys
// (cursor, titles, hyperlinks, queries) is dropped; concealed text is shown; colours come from our palette, so that no text
// can hide in its background.
//
//   ansiSpans('\u001b[31mred\u001b[0m')   [{ text: 'red', classes: 'a-1' }, …]

const SPANS_MAX = 20_000;
const STRING_MAX = 4_096;

// CSI with its parts, OSC/DCS/SOS/PM/APC up to a terminator, then any other escape.
const ESCAPE = new RegExp(
  `(?:\\u001b\\[|\\u009b)([0-?]*)([ -/]*)([@-~])|(?:\\u001b[\\]PX^_]|[\\u0090\\u0098\\u009d-\\u009f])[^\\u0007\\u001b\\u009c\\n]{0,${STRING_MAX}}(?:\\u0007|\\u001b\\\\|\\u009c)|\\u001b[ -/]*[0-~]`, 'gu');

/** @param {string} text @returns {Array<{text: string, classes: string}>} */
export function ansiSpans(text) {
  const spans = [];
  let state = {};
  let from = 0;
  const push = (part) => {
    if (!part) return;
    const classes = classesOf(state);
    const last = spans[spans.length - 1];
    if (last && last.classes === classes) last.text += part;
    else if (spans.length < SPANS_MAX) spans.push({ text: part, classes });
    else last.text += part;
  };
  for (const match of text.matchAll(ESCAPE)) {
    push(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[3] === 'm' && !match[2]) state = apply(state, match[1]);
  }
  push(text.slice(from));
  return spans;
}

function apply(state, parameters) {
  const codes = parameters.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)));
  let next = { ...state };
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index];
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.under = true;
    else if (code === 7) next.inverse = true;
    else if (code === 9) next.strike = true;
    else if (code === 22) next.bold = next.dim = false;
    else if (code === 23) next.italic = false;
    else if (code === 24) next.under = false;
    else if (code === 27) next.inverse = false;
    else if (code === 29) next.strike = false;
    else if (code >= 30 && code <= 37) next.front = code - 30;
    else if (code >= 90 && code <= 97) next.front = code - 90 + 8;
    else if (code >= 40 && code <= 47) next.back = code - 40;
    else if (code >= 100 && code <= 107) next.back = code - 100;
    else if (code === 39) next.front = undefined;
    else if (code === 49) next.back = undefined;
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(index + 1));
      index += used;
      if (code === 38) next.front = colour;
      else next.back = colour == null ? undefined : colour % 8;
    }
  }
  return next;
}

/** 5;n and 2;r;g;b as the nearest of sixteen. */
function extended(codes) {
  if (codes[0] === 5) {
    const n = codes[1] ?? 0;
    if (n < 16) return [n, 2];
    if (n >= 232) return [n < 244 ? 8 : 7, 2];
    const cube = n - 16;
    return [nearest(Math.floor(cube / 36) * 51, Math.floor(cube / 6) % 6 * 51, cube % 6 * 51), 2];
  }
  if (codes[0] === 2) return [nearest(codes[1] ?? 0, codes[2] ?? 0, codes[3] ?? 0), 4];
  return [undefined, 1];
}

function nearest(red, green, blue) {
  const high = Math.max(red, green, blue);
  if (high < 60) return 0;
  const colour = (red > high / 2 ? 1 : 0) + (green > high / 2 ? 2 : 0) + (blue > high / 2 ? 4 : 0);
  return high > 200 && colour !== 7 ? colour + 8 : colour;
}

function classesOf(state) {
  const names = [];
  if (state.front != null) names.push(`a-${state.front}`);
  if (state.back != null || state.inverse) names.push(`a-back-${state.back ?? state.front ?? 7}`);
  for (const name of ['bold', 'dim', 'italic', 'under', 'strike']) if (state[name]) names.push(`a-${name}`);
  return names.join(' ');
}
