// Above the lanes: the whole trace as a map, numbers over time, the collector, the ruler.
// @ts-check
import { h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as ruler from "./ruler.js";
import { HIGH } from "./annotations.js";
import { STACKING } from "./palette.js";

/** Parts, from the top, and how high each is. */
const MAP = { top: 0, height: 30 };
const RULER = { top: 32, height: 20 };
const RUNNING = { top: 54, height: 34 };
const READY = { top: 90, height: 24 };
const HEAP = { top: 116, height: 28 };
const COLLECTOR = { top: 146, height: 14 };
const FINDINGS = { top: 164, height: 12 };
/** Where tasks and regions begin. */
const MORE = 180;
/** Names of classes in answers, by number. */
const NAMES = ["undetermined", "running", "runnable", "syscall", "syscall blocked", "network", "lock", "channel", "select", "sleep", "gc", "runtime", "other"];

export class Head {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    this.height = MORE;
    this.canvas = /** @type {HTMLCanvasElement} */ (h("canvas.head", { role: "img", "aria-label": "the whole trace, numbers over time, the collector, the times" }));
    this.values = { running: h("b"), ready: h("b"), heap: h("b"), findings: h("b") };
    const label = (/** @type {{top: number}} */ part, /** @type {string} */ text, /** @type {Node} */ value) =>
      h("div.label", { style: { top: `${part.top}px` } }, h("span", {}, text), " ", value ?? "");
    this.labels = h("div.labels", {},
      label(MAP, "whole trace", h("b", {}, format.ns(timeline.info.duration_ns))), label(RUNNING, "running", this.values.running),
      label(READY, "runnable", this.values.ready), label(HEAP, "heap", this.values.heap), label({ top: COLLECTOR.top - 3 }, "gc", h("b")), label({ top: FINDINGS.top - 4 }, "findings", this.values.findings));
    this.element = h("div.headrow", {}, this.labels, this.canvas);
    /** @type {{kind: string, from: number, x: number} | null} */
    this.drag = null;
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    this.canvas.addEventListener("pointerup", (event) => this.up(event));
    this.canvas.addEventListener("pointerleave", () => {
      timeline.hover = null;
      timeline.frames.ask();
    });
  }

  /** Makes room for tasks and regions, once they are known. */
  arrange() {
    const { rows } = this.timeline.annotations;
    this.height = MORE + (rows.task + rows.region) * HIGH + (rows.task ? 3 : 0) + (rows.region ? 3 : 0);
    const labels = /** @type {[string, number, number][]} */ ([["tasks", rows.task, MORE], ["regions", rows.region, this.topOf("region")]]);
    for (const [text, count, top] of labels) {
      if (count) this.labels.append(h("div.label", { style: { top: `${top - 2}px` } }, h("span", {}, text), h("b", {}, format.count(this.timeline.annotations.counts[text === "tasks" ? "task" : "region"]))));
    }
    this.timeline.resize();
  }

  /** @param {"task" | "region"} kind */
  topOf(kind) {
    const { rows } = this.timeline.annotations;
    return kind === "task" ? MORE : MORE + rows.task * HIGH + (rows.task ? 3 : 0);
  }

  /**
   * The task or region at a place.
   * @param {number} x
   * @param {number} y
   */
  annotationAt(x, y) {
    const { annotations } = this.timeline;
    for (const kind of /** @type {("task" | "region")[]} */ (["task", "region"])) {
      const row = Math.floor((y - this.topOf(kind)) / HIGH);
      if (row >= 0 && row < annotations.rows[kind]) return annotations.at(kind, x, row);
    }
    return null;
  }

  /** @param {import("./annotations.js").Annotation} one */
  async choose(one) {
    const { timeline } = this;
    timeline.address.push();
    const row = one.goroutine === null || timeline.rows.wish.lanes !== "goroutines" ? null : await timeline.guard(timeline.rows.find({ goroutine: one.goroutine }));
    if (row !== null && row !== undefined) timeline.reveal(row);
    timeline.selectArea({ from: one.start, to: one.end, first: row ?? null, last: row ?? null });
  }

  /** @param {number} x pixels of the map */
  mapTime(x) {
    return (x / this.timeline.width) * this.timeline.view.duration;
  }

  /** @param {PointerEvent} event */
  down(event) {
    const { view } = this.timeline;
    this.canvas.setPointerCapture(event.pointerId);
    const [x, y] = [event.offsetX, event.offsetY];
    const inMap = y < MAP.top + MAP.height;
    this.drag = { kind: inMap ? "map" : "area", from: inMap ? this.mapTime(x) : view.ns(x), x };
    const annotation = this.annotationAt(x, y);
    if (annotation) {
      this.drag = null;
      this.choose(annotation);
    } else if (!inMap && y >= FINDINGS.top - 2 && y < MORE) {
      const found = this.timeline.marks.findings.find((one) => x >= view.x(one.from) - 5 && x <= Math.max(view.x(one.to), view.x(one.from) + 5) + 5);
      if (found) {
        this.drag = null;
        this.timeline.address.push();
        view.show(found.from, Math.max(found.to, found.from + 1000));
      }
    }
    // Of the whole, a part is chosen.
    if (inMap && view.end - view.start >= view.duration) this.drag = { kind: "part", from: this.mapTime(x), x };
    else if (inMap) this.moveMap(x);
  }

  /** @param {number} x */
  moveMap(x) {
    const { view } = this.timeline;
    const span = view.end - view.start;
    const middle = this.mapTime(x);
    view.set(middle - span / 2, middle + span / 2);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const timeline = this.timeline;
    const x = event.offsetX;
    const drag = this.drag;
    if (!drag) {
      timeline.hover = event.offsetY > MAP.height ? { x, y: -1000 } : null;
      const annotation = this.annotationAt(x, event.offsetY);
      if (annotation) this.canvas.title = `${annotation.kind} ${annotation.text}, ${format.ns(annotation.end - annotation.start)}${annotation.goid === null ? "" : `, goroutine ${annotation.goid}`}`;
      else this.canvas.title = event.offsetY < FINDINGS.top - 2 || event.offsetY >= MORE ? "" : (timeline.marks.findings.find((one) => x >= timeline.view.x(one.from) - 5 && x <= Math.max(timeline.view.x(one.to), timeline.view.x(one.from) + 5))?.text ?? "");
      timeline.frames.ask();
      return;
    }
    if (drag.kind === "map") this.moveMap(x);
    else if (drag.kind === "part") timeline.frames.ask();
    else {
      const to = timeline.view.ns(x);
      const [from, end] = [Math.min(drag.from, to), Math.max(drag.from, to)];
      timeline.selection = null;
      timeline.area = { from: Math.max(0, Math.round(from)), to: Math.min(timeline.view.duration, Math.round(end)), first: null, last: null };
      timeline.frames.ask();
    }
  }

  /** @param {PointerEvent} event */
  up(event) {
    const drag = this.drag;
    this.drag = null;
    const { timeline } = this;
    if (drag?.kind === "part" && Math.abs(event.offsetX - drag.x) > 3) {
      timeline.address.push();
      const to = this.mapTime(event.offsetX);
      timeline.view.set(Math.min(drag.from, to), Math.max(drag.from, to));
    }
    if (drag?.kind !== "area") return;
    if (Math.abs(event.offsetX - drag.x) > 3 && timeline.area && timeline.area.to > timeline.area.from) timeline.selectArea(timeline.area);
    else timeline.hidePanel();
  }

  draw() {
    const { timeline } = this;
    const { view, colours, width } = timeline;
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { alpha: false }));
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.fillStyle = colours.card;
    context.fillRect(0, 0, width, this.height);
    context.font = "11px system-ui, sans-serif";
    this.map(context);
    ruler.draw(context, view, colours, RULER.top, RULER.height);
    this.plots(context);
    context.fillStyle = colours.code;
    context.fillRect(0, COLLECTOR.top, width, COLLECTOR.height);
    context.save();
    context.beginPath();
    context.rect(0, COLLECTOR.top, width, COLLECTOR.height);
    context.clip();
    timeline.bands.draw(context, COLLECTOR.top, COLLECTOR.height, false, true);
    timeline.bands.draw(context, COLLECTOR.top, COLLECTOR.height, true, true);
    context.restore();
    timeline.bands.draw(context, RUNNING.top, HEAP.top + HEAP.height - RUNNING.top, true);
    for (const one of timeline.marks.findings) {
      const left = view.x(one.from);
      const right = Math.max(view.x(one.to), left + 3);
      if (right < 0 || left > width) continue;
      context.fillStyle = colours.accent;
      context.globalAlpha = 0.75;
      context.fillRect(left, FINDINGS.top, right - left, FINDINGS.height);
      context.globalAlpha = 1;
    }
    timeline.annotations.draw(context, "task", this.topOf("task"));
    timeline.annotations.draw(context, "region", this.topOf("region"));
    timeline.marks.draw(context, RULER.top, this.height - RULER.top);
    const { area } = timeline;
    if (area) {
      context.fillStyle = colours.area;
      context.fillRect(view.x(area.from), RULER.top, view.x(area.to) - view.x(area.from), this.height - RULER.top);
      const text = format.ns(area.to - area.from);
      const x = Math.max(2, view.x(area.from) + 4);
      context.fillStyle = colours.card;
      context.fillRect(x - 3, RULER.top + 3, context.measureText(text).width + 6, 14);
      context.fillStyle = colours.ink;
      context.textBaseline = "middle";
      context.fillText(text, x, RULER.top + 10);
    }
    if (timeline.hover) {
      context.fillStyle = colours.muted;
      context.fillRect(Math.round(timeline.hover.x), RULER.top, 1, this.height);
    }
    context.fillStyle = colours.line;
    for (const part of [RULER, RUNNING, READY, HEAP, COLLECTOR, FINDINGS]) context.fillRect(0, part.top - 1, width, 1);
    this.tell();
  }

  /** Numbers at the pointer. */
  tell() {
    const { total } = this.timeline.marks;
    this.values.findings.textContent = total === null ? "" : total ? String(total) : "none";
    const { counters, view, hover, info } = this.timeline;
    const ns = hover ? view.ns(hover.x) : null;
    const round = (/** @type {number} */ value) => (value < 100 && !Number.isInteger(value) ? value.toFixed(1) : format.count(Math.round(value)));
    const running = ns === null ? null : counters.value(["running", "syscall"], ns);
    const procs = ns === null ? info.gomaxprocs : (counters.metric("gomaxprocs", ns) ?? info.gomaxprocs);
    this.values.running.textContent = running === null ? (procs ? `of ${procs}` : "") : `${round(running)}${procs ? ` of ${procs}` : ""}`;
    const ready = ns === null ? null : counters.value(["runnable"], ns);
    this.values.ready.textContent = ready === null ? "" : round(ready);
    const heap = ns === null ? null : counters.metric("heap_live_bytes", ns);
    const goal = ns === null ? null : counters.metric("heap_goal_bytes", ns);
    this.values.heap.textContent = heap === null ? "" : `${format.bytes(heap)}${goal !== null && goal < 2 ** 62 ? ` of ${format.bytes(goal)}` : ""}`;
  }

  /** @param {CanvasRenderingContext2D} context */
  map(context) {
    const { timeline } = this;
    const { colours, view, width, counters } = timeline;
    const whole = counters.whole;
    if (whole) {
      let most = 1;
      const busy = [1, 3];
      for (let at = 0; at < whole.columns; at++) most = Math.max(most, busy.reduce((sum, of) => sum + (whole.ns[NAMES[of]]?.[at] ?? 0), 0));
      const base = new Float64Array(whole.columns);
      for (const of of busy) {
        context.fillStyle = colours.classes[of];
        context.beginPath();
        for (let at = 0; at < whole.columns; at++) {
          const high = ((whole.ns[NAMES[of]]?.[at] ?? 0) / most) * MAP.height;
          base[at] += high;
          if (high > 0) context.rect((at * width) / whole.columns, MAP.top + MAP.height - base[at], width / whole.columns + 0.5, high);
        }
        context.fill();
      }
    }
    context.fillStyle = colours.accent;
    for (const ns of timeline.marks.hits) context.fillRect((ns / view.duration) * width, MAP.top, 1, 6);
    const left = Math.max(0, (view.start / view.duration) * width);
    const right = Math.min(width, (view.end / view.duration) * width);
    context.globalAlpha = 0.65;
    context.fillStyle = colours.page;
    context.fillRect(0, MAP.top, left, MAP.height);
    context.fillRect(right, MAP.top, width - right, MAP.height);
    context.globalAlpha = 1;
    context.strokeStyle = colours.link;
    context.strokeRect(left + 0.5, MAP.top + 0.5, Math.max(2, right - left - 1), MAP.height - 1);
  }

  /** @param {CanvasRenderingContext2D} context */
  plots(context) {
    const { timeline } = this;
    const { counters, colours, info } = timeline;
    const procs = info.gomaxprocs ?? info.procs ?? 1;
    const { whole, window } = counters;
    const isCovered = window && window.from_ns <= Math.max(0, timeline.view.start) && window.to_ns >= Math.min(timeline.view.duration, timeline.view.end);
    for (const activity of isCovered ? [window] : [whole, window]) {
      if (!activity) continue;
      this.stacked(context, activity, RUNNING, [1, 3], procs);
      this.stacked(context, activity, READY, [2], null);
    }
    this.heap(context);
    context.fillStyle = colours.line;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("./counters.js").Activity} activity
   * @param {{top: number, height: number}} part
   * @param {number[]} classes
   * @param {number | null} most the number at the top; null for the greatest that is seen
   */
  stacked(context, activity, part, classes, most) {
    const { view, colours, width } = this.timeline;
    const wide = (activity.to_ns - activity.from_ns) / activity.columns;
    const first = Math.max(0, Math.floor((view.start - activity.from_ns) / wide));
    const last = Math.min(activity.columns - 1, Math.floor((view.end - activity.from_ns) / wide));
    if (last < first) return;
    // What is less exact does not shine through.
    context.fillStyle = colours.card;
    context.fillRect(Math.max(0, view.x(activity.from_ns)), part.top, Math.min(width, view.x(activity.to_ns)) - Math.max(0, view.x(activity.from_ns)), part.height);
    let top = most ?? 1;
    if (most === null) {
      for (let at = first; at <= last; at++) top = Math.max(top, classes.reduce((sum, of) => sum + (activity.ns[NAMES[of]]?.[at] ?? 0), 0) / wide);
    }
    const y = new Float64Array(last - first + 1).fill(part.top + part.height);
    for (const of of STACKING.filter((one) => classes.includes(one))) {
      const ns = activity.ns[NAMES[of]];
      context.fillStyle = colours.classes[of];
      context.beginPath();
      for (let at = first; at <= last && ns; at++) {
        const high = Math.min(y[at - first] - part.top, (ns[at] / wide / top) * part.height);
        if (high <= 0) continue;
        y[at - first] -= high;
        const left = Math.round(view.x(activity.from_ns + at * wide));
        context.rect(left, y[at - first], Math.max(1, Math.round(view.x(activity.from_ns + (at + 1) * wide)) - left), high);
      }
      context.fill();
    }
    if (most === null) {
      context.fillStyle = colours.muted;
      context.textAlign = "right";
      context.textBaseline = "top";
      context.fillText(`${Math.round(top)}`, width - 3, part.top + 1);
      context.textAlign = "left";
    }
  }

  /** @param {CanvasRenderingContext2D} context */
  heap(context) {
    const { counters, colours, view, width } = this.timeline;
    const [live, goal] = [counters.metrics.heap_live_bytes, counters.metrics.heap_goal_bytes];
    const bottom = HEAP.top + HEAP.height;
    const sane = (/** @type {number} */ value) => value < 2 ** 62;
    let most = 1;
    for (const metric of [live, goal]) {
      if (!metric) continue;
      for (let at = 0; at < metric.times.length; at++) if (sane(metric.values[at])) most = Math.max(most, metric.values[at]);
    }
    const y = (/** @type {number} */ value) => bottom - (Math.min(value, most) / most) * (HEAP.height - 2);
    const line = (/** @type {import("./counters.js").Metric} */ metric) => {
      context.beginPath();
      let isFirst = true;
      let before = 0;
      for (let at = 0; at < metric.times.length; at++) {
        const next = at + 1 < metric.times.length ? metric.times[at + 1] : view.duration;
        if (next < view.start || !sane(metric.values[at])) continue;
        if (metric.times[at] > view.end) break;
        const x = view.x(metric.times[at]);
        if (isFirst) context.moveTo(Math.max(0, x), y(metric.values[at]));
        else context.lineTo(x, before);
        context.lineTo(x, y(metric.values[at]));
        before = y(metric.values[at]);
        isFirst = false;
      }
      if (!isFirst) context.lineTo(Math.min(width, view.x(view.duration)), before);
      return !isFirst;
    };
    if (live && line(live)) {
      context.strokeStyle = colours.heap;
      context.stroke();
      context.lineTo(Math.min(width, view.x(view.duration)), bottom);
      context.lineTo(Math.max(0, view.x(live.times[0])), bottom);
      context.globalAlpha = 0.35;
      context.fillStyle = colours.heap;
      context.fill();
      context.globalAlpha = 1;
    }
    if (goal && line(goal)) {
      context.strokeStyle = colours.goal;
      context.setLineDash([4, 3]);
      context.stroke();
      context.setLineDash([]);
    }
  }
}
