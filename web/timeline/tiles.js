// Tiles: which are there, which are asked for, which may go.
// @ts-check
import * as palette from "./palette.js";
import { decode, PIXELS, ROWS, wideItems } from "./tile_format.js";

/**
 * @typedef {{
 *   key: string, z: number, x: number, block: number, state: "asked" | "ready" | "failed", isAhead: boolean,
 *   bitmap: ImageBitmap | null, tile: import("./tile_format.js").Tile | null, wide: number[], used: number, asked: number,
 *   worker: number, done: (() => void) | null,
 * }} Entry
 */

/** Pictures that are kept. */
const MOST = 64;
/** What each worker has to do at once. */
const AT_ONCE = 3;
/** How many times coarser a tile may be that stands in for one that is not there. */
const COARSER = 8;
/** Narrowest slice with a text, pixels. */
export const NARROWEST = 40;
/** Room above a lane in its row, pixels. */
const ROOM = 3;

export class Tiles {
  /**
   * @param {import("./frames.js").Frames} frames
   * @param {number} rowHeight pixels of CSS
   * @param {() => void} isGone called when the server no longer has the order
   */
  constructor(frames, rowHeight, isGone) {
    this.frames = frames;
    this.rowHeight = rowHeight;
    this.isGone = isGone;
    this.order = "";
    this.snapshot = 0;
    /** @type {boolean[]} */
    this.pale = palette.CLASSES.map(() => false);
    /** @type {Map<string, Entry>} */
    this.entries = new Map();
    /** @type {Entry[]} */
    this.queue = [];
    this.busy = [0, 0];
    this.density = 1;
    this.workers = this.busy.map((_, at) => {
      const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
      worker.onmessage = (event) => this.take(at, event.data);
      return worker;
    });
  }

  /** Pixels of a tile. */
  get px() {
    return PIXELS * this.density;
  }

  /**
   * Colours, sizes or classes have changed: everything is drawn anew.
   * @param {import("./palette.js").Palette} colours
   */
  setColours(colours) {
    this.density = devicePixelRatio > 1.3 ? 2 : 1;
    const brush = {
      colours: colours.packed,
      heights: palette.CLASSES.map((one) => one.height),
      pale: this.pale,
      stacking: palette.STACKING,
      faint: 0x28888888,
      outline: 0xffa0a0a0,
      row: this.rowHeight * this.density,
      room: ROOM * this.density,
    };
    for (const worker of this.workers) worker.postMessage({ brush });
    this.forget();
  }

  /**
   * @param {string} order
   * @param {number} snapshot
   */
  setOrder(order, snapshot) {
    if (order === this.order) return;
    this.order = order;
    this.snapshot = snapshot;
    this.forget();
  }

  /** Drops all tiles. */
  forget() {
    for (const entry of this.entries.values()) this.drop(entry);
    this.queue = [];
    this.frames.ask();
  }

  /** @param {Entry} entry */
  drop(entry) {
    entry.bitmap?.close();
    entry.bitmap = null;
    if (entry.state === "asked" && entry.worker >= 0) this.workers[entry.worker].postMessage({ cancel: entry.key });
    entry.done?.();
    entry.done = null;
    this.entries.delete(entry.key);
  }

  /**
   * Which steps of time and which columns and blocks show a window.
   * @param {import("./view.js").View} view
   * @param {number} first row
   * @param {number} last row
   */
  needed(view, first, last) {
    const z = Math.min(60, Math.max(2, Math.round(Math.log2(view.scale * PIXELS))));
    const span = 2 ** z;
    const from = Math.max(0, Math.floor(view.start / span));
    const to = Math.floor(Math.min(view.end, view.duration) / span);
    return { z, span, from, to, firstBlock: Math.floor(first / ROWS), lastBlock: Math.floor(last / ROWS) };
  }

  /**
   * A tile, asked for if it is not there.
   * @param {number} z
   * @param {number} x
   * @param {number} block
   * @param {boolean} [isAhead] whether it is not seen yet
   * @returns {Entry}
   */
  get(z, x, block, isAhead = false) {
    const key = `${this.order}/${z}/${x}/${block}`;
    let entry = this.entries.get(key);
    if (!entry) {
      entry = { key, z, x, block, state: "asked", isAhead, bitmap: null, tile: null, wide: [], used: 0, asked: this.frames.count, worker: -1, done: null };
      this.entries.set(key, entry);
      this.queue.push(entry);
    }
    if (!isAhead) {
      entry.isAhead = false;
      entry.asked = this.frames.count;
      if (entry.state === "asked" && !entry.done) {
        const waiting = entry;
        this.frames.track(new Promise((resolve) => (waiting.done = () => resolve(null))));
      }
    }
    entry.used = this.frames.count;
    return entry;
  }

  /**
   * What stands in for a tile until it is there: a coarser one, and which part of it.
   * @param {number} z
   * @param {number} x
   * @param {number} block
   * @returns {{bitmap: ImageBitmap, left: number, width: number} | null}
   */
  coarser(z, x, block) {
    for (let step = 1; step <= COARSER; step++) {
      const parts = 2 ** step;
      const entry = this.entries.get(`${this.order}/${z + step}/${Math.floor(x / parts)}/${block}`);
      if (entry?.bitmap) {
        entry.used = this.frames.count;
        const width = this.px / parts;
        return { bitmap: entry.bitmap, left: (x % parts) * width, width };
      }
    }
    return null;
  }

  /** Hands out what is to be done, the newest first; what was not seen in the last frames is given up. */
  send() {
    const now = this.frames.count;
    for (const entry of [...this.entries.values()]) {
      if (entry.state === "asked" && !entry.isAhead && entry.asked < now - 1) this.drop(entry);
    }
    this.queue = this.queue.filter((entry) => this.entries.get(entry.key) === entry && entry.worker < 0);
    this.queue.sort((a, b) => Number(a.isAhead) - Number(b.isAhead));
    for (let at = 0; this.queue.length; at = this.busy[0] <= this.busy[1] ? 0 : 1) {
      if (Math.min(...this.busy) >= AT_ONCE) break;
      if (this.busy[at] >= AT_ONCE) continue;
      const entry = /** @type {Entry} */ (this.queue.shift());
      const address = `/api/tiles?order=${this.order}&z=${entry.z}&x=${entry.x}&block=${entry.block}&px=${this.px}&v=${this.snapshot}`;
      entry.worker = at;
      this.busy[at]++;
      this.workers[at].postMessage({ key: entry.key, address, px: this.px });
    }
    if (this.entries.size > MOST) this.evict();
  }

  evict() {
    const old = [...this.entries.values()].filter((entry) => entry.state !== "asked" && entry.used < this.frames.count - 1);
    old.sort((a, b) => a.used - b.used);
    for (const entry of old.slice(0, this.entries.size - MOST)) this.drop(entry);
  }

  /**
   * @param {number} worker
   * @param {any} answer
   */
  take(worker, answer) {
    this.busy[worker]--;
    const entry = this.entries.get(answer.key);
    if (!entry || entry.worker !== worker || entry.state !== "asked") {
      answer.bitmap?.close();
      this.frames.ask();
      return;
    }
    if (answer.bitmap) {
      entry.bitmap = answer.bitmap;
      entry.tile = decode(answer.buffer, answer.bitmap.width);
      // A pixel of a tile is at most 1.41 of the screen.
      entry.wide = wideItems(entry.tile, (NARROWEST / 1.42) * this.density);
      entry.state = "ready";
    } else {
      entry.state = "failed";
      if (answer.status === 410) this.isGone();
      else if (answer.status >= 0) console.warn("tile", answer.status, answer.error ?? "");
    }
    entry.done?.();
    entry.done = null;
    this.frames.ask();
  }
}
