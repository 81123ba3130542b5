// Keys. They go by their place, so that they are where they are on every keyboard; in fields they do nothing.
// @ts-check
import { h } from "../lib/dom.js";
import { at } from "./hit.js";

/** What the help tells. */
const TOLD = [
  ["W S", "zoom in and out at the pointer; Ctrl and the wheel, or a pinch, too"],
  ["A D", "to the left and to the right; dragging, or Shift and the wheel, too"],
  ["← →", "slice before and after the selected one; without one, to the left and to the right"],
  ["↑ ↓", "lane above and below; without a selected slice, scroll"],
  [". ,", "next and previous slice in the lane"],
  ["[ ]", "who woke the selected goroutine, and whom it woke"],
  ["C", "the critical path of the selected slice over the lanes"],
  ["F", "fit the selection"],
  ["0", "the whole trace"],
  ["1 2 3", "goroutines, procs, threads"],
  ["G", "go to a time"],
  ["O, Shift+G", "the collector over the lanes: pauses and phases, pauses, nothing"],
  ["M", "mark the selection"],
  ["N", "the next mark or finding; Shift+N the one before"],
  ["/", "search; Enter and Shift+Enter go to the next and to the one before"],
  ["Shift+drag", "select an area; on the ruler, a stretch of time"],
  ["Ctrl+Z", "back to the view before"],
  ["Escape", "drop the selection"],
  ["?", "these keys"],
];

export class Keys {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const target = event.target;
      if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) return;
      if (document.querySelector("dialog[open]")) return;
      if (this.press(event)) event.preventDefault();
    });
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether it means something
   */
  press(event) {
    const { timeline } = this;
    const { view, selection } = timeline;
    const middle = timeline.hover ? timeline.hover.x : view.width / 2;
    if (event.key === "?") return this.done(this.help());
    if (event.key === "/") return this.done(timeline.search.input.focus());
    if ((event.ctrlKey || event.metaKey) && event.code === "KeyZ") return this.done(event.shiftKey ? history.forward() : history.back());
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const isOnLanes = event.target === timeline.canvas || event.target === document.body;
    switch (event.code) {
      case "KeyW": return this.done(view.zoom(0.7, middle));
      case "KeyS": return this.done(view.zoom(1 / 0.7, middle));
      case "KeyA": return this.done(view.pan(-view.width * 0.15));
      case "KeyD": return this.done(view.pan(view.width * 0.15));
      case "ArrowLeft": return isOnLanes && this.done(selection ? this.step("previous") : view.pan(-view.width * 0.15));
      case "ArrowRight": return isOnLanes && this.done(selection ? this.step("next") : view.pan(view.width * 0.15));
      case "ArrowUp": return isOnLanes && this.done(this.lane(-1));
      case "ArrowDown": return isOnLanes && this.done(this.lane(1));
      case "Comma": return this.done(this.step("previous"));
      case "Period": return this.done(this.step("next"));
      case "BracketLeft": return this.done(this.waker());
      case "BracketRight": return this.done(this.woken());
      case "KeyC": return this.done(timeline.guard(timeline.path.toggle()));
      case "KeyF": return this.done(timeline.slicePanel.fit());
      case "Digit0": return this.done(this.all());
      case "Digit1": return this.done(timeline.toolbar.setLanes("goroutines"));
      case "Digit2": return this.done(timeline.toolbar.setLanes("procs"));
      case "Digit3": return this.done(timeline.toolbar.setLanes("threads"));
      case "KeyO": return this.done(this.overlay());
      case "KeyG": return this.done(event.shiftKey ? this.overlay() : this.goTo());
      case "KeyN": return this.done(timeline.marks.step(event.shiftKey ? -1 : 1));
      case "KeyM": return this.done(timeline.marks.add());
      case "Escape": return this.done(timeline.hidePanel());
      default: return false;
    }
  }

  /** @param {unknown} _result */
  done(_result) {
    return true;
  }

  all() {
    this.timeline.address.push();
    this.timeline.view.all();
  }

  overlay() {
    this.timeline.overlay = (this.timeline.overlay + 2) % 3;
    this.timeline.frames.ask();
  }

  /** @param {"previous" | "next"} way */
  step(way) {
    const state = this.timeline.slicePanel.slice?.[way];
    if (this.timeline.selection && state) this.timeline.select(state, { pushes: false });
  }

  waker() {
    const state = this.timeline.slicePanel.slice?.waker?.id;
    if (this.timeline.selection && state) this.timeline.select(state);
  }

  async woken() {
    const { timeline } = this;
    if (!timeline.selection) return;
    // Who waits is woken to be runnable: that is the next state.
    const first = timeline.arrows.woken[0]?.id ?? null;
    if (first !== null) timeline.select(first);
  }

  /** @param {number} by */
  lane(by) {
    const { timeline } = this;
    const { selection, view, rows } = timeline;
    if (!selection || selection.row === null) {
      timeline.scroller.scrollTop += by * 54;
      return;
    }
    const ns = Math.min(Math.max((selection.start + selection.end) / 2, view.start), view.end);
    for (let row = selection.row + by; row >= 0 && row < rows.count && Math.abs(row - selection.row) < 200; row += by) {
      const found = at(timeline, row, ns).item;
      if (found?.state) return void timeline.select(found.state, { pushes: false });
    }
  }

  help() {
    const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { "aria-label": "Keys" }, h("h2", {}, "Keys"),
      h("dl.keys", {}, TOLD.map(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)]).flat()),
      h("form", { method: "dialog" }, h("button", {}, "Close"))));
    this.open(dialog);
  }

  goTo() {
    const { timeline } = this;
    const input = /** @type {HTMLInputElement} */ (h("input", { type: "text", id: "goto", placeholder: "1.25, 1250ms, 12:34:56.789", size: 28 }));
    const problem = h("p.muted", { role: "status" });
    const form = h("form", { method: "dialog" }, h("label", { for: "goto" }, "Go to a time: seconds, with a unit (ns, us, ms, s), or a time of day (UTC) "), input, " ", h("button", {}, "Go"), problem);
    const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { "aria-label": "Go to a time" }, form));
    form.addEventListener("submit", (event) => {
      const ns = moment(input.value, timeline.info);
      if (ns === null || ns < 0 || ns > timeline.view.duration) {
        event.preventDefault();
        problem.textContent = ns === null ? "this is no time" : "the trace does not reach there";
        return;
      }
      timeline.address.push();
      const span = Math.min(timeline.view.end - timeline.view.start, timeline.view.duration / 4);
      timeline.view.set(ns - span / 2, ns + span / 2);
    });
    this.open(dialog);
    input.focus();
  }

  /** @param {HTMLDialogElement} dialog */
  open(dialog) {
    dialog.addEventListener("close", () => {
      dialog.remove();
      this.timeline.canvas.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
  }
}

/**
 * @param {string} text
 * @param {import("./prepare.js").Info} info
 * @returns {number | null} nanoseconds since the start of the trace
 */
export function moment(text, info) {
  const clock = /^\s*(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?\s*$/.exec(text);
  if (clock) {
    if (info.start_unix_ns === null) return null;
    const day = 86_400_000_000_000n;
    const start = BigInt(info.start_unix_ns);
    const wanted = BigInt(Math.round((Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0)) * 1e9));
    let ns = wanted - (start % day);
    if (ns < 0n) ns += day;
    return Number(ns);
  }
  const found = /^\s*([\d.,]+)\s*(ns|us|µs|ms|s|)\s*$/.exec(text);
  if (!found) return null;
  const number = Number(found[1].replace(/,/g, ""));
  const unit = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, "": 1e9 }[found[2]] ?? 1e9;
  return Number.isNaN(number) ? null : Math.round(number * unit);
}
