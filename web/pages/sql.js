// SQL: a statement, its parameters, its result as a table, a plot, or marks on the timeline.
// @ts-check
import { getJson, sql } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import * as links from "../lib/links.js";
import { problem, start } from "../lib/page.js";
import { duration, save, withValues } from "../lib/section.js";
import { table } from "../lib/table.js";
import { chart } from "../sql/chart.js";
import { Editor } from "../sql/editor.js";
import * as history from "../sql/history.js";
import { browser } from "../sql/schema.js";
import { parameters } from "../sql/tokens.js";

/** @typedef {Record<string, any>} Row */

/** Rows that are asked for at first. */
const ROWS = 1000;
/** Longer statements are not kept in the address. */
const ADDRESS = 4000;
/** Rows that are marked on the timeline. */
const MARKS = 200;
const FIRST = "select goid, name, running_ns, waiting_ns, created_ns\nfrom goroutines\norder by running_ns desc\nlimit 20";

start(async ({ main, search, analysis, trace }) => {
  const [schema, queries] = await Promise.all([getJson("/api/schema"), getJson("/api/queries")]);
  const values = /** @type {Record<string, string>} */ ({});
  let durations = new Set();
  /** @type {AbortController | null} */
  let running = null;
  const fields = h("div.controls");
  const results = h("div", { id: "results" });
  const status = h("span.muted", { role: "status" });
  const runButton = h("button", { type: "button", onclick: run, title: "Ctrl+Enter" }, "Run");
  const stopButton = h("button", { type: "button", onclick: stop, title: "Escape", hidden: true }, "Stop");
  const editor = new Editor(schema, { run, stop, changed: ask });
  const past = h("div");

  /** A field for each parameter of the statement. */
  function ask() {
    const names = parameters(editor.value);
    if (names.join() === [...fields.querySelectorAll("input")].map((one) => one.name).join()) return;
    fill(fields, names.map((name) => h("label", { title: "empty is null" }, `:${name}`, h("input", {
      name, size: 12, placeholder: "null", value: values[name] ?? (name === "trace" && trace ? trace.id : ""),
      oninput: (/** @type {InputEvent} */ event) => { values[name] = /** @type {HTMLInputElement} */ (event.target).value; },
      onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && run(),
    }))));
  }

  function given() {
    return Object.fromEntries([...fields.querySelectorAll("input")].map((one) => {
      if (one.value === "") return [one.name, null];
      return [one.name, durations.has(one.name) ? duration(one.value) ?? one.value : one.value];
    }));
  }

  function stop() {
    running?.abort();
  }

  async function run() {
    stop();
    const statement = editor.value.trim();
    if (!statement) return;
    const mine = new AbortController();
    running = mine;
    stopButton.hidden = false;
    status.textContent = "asking";
    const started = performance.now();
    const all = given();
    try {
      const result = await sql(statement, all, { limit: ROWS, signal: mine.signal });
      status.textContent = `${Math.round(performance.now() - started)} ms`;
      history.keep(statement);
      drawPast();
      if (statement.length < ADDRESS) window.history.replaceState(null, "", links.sql(statement));
      fill(results, result.remarks.map((text) => h("p.muted", {}, text)), marks(result), chart(result), table(result, {
        name: "result",
        height: 560,
        more: (limit) => sql(statement, all, { limit }),
        save: (ending) => save("result", ending, { sql: statement, parameters: all }),
      }));
    } catch (error) {
      if (running !== mine) return;
      status.textContent = mine.signal.aborted ? "stopped" : "";
      if (!mine.signal.aborted) fill(results, problem(error));
    } finally {
      if (running === mine) {
        running = null;
        stopButton.hidden = true;
      }
    }
  }

  function drawPast() {
    const some = history.all();
    fill(past, some.length ? some.map((one) => h("button.link.one", { type: "button", title: one, onclick: () => { editor.value = one; } }, one.replace(/\s+/g, " "))) : h("p.muted", {}, "nothing yet"),
      some.length ? h("button", { type: "button", onclick: () => { history.forget(); drawPast(); } }, "Forget") : null);
  }

  const canned = /** @type {HTMLSelectElement} */ (h("select", { "aria-label": "start from a canned query" },
    h("option", { value: "" }, "start from a query"), queries.map((/** @type {Row} */ one) => h("option", { value: one.name, title: one.title }, one.name))));
  canned.addEventListener("change", () => {
    const query = queries.find((/** @type {Row} */ one) => one.name === canned.value);
    if (query) take(query);
  });

  /** @param {Row} query */
  function take(query) {
    durations = new Set(query.parameters.filter((/** @type {Row} */ one) => one.type === "duration").map((/** @type {Row} */ one) => one.name));
    for (const one of query.parameters) values[one.name] = one.default === "null" ? "" : String(one.default);
    if (trace && analysis.traces.length > 1 && "trace" in values) values.trace = String(trace.id);
    fill(fields);
    editor.value = query.sql.trim();
  }

  drawPast();
  main.append(h("h1", {}, "SQL"),
    h("p.sub", {}, "Ctrl+Enter runs, Ctrl+Space shows what may come next, Escape stops. Statements only read."),
    h("div.workbench", {},
      h("div", {}, editor.element, fields, h("div.controls", {}, runButton, stopButton, status, h("span.gap"), canned,
        h("button", { type: "button", onclick: () => navigator.clipboard?.writeText(withValues(editor.value, given())) }, "Copy")), results),
      h("aside", { "aria-label": "schema and history" }, h("details", {}, h("summary", {}, "Asked before"), h("div.past", {}, past)), browser(schema, (text) => editor.insert(text)))));
  const asked = search.get("q") ?? (history.all()[0] || (trace ? FIRST : "select * from profiles"));
  const known = queries.find((/** @type {Row} */ one) => one.sql.trim() === asked.trim());
  if (known) take(known);
  else editor.value = asked;
  // A statement that came with a link does nothing before somebody says so.
  fill(results, h("p.muted", {}, search.get("q") === null ? "" : "This statement came with the address; it has not run yet."));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) stop();
  });
});

/**
 * The way to the timeline, where rows have a time.
 * @param {import("../lib/api.js").Result} result
 */
function marks(result) {
  const at = (/** @type {string} */ name) => result.columns.findIndex((one) => one.name === name);
  const [start, length] = [at("start_ns"), at("duration_ns")];
  if (start < 0 || !result.rows.length) return null;
  const spans = result.rows.filter((row) => typeof row[start] === "number").slice(0, MARKS)
    .map((row) => [Number(row[start]), Number(row[start]) + (length < 0 ? 0 : Number(row[length] ?? 0))]);
  if (!spans.length) return null;
  const address = links.timeline(Math.min(...spans.map(([from]) => from)), Math.max(...spans.map(([, to]) => to)), { marks: spans.map((span) => span.join("-")).join(".") });
  return h("p.ways", {}, h("a", { href: address }, `mark ${spans.length < result.rows.length ? `the first ${spans.length} rows` : "the rows"} on the timeline`));
}
