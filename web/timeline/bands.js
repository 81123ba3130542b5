// What the collector did, over all lanes: phases of marking, and pauses.
// @ts-check
import { objects, sql } from "../lib/api.js";
import { ApiError } from "../lib/api.js";

/** Most ranges that are asked for. */
const MOST = 100_000;
const STATEMENT = `select name like 'stop-the-world%' as is_pause, start_ns, duration_ns from ranges
where trace_id = :trace and (name like 'stop-the-world%' or name = 'GC concurrent mark phase')
order by start_ns`;

export class Bands {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    /** @type {{start: number, end: number}[]} */
    this.pauses = [];
    /** @type {{start: number, end: number}[]} */
    this.phases = [];
  }

  async load() {
    const { frames, info } = this.timeline;
    try {
      const rows = objects(await frames.track(sql(STATEMENT, { trace: info.id }, { limit: MOST })));
      for (const row of rows) (row.is_pause ? this.pauses : this.phases).push({ start: row.start_ns, end: row.start_ns + row.duration_ns });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
    frames.ask();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} top
   * @param {number} height
   * @param {boolean} isPauses pauses, which lie over the lanes, or phases, which lie below them
   * @param {boolean} [always] whatever is chosen
   */
  draw(context, top, height, isPauses, always = false) {
    const { overlay, colours } = this.timeline;
    if (!always && (isPauses ? overlay < 1 : overlay < 2)) return;
    context.fillStyle = isPauses ? colours.pause : colours.mark;
    for (const [left, right] of this.seen(isPauses ? this.pauses : this.phases)) {
      // What is hardly a pixel wide is not to hide what is below it.
      context.globalAlpha = isPauses && right - left < 2 ? 0.4 : 1;
      context.fillRect(left, top, right - left, height);
    }
    context.globalAlpha = 1;
  }

  /**
   * Where ranges are seen, those that touch together.
   * @param {{start: number, end: number}[]} ranges
   */
  *seen(ranges) {
    const { view, width } = this.timeline;
    let open = /** @type {[number, number] | null} */ (null);
    for (let at = firstEndingAfter(ranges, view.start); at < ranges.length && ranges[at].start < view.end; at++) {
      const left = Math.max(0, view.x(ranges[at].start));
      const right = Math.min(width, Math.max(view.x(ranges[at].end), left + 1));
      if (open && left <= open[1] + 0.5) open[1] = Math.max(open[1], right);
      else {
        if (open) yield open;
        open = [left, right];
      }
    }
    if (open) yield open;
  }
}

/**
 * @param {{start: number, end: number}[]} ranges in order, without overlap
 * @param {number} ns
 */
function firstEndingAfter(ranges, ns) {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle].end < ns) low = middle + 1;
    else high = middle;
  }
  return low;
}
