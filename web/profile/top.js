// The functions with the largest values, as pprof's page shows them.
// @ts-check
import { getJson } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { table } from "../lib/table.js";
import { menu, nothing, viewOf } from "./actions.js";
import { data } from "./state.js";

/**
 * @typedef {{header: string[], rows: (string | number)[][], unit: string}} Answer
 * @typedef {import("../lib/api.js").Value} Value
 */

/** How many rows there are at first; as on pprof's page. */
const ROWS = 500;

/** The columns, and where their exact value and their text stand in an answer's row. */
const COLUMNS = /** @type {[string, number, number, string][]} */ ([
  ["Flat", 2, 3, "spent in the function itself"],
  ["Flat%", 2, 4, "as a part of all"],
  ["Sum%", 9, 5, "of this function and those above it, by Flat"],
  ["Cum", 6, 7, "with what it calls"],
  ["Cum%", 6, 8, "as a part of all"],
  ["Name", 0, 0, "the function; a click shows its callers and callees"],
  ["Inlined?", 1, 1, "whether it was inlined into who calls it"],
]);

/** Where the name of the function stands. */
const NAME = COLUMNS.findIndex(([name]) => name === "Name");

/** The answer with the first rows. */
export function ask() {
  return getJson(data("top", new URLSearchParams(location.search).has("n") ? {} : { n: ROWS }));
}

/**
 * @param {HTMLElement} target
 * @param {Answer} answer
 * @returns {import("./flame.js").Shown}
 */
export function draw(target, answer) {
  /** @type {RegExp | null} */
  let pattern = null;
  if (!answer.rows.length) {
    nothing(target, "There is no sample. Another sample type, or fewer filters, may have some.");
    return { search: () => "", next: () => {} };
  }
  const body = h("div");
  fill(target, body);
  const result = (/** @type {Answer} */ from) => ({
    // Each row ends with its texts, which are not shown by themselves.
    columns: [...COLUMNS.map(([name, , , doc]) => ({ name, type: null, unit: null, doc })), { name: "texts", type: null, unit: null, doc: null }],
    rows: from.rows.map((row, at) => [...COLUMNS.map(([, exact]) => row[exact]), at]).filter((row) => !pattern || pattern.test(String(row[NAME]))),
    has_more: from.rows.length === ROWS,
    remarks: [],
  });
  let shown = answer;
  const show = () => fill(body, table(result(shown), {
    name: "profile-top",
    hidden: ["texts"],
    height: Math.max(400, innerHeight - 260),
    more: async () => {
      shown = await getJson(data("top"));
      return result(shown);
    },
    address: (ending) => data(`top.${ending}`),
    cell: (column, _, row) => cell(column.name, shown.rows[Number(row[COLUMNS.length])]),
  }));
  const cell = (/** @type {string} */ name, /** @type {(string | number)[]} */ row) => {
    const text = String(row[COLUMNS.find(([known]) => known === name)?.[2] ?? 0]);
    if (name !== "Name") return document.createTextNode(text);
    const isMatch = pattern?.test(text);
    return h(isMatch ? "a.function.match" : "a.function", {
      href: viewOf("peek", text),
      title: text,
      oncontextmenu: (/** @type {MouseEvent} */ event) => {
        event.preventDefault();
        menu(event.clientX, event.clientY, { name: text });
      },
    }, text);
  };
  show();
  return {
    search: (wanted) => {
      pattern = wanted;
      show();
      if (!wanted) return "";
      const count = shown.rows.filter((row) => wanted.test(String(row[0]))).length;
      return `${count} of ${shown.rows.length} match`;
    },
    next: (step) => nextMatch(body, step),
  };
}

/**
 * Goes to the next element that is marked as a match.
 * @param {HTMLElement} within
 * @param {number} step
 */
export function nextMatch(within, step) {
  const matches = [...within.querySelectorAll(".match")];
  const at = matches.findIndex((one) => one.classList.contains("current"));
  matches[at]?.classList.remove("current");
  const target = matches[(at + step + matches.length) % matches.length] ?? matches[0];
  target?.classList.add("current");
  target?.scrollIntoView({ block: "center" });
}
