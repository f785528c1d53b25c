// What a step has kept: shown in the page as text, data or picture, never as a page of its own; or taken home.
//
//   artifactRow(artifact)        a foldable line; what it holds is read when it is unfolded

import { fill, h } from '../core/dom.js';
import { api, session } from '../core/api.js';
import { icon } from '../core/icons.js';
import { block, copyButton, idTag, line, plain } from '../core/text.js';
import { bytes } from '../core/time.js';
import { json } from './json.js';
import { looksLikePatch, patch } from './diff.js';
import { loading, sentenceOf } from './states.js';
import { toast } from './toast.js';

const PREVIEW_BYTES = 65_536;
const IMAGE_BYTES_MAX = 8_000_000;
const HEX_BYTES = 512;
const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

const nameOf = (artifact) => artifact.title ?? artifact.metadata?.path ?? artifact.kind;
const fileName = (artifact) => String(artifact.metadata?.path ?? nameOf(artifact)).split('/').pop().replace(/[^\w.-]+/g, '_').slice(0, 100) || 'artifact';

/** @param {Object} artifact */
export function artifactRow(artifact) {
  const body = h('div', { class: 'artifact-body' });
  let isRead = false;
  return h('details', { class: 'artifact', data: { key: artifact.artifact_id }, on: { toggle: (event) => {
    if (!event.currentTarget.open || isRead) return;
    isRead = true;
    preview(artifact, body);
  } } },
  h('summary', null, icon('file'), h('span', { class: 'grow clip' }, line(nameOf(artifact), { max: 120 })), h('span', { class: 'faint nowrap' }, line(artifact.mime_type ?? artifact.kind, { max: 40 }), ' · ', bytes(artifact.size_bytes))),
  body);
}

async function preview(artifact, body) {
  const path = `/v1/artifacts/${artifact.artifact_id}/content`;
  const tools = h('div', { class: 'cluster' },
    artifact.sha256 && download(artifact, path), idTag(artifact.artifact_id, { name: 'artifact id' }),
    artifact.sha256 && h('span', { class: 'mono faint', title: artifact.sha256 }, `sha256 ${artifact.sha256.slice(0, 12)}…`, copyButton(artifact.sha256, 'Copy the digest')));
  const shown = h('div', null, loading('Reading'));
  fill(body, tools, shown);
  try {
    if (artifact.content_type === 'json') fill(shown, json(artifact.content_json, { label: 'Content', open: 2 }));
    else if (artifact.content_type === 'text') fill(shown, block(artifact.content_text, { ansi: true, links: true, label: 'Content' }));
    else if (artifact.content_type === 'uri') fill(shown, block(artifact.content_uri, { links: true, label: 'Address' }));
    else if (!artifact.sha256) fill(shown, h('p', { class: 'muted' }, 'It has no content.'));
    else if (IMAGES.includes(artifact.mime_type) && (artifact.size_bytes ?? 0) <= IMAGE_BYTES_MAX) await picture(artifact, path, shown);
    else await text(artifact, path, shown);
  } catch (error) { fill(shown, h('p', { class: 'field-error' }, sentenceOf(error))); }
}

async function picture(artifact, path, shown) {
  const data = await (await api.raw(path)).arrayBuffer();
  const address = URL.createObjectURL(new Blob([data], { type: artifact.mime_type }));
  const image = h('img', { src: address, alt: plain(nameOf(artifact)), class: 'artifact-image', on: {
    load: () => URL.revokeObjectURL(address),
    error: () => { URL.revokeObjectURL(address); fill(shown, h('p', { class: 'muted' }, 'It says it is a picture, and is none.'), hex(new Uint8Array(data))); },
  } });
  fill(shown, image);
}

async function text(artifact, path, shown) {
  if (artifact.size_bytes === 0) return fill(shown, h('p', { class: 'muted' }, 'It is empty.'));
  const data = new Uint8Array(await (await api.raw(path, { range: `bytes=0-${PREVIEW_BYTES - 1}` })).arrayBuffer());
  const isCut = (artifact.size_bytes ?? data.length) > data.length;
  let string;
  try { string = new TextDecoder('utf-8', { fatal: true }).decode(isCut ? data.slice(0, -4) : data); } catch { return fill(shown, hex(data)); }
  let value;
  if (!isCut && (/json/.test(artifact.mime_type ?? '') || /^\s*[[{]/.test(string))) try { value = JSON.parse(string); } catch { /* Not JSON after all. */ }
  return fill(shown, value !== undefined ? json(value, { label: 'Content', open: 2 }) : looksLikePatch(string) ? patch(string) : block(string, { ansi: true, links: true, label: 'Content' }),
    isCut && h('p', { class: 'muted' }, `The first ${bytes(PREVIEW_BYTES)} of ${bytes(artifact.size_bytes)}; download it to see all.`));
}

function hex(data) {
  const lines = [];
  for (let at = 0; at < Math.min(data.length, HEX_BYTES); at += 16) {
    const row = [...data.slice(at, at + 16)];
    lines.push(`${at.toString(16).padStart(6, '0')}  ${row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ').padEnd(47)}  ${row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')}`);
  }
  return block(lines.join('\n'), { label: 'The first bytes' });
}

/** A link where the cookie is enough; for another workspace by way of a request that names it. */
function download(artifact, path) {
  if (!session.isForeignWorkspace) return h('a', { class: 'button small', href: path, download: fileName(artifact), data: { plain: '' } }, icon('down'), 'Download');
  return h('button', { class: 'button small', type: 'button', on: { click: async () => {
    try {
      const address = URL.createObjectURL(new Blob([await (await api.raw(path)).arrayBuffer()], { type: 'application/octet-stream' }));
      h('a', { href: address, download: fileName(artifact) }).click();
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    } catch (error) { toast(sentenceOf(error), 'error'); }
  } } }, icon('down'), 'Download');
}
