// What the pages of tasks and of regions have in common: how long they took by type, and a list that a click on a
// step of a histogram filters.
// @ts-check
import { getJson, objects, query } from "./api.js";
import { h } from "./dom.js";
import * as format from "./format.js";
import * as links from "./links.js";
import { histogram } from "./plot.js";
import { border, canned, duration, inTurn, statement } from "./section.js";

/**
 * @typedef {Record<string, any>} Row
 * @typedef {{title: string, about: string, none: string, what: "tasks" | "regions", byType: string, latency: string, slowest: string, more: string[],
 *   list: string, start: string, end: string}} Subject
 */

/** So many types have their histogram drawn at once. */
const TYPES = 12;

/**
 * @param {import("./page.js").Page} page
 * @param {Subject} subject
 */
export async function latencies(page, subject) {
  const { main, search } = page;
  const trace = page.trace?.id;
  const here = `/${subject.what}`;
  const type = search.get("type") || null;
  const [min, max] = [duration(search.get("min")), duration(search.get("max"))];
  const text = search.get("search") || null;
  const [queries, types, steps] = await Promise.all([
    getJson("/api/queries"),
    query(subject.byType, { trace, limit: -1 }).then(objects),
    query(subject.latency, { trace, type, limit: -1 }).then(objects),
  ]);
  main.append(h("h1", {}, subject.title), h("p.sub", {}, subject.about));
  if (!types.length) {
    main.append(h("div.card", {}, subject.none));
    return;
  }
  const chosen = { type, min: search.get("min"), max: search.get("max"), search: text };
  const shown = type === null ? types.slice(0, TYPES).map((one) => one.type) : [type];
  const drawn = shown.map((one) => {
    const bars = steps.filter((step) => step.type === one);
    const found = types.find((it) => it.type === one);
    if (!bars.length) return null;
    const title = `${one ?? "of unknown type"}: ${format.count(found?.[subject.what] ?? 0)}` +
      (found?.p50_ns === null || !found ? "" : `, p50 ${format.ns(found.p50_ns)}, p99 ${format.ns(found.p99_ns)}, max ${format.ns(found.max_ns)}`);
    return histogram({
      title,
      what: subject.what,
      text: border,
      height: 130,
      bars: bars.map((step) => ({
        from: Math.max(1, step.from_ns),
        to: step.to_ns,
        count: step[subject.what],
        isChosen: one === type && min === step.from_ns && max === step.to_ns - 1,
        href: links.here(here, { ...chosen, type: one, min: step.from_ns, max: step.to_ns - 1 }) + "#list",
      })),
    });
  });
  main.append(await canned(queries, subject.byType, { trace, limit: -1 }, {
    cell: (column, value) => column.name !== "type" || value === null ? null :
      value === "" ? h("span.muted", {}, "no name") : h("a.one", { href: links.here(here, { type: String(value) }), "aria-current": value === type ? "true" : null, title: String(value) }, String(value)),
  }));
  main.append(h("h2", {}, "How long they took"), h("div.columns", {}, drawn));
  if (types.length > shown.length && type === null) main.append(h("p.muted", {}, `of the first ${TYPES} types; choose one of the others in the table`));
  main.append(form(subject, chosen, types), h("div", { id: "list" }));
  await inTurn(main, [() => list(subject, { trace, type, min, max, search: text }),
    ...[subject.slowest, ...subject.more].map((name) => () => canned(queries, name, { trace, type, limit: name === subject.slowest ? 50 : undefined }))]);
}

/**
 * @param {Subject} subject
 * @param {Record<string, string | null>} chosen
 * @param {Row[]} types
 */
function form(subject, chosen, types) {
  const field = (/** @type {string} */ name, /** @type {string} */ title, /** @type {string} */ example) =>
    h("label", {}, title, h("input", { name, size: 10, placeholder: example, value: chosen[name] ?? "" }));
  const select = h("label", {}, "type", h("select", { name: "type" }, h("option", { value: "" }, "all"),
    types.slice(0, 500).filter((one) => one.type !== null).map((one) => h("option", { value: one.type, selected: one.type === chosen.type }, String(one.type).slice(0, 80)))));
  const trace = new URLSearchParams(location.search).get("trace");
  return h("form.controls", { action: `/${subject.what}#list`, method: "get" }, trace && h("input", { type: "hidden", name: "trace", value: trace }),
    select, field("min", "no shorter than", "1ms"), field("max", "no longer than", "1s"),
    subject.what === "tasks" && field("search", "with a message that contains", "text"), h("button", { type: "submit" }, "Filter"),
    Object.values(chosen).some((one) => one) && h("a", { href: links.here(`/${subject.what}`) }, "all"));
}

/**
 * @param {Subject} subject
 * @param {Row} given
 */
function list(subject, given) {
  const conditions = [];
  if (given.type !== null) conditions.push("x.type = :type");
  if (given.min !== null) conditions.push(`${subject.end} - ${subject.start} >= :min`);
  if (given.max !== null) conditions.push(`${subject.end} - ${subject.start} <= :max`);
  if (given.search !== null && subject.what === "tasks") {
    conditions.push(`exists (select 1 from logs l where l.trace_id = x.trace_id and l.task = x.task
    and instr(lower(l.category || char(10) || l.message), lower(cast(:search as text))) > 0)`);
  }
  const parameters = Object.fromEntries(Object.entries(given).filter(([name, value]) => value !== null && (name !== "search" || subject.what === "tasks")));
  const isAll = conditions.length === 0;
  return statement({
    title: isAll ? `All ${subject.what}` : `The ${subject.what} chosen`,
    doc: "The longest first; those of which the trace lacks the beginning or the end come last, counted as far as they are in it.",
    name: subject.what,
    statement: `${subject.list}${conditions.map((one) => `\n  and ${one}`).join("")}
order by x.start_ns is null or x.end_ns is null, duration_ns desc, x.id`,
    parameters,
  });
}
