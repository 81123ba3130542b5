// Draws the lanes: tiles, texts, what the collector did, the selection.
// @ts-check
import { PIXELS, ROWS } from "./tile_format.js";
import * as ruler from "./ruler.js";
import { ROW } from "./sizes.js";

/** @param {import("./timeline.js").Timeline} timeline */
export function draw(timeline) {
  const { canvas, view, rows, colours, width, height } = timeline;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
  const density = devicePixelRatio;
  context.setTransform(density, 0, 0, density, 0, 0);
  context.fillStyle = colours.card;
  context.fillRect(0, 0, width, height);
  const top = timeline.top;
  const first = Math.floor(top);
  const last = Math.min(rows.count - 1, Math.ceil(top + height / ROW));
  const y = (/** @type {number} */ row) => Math.round((row - top) * ROW);
  background(timeline, context, first, last, y);
  timeline.bands.draw(context, 0, height, false);
  if (rows.count && rows.order) {
    pictures(timeline, context, first, last, y);
    timeline.texts.draw(context, first, last, y);
  }
  timeline.bands.draw(context, 0, height, true);
  selection(timeline, context, y);
  timeline.path.draw(context, y);
  timeline.arrows.draw(context, y);
  timeline.marks.draw(context, 0, height);
  if (timeline.hover) {
    context.fillStyle = colours.muted;
    context.fillRect(Math.round(timeline.hover.x), 0, 1, height);
  }
  if (view.end > view.duration) outside(timeline, context, view.x(view.duration), width);
  if (view.start < 0) outside(timeline, context, 0, view.x(0));
}

/**
 * What is not in the trace.
 * @param {import("./timeline.js").Timeline} timeline
 * @param {CanvasRenderingContext2D} context
 * @param {number} from
 * @param {number} to
 */
function outside(timeline, context, from, to) {
  context.fillStyle = timeline.colours.page;
  context.fillRect(from, 0, to - from, timeline.height);
}

/**
 * @param {import("./timeline.js").Timeline} timeline
 * @param {CanvasRenderingContext2D} context
 * @param {number} first
 * @param {number} last
 * @param {(row: number) => number} y
 */
function background(timeline, context, first, last, y) {
  const { rows, colours, view, width } = timeline;
  const hovered = timeline.hover ? Math.floor(timeline.top + timeline.hover.y / ROW) : -1;
  for (let row = first; row <= last; row++) {
    const isGroup = rows.get(row)?.kind === "group";
    if (isGroup || row === hovered) {
      context.fillStyle = colours.code;
      context.fillRect(0, y(row), width, ROW);
    }
    context.fillStyle = colours.line;
    context.globalAlpha = 0.5;
    context.fillRect(0, y(row) + ROW - 1, width, 1);
    context.globalAlpha = 1;
  }
  context.fillStyle = colours.line;
  context.globalAlpha = 0.6;
  const every = ruler.step(view.end - view.start, view.width / 110);
  for (const ns of ruler.ticks(view, every)) context.fillRect(Math.round(view.x(ns)), 0, 1, timeline.height);
  context.globalAlpha = 1;
}

/**
 * @param {import("./timeline.js").Timeline} timeline
 * @param {CanvasRenderingContext2D} context
 * @param {number} first
 * @param {number} last
 * @param {(row: number) => number} y
 */
function pictures(timeline, context, first, last, y) {
  const { tiles, view } = timeline;
  const need = tiles.needed(view, first, last);
  const high = ROWS * ROW;
  const bitmapHigh = high * tiles.density;
  let isComplete = true;
  context.imageSmoothingEnabled = need.span / view.scale < PIXELS;
  for (let block = need.firstBlock; block <= need.lastBlock; block++) {
    for (let x = need.from; x <= need.to; x++) {
      const entry = tiles.get(need.z, x, block);
      const left = view.x(x * need.span);
      const wide = need.span / view.scale;
      if (entry.bitmap) {
        context.drawImage(entry.bitmap, 0, 0, tiles.px, bitmapHigh, left, y(block * ROWS), wide, high);
        continue;
      }
      isComplete = false;
      const other = tiles.coarser(need.z, x, block);
      if (other) context.drawImage(other.bitmap, other.left, 0, other.width, bitmapHigh, left, y(block * ROWS), wide, high);
      else finer(timeline, context, need, x, block, y);
    }
  }
  if (isComplete) ahead(timeline, need);
}

/**
 * Where only finer tiles are there, as after a step back.
 * @param {import("./timeline.js").Timeline} timeline
 * @param {CanvasRenderingContext2D} context
 * @param {ReturnType<import("./tiles.js").Tiles["needed"]>} need
 * @param {number} x
 * @param {number} block
 * @param {(row: number) => number} y
 */
function finer({ tiles, view }, context, need, x, block, y) {
  const span = need.span / 2;
  for (const part of [2 * x, 2 * x + 1]) {
    const entry = tiles.entries.get(`${tiles.order}/${need.z - 1}/${part}/${block}`);
    if (entry?.bitmap) context.drawImage(entry.bitmap, 0, 0, tiles.px, ROWS * ROW * tiles.density, view.x(part * span), y(block * ROWS), span / view.scale, ROWS * ROW);
  }
}

/**
 * Asks for what will be seen next: beside, below, and at the next zoom.
 * @param {import("./timeline.js").Timeline} timeline
 * @param {ReturnType<import("./tiles.js").Tiles["needed"]>} need
 */
function ahead({ tiles, rows, view }, need) {
  const blocks = Math.ceil(rows.count / ROWS);
  const most = Math.floor(view.duration / need.span);
  for (let block = need.firstBlock; block <= need.lastBlock; block++) {
    if (need.from > 0) tiles.get(need.z, need.from - 1, block, true);
    if (need.to < most) tiles.get(need.z, need.to + 1, block, true);
    tiles.get(need.z + 2, Math.floor(need.from / 4), block, true);
  }
  if (need.lastBlock + 1 < blocks) {
    for (let x = need.from; x <= need.to; x++) tiles.get(need.z, x, need.lastBlock + 1, true);
  }
}

/**
 * @param {import("./timeline.js").Timeline} timeline
 * @param {CanvasRenderingContext2D} context
 * @param {(row: number) => number} y
 */
function selection(timeline, context, y) {
  const { view, colours, area, width, height } = timeline;
  if (area) {
    const left = view.x(area.from);
    const right = view.x(area.to);
    const top = area.first === null ? 0 : y(area.first);
    const bottom = area.last === null ? height : y(area.last + 1);
    context.fillStyle = colours.area;
    context.fillRect(left, top, right - left, bottom - top);
    context.strokeStyle = colours.link;
    context.strokeRect(left + 0.5, top + 0.5, right - left - 1, bottom - top - 1);
  }
  const slice = timeline.selection;
  if (slice && slice.row !== null) {
    const left = Math.max(-5, view.x(slice.start));
    const right = Math.min(width + 5, Math.max(view.x(slice.end), left + 3));
    context.strokeStyle = colours.selection;
    context.lineWidth = 2;
    context.strokeRect(left, y(slice.row) + 1, right - left, ROW - 2);
    context.lineWidth = 1;
  }
}
