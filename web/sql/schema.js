// The relations and functions beside the editor; a click puts a name where the caret is.
// @ts-check
import { fill, h } from "../lib/dom.js";

/** @typedef {import("./complete.js").Schema} Schema */

/**
 * @param {Schema} schema
 * @param {(text: string) => void} insert
 * @returns {HTMLElement}
 */
export function browser(schema, insert) {
  const filter = /** @type {HTMLInputElement} */ (h("input", { type: "search", placeholder: "find a table or column", "aria-label": "find a table, column or function" }));
  const place = h("div.relations");
  const name = (/** @type {string} */ text, /** @type {string | null} */ doc, shown = text) =>
    h("button.link", { type: "button", title: doc ?? "", onclick: () => insert(text) }, shown);
  const fields = (/** @type {{name: string, doc: string | null}[]} */ columns) =>
    h("dl", {}, columns.map((column) => [h("dt", {}, name(column.name, column.doc)), h("dd.muted", {}, column.doc ?? "")]).flat());
  const draw = () => {
    const wanted = filter.value.toLowerCase();
    const has = (/** @type {string} */ text) => text.toLowerCase().includes(wanted);
    const relations = schema.relations.filter((one) => !wanted || has(one.name) || one.columns.some((column) => has(column.name)));
    // Compact forms are for the canned queries; they stand behind what is meant for people.
    const order = [...relations.filter((one) => !one.name.startsWith("raw_")), ...relations.filter((one) => one.name.startsWith("raw_"))];
    const functions = schema.functions.filter((one) => !wanted || has(one.name));
    fill(place, order.map((one) => h("details", { open: wanted !== "" && !has(one.name) },
      h("summary", { title: one.doc }, one.name),
      h("p.muted", {}, one.doc), h("p", {}, name(one.name, one.doc, "insert the name")),
      fields(one.columns))),
    functions.length > 0 && h("h3", {}, "Functions"),
    functions.map((one) => h("details", {}, h("summary", { title: one.doc }, `${one.name}(${one.arguments})`), h("p.muted", {}, one.doc), h("p", {}, name(`${one.name}(`, one.doc, "insert the name")), one.columns && fields(one.columns))));
  };
  filter.addEventListener("input", draw);
  draw();
  return h("div", {}, h("h3", {}, "Schema"), filter, place);
}
