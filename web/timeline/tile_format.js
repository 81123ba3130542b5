// Tiles as the server sends them (src/store/lanes/tile.rs).
// @ts-check

/** Rows of a tile. */
export const ROWS = 32;
/** Pixels that a tile is wide on a screen of simple density. */
export const PIXELS = 1024;

/**
 * Kinds of rows: "items" are states with begin and end in pixels, "shares" columns of what all lanes of a group did.
 * @typedef {{kind: "items" | "shares", count: number, at: number}} TileRow
 * @typedef {{rows: TileRow[], floats: Float32Array, words: Uint32Array, bytes: Uint8Array, px: number}} Tile
 */

/**
 * @param {ArrayBuffer} buffer
 * @param {number} px pixels that were asked for
 * @returns {Tile}
 */
export function decode(buffer, px) {
  const data = new DataView(buffer);
  if (buffer.byteLength < 8 || data.getUint32(0, true) !== 0x314c5447) throw new Error("this is no tile");
  const count = data.getUint32(4, true);
  const rows = /** @type {TileRow[]} */ ([]);
  let at = 8 + 8 * count;
  if (count > ROWS || buffer.byteLength < at) throw new Error("the tile is too short");
  for (let row = 0; row < count; row++) {
    const kind = data.getUint8(8 + 8 * row) === 1 ? "shares" : "items";
    const n = data.getUint32(12 + 8 * row, true);
    rows.push({ kind, count: n, at });
    at += n * (kind === "shares" ? 8 : 16);
  }
  if (at !== buffer.byteLength) throw new Error("the tile is not as long as it says");
  return { rows, floats: new Float32Array(buffer), words: new Uint32Array(buffer), bytes: new Uint8Array(buffer), px };
}

/**
 * An item: what a lane did from begin to end, pixels of the tile.
 * @typedef {{begin: number, end: number, state: number, main: number, second: number, mainShare: number,
 *   secondShare: number, states: number}} Item
 */

/**
 * @param {Tile} tile
 * @param {TileRow} row
 * @param {number} index
 * @returns {Item}
 */
export function item(tile, row, index) {
  const at = (row.at >> 2) + index * 4;
  const packed = tile.words[at + 3];
  const log = packed >>> 24;
  return {
    begin: tile.floats[at],
    end: tile.floats[at + 1],
    state: tile.words[at + 2],
    main: packed & 15,
    second: (packed >>> 4) & 15,
    mainShare: (packed >>> 8) & 255,
    secondShare: (packed >>> 16) & 255,
    states: log === 0 ? 1 : Math.round(2 ** (log / 8)),
  };
}

/**
 * The single states of a tile that may be wide enough for a text: row and index of each, one behind the other.
 * @param {Tile} tile
 * @param {number} least pixels; what reaches over a border of the tile counts whatever its width
 */
export function wideItems(tile, least) {
  const found = /** @type {number[]} */ ([]);
  tile.rows.forEach((row, number) => {
    if (row.kind !== "items") return;
    for (let index = 0; index < row.count; index++) {
      const at = (row.at >> 2) + index * 4;
      const [begin, end] = [tile.floats[at], tile.floats[at + 1]];
      const isWide = end - begin >= least || begin <= 0 || end >= tile.px;
      if (isWide && tile.words[at + 3] >>> 24 === 0 && tile.words[at + 2]) found.push(number, index);
    }
  });
  return found;
}

/**
 * The item at a place, or one that is no further than some pixels away.
 * @param {Tile} tile
 * @param {number} number of the row in the tile
 * @param {number} x pixels of the tile
 * @param {number} near
 * @returns {Item | null}
 */
export function itemAt(tile, number, x, near) {
  const row = tile.rows[number];
  if (!row || row.kind !== "items" || !row.count) return null;
  const base = row.at >> 2;
  let low = 0;
  let high = row.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tile.floats[base + middle * 4] <= x) low = middle + 1;
    else high = middle;
  }
  const before = low > 0 ? item(tile, row, low - 1) : null;
  if (before && x < Math.max(before.end, before.begin + 1)) return before;
  const after = low < row.count ? item(tile, row, low) : null;
  const left = before ? x - before.end : Infinity;
  const right = after ? after.begin - x : Infinity;
  if (Math.min(left, right) > near) return null;
  return left <= right ? before : after;
}
