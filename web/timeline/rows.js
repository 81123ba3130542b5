// The rows: which lanes there are, in which order, which groups are folded.
// @ts-check
import { ApiError, getJson, postJson } from "../lib/api.js";
import * as links from "../lib/links.js";

/**
 * @typedef {{kind: "group" | "goroutine" | "proc" | "thread", name?: string | null, key?: number, lanes?: number,
 *   is_folded?: boolean, id?: number, goid?: number, number?: number, depth?: number, start_ns?: number,
 *   end_ns?: number, states?: number}} Row
 * @typedef {{lanes: string, group: string, sort: string, isReversed: boolean, filter: string, window: [number, number] | null,
 *   unfolded: Set<number>, goids: number[] | null}} Wish
 */

/** Rows that are asked for at once. */
const BLOCK = 128;

export class Rows {
  /**
   * @param {number} trace
   * @param {import("./frames.js").Frames} frames
   * @param {(order: string) => void} changed
   */
  constructor(trace, frames, changed) {
    this.trace = trace;
    this.frames = frames;
    this.changed = changed;
    /** @type {Wish} */
    this.wish = { lanes: "goroutines", group: "function", sort: "start", isReversed: false, filter: "", window: null, unfolded: new Set(), goids: null };
    this.order = "";
    this.count = 0;
    this.shown = 0;
    this.hidden = 0;
    this.groups = 0;
    /** @type {Map<number, Row[] | null>} */
    this.blocks = new Map();
    this.asked = 0;
  }

  /** Asks for the order that is wished. */
  async load() {
    const { lanes, group, sort, isReversed, filter, window, unfolded, goids } = this.wish;
    const number = ++this.asked;
    const wanted = filterOf(filter);
    if (goids) wanted.goids = goids;
    // By what they do in a window: those that are not there have no place.
    if (window) wanted.least = { measure: "total", value: 1 };
    const answer = await this.frames.track(postJson("/api/timeline/order", {
      trace: this.trace, lanes, group, sort, is_reversed: isReversed, window, filter: wanted, unfolded: [...unfolded],
    }));
    if (number !== this.asked) return;
    this.order = answer.order;
    this.count = answer.rows;
    this.shown = answer.shown;
    this.hidden = answer.hidden;
    this.groups = answer.groups;
    this.blocks.clear();
    this.changed(this.order);
  }

  /**
   * A row; null as long as it is not known what it is.
   * @param {number} index
   * @returns {Row | null}
   */
  get(index) {
    if (index < 0 || index >= this.count) return null;
    const at = Math.floor(index / BLOCK);
    const block = this.blocks.get(at);
    if (block === undefined) this.read(at);
    return block?.[index % BLOCK] ?? null;
  }

  /** @param {number} at */
  async read(at) {
    this.blocks.set(at, null);
    const order = this.order;
    try {
      const rows = await this.frames.track(getJson(links.address("/api/timeline/rows", { order, first: at * BLOCK, count: BLOCK })));
      if (order === this.order) this.blocks.set(at, rows);
    } catch (error) {
      if (error instanceof ApiError && error.status === 410 && order === this.order) this.load();
    }
  }

  /**
   * Folds or unfolds a group.
   * @param {number} key
   */
  toggle(key) {
    const { unfolded } = this.wish;
    if (!unfolded.delete(key)) unfolded.add(key);
    return this.load();
  }

  /**
   * In which row a lane is. Its group is unfolded if need be.
   * @param {{goroutine?: number | null, proc?: number | null, thread?: number | null}} lane a goroutine by its row in goroutines
   * @param {boolean} [unfolds]
   * @returns {Promise<number | null>}
   */
  async find(lane, unfolds = true) {
    for (let tries = 0; tries < 3; tries++) {
      try {
        const found = await this.frames.track(getJson(links.address("/api/timeline/find", { order: this.order, ...lane })));
        if (found.row !== null) return found.row;
        if (found.group === null) return null;
        if (!unfolds) return found.row_of_group;
        this.wish.unfolded.add(found.group);
        await this.load();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 404) return null;
        if (error.status !== 410) throw error;
        await this.load();
      }
    }
    return null;
  }
}

/**
 * What stands in the field: numbers of goroutines, a pattern with *, or a part of a function's name.
 * @param {string} text
 * @returns {{functions?: string[], goids?: number[], text?: string, least?: {measure: string, value: number}}}
 */
function filterOf(text) {
  const wanted = text.trim();
  if (!wanted) return {};
  if (/^[\d\s,]+$/.test(wanted)) return { goids: wanted.split(/[\s,]+/).filter((one) => one).map(Number) };
  if (wanted.includes("*")) return { functions: wanted.split(/[\s,]+/).filter((one) => one) };
  return { text: wanted };
}
