// What is shown, and how: which lanes, groups, order, filter, and the legend.
// @ts-check
import { fill, h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { afterwards } from "./frames.js";
import { CLASSES } from "./palette.js";

const LANES = [["goroutines", "Goroutines"], ["procs", "Procs"], ["threads", "Threads"]];
const GROUPS = [["function", "by function"], ["creator", "by creator"], ["none", "not grouped"]];
const SORTS = [
  ["start", "by start"], ["number", "by number"], ["name", "by name"], ["total", "by lifetime"], ["running", "by running"],
  ["runnable", "by runnable"], ["waiting", "by waiting"], ["syscalls", "by syscalls"], ["network", "by network"], ["lock", "by lock"],
  ["channel", "by channel"], ["select", "by select"], ["sleep", "by sleep"], ["gc", "by gc"], ["states", "by states"],
];

export class Toolbar {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    const wish = () => timeline.rows.wish;
    const change = () => {
      timeline.scroller.scrollTop = 0;
      timeline.guard(timeline.rows.load());
    };
    this.axis = h("span.axis", { role: "group", "aria-label": "Lanes" });
    this.group = choice("Groups", GROUPS, (value) => {
      wish().group = value;
      wish().unfolded.clear();
      change();
    });
    this.sort = choice("Order", SORTS, (value) => {
      wish().sort = value;
      wish().window = this.inWindow.checked ? this.window() : null;
      change();
    });
    this.inWindow = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox" }));
    this.inWindow.addEventListener("change", () => {
      wish().window = this.inWindow.checked ? this.window() : null;
      change();
    });
    this.resort = afterwards(timeline.frames, 250, () => {
      wish().window = this.window();
      return timeline.guard(timeline.rows.load());
    });
    this.filter = /** @type {HTMLInputElement} */ (h("input", { type: "search", placeholder: "function or goroutines", "aria-label": "Only lanes of this function, or of these goroutines", size: 20 }));
    const filter = afterwards(timeline.frames, 200, () => {
      wish().filter = this.filter.value;
      wish().goids = null;
      change();
    });
    this.filter.addEventListener("input", filter);
    this.count = h("span.muted.count", { role: "status" });
    this.find = h("span.find");
    this.legend = h("span.legend", { role: "group", "aria-label": "What the colours mean; a click makes one pale" });
    const help = h("button", { type: "button", title: "all keys (?)", "aria-label": "all keys", onclick: () => timeline.keys.help() }, "?");
    this.element = h("div.toolbar", {}, this.axis, this.group, this.sort,
      h("label.inwindow", { title: "only lanes that are there in the window that is seen, in the order of what they do in it" }, this.inWindow, " in this window"), this.filter, this.count, this.find, help, this.legend);
  }

  /** @returns {[number, number]} */
  window() {
    const { view } = this.timeline;
    return [Math.max(0, Math.floor(view.start)), Math.min(view.duration, Math.ceil(view.end))];
  }

  /** The window has moved. */
  later() {
    if (this.inWindow.checked) this.resort();
  }

  /** @param {string} lanes */
  setLanes(lanes) {
    const { rows } = this.timeline;
    if (rows.wish.lanes === lanes) return;
    rows.wish.lanes = lanes;
    this.timeline.scroller.scrollTop = 0;
    this.timeline.guard(rows.load());
  }

  fill() {
    const { rows, tiles } = this.timeline;
    const { lanes, group, sort, filter } = rows.wish;
    fill(this.axis, LANES.map(([value, text], at) => h("button", {
      type: "button", "aria-pressed": String(value === lanes), title: `key ${at + 1}`, onclick: () => this.setLanes(value),
    }, text)));
    const isGoroutines = lanes === "goroutines";
    this.group.hidden = !isGoroutines;
    this.filter.hidden = !isGoroutines;
    /** @type {HTMLSelectElement} */ (this.group.firstElementChild).value = group;
    /** @type {HTMLSelectElement} */ (this.sort.firstElementChild).value = sort;
    if (document.activeElement !== this.filter) this.filter.value = filter;
    const all = rows.shown + rows.hidden;
    const words = lanes === "goroutines" ? "goroutines" : lanes;
    this.count.textContent = rows.hidden ? `${format.count(rows.shown)} of ${format.count(all)} ${words}` : `${format.count(all)} ${words}`;
    const used = isGoroutines ? CLASSES.map((_, at) => at).slice(1) : [1, 3, 4, 10, 11];
    fill(this.legend, used.map((at) => h("button", {
      type: "button", "aria-pressed": String(!tiles.pale[at]), onclick: () => {
        tiles.pale[at] = !tiles.pale[at];
        tiles.setColours(this.timeline.colours);
        this.fill();
      },
    }, h(`i.lane-${CLASSES[at].name}`), isGoroutines || at !== 10 ? (isGoroutines || at !== 11 ? CLASSES[at].text : "looks for work") : "gc worker")));
  }
}

/**
 * @param {string} label
 * @param {string[][]} values
 * @param {(value: string) => void} change
 */
function choice(label, values, change) {
  const select = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": label }, values.map(([value, text]) => h("option", { value }, text))));
  select.addEventListener("change", () => change(select.value));
  return h("span", {}, select);
}
