// Marks: findings of the report, and those that somebody sets.
// @ts-check
import { getJson } from "../lib/api.js";
import * as links from "../lib/links.js";

/** @typedef {{from: number, to: number, text: string}} Mark */

export class Marks {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    /** Of the report. @type {Mark[]} */
    this.findings = [];
    /** How many the report has, with those that are at no time; null until it is known. @type {number | null} */
    this.total = null;
    /** Of the user. @type {Mark[]} */
    this.own = [];
    /** Of the last search. @type {number[]} */
    this.hits = [];
    this.at = -1;
  }

  async load() {
    const { info, frames } = this.timeline;
    // What the report says is told on the first page; here it is only a help.
    const report = await frames.track(getJson(links.address("/api/report", { trace: info.id })).catch(() => null));
    this.total = report?.traces[0]?.findings.length ?? null;
    for (const one of report?.traces[0]?.findings ?? []) {
      const { start_ns: start, duration_ns: duration } = one.numbers;
      if (typeof start === "number") this.findings.push({ from: start, to: start + (duration ?? 0), text: one.headline });
    }
    frames.ask();
  }

  /** Marks the selection, or the middle of the window. */
  add() {
    const { selection, area, view } = this.timeline;
    const middle = Math.round((view.start + view.end) / 2);
    const [from, to] = selection ? [selection.start, selection.end] : area ? [area.from, area.to] : [middle, middle];
    const at = this.own.findIndex((one) => one.from === from && one.to === to);
    if (at >= 0) this.own.splice(at, 1);
    else this.own.push({ from, to, text: String(this.own.length + 1) });
    this.timeline.address.later();
    this.timeline.frames.ask();
  }

  /**
   * Goes to the next mark or finding, or to the one before.
   * @param {1 | -1} by
   */
  step(by) {
    const { view, address } = this.timeline;
    const all = [...this.own, ...this.findings].sort((a, b) => a.from - b.from);
    if (!all.length) return;
    this.at = (this.at + by + all.length) % all.length;
    const { from, to } = all[this.at];
    address.push();
    if (to > from) view.show(from, to, 0.5);
    else view.reveal(from, from);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} top
   * @param {number} height
   */
  draw(context, top, height) {
    const { view, colours, width } = this.timeline;
    context.fillStyle = colours.accent;
    for (const one of this.own) {
      for (const ns of new Set([one.from, one.to])) {
        const x = Math.round(view.x(ns));
        if (x >= 0 && x <= width) context.fillRect(x, top, 1, height);
      }
    }
  }
}
