// What stands in the cells of tables: goroutines, functions, tasks, times and stacks are links.
// @ts-check
import { sql } from "./api.js";
import { fill, h } from "./dom.js";
import * as format from "./format.js";
import * as links from "./links.js";
import { isStandard, parse, stack } from "./stack.js";

/**
 * @typedef {import("./api.js").Value} Value
 * @typedef {import("./api.js").Result} Result
 */

const GOROUTINES = /(^|_)goid$|^(goroutine|woken_by|created_by|holder)$/;
const NUMBER = /^\d+$/;

/**
 * @param {Result} result
 * @param {Value[]} row
 * @param {number} at which of its cells
 * @param {string} [query] whose result it is
 * @returns {Node | string}
 */
export function cell(result, row, at, query) {
  const column = result.columns[at];
  const { name } = column;
  const value = row[at];
  const isFunction = column.doc?.includes("began with") || (name === "name" && (query === "goroutines" || of(result, row, "goid") !== null));
  if (value === null) {
    return isFunction && query === "goroutines" ? h("a.muted", { href: links.group(null) }, "unknown") : "";
  }
  const text = format.shown(column, value);
  const isNumber = NUMBER.test(String(value));
  if (isNumber && GOROUTINES.test(name)) return h("a", { href: links.goroutine(value) }, text);
  if (isNumber && /(^|_)task$/.test(name) && value !== 0) return h("a", { href: links.task(value) }, text);
  if (isNumber && /(^|_)stack_id$/.test(name)) return stackOf(value);
  if (isFunction && String(value).length < 2000) {
    return h("a.one", { href: links.group(String(value)), title: text }, text);
  }
  if (format.isMoment(name)) {
    const start = Number(value);
    return h("a", { href: links.timeline(start, start + length(result, row, name), { goroutine: goroutine(result, row) }), title: "on the timeline" }, text);
  }
  if (/(^|_)stack$/.test(name) && text.includes("\n")) return folded(text);
  return h("span.one", { title: text }, text.replace(/\n/g, " ⏎ "));
}

/**
 * The cell of a row that a column has.
 * @param {Result} result
 * @param {Value[]} row
 * @param {...string} names the first that there is
 */
export function of(result, row, ...names) {
  for (const name of names) {
    const at = result.columns.findIndex((column) => column.name === name);
    if (at >= 0 && row[at] !== null) return row[at];
  }
  return null;
}

/**
 * How long that took which began at a moment, as far as the row tells.
 * @param {Result} result
 * @param {Value[]} row
 * @param {string} name of the moment's column
 */
function length(result, row, name) {
  if (name === "start_ns" || name === "created_ns") {
    const end = of(result, row, name === "start_ns" ? "end_ns" : "ended_ns");
    if (end !== null) return Number(end) - Number(of(result, row, name));
  }
  const names = name.startsWith("longest") ? ["max_ns", "longest_ns", "longest_wait_ns"] : ["duration_ns", "mark_ns", "total_ns", "window_ns"];
  return name.startsWith("end") || name === "last_ns" ? 0 : Number(of(result, row, ...names) ?? 0);
}

/**
 * @param {Result} result
 * @param {Value[]} row
 */
function goroutine(result, row) {
  const value = of(result, row, "goid", "longest_goid", "culprit_goid", "goroutine");
  return NUMBER.test(String(value)) ? value : null;
}

/** @param {string} text a stack, as stack() writes it */
export function folded(text) {
  const frames = parse(text);
  // What the program was at, rather than what of the runtime it called for that.
  const first = frames.find((one) => !isStandard(one.function)) ?? frames[0];
  return h("button.link.one", { type: "button", title: text, onclick: () => dialog("Stack", stack(frames)) }, first.function);
}

/** @param {Value} id row of stacks */
function stackOf(id) {
  return h("button.link", {
    type: "button",
    title: "show this stack",
    onclick: async () => {
      const place = h("div", {}, h("p.muted", {}, "asking"));
      dialog(`Stack ${id}`, place);
      try {
        const { rows } = await sql("select stack(:id) as stack", { id });
        fill(place, stack(parse(String(rows[0]?.[0] ?? ""))));
      } catch (error) {
        fill(place, h("p", {}, error instanceof Error ? error.message : String(error)));
      }
    },
  }, String(id));
}

/**
 * @param {string} title
 * @param {...Node} content
 */
export function dialog(title, ...content) {
  const element = /** @type {HTMLDialogElement} */ (h("dialog", { "aria-label": title }, content,
    h("form", { method: "dialog" }, h("button", {}, "Close"))));
  element.addEventListener("close", () => element.remove());
  document.body.append(element);
  element.showModal();
}
