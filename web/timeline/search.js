// Search: goroutines, places in the program, regions, tasks, messages; Enter goes to the next.
// @ts-check
import { getJson } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as links from "../lib/links.js";
import { afterwards } from "./frames.js";

/** Hits in the list. */
const SHOWN = 100;

export class Search {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    /** @type {any[]} */
    this.hits = [];
    this.at = -1;
    this.asked = "";
    this.number = 0;
    this.input = /** @type {HTMLInputElement} */ (h("input", { type: "search", placeholder: "search ( / )", "aria-label": "Search goroutines, functions, regions, tasks, messages", size: 18 }));
    this.status = h("span.muted", { role: "status" });
    this.list = h("div.hits", { hidden: true });
    fill(timeline.toolbar.find, this.input, this.status, this.list);
    const later = afterwards(timeline.frames, 200, () => this.ask());
    this.input.addEventListener("input", later);
    this.input.addEventListener("focus", () => (this.list.hidden = !this.hits.length));
    this.input.addEventListener("keydown", async (event) => {
      if (event.key === "Enter") {
        event.preventDefault();
        if (this.asked !== this.input.value) await this.ask();
        this.go(this.at + (event.shiftKey ? -1 : 1));
      } else if (event.key === "Escape") {
        this.list.hidden = true;
        timeline.canvas.focus();
      }
      event.stopPropagation();
    });
    timeline.toolbar.find.addEventListener("focusout", (event) => {
      const to = /** @type {FocusEvent} */ (event).relatedTarget;
      if (!(to instanceof Node) || !timeline.toolbar.find.contains(to)) this.list.hidden = true;
    });
  }

  async ask() {
    const { timeline } = this;
    const text = this.input.value;
    this.asked = text;
    const number = ++this.number;
    this.at = -1;
    if (!text.trim()) {
      this.hits = [];
      this.status.textContent = "";
      this.list.hidden = true;
      timeline.marks.hits = [];
      timeline.frames.ask();
      return;
    }
    const found = await timeline.guard(timeline.frames.track(getJson(links.address("/api/search", { trace: timeline.info.id, q: text }))));
    if (!found || number !== this.number) return;
    this.hits = found.hits;
    this.status.textContent = `${format.count(this.hits.length)}${found.has_more ? " and more" : ""}`;
    timeline.marks.hits = this.hits.map((one) => one.start_ns);
    fill(this.list, this.hits.slice(0, SHOWN).map((one, at) => h("button.hit", { type: "button", data: { at }, onclick: () => this.go(at) },
      h("span.kind", {}, one.kind), " ", one.kind === "goroutine" ? `${one.goid} ` : "", one.text ?? "", h("span.muted", {}, ` ${format.moment(one.start_ns)}, ${format.ns(one.duration_ns)}`))));
    this.list.hidden = !this.hits.length || document.activeElement !== this.input;
    timeline.frames.ask();
  }

  /** @param {number} at */
  async go(at) {
    const { timeline } = this;
    if (!this.hits.length) return;
    this.at = (at + this.hits.length) % this.hits.length;
    this.status.textContent = `${this.at + 1} of ${format.count(this.hits.length)}`;
    const hit = this.hits[this.at];
    for (const one of this.list.children) one.classList.toggle("current", Number(/** @type {HTMLElement} */ (one).dataset.at) === this.at);
    if (hit.state) return timeline.select(hit.state);
    timeline.address.push();
    timeline.view.reveal(hit.start_ns, hit.start_ns + hit.duration_ns);
    if (hit.goroutine_id === null) return;
    if (timeline.rows.wish.lanes !== "goroutines") timeline.rows.wish.lanes = "goroutines";
    const row = await timeline.guard(timeline.rows.find({ goroutine: hit.goroutine_id }));
    if (row === null || row === undefined) return;
    timeline.reveal(row);
    if (hit.kind !== "goroutine") timeline.selectArea({ from: hit.start_ns, to: hit.start_ns + hit.duration_ns, first: row, last: row });
  }
}
