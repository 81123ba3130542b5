// The timeline: its parts, and what they tell each other.
// @ts-check
import { h } from "../lib/dom.js";
import { problem } from "../lib/page.js";
import { Address } from "./address.js";
import { Annotations } from "./annotations.js";
import { AreaPanel } from "./area.js";
import { Arrows } from "./arrows.js";
import { Bands } from "./bands.js";
import { Counters } from "./counters.js";
import { draw } from "./draw.js";
import { Frames } from "./frames.js";
import { Head } from "./head.js";
import { Keys } from "./keys.js";
import { Marks } from "./marks.js";
import { Names } from "./names.js";
import * as palette from "./palette.js";
import { SlicePanel } from "./panel.js";
import { CriticalPath } from "./path.js";
import { Pointer } from "./pointer.js";
import { Rows } from "./rows.js";
import { Search } from "./search.js";
import { ROW } from "./sizes.js";
import { Texts } from "./texts.js";
import { Tiles } from "./tiles.js";
import { Toolbar } from "./toolbar.js";
import { View } from "./view.js";

/** Highest place to scroll to: browsers do not make elements of any height. */
const TALLEST = 8_000_000;

/**
 * A selected slice: its row in goroutine_states, its times, whose it is.
 * @typedef {{state: number, start: number, end: number, goroutine: number | null, row: number | null}} Selection
 * @typedef {{from: number, to: number, first: number | null, last: number | null}} Area
 */

export class Timeline {
  /**
   * @param {import("./prepare.js").Info} info
   * @param {HTMLElement} main
   * @param {URLSearchParams} search
   */
  constructor(info, main, search) {
    this.info = info;
    this.frames = new Frames(() => this.draw());
    this.view = new View(info.duration_ns, () => this.moved());
    this.colours = palette.read();
    this.rows = new Rows(info.id, this.frames, () => this.ordered());
    this.tiles = new Tiles(this.frames, ROW, () => this.guard(this.rows.load()));
    /** @type {Selection | null} */
    this.selection = null;
    /** @type {Area | null} */
    this.area = null;
    /** Where the pointer is, pixels of the lanes. @type {{x: number, y: number} | null} */
    this.hover = null;
    /** How the collector is shown: 0 not, 1 pauses, 2 pauses and phases. */
    this.overlay = 2;
    /** Of the lanes, pixels. */
    this.width = 1000;
    this.height = 400;
    this.counters = new Counters(this);
    this.bands = new Bands(this);
    this.texts = new Texts(this);
    this.arrows = new Arrows(this);
    this.path = new CriticalPath(this);
    this.marks = new Marks(this);
    this.annotations = new Annotations(this);
    this.toolbar = new Toolbar(this);
    this.head = new Head(this);
    this.names = new Names(this);
    this.canvas = /** @type {HTMLCanvasElement} */ (h("canvas.lanes", { tabindex: "0", role: "application", "aria-label": "Lanes. Arrow keys move between slices, question mark tells all keys.", "aria-describedby": "slice" }));
    this.sticky = h("div.sticky", {}, this.names.element, this.canvas);
    this.spacer = h("div.spacer", {}, this.sticky);
    this.scroller = h("div.rows", {}, this.spacer);
    this.tip = h("div.tip", { hidden: true });
    this.panel = h("section.panel", { id: "slice", "aria-live": "polite", "aria-label": "Selection", hidden: true });
    this.problems = h("div.problems");
    this.element = h("div.timeline", {}, this.toolbar.element, this.head.element, this.scroller, this.panel, this.tip, this.problems);
    main.append(this.element);
    this.slicePanel = new SlicePanel(this);
    this.areaPanel = new AreaPanel(this);
    this.search = new Search(this);
    this.pointer = new Pointer(this);
    this.keys = new Keys(this);
    this.address = new Address(this, search);
    this.scroller.addEventListener("scroll", () => {
      this.frames.ask();
      this.address.later();
    });
    new ResizeObserver(() => this.resize()).observe(this.scroller);
    addEventListener("gotrace-theme", () => this.recolour());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
    this.resize();
    this.recolour();
  }

  /** Shows what the address says. */
  async open() {
    await this.guard(this.address.apply());
    this.counters.load();
    this.bands.load();
    this.guard(this.annotations.load());
  }

  /**
   * Tells what goes wrong in the background.
   * @template T
   * @param {Promise<T>} promise
   * @returns {Promise<T | undefined>}
   */
  async guard(promise) {
    try {
      return await promise;
    } catch (error) {
      const card = problem(error);
      card.append(h("button", { type: "button", onclick: () => card.remove() }, "Close"));
      this.problems.replaceChildren(card);
    }
    return undefined;
  }

  resize() {
    const header = document.querySelector("header.top");
    const top = header?.getBoundingClientRect().height ?? 0;
    this.element.style.height = `${Math.max(320, innerHeight - top)}px`;
    const names = this.names.element.getBoundingClientRect().width;
    this.width = Math.max(50, this.scroller.clientWidth - names);
    this.height = this.scroller.clientHeight;
    this.view.width = this.width;
    this.sticky.style.height = `${this.height}px`;
    const density = devicePixelRatio;
    for (const [canvas, height] of /** @type {[HTMLCanvasElement, number][]} */ ([[this.canvas, this.height], [this.head.canvas, this.head.height]])) {
      canvas.width = Math.round(this.width * density);
      canvas.height = Math.round(height * density);
      canvas.style.width = `${this.width}px`;
      canvas.style.height = `${height}px`;
    }
    this.setSpacer();
    this.frames.ask();
  }

  recolour() {
    this.colours = palette.read();
    this.tiles.setColours(this.colours);
    this.toolbar.fill();
  }

  setSpacer() {
    const tall = Math.min(this.rows.count * ROW + 24, TALLEST);
    this.spacer.style.height = `${Math.max(this.height, tall)}px`;
  }

  /** First row that is seen, with the part of it that is not, in rows. */
  get top() {
    const all = this.rows.count * ROW + 24;
    const most = Math.min(all, TALLEST) - this.height;
    if (most <= 0) return 0;
    const part = this.scroller.scrollTop * (all > TALLEST ? (all - this.height) / most : 1);
    return part / ROW;
  }

  /** @param {number} row */
  scrollTo(row) {
    const all = this.rows.count * ROW + 24;
    const factor = all > TALLEST ? (TALLEST - this.height) / (all - this.height) : 1;
    this.scroller.scrollTop = row * ROW * factor;
    this.frames.ask();
  }

  /** @param {number} row */
  reveal(row) {
    const seen = this.height / ROW;
    if (row < this.top || row > this.top + seen - 2) this.scrollTo(Math.max(0, row - Math.floor(seen / 2)));
  }

  /** The window has moved. */
  moved() {
    this.tip.hidden = true;
    this.counters.moved();
    this.annotations.moved();
    this.address.later();
    this.toolbar.later();
    this.frames.ask();
  }

  /** The rows are others. */
  async ordered() {
    this.tiles.setOrder(this.rows.order, this.info.snapshot);
    this.setSpacer();
    this.toolbar.fill();
    this.arrows.forget();
    this.address.later();
    this.frames.ask();
    this.guard(this.path.load());
    const selection = this.selection;
    if (!selection) return;
    const row = await this.rowOf(selection.goroutine, false);
    if (selection === this.selection) selection.row = row;
    this.frames.ask();
  }

  /**
   * In which row the goroutine of a slice is.
   * @param {number | null} goroutine
   * @param {boolean} [unfolds]
   */
  async rowOf(goroutine, unfolds = true) {
    if (goroutine === null) return null;
    if (this.rows.wish.lanes === "goroutines") return this.rows.find({ goroutine }, unfolds);
    const slice = this.slicePanel.slice;
    // Who waits is on no proc and on no thread.
    if (!slice || (slice.state !== "running" && slice.state !== "syscall")) return null;
    const number = this.rows.wish.lanes === "procs" ? slice.proc : slice.thread;
    return number === null ? null : this.rows.find(this.rows.wish.lanes === "procs" ? { proc: number } : { thread: number }, unfolds);
  }

  /**
   * Selects a slice by its row in goroutine_states.
   * @param {number} state
   * @param {{shows?: boolean, pushes?: boolean}} [how] whether the window moves so that it is seen
   */
  async select(state, { shows = true, pushes = true } = {}) {
    if (pushes) this.address.push();
    this.area = null;
    const slice = await this.guard(this.frames.track(this.slicePanel.show(state)));
    if (!slice) return;
    const row = await this.guard(this.rowOf(slice.goroutine_id, shows));
    this.selection = { state, start: slice.start_ns, end: slice.end_ns, goroutine: slice.goroutine_id, row: row ?? null };
    if (shows) {
      this.view.reveal(slice.start_ns, slice.end_ns);
      if (row !== null && row !== undefined) this.reveal(row);
    }
    this.guard(this.arrows.load(slice));
    this.address.later();
    this.frames.ask();
  }

  /** @param {Area | null} area */
  selectArea(area) {
    this.selection = null;
    this.area = area;
    this.arrows.forget();
    if (area) this.guard(this.frames.track(this.areaPanel.show(area)));
    else this.hidePanel();
    this.address.later();
    this.frames.ask();
  }

  hidePanel() {
    this.panel.hidden = true;
    this.selection = null;
    this.area = null;
    this.arrows.forget();
    this.path.forget();
    this.resize();
    this.address.later();
  }

  draw() {
    draw(this);
    this.head.draw();
    this.names.draw();
    this.tiles.send();
    this.texts.send();
  }
}
