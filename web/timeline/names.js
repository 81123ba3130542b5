// The names of the lanes, beside them. Only those that are seen are there.
// @ts-check
import { fill, h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as links from "../lib/links.js";
import { ROW } from "./sizes.js";

export class Names {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    this.element = h("div.names", { role: "list", "aria-label": "Lanes" });
    /** @type {Map<number, {element: HTMLElement, of: import("./rows.js").Row | null}>} */
    this.shown = new Map();
    this.order = "";
    /** Row of the goroutine that was asked for. @type {number | null} */
    this.current = null;
  }

  draw() {
    const { rows, top, height } = this.timeline;
    if (this.order !== rows.order) {
      this.order = rows.order;
      this.shown.clear();
      fill(this.element);
    }
    const first = Math.floor(top);
    const last = Math.min(rows.count - 1, Math.ceil(top + height / ROW));
    for (const [row, one] of this.shown) {
      if (row >= first && row <= last) continue;
      one.element.remove();
      this.shown.delete(row);
    }
    for (let row = first; row <= last; row++) {
      const of = rows.get(row);
      let one = this.shown.get(row);
      if (!one || one.of !== of) {
        one?.element.remove();
        one = { element: this.name(row, of), of };
        this.shown.set(row, one);
        this.element.append(one.element);
      }
      one.element.style.transform = `translateY(${Math.round((row - top) * ROW)}px)`;
    }
  }

  /**
   * @param {number} row
   * @param {import("./rows.js").Row | null} of
   */
  name(row, of) {
    if (!of) return h("div.name.muted", { role: "listitem" }, "…");
    if (of.kind === "group") {
      const text = of.name ?? "unknown function";
      return h("div.name.group", { role: "listitem" }, h("button", {
        type: "button",
        "aria-expanded": String(!of.is_folded),
        title: text,
        onclick: () => this.timeline.guard(this.timeline.rows.toggle(of.key ?? 0)),
      }, h("span.fold", { "aria-hidden": "true" }, of.is_folded ? "▸" : "▾"), h("span.text", {}, shortened(text)), h("span.count", {}, format.count(of.lanes ?? 0))));
    }
    if (of.kind !== "goroutine") return h("div.name", { role: "listitem" }, `${of.kind} ${of.number}`);
    const name = of.name ?? "unknown function";
    return h((of.depth ? "div.name.inner" : "div.name") + (of.id === this.current ? ".current" : ""), { role: "listitem", title: `goroutine ${of.goid}, ${name}` },
      h("a", { href: links.goroutine(of.goid ?? 0) }, String(of.goid)), of.depth ? "" : h("span.text", {}, shortened(name)));
  }
}

/**
 * A function without the path of its package.
 * @param {string} name
 */
export function shortened(name) {
  const generic = name.indexOf("[");
  const end = generic < 0 ? name.length : generic;
  return name.slice(name.lastIndexOf("/", end) + 1);
}
