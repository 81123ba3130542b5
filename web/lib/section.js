// Parts of pages: a title, what it is about, and the table of a canned query or a statement.
// @ts-check
import { post, query, queryAddress, sql } from "./api.js";
import { h } from "./dom.js";
import * as format from "./format.js";
import * as links from "./links.js";
import { problem } from "./page.js";
import { table } from "./table.js";

/**
 * @typedef {import("./api.js").Value} Value
 * @typedef {import("./api.js").Result} Result
 * @typedef {import("./table.js").Options} Options
 * @typedef {Record<string, any>} Row
 */

/** How high the table of a part is at most, pixels. */
const HEIGHT = 420;

/**
 * A canned query as a part of a page.
 * @param {Row[]} queries as /api/queries describes them
 * @param {string} name
 * @param {Record<string, Value | undefined>} [parameters]
 * @param {Options & {above?: (result: Result) => Node | null}} [options]
 * @returns {Promise<HTMLElement>}
 */
export async function canned(queries, name, parameters = {}, options = {}) {
  const known = queries.find((one) => one.name === name);
  if (!known) return problem(new Error(`there is no query '${name}'`));
  const has = (/** @type {string} */ one) => known.parameters.some((/** @type {Row} */ it) => it.name === one) ||
    ["from", "to", "goroutine", "function", "task"].includes(one);
  const given = Object.fromEntries(Object.entries(parameters).filter(([one]) => has(one)));
  const kinds = ["kind", "type"].map((one) => given[one]).filter((one) => one);
  const head = title([known.title, ...kinds].join(": "), known.description,
    h("a", { href: links.query(name, /** @type {any} */ (given)), title: `the query ${name} with its parameters` }, name));
  try {
    const result = await query(name, given);
    if (!result.rows.length) return h("section", {}, head, nothing(result));
    const shown = table(result, {
      height: HEIGHT,
      name,
      hidden: given.trace === undefined ? [] : ["trace_id"],
      more: (limit) => query(name, given, { limit }),
      address: (ending) => queryAddress(`${name}.${ending}`, given),
      ...options,
    });
    const above = options.above?.(result);
    return h("section", {}, head, above ?? null, shown);
  } catch (error) {
    return h("section", {}, head, problem(error));
  }
}

/**
 * Puts parts into a page, each when it is there, in their order. Two are asked for at a time: more would only
 * wait for each other.
 * @param {HTMLElement} main
 * @param {(() => Promise<HTMLElement | HTMLElement[]>)[]} asked
 */
export async function inTurn(main, asked) {
  const places = asked.map(() => h("p.muted", {}, "asking"));
  main.append(...places);
  let next = 0;
  const work = async () => {
    while (next < asked.length) {
      const at = next++;
      const part = await asked[at]().catch((error) => problem(error));
      places[at].replaceWith(...[part].flat());
    }
  };
  await Promise.all([work(), work()]);
}

/** @param {Result} result without rows */
function nothing(result) {
  return h("p.card.muted", {}, result.remarks.map((one) => one.replace(/^0 rows: /, "Nothing: ")).join(" ") || "Nothing.");
}

/**
 * A statement as a part of a page. Its rows are saved by asking again.
 * @param {{title: string, doc: string, name: string, statement: string, parameters?: Record<string, Value | undefined>}} what
 * @param {Options & {above?: (result: Result) => Node | null}} [options]
 * @returns {Promise<HTMLElement>}
 */
export async function statement(what, options = {}) {
  const parameters = what.parameters ?? {};
  const head = title(what.title, what.doc, h("a", { href: links.sql(withValues(what.statement, parameters)), title: "the statement, to go on from" }, "SQL"));
  try {
    const result = await sql(what.statement, parameters);
    if (!result.rows.length) return h("section", {}, head, options.above?.(result) ?? null, nothing(result));
    const shown = table(result, {
      height: HEIGHT,
      name: what.name,
      more: (limit) => sql(what.statement, parameters, { limit }),
      save: (ending) => save(what.name, ending, { sql: what.statement, parameters }),
      ...options,
    });
    return h("section", {}, head, options.above?.(result) ?? null, shown);
  } catch (error) {
    return h("section", {}, head, problem(error));
  }
}

/**
 * A statement with its parameters written in, so that it can be asked as it is.
 * @param {string} text
 * @param {Record<string, Value | undefined>} parameters
 */
export function withValues(text, parameters) {
  return text.replace(/:([a-z_]\w*)/g, (whole, name) => {
    const value = parameters[name];
    if (value === undefined) return whole;
    return value === null ? "null" : typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
  });
}

/**
 * Has the browser save a result.
 * @param {string} name
 * @param {string} ending csv, json, ...
 * @param {Record<string, unknown>} request as /api/sql takes it
 */
export async function save(name, ending, request) {
  const answer = await post("/api/sql", { ...request, format: ending });
  const address = URL.createObjectURL(await answer.blob());
  const link = /** @type {HTMLAnchorElement} */ (h("a", { href: address, download: `${name}.${ending}` }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/**
 * @param {string} name
 * @param {string} doc
 * @param {...Node} ways
 */
function title(name, doc, ...ways) {
  return h("div.title", {}, h("h2", {}, name), h("span.ways", {}, ways), h("p.muted", {}, doc));
}

/**
 * Numbers in large letters: value, what it is, and the page that tells more.
 * @param {([string, string, (string | null)?] | null)[]} all
 */
export function tiles(all) {
  const some = all.filter((one) => one !== null);
  return h("div.tiles", {}, some.map(([value, name, page]) =>
    h(page ? "a.tile" : "div.tile", { href: page ?? null }, h("b", {}, value), h("span", {}, name))));
}

/**
 * The parts of a bar in a row.
 * @param {Result} result
 * @param {Value[]} row
 * @param {[string, string, string][]} columns column, name, key of the colour
 * @returns {{name: string, key: string, ns: number}[]}
 */
export function parts(result, row, columns) {
  const at = (/** @type {string} */ name) => result.columns.findIndex((one) => one.name === name);
  return columns.map(([column, name, key]) => ({ name, key, ns: Number(row[at(column)] ?? 0) }));
}

/**
 * A duration that somebody typed: "10ms", "1.5 s", or nanoseconds; null if it is none.
 * @param {string | null | undefined} text
 * @returns {number | null}
 */
export function duration(text) {
  const found = /^\s*([\d.]+)\s*(ns|us|µs|μs|ms|s|m|h)?\s*$/.exec(text ?? "");
  if (!found || !Number.isFinite(Number(found[1]))) return null;
  const units = { ns: 1, us: 1e3, "µs": 1e3, "μs": 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 };
  return Math.round(Number(found[1]) * units[/** @type {keyof typeof units} */ (found[2] ?? "ns")]);
}

/**
 * A border of a histogram's step, short.
 * @param {number} value nanoseconds
 */
export const border = (value) => format.ns(value).replace(/\.0+(?=\D)/, "");
