// An address without a page.

import { fill, h } from '../core/dom.js';
import { href } from '../core/router.js';
import { line } from '../core/text.js';
import { head } from '../parts/actions.js';
import { empty } from '../parts/states.js';

export function show(view) {
  fill(view.root, head(view, { title: 'No such page' }),
    empty('There is nothing at this address', line(location.pathname), h('a', { class: 'button', href: href('/') }, 'Home'), h('a', { class: 'button', href: href('/runs') }, 'Runs')));
}
