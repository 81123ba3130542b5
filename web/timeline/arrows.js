// Arrows from who woke to who was woken, of the selected slice.
// @ts-check
import { getJson } from "../lib/api.js";
import * as links from "../lib/links.js";
import { ROW } from "./sizes.js";

/**
 * @typedef {{from: number | null, to: number | null, ns: number, state: number | null}} Arrow rows of the timeline
 */

/** Most arrows that are looked for. */
const MOST = 60;

export class Arrows {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    /** @type {Arrow[]} */
    this.arrows = [];
    /** @type {any[]} */
    this.woken = [];
  }

  forget() {
    this.arrows = [];
    this.woken = [];
  }

  /** @param {any} slice */
  async load(slice) {
    const { timeline } = this;
    this.forget();
    if (timeline.rows.wish.lanes !== "goroutines") return;
    const selection = timeline.selection;
    const isHere = () => selection !== null && timeline.selection === selection;
    if (slice.waker?.goroutine_id && selection && selection.row !== null) {
      const ns = slice.state === "runnable" ? slice.start_ns : slice.end_ns;
      const from = await timeline.rows.find({ goroutine: slice.waker.goroutine_id }, false);
      if (!isHere()) return;
      this.arrows.push({ from, to: selection.row, ns, state: slice.waker.id });
      timeline.frames.ask();
    }
    if (slice.state !== "running") return;
    // It may take too long; then there are no arrows.
    const asked = getJson(links.address("/api/slice/woken", { state: slice.id })).catch(() => null);
    const found = await timeline.frames.track(asked);
    if (!found || !isHere()) return;
    this.woken = found.woken;
    timeline.slicePanel.setWoken(found);
    for (const one of found.woken.slice(0, MOST)) {
      const to = await timeline.rows.find({ goroutine: one.goroutine_id }, false);
      if (!isHere() || !selection) return;
      this.arrows.push({ from: selection.row, to, ns: one.start_ns, state: one.id });
    }
    timeline.frames.ask();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {(row: number) => number} y
   */
  draw(context, y) {
    const { view, colours, width } = this.timeline;
    context.strokeStyle = colours.selection;
    context.fillStyle = colours.selection;
    context.lineWidth = 1.5;
    for (const arrow of this.arrows) {
      const x = view.x(arrow.ns);
      if (arrow.from === null || arrow.to === null || arrow.from === arrow.to || x < -50 || x > width + 50) continue;
      const [a, b] = [y(arrow.from) + ROW / 2, y(arrow.to) + ROW / 2];
      const bend = Math.min(30, Math.abs(b - a) / 3);
      context.beginPath();
      context.moveTo(x, a);
      context.bezierCurveTo(x - bend, a, x - bend, b, x - 4, b);
      context.stroke();
      context.beginPath();
      context.moveTo(x, b);
      context.lineTo(x - 6, b - 4);
      context.lineTo(x - 6, b + 4);
      context.fill();
    }
    context.lineWidth = 1;
  }
}
