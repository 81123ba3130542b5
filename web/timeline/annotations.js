// Tasks and regions of the program, as rows above the lanes: each where there is room for it.
// @ts-check
import { objects, sql } from "../lib/api.js";
import { afterwards } from "./frames.js";

/**
 * @typedef {{kind: "task" | "region", start: number, end: number, text: string, goroutine: number | null, goid: number | null,
 *   task: number, row: number}} Annotation
 */

/** Most of each kind that are asked for, and rows that they get. */
const MOST = 6000;
const ROWS = { task: 4, region: 5 };
/** How high a row is, pixels. */
export const HIGH = 15;

/** Where there are too many for the window, the longest come. */
const IN_WINDOW = "start_ns < :to and end_ns > :from order by end_ns - start_ns desc";
const TASKS = `select * from (select k.task as task, coalesce(k.type, 'task') || ' ' || k.task as text, coalesce(k.start_ns, 0) as start_ns,
  coalesce(k.end_ns, t.duration_ns) as end_ns, k.goroutine_id as goroutine_id, (select goid from goroutines g where g.id = k.goroutine_id) as goid
  from tasks k join traces t on t.id = k.trace_id where k.trace_id = :trace) where ${IN_WINDOW}`;
const REGIONS = `select * from (select r.task as task, r.type as text, coalesce(r.start_ns, 0) as start_ns, coalesce(r.end_ns, t.duration_ns) as end_ns,
  r.goroutine_id as goroutine_id, (select goid from goroutines g where g.id = r.goroutine_id) as goid
  from regions r join traces t on t.id = r.trace_id where r.trace_id = :trace) where ${IN_WINDOW}`;
const COUNTS = "select (select count(*) from tasks where trace_id = :trace) as task, (select count(*) from regions where trace_id = :trace) as region";

export class Annotations {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    /** In order of their starts, by kind. @type {Record<"task" | "region", Annotation[]>} */
    this.all = { task: [], region: [] };
    /** How many there are in the trace. */
    this.counts = { task: 0, region: 0 };
    /** Rows that are in use. */
    this.rows = { task: 0, region: 0 };
    this.number = 0;
    this.later = afterwards(timeline.frames, 200, () => timeline.guard(this.read()));
  }

  async load() {
    const { frames, info } = this.timeline;
    const counts = objects(await frames.track(sql(COUNTS, { trace: info.id })))[0];
    this.counts = { task: Number(counts.task), region: Number(counts.region) };
    await this.read(true);
    this.timeline.head.arrange();
  }

  /** The window has moved: where not all are there, others may be seen. */
  moved() {
    if (this.counts.task > MOST || this.counts.region > MOST) this.later();
  }

  /** @param {boolean} [isFirst] whether all are asked for */
  async read(isFirst = false) {
    const { frames, info, view } = this.timeline;
    const number = ++this.number;
    for (const [kind, statement] of /** @type {["task" | "region", string][]} */ ([["task", TASKS], ["region", REGIONS]])) {
      if (!this.counts[kind] || (!isFirst && this.counts[kind] <= MOST)) continue;
      const isAll = this.counts[kind] <= MOST;
      const [from, to] = isAll ? [-1, info.duration_ns + 1] : [Math.floor(view.start), Math.ceil(view.end)];
      const rows = objects(await frames.track(sql(statement, { trace: info.id, from, to }, { limit: MOST })));
      if (number !== this.number) return;
      rows.sort((a, b) => a.start_ns - b.start_ns);
      this.all[kind] = rows.map((row) => ({ kind, start: row.start_ns, end: row.end_ns, text: row.text, goroutine: row.goroutine_id, goid: row.goid, task: row.task, row: 0 }));
      const used = place(this.all[kind], ROWS[kind]);
      this.rows[kind] = isAll ? used : ROWS[kind];
    }
    frames.ask();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {"task" | "region"} kind
   * @param {number} top
   */
  draw(context, kind, top) {
    const { view, width, colours } = this.timeline;
    /** The right border of what was drawn last in each row: what is narrower than a pixel is drawn once. */
    const drawn = new Float64Array(this.rows[kind]).fill(-1);
    context.textBaseline = "middle";
    for (const one of this.all[kind]) {
      if (one.start > view.end) break;
      if (one.end < view.start) continue;
      const left = Math.max(-1, view.x(one.start));
      const right = Math.min(width + 1, Math.max(view.x(one.end), left + 1));
      if (right <= drawn[one.row] + 0.5) continue;
      drawn[one.row] = right;
      context.fillStyle = kind === "task" ? colours.classes[8] : colours.classes[9];
      const y = top + one.row * HIGH;
      context.fillRect(left, y, Math.max(1, right - left - (right - left > 3 ? 1 : 0)), HIGH - 2);
      if (right - left < 34) continue;
      context.fillStyle = colours.inks[kind === "task" ? 8 : 9];
      const letters = Math.floor((right - Math.max(0, left) - 6) / 6.2);
      const text = one.text.length > letters ? `${one.text.slice(0, Math.max(1, letters - 1))}…` : one.text;
      context.fillText(text, Math.max(0, left) + 3, y + HIGH / 2 - 0.5);
    }
  }

  /**
   * What is at a place.
   * @param {"task" | "region"} kind
   * @param {number} x
   * @param {number} row
   */
  at(kind, x, row) {
    const { view } = this.timeline;
    const found = this.all[kind].filter((one) => one.row === row && view.x(one.start) - 1 <= x && x <= Math.max(view.x(one.end), view.x(one.start) + 2));
    return found[found.length - 1] ?? null;
  }
}

/**
 * Gives each a row in which nothing else is meanwhile; where there is none, the last.
 * @param {Annotation[]} all in order of their starts
 * @param {number} most
 * @returns {number} rows that are used
 */
function place(all, most) {
  const ends = /** @type {number[]} */ ([]);
  for (const one of all) {
    let row = ends.findIndex((end) => end <= one.start);
    if (row < 0) row = ends.length < most ? ends.length : most - 1;
    ends[row] = Math.max(ends[row] ?? 0, one.end);
    one.row = row;
  }
  return ends.length;
}
