// All canned queries.
// @ts-check
import { getJson } from "../lib/api.js";
import { h } from "../lib/dom.js";
import * as links from "../lib/links.js";
import { start } from "../lib/page.js";

start(async ({ main }) => {
  const queries = await getJson("/api/queries");
  main.append(h("h1", {}, "Queries"), h("p.sub", {}, "What can be asked; each has its parameters, and its SQL to go on from."),
    h("div.card", {}, h("dl.queries", {}, queries.map((/** @type {any} */ one) => [
      h("dt", {}, h("a", { href: links.query(one.name) }, one.name)), h("dd", {}, one.title)]).flat())));
});
