// Numbers over time: goroutines by what they do, the heap. Exact in each column of what is asked for.
// @ts-check
import { getJson, objects, sql } from "../lib/api.js";
import * as links from "../lib/links.js";
import { afterwards } from "./frames.js";

/**
 * @typedef {{from_ns: number, to_ns: number, columns: number, ns: Record<string, number[]>}} Activity
 * @typedef {{times: number[], values: number[]}} Metric
 */

/** Columns of the whole trace. */
const COLUMNS = 800;
/** Most values of the heap; more are thinned out. */
const MOST = 20_000;

const METRICS = `select name, min(time_ns) as time_ns, max(value) as value from metrics
where trace_id = :trace and name in ('heap_live_bytes', 'heap_goal_bytes', 'gomaxprocs')
group by name, time_ns / :step order by time_ns`;

export class Counters {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    /** @type {Activity | null} */
    this.whole = null;
    /** @type {Activity | null} */
    this.window = null;
    /** @type {Record<string, Metric>} */
    this.metrics = {};
    this.read = afterwards(timeline.frames, 120, () => this.readWindow());
  }

  async load() {
    const { timeline } = this;
    await timeline.guard(this.ask(0, timeline.info.duration_ns).then((all) => (this.whole = all)));
    this.read();
    const step = Math.max(1, Math.floor(timeline.info.duration_ns / (MOST / 3)));
    const rows = await timeline.guard(timeline.frames.track(sql(METRICS, { trace: timeline.info.id, step }, { limit: MOST })));
    for (const row of rows ? objects(rows) : []) {
      const metric = (this.metrics[row.name] ??= { times: [], values: [] });
      metric.times.push(row.time_ns);
      metric.values.push(Number(row.value));
    }
    timeline.frames.ask();
  }

  moved() {
    if (this.whole) this.read();
  }

  /**
   * @param {number} from
   * @param {number} to
   * @returns {Promise<Activity>}
   */
  ask(from, to) {
    const address = links.address("/api/timeline/activity", { trace: this.timeline.info.id, from, to, columns: COLUMNS });
    return this.timeline.frames.track(getJson(address));
  }

  async readWindow() {
    const { view } = this.timeline;
    const from = Math.max(0, Math.floor(view.start));
    const to = Math.min(view.duration, Math.ceil(view.end));
    if (to <= from || (this.window?.from_ns === from && this.window.to_ns === to)) return;
    this.window = (await this.timeline.guard(this.ask(from, to))) ?? this.window;
    this.timeline.frames.ask();
  }

  /**
   * How many goroutines are in some classes, on average, at a time.
   * @param {string[]} classes
   * @param {number} ns
   */
  value(classes, ns) {
    for (const activity of [this.window, this.whole]) {
      if (!activity || ns < activity.from_ns || ns >= activity.to_ns) continue;
      const width = (activity.to_ns - activity.from_ns) / activity.columns;
      const at = Math.min(activity.columns - 1, Math.floor((ns - activity.from_ns) / width));
      return classes.reduce((sum, name) => sum + (activity.ns[name]?.[at] ?? 0), 0) / width;
    }
    return null;
  }

  /**
   * What a metric was at a time.
   * @param {string} name
   * @param {number} ns
   */
  metric(name, ns) {
    const metric = this.metrics[name];
    if (!metric) return null;
    let [low, high] = [0, metric.times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (metric.times[middle] <= ns) low = middle + 1;
      else high = middle;
    }
    return low ? metric.values[low - 1] : null;
  }
}
