// Goroutines by the function they began with.
// @ts-check
import { getJson } from "../lib/api.js";
import { strip } from "../lib/bar.js";
import { h } from "../lib/dom.js";
import * as links from "../lib/links.js";
import { needsTrace, start } from "../lib/page.js";
import { canned, parts } from "../lib/section.js";

/** What the bar of a row is made of: column of the query, its name, the key of its colour. */
const SHARES = /** @type {[string, string, string][]} */ ([
  ["running_ns", "running", "running"], ["runnable_ns", "runnable", "ready"],
  ["syscall_ns", "syscall", "syscall"], ["syscall_blocked_ns", "syscall without a proc", "syscall"],
  ["network_ns", "network", "network"], ["lock_ns", "locks", "lock"], ["channel_ns", "channels", "channel"],
  ["select_ns", "select", "select"], ["sleep_ns", "sleep", "sleep"], ["gc_ns", "GC", "gc"], ["other_ns", "other waiting", "other"]]);

start(async (page) => {
  if (!needsTrace(page)) return;
  const { main, trace, search } = page;
  const isSystem = search.get("system") !== "0";
  const queries = await getJson("/api/queries");
  const keys = [...new Set(SHARES.map(([, , key]) => key))];
  const box = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", id: "system", checked: isSystem }));
  box.addEventListener("change", () => location.assign(links.here("/goroutines", { system: box.checked ? null : 0 })));
  main.append(h("h1", {}, "Goroutines by the function they began with"),
    await canned(queries, "goroutines", { trace: trace?.id, limit: -1, system: isSystem ? null : 0 }, {
      height: 680,
      drawn: [{
        title: "shares",
        doc: "what their time went into",
        before: "goroutines",
        draw: (row, result) => strip(parts(result, row, SHARES), undefined, "small"),
      }],
      above: () => h("div", {}, h("p", {}, box, " ", h("label", { for: "system" }, "with those of the runtime")),
        h("ul.legend", {}, keys.map((key) => h("li", {}, h(`i.${key}`), SHARES.find(([, , one]) => one === key)?.[1])))),
    }));
});
