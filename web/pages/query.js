// One canned query: its parameters, its result, what its columns mean.
// @ts-check
import { getJson, query as ask, queryAddress } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { form } from "../lib/form.js";
import * as links from "../lib/links.js";
import { problem, start } from "../lib/page.js";
import { table } from "../lib/table.js";

start(async ({ main, search, trace }) => {
  const name = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  const queries = await getJson("/api/queries");
  const query = queries.find((/** @type {any} */ one) => one.name === name);
  if (!query) throw new Error(`there is no query '${name}'`);
  const results = h("div");
  const show = async (/** @type {Record<string, string>} */ values) => {
    fill(results, h("p.muted", { role: "status" }, "asking"));
    try {
      const hasTrace = query.parameters.some((/** @type {any} */ one) => one.name === "trace");
      const parameters = hasTrace && trace ? { trace: trace.id, ...values } : values;
      const result = await ask(name, parameters);
      fill(results, result.remarks.map((text) => h("p.muted", {}, text)), table(result, {
        name,
        more: (limit) => ask(name, parameters, { limit }),
        address: (ending) => queryAddress(`${name}.${ending}`, parameters),
      }));
    } catch (error) {
      fill(results, problem(error));
    }
  };
  main.append(h("h1", {}, query.title), h("p.sub", {}, query.description),
    form(query, search, (values) => {
      history.pushState(null, "", links.address(location.pathname, { trace: search.get("trace"), ...values }));
      show(values);
    }), results,
    h("details", {}, h("summary", {}, "What the columns mean"), h("dl.queries", {}, query.columns.map((/** @type {any} */ one) => [h("dt", {}, h("code", {}, one.name)), h("dd", {}, one.doc)]).flat())),
    h("details", {}, h("summary", {}, "SQL"), h("pre", {}, query.sql), h("p", {}, h("a", { href: links.sql(query.sql) }, "go on from here"))));
  const values = Object.fromEntries([...search].filter(([key]) => key !== "trace"));
  await show(values);
});
