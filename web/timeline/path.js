// The critical path of what is selected, drawn over the lanes.
// @ts-check
import { objects, query, sql } from "../lib/api.js";
import { ROW } from "./sizes.js";

/** @typedef {{start: number, end: number, state: string | null, goid: number, row: number | null}} Step */

/** Most steps, and most goroutines whose lanes are looked for. */
const MOST = 500;
const MOST_GOROUTINES = 60;

export class CriticalPath {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    /** @type {Step[]} */
    this.steps = [];
    /** What is asked for, to be asked for again when the rows are others. @type {{goid: number, from: number, to: number} | null} */
    this.wanted = null;
  }

  forget() {
    this.steps = [];
    this.wanted = null;
  }

  /** Shows that of the selected slice, or nothing if one is shown. */
  async toggle() {
    const { timeline } = this;
    const slice = timeline.slicePanel.slice;
    if (this.wanted || !timeline.selection || !slice) {
      this.forget();
      timeline.frames.ask();
      return;
    }
    this.wanted = { goid: slice.goid, from: slice.start_ns, to: slice.end_ns };
    await this.load();
  }

  async load() {
    const { timeline, wanted } = this;
    this.steps = [];
    if (!wanted || timeline.rows.wish.lanes !== "goroutines") return;
    const { goid, from, to } = wanted;
    const trace = timeline.info.id;
    const found = objects(await timeline.frames.track(query("critical-path", { goid, from: `${from}ns`, to: `${to}ns`, trace }, { limit: MOST })));
    const goids = [...new Set(found.map((step) => Number(step.goid)))].slice(0, MOST_GOROUTINES);
    const ids = objects(await timeline.frames.track(sql(`select goid, min(id) as id from goroutines where trace_id = :trace and goid in (${goids.join(", ")}) group by goid`, { trace })));
    /** @type {Map<number, number | null>} */
    const rows = new Map();
    await Promise.all(ids.map(async (one) => rows.set(one.goid, await timeline.rows.find({ goroutine: one.id }, false))));
    if (this.wanted !== wanted) return;
    this.steps = found.map((step) => ({ start: step.start_ns, end: step.start_ns + step.duration_ns, state: step.state, goid: Number(step.goid), row: rows.get(Number(step.goid)) ?? null }));
    timeline.frames.ask();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {(row: number) => number} y
   */
  draw(context, y) {
    const { view, colours, width } = this.timeline;
    context.strokeStyle = colours.accent;
    context.lineWidth = 2;
    let before = /** @type {Step | null} */ (null);
    for (const step of this.steps) {
      if (step.row === null) continue;
      const left = Math.max(-4, view.x(step.start));
      const right = Math.min(width + 4, Math.max(view.x(step.end), left + 1));
      if (before && before.row !== null && before.row !== step.row && left > -4 && left < width) {
        context.beginPath();
        context.moveTo(left, y(before.row) + ROW / 2);
        context.lineTo(left, y(step.row) + ROW / 2);
        context.stroke();
      }
      context.lineWidth = right - left < 4 ? 1 : 2;
      if (right > 0 && left < width) context.strokeRect(left, y(step.row) + 2, right - left, ROW - 4);
      before = step;
    }
    context.lineWidth = 1;
  }
}
