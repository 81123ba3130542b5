// What is under the pointer.
// @ts-check
import { itemAt, ROWS } from "./tile_format.js";
import { ROW } from "./sizes.js";

/**
 * @typedef {{row: number, ns: number, item: import("./tile_format.js").Item | null, from: number, to: number,
 *   shares: {main: number, share: number}[] | null}} Hit
 */

/**
 * @param {import("./timeline.js").Timeline} timeline
 * @param {number} x pixels of the lanes
 * @param {number} y
 * @returns {Hit | null}
 */
export function hit(timeline, x, y) {
  const row = Math.floor(timeline.top + y / ROW);
  return row < 0 || row >= timeline.rows.count ? null : at(timeline, row, timeline.view.ns(x));
}

/**
 * What a row has at a time.
 * @param {import("./timeline.js").Timeline} timeline
 * @param {number} row
 * @param {number} ns
 * @returns {Hit}
 */
export function at(timeline, row, ns) {
  const { tiles, view } = timeline;
  const hit = /** @type {Hit} */ ({ row, ns, item: null, from: ns, to: ns, shares: null });
  const need = tiles.needed(view, row, row);
  const x = Math.floor(ns / need.span);
  const tile = tiles.entries.get(`${tiles.order}/${need.z}/${x}/${need.firstBlock}`)?.tile;
  const of = tile?.rows[row % ROWS];
  if (!tile || !of) return hit;
  const pixel = need.span / tiles.px;
  const place = (ns - x * need.span) / pixel;
  if (of.kind === "shares") {
    const bytes = of.at + 8 * Math.min(of.count - 1, Math.floor((place / tiles.px) * of.count));
    hit.shares = [0, 2, 4].map((part) => ({ main: tile.bytes[bytes + part], share: tile.bytes[bytes + part + 1] })).filter((part) => part.share > 0);
    return hit;
  }
  hit.item = itemAt(tile, row % ROWS, place, (3 * view.scale) / pixel);
  if (hit.item) {
    hit.from = x * need.span + hit.item.begin * pixel;
    hit.to = x * need.span + hit.item.end * pixel;
  }
  return hit;
}
