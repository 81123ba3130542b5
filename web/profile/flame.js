// The flame graph: frames as wide as their values, callers above what they call.
// @ts-check
import { fill, h } from "../lib/dom.js";
import { menu, nothing } from "./actions.js";
import { hue, isRuntime, packageOf, shortened } from "./names.js";
import { exactly, go, read } from "./state.js";
import * as trees from "./tree.js";
import * as values from "./values.js";

/**
 * @typedef {import("./tree.js").Frame} Frame
 * @typedef {import("./tree.js").Box} Box
 * @typedef {import("./tree.js").Answer} Answer
 * @typedef {{search: (pattern: RegExp | null) => string, next: (step: number) => void, colors?: string[]}} Shown
 */

/** How high a frame is, pixels; as in the style sheet. */
const ROW = 20;
/** How wide a letter is, pixels. */
const LETTER = 6.6;

/** The colours of the label "state", by the names of the palette. */
const STATES = /** @type {Record<string, string>} */ ({ running: "running", runnable: "ready", waiting: "select", syscall: "syscall", "syscall-blocked": "sleep" });

/**
 * @param {HTMLElement} target
 * @param {Answer} answer
 * @returns {Shown}
 */
export function draw(target, answer) {
  const flame = new Flame(target, answer);
  return flame;
}

class Flame {
  /**
   * @param {HTMLElement} target
   * @param {Answer} answer
   */
  constructor(target, answer) {
    this.answer = answer;
    this.whole = trees.whole(answer);
    /** @type {RegExp | null} */
    this.pattern = null;
    /** @type {Map<HTMLElement, Box>} */
    this.boxes = new Map();
    // The first is what is meant without a choice.
    const states = answer.label_names?.length ?? 0;
    this.colors = answer.is_difference ? [] : [...(states > 1 ? ["state"] : []), "package", "function", ...(states === 1 ? ["state"] : [])];
    if (!this.whole.width) {
      nothing(target, "There is no sample. Another sample type, or fewer filters, may have some.");
      return;
    }
    this.details = h("div.details");
    this.summary = h("p.pivot", { role: "status" });
    this.frames = h("div.frames", { role: "tree", "aria-label": "Flame graph", tabindex: "0" });
    this.tip = h("div.tip", { hidden: true });
    fill(target, this.summary, h("div.flame", {}, this.frames, this.tip), this.details, this.legend());
    this.frames.addEventListener("click", (event) => this.click(event));
    this.frames.addEventListener("contextmenu", (event) => this.menu(event));
    this.frames.addEventListener("keydown", (event) => this.key(event));
    this.frames.addEventListener("pointermove", (event) => this.hover(event));
    this.frames.addEventListener("pointerleave", () => this.leave());
    this.frames.addEventListener("focusin", (event) => this.tell(this.at(event)));
    let width = 0;
    new ResizeObserver(() => {
      if (this.frames && this.frames.clientWidth !== width) {
        width = this.frames.clientWidth;
        this.layout();
      }
    }).observe(this.frames);
  }

  /** The colour of frames, as the address wants it. */
  color() {
    if (this.answer.is_difference) return "difference";
    const wanted = read().get("color") ?? "";
    return this.colors.includes(wanted) ? wanted : this.colors[0];
  }

  legend() {
    const color = this.color();
    const key = (/** @type {string} */ name, /** @type {string} */ text) => h("li", {}, h(`i.${name}`), text);
    if (color === "difference") return h("ul.legend", {}, key("ready", "more than before"), key("running", "less than before"));
    if (color !== "state") return null;
    return h("ul.legend", {}, (this.answer.label_names ?? []).map((name) => key(STATES[name] ?? "other", name)));
  }

  /** Places all frames: at the beginning, for another width, and for another pivot or zoom. */
  layout() {
    if (!this.frames || !this.summary) return;
    const search = read();
    const width = this.frames.clientWidth;
    let pivoted = null;
    try {
      pivoted = search.get("p") ? trees.pivot(this.whole, new RegExp(search.get("p") ?? "")) : null;
    } catch {
      // No pattern: nothing is a pivot.
    }
    const root = pivoted?.callees ?? this.whole;
    const zoomed = trees.follow(root, search.get("zoom") ?? "");
    const main = trees.place(root, zoomed, width);
    let rows = main;
    if (pivoted) {
      const callers = trees.place(pivoted.callers, pivoted.callers, width);
      const top = callers.reduce((most, box) => Math.max(most, box.y), 1);
      const above = callers.filter((box) => box.y > 1).map((box) => ({ ...box, y: top - box.y, isAside: true }));
      rows = [...above, ...main.filter((box) => box.y > 0).map((box) => ({ ...box, y: top + box.y - 2 }))];
    }
    this.root = root;
    this.tellPivot(pivoted, zoomed, root);
    if (this.details) fill(this.details);
    const hasFocus = this.frames.contains(document.activeElement);
    this.boxes.clear();
    const elements = rows.map((box) => this.element(box, width));
    fill(this.frames, elements);
    this.frames.style.height = `${(rows.reduce((most, box) => Math.max(most, box.y), 0) + 1) * ROW}px`;
    elements[0]?.setAttribute("tabindex", "0");
    this.frames.removeAttribute("tabindex");
    // Who came by keys goes on where the pivot is.
    if (hasFocus) this.focus(elements[Math.max(0, rows.findIndex((box) => !box.isAside))]);
    this.mark();
  }

  /**
   * @param {{callees: Frame, callers: Frame} | null} pivoted
   * @param {Frame} zoomed
   * @param {Frame} root
   */
  tellPivot(pivoted, zoomed, root) {
    const parts = [];
    const leave = (/** @type {string} */ text, /** @type {Record<string, null>} */ changes) =>
      h("button.link", { type: "button", onclick: () => go(changes) }, text);
    if (pivoted) {
      const names = root.children.map((one) => one.name);
      const text = names.length === 1 ? names[0] : `${names.length} functions`;
      parts.push(h("b", {}, text), ` ${this.value(root)}: who calls it above, what it calls below. `, leave("show all", { p: null, zoom: null }), " ");
    }
    if (zoomed !== root) parts.push("Zoomed to ", h("b", {}, zoomed.name), ". ", leave("zoom out", { zoom: null }));
    if (this.answer.left_out && !parts.length) parts.push(h("span.muted", {}, `Click: callers and callees of a function. Shift and click: zoom. Right click: more. ${this.answer.left_out} frames below 0.02% are left out.`));
    else if (!parts.length) parts.push(h("span.muted", {}, "Click: callers and callees of a function. Shift and click: zoom. Right click: more."));
    if (this.summary) fill(this.summary, parts);
  }

  /**
   * @param {Box} box
   * @param {number} width of all
   */
  element(box, width) {
    const one = box.frame;
    const isRoot = !one.parent;
    const name = isRoot ? `all: ${values.shown(this.side(one), this.answer.unit)}` : one.name;
    const room = Math.floor((box.width - 6) / LETTER);
    const element = h(isRoot ? "div.frame.root" : box.isAside ? "div.frame.aside" : "div.frame", {
      role: "treeitem",
      tabindex: "-1",
      "aria-level": String(box.y + 1),
      "aria-label": isRoot ? name : `${one.name}, ${this.value(one)}`,
    }, room > 1 ? (isRoot ? name : shortened(one.name, room)) : "");
    const { style } = element;
    style.left = `${box.x}px`;
    style.top = `${box.y * ROW}px`;
    style.width = `${Math.max(1, Math.min(box.width, width) - (box.width > 3 ? 1 : 0))}px`;
    if (!isRoot) this.paint(element, one);
    this.boxes.set(element, box);
    return element;
  }

  /**
   * @param {HTMLElement} element
   * @param {Frame} one
   */
  paint(element, one) {
    const color = this.color();
    const { style } = element;
    if (color === "difference") {
      const change = one.width ? (one.all[0] - one.all[1]) / one.width : 0;
      const part = Math.round(12 + 63 * Math.min(1, Math.abs(change)));
      style.background = change === 0 ? "" : `color-mix(in srgb, var(--${change > 0 ? "ready" : "running"}) ${part}%, var(--card))`;
      element.classList.add("grey");
    } else if (color === "state") {
      element.classList.add("label");
      style.background = this.shares(one);
    } else {
      const owner = packageOf(one.name);
      if (isRuntime(owner)) element.classList.add("grey");
      else style.setProperty("--hue", String(hue(color === "function" ? one.name : owner)));
    }
  }

  /**
   * A ground of which each state has its share.
   * @param {Frame} one
   */
  shares(one) {
    const all = one.shares.reduce((sum, value) => sum + value, 0) || 1;
    let end = 0;
    const parts = one.shares.flatMap((value, at) => {
      if (!value) return [];
      const begin = end;
      end += (100 * value) / all;
      const name = STATES[this.answer.label_names?.[at] ?? ""] ?? "other";
      return [`color-mix(in srgb, var(--${name}) 55%, var(--card)) ${begin.toFixed(2)}% ${end.toFixed(2)}%`];
    });
    return parts.length ? `linear-gradient(to right, ${parts.join(", ")})` : "";
  }

  /** @param {Frame} one */
  side(one) {
    return this.answer.is_difference ? one.width : one.all[0];
  }

  /**
   * What a frame is worth, in words.
   * @param {Frame} one
   */
  value(one) {
    const { unit, total, is_difference } = this.answer;
    if (!is_difference) return `${values.shown(one.all[0], unit)}, ${values.share(one.all[0], total)}`;
    return `${values.shown(one.all[0], unit)}, before ${values.shown(one.all[1], unit)}, ${values.change(one.all[0] - one.all[1], unit)}`;
  }

  /**
   * @param {Event} event
   * @returns {Box | null}
   */
  at(event) {
    const element = /** @type {HTMLElement} */ (event.target).closest?.(".frame");
    return this.boxes.get(/** @type {HTMLElement} */ (element)) ?? null;
  }

  /** @param {MouseEvent} event */
  click(event) {
    const box = this.at(event);
    if (!box) return;
    if (event.shiftKey) this.zoom(box);
    else this.pivot(box);
  }

  /** @param {Box} box */
  pivot(box) {
    this.leave();
    if (!box.frame.parent) go({ p: null, zoom: null });
    else go({ p: exactly(box.frame.name), zoom: null });
  }

  /** @param {Box} box */
  zoom(box) {
    this.leave();
    let top = box.frame;
    while (top.parent) top = top.parent;
    // Callers are drawn upside down; they are not zoomed.
    if (top === this.root) go({ zoom: trees.way(box.frame) });
    else this.pivot(box);
  }

  /** @param {MouseEvent} event */
  menu(event) {
    const box = this.at(event);
    if (!box?.frame.parent) return;
    event.preventDefault();
    this.leave();
    const place = /** @type {HTMLElement} */ (event.target).getBoundingClientRect();
    const [x, y] = event.clientX || event.clientY ? [event.clientX, event.clientY] : [place.left + 8, place.bottom];
    menu(x, y, { name: box.frame.name, more: [["Callers and callees", () => this.pivot(box)], ["Zoom to this frame", () => this.zoom(box)]] });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const here = /** @type {HTMLElement} */ (document.activeElement);
    const box = this.boxes.get(here);
    if (!box || event.ctrlKey || event.altKey || event.metaKey) return;
    const all = [...this.boxes];
    const row = (/** @type {number} */ y) => all.filter(([, other]) => other.y === y).sort(([, a], [, b]) => a.x - b.x);
    const nearest = (/** @type {number} */ y) => row(y).find(([, other]) => other.x + other.width > box.x + 0.5)?.[0];
    const beside = (/** @type {number} */ step) => {
      const now = row(box.y);
      return now[now.findIndex(([element]) => element === here) + step]?.[0];
    };
    const targets = /** @type {Record<string, () => HTMLElement | undefined>} */ ({
      ArrowDown: () => nearest(box.y + 1),
      ArrowUp: () => nearest(box.y - 1),
      ArrowRight: () => beside(1),
      ArrowLeft: () => beside(-1),
      Home: () => all[0]?.[0],
    });
    if (targets[event.key]) this.focus(targets[event.key]());
    else if (event.code === "Enter" || event.code === "Space") this.pivot(box);
    else if (event.code === "KeyZ") this.zoom(box);
    else if (event.code === "Escape") go({ p: null, zoom: null });
    else return;
    event.preventDefault();
  }

  /** @param {HTMLElement | undefined} element */
  focus(element) {
    if (!element) return;
    this.frames?.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
    element.setAttribute("tabindex", "0");
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
  }

  /** @param {PointerEvent} event */
  hover(event) {
    const box = this.at(event);
    if (!box || !this.tip || !this.frames) return this.leave();
    this.tell(box);
    const ground = this.frames.getBoundingClientRect();
    fill(this.tip, this.lines(box.frame));
    this.tip.hidden = false;
    const size = this.tip.getBoundingClientRect();
    this.tip.style.left = `${Math.max(0, Math.min(event.clientX - ground.left + 14, ground.width - size.width))}px`;
    const under = event.clientY + 18 + size.height < innerHeight;
    this.tip.style.top = `${event.clientY - ground.top + (under ? 18 : -size.height - 8)}px`;
  }

  /** @param {Frame} one */
  lines(one) {
    const { unit, total, is_difference, label_names } = this.answer;
    const row = (/** @type {string} */ name, /** @type {string} */ text) => h("div", {}, h("span", {}, name), h("b", {}, text));
    const above = one.parent?.parent ? one.parent : null;
    return [
      h("p.name", {}, one.parent ? one.name : "all stacks"),
      row(is_difference ? "now" : "total", `${values.shown(one.all[0], unit)}  ${values.share(one.all[0], total)}`),
      is_difference && row("before", `${values.shown(one.all[1], unit)}  ${values.share(one.all[1], total)}`),
      is_difference && row("change", values.change(one.all[0] - one.all[1], unit)),
      one.own[0] > 0 && row("in it", `${values.shown(one.own[0], unit)}  ${values.share(one.own[0], total)}`),
      above && !is_difference && row("of its caller", values.share(one.all[0], above.all[0])),
      ...(label_names ?? []).map((name, at) => one.shares[at] > 0 && row(name || "no state", values.share(one.shares[at], one.width))),
    ];
  }

  /** @param {Box | null} box */
  tell(box) {
    if (box && this.details) fill(this.details, box.frame.parent ? `${box.frame.name}  ${this.value(box.frame)}` : `all  ${this.value(box.frame)}`);
  }

  leave() {
    if (this.tip) this.tip.hidden = true;
  }

  /**
   * Marks what matches.
   * @param {RegExp | null} pattern
   * @returns {string} what to say of it
   */
  search(pattern) {
    this.pattern = pattern;
    this.mark();
    if (!pattern) return "";
    const found = trees.outermost(this.whole, pattern);
    const sum = found.reduce((before, one) => before + this.side(one), 0);
    const all = this.answer.is_difference ? this.whole.width : this.answer.total;
    return found.length ? `${values.shown(sum, this.answer.unit)}, ${values.share(sum, all)} matches` : "nothing matches";
  }

  mark() {
    const { pattern } = this;
    this.frames?.classList.toggle("searching", pattern !== null);
    for (const [element, box] of this.boxes) {
      element.classList.toggle("match", pattern !== null && box.frame.parent !== null && pattern.test(box.frame.name));
    }
  }

  /** @param {number} step 1 for the next match, -1 for the one before */
  next(step) {
    const matches = [...this.boxes.keys()].filter((one) => one.classList.contains("match"));
    const at = matches.findIndex((one) => one.classList.contains("current"));
    const target = matches[(at + step + matches.length) % matches.length] ?? matches[0];
    matches[at]?.classList.remove("current");
    target?.classList.add("current");
    target?.scrollIntoView({ block: "center" });
    this.tell(this.boxes.get(target) ?? null);
  }
}
