// Tables: sort by a click, filter, copy, other forms; only the rows that are seen are drawn.
// @ts-check
import { cell } from "./cells.js";
import { fill, h } from "./dom.js";
import * as format from "./format.js";

/**
 * @typedef {import("./api.js").Column} Column
 * @typedef {import("./api.js").Value} Value
 * @typedef {import("./api.js").Result} Result
 * @typedef {{
 *   name?: string,
 *   more?: (limit: number) => Promise<Result>,
 *   address?: (ending: string) => string | null,
 *   cell?: (column: Column, value: Value, row: Value[]) => Node | null,
 *   save?: (ending: string) => Promise<void>,
 *   hidden?: string[],
 *   titles?: Record<string, string>,
 *   drawn?: Drawn[],
 *   height?: number,
 * }} Options
 */

/**
 * A column that is drawn from the others, before one of them.
 * @typedef {{title: string, doc: string, before: string, draw: (row: Value[], result: Result) => Node | null}} Drawn
 */

/** How high a row is, pixels; as in the style sheet. */
const ROW = 26;
/** Rows that are drawn above and below what is seen. */
const AROUND = 20;
/** Columns whose 0 is not "nothing". */
const NAMES = /^(proc|thread|depth|byte_offset)$|(^|_)(id|goid|task)$/;
/** Rows asked for when the end of those that are there is reached. */
const ALL = 1_000_000;

/**
 * A table of a result. Its element has data-query, its cells data-value with the exact value.
 * @param {Result} result
 * @param {Options} [options]
 * @returns {HTMLElement}
 */
export function table(result, options = {}) {
  return new Table(result, options).element;
}

class Table {
  /**
   * @param {Result} result
   * @param {Options} options
   */
  constructor(result, options) {
    this.options = options;
    this.result = result;
    /** @type {{at: number, isDown: boolean} | null} */
    this.sorted = null;
    this.wanted = "";
    /** @type {Value[][]} */
    this.rows = result.rows;
    this.shownFrom = -1;
    this.shownTo = -1;
    this.head = h("tr");
    this.body = h("tbody");
    this.above = h("tr.space", { "aria-hidden": "true" });
    this.below = h("tr.space", { "aria-hidden": "true" });
    this.table = h("table", { data: options.name ? { query: options.name } : {} }, h("thead", {}, this.head), this.body);
    this.scroller = h("div.scroller", { tabindex: "0", role: "region", "aria-label": options.name ?? "table", style: { maxHeight: `${options.height ?? 620}px` } }, this.table);
    this.status = h("span.muted", { role: "status" });
    this.filter = /** @type {HTMLInputElement} */ (h("input", { type: "search", placeholder: "filter", "aria-label": "rows that contain" }));
    this.filter.addEventListener("input", () => {
      this.wanted = this.filter.value.toLowerCase();
      this.change();
    });
    this.scroller.addEventListener("scroll", () => this.draw());
    this.element = h("div.table", {}, this.tools(), this.scroller);
    this.columns = this.result.columns.map((column, at) => ({ column, at }))
      .filter(({ column }) => !options.hidden?.includes(column.name))
      .map((one) => ({ ...one, drawn: options.drawn?.find((it) => it.before === one.column.name) }));
    this.drawHead();
    this.change();
    new ResizeObserver(() => this.draw()).observe(this.scroller);
  }

  tools() {
    const address = this.options.address;
    const saved = ["csv", "json"].map((ending) => {
      const target = address?.(ending);
      if (target) return h("a", { href: target, download: true }, ending.toUpperCase());
      const save = this.options.save;
      return save && h("button.link", { type: "button", onclick: () => this.save(() => save(ending)) }, ending.toUpperCase());
    });
    const copy = h("button.link", {
      type: "button",
      title: "the rows that are shown, with tabs between the cells",
      onclick: () => navigator.clipboard?.writeText(this.text()),
    }, "Copy");
    return h("div.tools", {}, this.filter, this.status, h("span.gap"), copy, ...saved);
  }

  /** @param {() => Promise<void>} save */
  async save(save) {
    try {
      await save();
    } catch (error) {
      this.status.textContent = String(error instanceof Error ? error.message : error);
    }
  }

  text() {
    const lines = [this.columns.map(({ column }) => column.name), ...this.rows.map((row) => this.columns.map(({ at }) => row[at] ?? ""))];
    return lines.map((line) => line.map((cell) => String(cell).replace(/[\t\n\r]/g, " ")).join("\t")).join("\n");
  }

  drawHead() {
    fill(this.head, this.columns.map(({ column, at, drawn }) => {
      const isSorted = this.sorted?.at === at;
      const mark = isSorted ? (this.sorted?.isDown ? " ▾" : " ▴") : "";
      const order = isSorted ? (this.sorted?.isDown ? "descending" : "ascending") : "none";
      const title = this.options.titles?.[column.name] ?? column.name;
      const isNumber = this.result.rows.some((row) => this.isNumber(column, row[at]));
      return [
        drawn && h("th", { title: drawn.doc, data: { drawn: "1" } }, h("span", {}, drawn.title)),
        h(isNumber ? "th.number" : "th", { "aria-sort": order, title: column.doc ?? "" },
          h("button", { type: "button", onclick: () => this.sort(at) }, title + mark))];
    }).flat());
  }

  /** @param {number} at */
  async sort(at) {
    await this.complete();
    const isNumber = this.rows.some((row) => typeof row[at] === "number");
    if (this.sorted?.at !== at) this.sorted = { at, isDown: isNumber };
    else this.sorted = { at, isDown: !this.sorted.isDown };
    this.drawHead();
    this.change();
  }

  /**
   * Whether a value stands at the right, below others of its kind.
   * @param {Column} column
   * @param {Value} value
   */
  isNumber(column, value) {
    return typeof value === "number" || (column.unit !== null && value !== null);
  }

  /** Sees to it that all rows are there. */
  async complete() {
    if (!this.result.has_more || !this.options.more || this.isAsking) return;
    this.isAsking = true;
    this.status.textContent = "reading the other rows";
    try {
      this.result = await this.options.more(ALL);
      this.change();
    } catch (error) {
      this.status.textContent = String(error instanceof Error ? error.message : error);
    } finally {
      this.isAsking = false;
    }
  }

  /** Other rows, or in another order. */
  change() {
    let rows = this.result.rows;
    const wanted = this.wanted;
    if (wanted) {
      const contains = (/** @type {Value[]} */ row) => this.columns.some(({ column, at }) => {
        const value = row[at];
        return value !== null && (String(value).toLowerCase().includes(wanted) || format.shown(column, value).toLowerCase().includes(wanted));
      });
      rows = rows.filter(contains);
    }
    if (this.sorted) {
      const { at, isDown } = this.sorted;
      const sign = isDown ? -1 : 1;
      rows = [...rows].sort((a, b) => {
        if (a[at] === null || b[at] === null) return a[at] === b[at] ? 0 : a[at] === null ? 1 : -1;
        return sign * compare(a[at], b[at]);
      });
    }
    this.rows = rows;
    const all = this.result.rows.length;
    const count = rows.length === all ? format.count(all) : `${format.count(rows.length)} of ${format.count(all)}`;
    this.status.textContent = `${count} ${all === 1 ? "row" : "rows"}${this.result.has_more ? ", and more" : ""}`;
    this.shownFrom = -1;
    this.draw();
  }

  draw() {
    const top = this.scroller.scrollTop;
    const height = this.scroller.clientHeight || this.options.height || 620;
    const from = Math.max(0, Math.floor(top / ROW) - AROUND);
    const to = Math.min(this.rows.length, Math.ceil((top + height) / ROW) + AROUND);
    if (to >= this.rows.length - AROUND && this.result.has_more && top > 0) this.complete();
    if (this.shownFrom >= 0 && from >= this.shownFrom && to <= this.shownTo) return;
    [this.shownFrom, this.shownTo] = [Math.max(0, from - AROUND), Math.min(this.rows.length, to + AROUND)];
    this.above.style.height = `${this.shownFrom * ROW}px`;
    this.below.style.height = `${(this.rows.length - this.shownTo) * ROW}px`;
    const rows = this.rows.slice(this.shownFrom, this.shownTo).map((row) => this.row(row));
    if (!this.rows.length) rows.push(h("tr", {}, h("td.muted", { colspan: this.columns.length + (this.options.drawn?.length ?? 0) }, "no rows")));
    fill(this.body, this.above, rows, this.below);
  }

  /** @param {Value[]} row */
  row(row) {
    return h("tr", {}, this.columns.map(({ column, at, drawn }) => {
      const value = row[at];
      const isNothing = Number(value) === 0 && !format.isMoment(column.name) && !NAMES.test(column.name);
      return [
        drawn && h("td", { data: { drawn: "1" } }, drawn.draw(row, this.result)),
        h(this.isNumber(column, value) ? (isNothing ? "td.number.zero" : "td.number") : "td", { data: value === null ? {} : { value: String(value) } },
          this.options.cell?.(column, value, row) ?? cell(this.result, row, at, this.options.name))];
    }).flat());
  }
}

/**
 * @param {Value} a
 * @param {Value} b
 */
function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [x, y] = [String(a), String(b)];
  const isNumber = /^-?\d+$/;
  if (isNumber.test(x) && isNumber.test(y)) {
    const [p, q] = [BigInt(x), BigInt(y)];
    return p < q ? -1 : p > q ? 1 : 0;
  }
  return x < y ? -1 : x > y ? 1 : 0;
}
