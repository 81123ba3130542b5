// Draws a tile into pixels. Runs in the worker.
// @ts-check
import { ROWS } from "./tile_format.js";

/**
 * How to draw: colours as pixels, heights as parts of a lane, both by class; which classes are pale; the height of a
 * row and the room above a lane in it, pixels of the screen.
 * @typedef {{colours: Uint32Array, heights: number[], pale: boolean[], stacking: number[], faint: number, outline: number,
 *   row: number, room: number}} Brush
 */

/**
 * @param {import("./tile_format.js").Tile} tile
 * @param {Brush} brush
 * @returns {ImageData}
 */
export function raster(tile, brush) {
  const picture = new ImageData(tile.px, ROWS * brush.row);
  const pixels = new Uint32Array(picture.data.buffer);
  tile.rows.forEach((row, number) => {
    const bottom = (number + 1) * brush.row - 1;
    if (row.kind === "shares") shares(tile, row, brush, pixels, bottom);
    else items(tile, row, brush, pixels, bottom);
  });
  return picture;
}

/**
 * Fills a rectangle whose lower border is given.
 * @param {Uint32Array} pixels
 * @param {number} width
 * @param {number} left
 * @param {number} right
 * @param {number} bottom the row of pixels below it
 * @param {number} height
 * @param {number} colour
 */
function rectangle(pixels, width, left, right, bottom, height, colour) {
  for (let y = bottom - height; y < bottom; y++) {
    const at = y * width;
    pixels.fill(colour, at + left, at + right);
  }
}

/**
 * @param {import("./tile_format.js").Tile} tile
 * @param {import("./tile_format.js").TileRow} row
 * @param {Brush} brush
 * @param {Uint32Array} pixels
 * @param {number} bottom
 */
function items(tile, row, brush, pixels, bottom) {
  const { floats, words, px } = tile;
  const high = brush.row - brush.room;
  const colour = (/** @type {number} */ of) => (brush.pale[of] ? brush.faint : brush.colours[of]);
  let at = row.at >> 2;
  for (let index = 0; index < row.count; index++, at += 4) {
    const left = Math.min(px - 1, Math.max(0, Math.floor(floats[at])));
    const right = Math.min(px, Math.max(left + 1, Math.round(floats[at + 1])));
    const state = words[at + 3];
    const main = state & 15;
    if (state >>> 24 === 0) {
      if (!brush.heights[main]) continue;
      const height = Math.max(2, Math.round(brush.heights[main] * high));
      rectangle(pixels, px, left, right, bottom, height, colour(main));
      const top = (bottom - height) * px;
      if (main === 3) for (let x = left; x + 2 < right; x += 5) pixels.fill(0, top + x + 1, top + x + 3);
      if (main === 12) pixels.fill(brush.outline, top + left, top + right);
      continue;
    }
    // Some together: their shares on top of each other, each as high as it would be alone for its part.
    const second = (state >>> 4) & 15;
    const parts = [[main, (state >>> 8) & 255]];
    if (second !== main) parts.push([second, (state >>> 16) & 255]);
    if (parts.length > 1 && brush.stacking.indexOf(parts[1][0]) < brush.stacking.indexOf(parts[0][0])) parts.reverse();
    let y = bottom;
    for (const [of, share] of parts) {
      if (!brush.heights[of] || !share) continue;
      const height = Math.max(1, Math.round((share / 255) * brush.heights[of] * high));
      rectangle(pixels, px, left, right, y, Math.min(height, high - (bottom - y)), colour(of));
      y -= height;
    }
  }
}

/**
 * Columns of a group: what is there fills the row; where little of the group is there it is lower.
 * @param {import("./tile_format.js").Tile} tile
 * @param {import("./tile_format.js").TileRow} row
 * @param {Brush} brush
 * @param {Uint32Array} pixels
 * @param {number} bottom
 */
function shares(tile, row, brush, pixels, bottom) {
  const { bytes, px } = tile;
  const high = brush.row - brush.room;
  const wide = px / Math.max(1, row.count);
  const amounts = new Float64Array(brush.colours.length);
  for (let column = 0; column < row.count; column++) {
    const at = row.at + column * 8;
    amounts.fill(0);
    let sum = bytes[at + 6];
    for (let part = 0; part < 3; part++) {
      const share = bytes[at + 2 * part + 1];
      // What is idle on a proc is not there.
      if (!brush.heights[bytes[at + 2 * part]]) continue;
      amounts[bytes[at + 2 * part]] += share;
      sum += share;
    }
    if (!sum) continue;
    const left = Math.round(column * wide);
    const right = Math.round((column + 1) * wide);
    const presence = bytes[at + 7] ? bytes[at + 7] / 255 : sum / 255;
    const whole = high * Math.max(0.3, Math.min(1, presence));
    let y = bottom;
    const paint = (/** @type {number} */ share, /** @type {number} */ colour) => {
      if (!share) return;
      const height = Math.min(Math.max(1, Math.round((share / sum) * whole)), high - (bottom - y));
      rectangle(pixels, px, left, right, y, height, colour);
      y -= height;
    };
    for (const of of brush.stacking) paint(amounts[of], brush.pale[of] ? brush.faint : brush.colours[of]);
    paint(bytes[at + 6], brush.outline);
  }
}
