// An excerpt of the search: escaped text whose only element is <mark>. It is read as text and built by hand, so that nothing
// else in it can ever become an element.
//
//   marked('a &lt;b&gt; <mark>hit</mark>')      nodes: a <b> and an element `mark` around hit

import { fragment, h } from '../core/dom.js';
import { visible } from '../core/text.js';

const MARKS = /<mark>([\s\S]*?)<\/mark>/gu;
const ENTITIES = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&#x27;': "'", '&amp;': '&' };

const decoded = (text) => text.replace(/&(?:lt|gt|quot|amp|#39|#x27);/gu, (entity) => ENTITIES[entity]);

/** @param {string} excerpt @returns {DocumentFragment} */
export function marked(excerpt) {
  const source = String(excerpt ?? '').replace(/\s+/gu, ' ');
  const result = fragment();
  let from = 0;
  for (const match of source.matchAll(MARKS)) {
    result.append(visible(decoded(source.slice(from, match.index))), h('mark', null, visible(decoded(match[1]))));
    from = match.index + match[0].length;
  }
  result.append(visible(decoded(source.slice(from))));
  return result;
}
