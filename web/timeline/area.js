// What is known of a selected area: sums by state, the busiest lanes, the places where goroutines waited.
// @ts-check
import { postJson, query, queryAddress } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as links from "../lib/links.js";
import { problem } from "../lib/page.js";
import { table } from "../lib/table.js";
import { CLASSES } from "./palette.js";

/** Most goroutines by which the places are filtered. */
const MOST_GOROUTINES = 100;

export class AreaPanel {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
  }

  /** @param {import("./timeline.js").Area} area */
  async show(area) {
    const { timeline } = this;
    const { from, to, first, last } = area;
    const { rows, info } = timeline;
    const order = first === null && rows.wish.lanes === "goroutines" && !rows.hidden ? {} : { order: rows.order, first: first ?? 0, last: last ?? rows.count };
    const sums = await postJson("/api/area", { trace: info.id, from, to, ...order });
    if (timeline.area !== area) return;
    const places = h("div", {}, h("h3", {}, "Where they waited"), h("p.muted", { role: "status" }, "asking"));
    const isAll = !("order" in order);
    const goids = sums.busiest.map((/** @type {any} */ one) => one.goid).filter((/** @type {any} */ one) => one !== undefined && one !== null);
    const filter = isAll || sums.lanes > MOST_GOROUTINES || !goids.length ? {} : { goroutine: goids.join(",") };
    const parameters = { from: `${from}ns`, to: `${to}ns`, trace: info.id, ...filter };
    fill(timeline.panel,
      h("div.panelhead", {}, h("h2", {}, `${format.ns(to - from)} of ${format.count(sums.lanes)} ${rows.wish.lanes}`),
        h("span.muted", {}, `${format.moment(from)} to ${format.moment(to)}`),
        h("button", { type: "button", title: "zoom to it (F)", onclick: () => timeline.slicePanel.fit() }, "zoom"),
        h("span.gap"),
        h("a", { href: links.address("/profile", { type: "wall", ...parameters, view: "flame" }) }, "flame graph"),
        h("a", { href: links.sql(statement(info.id, from, to)) }, "SQL"),
        h("button", { type: "button", title: "Escape", "aria-label": "close", onclick: () => timeline.hidePanel() }, "✕")),
      h("div.panelbody", {}, this.sums(sums, to - from), this.busiest(sums), places));
    timeline.panel.hidden = false;
    timeline.resize();
    if (rows.wish.lanes !== "goroutines") {
      places.remove();
      return;
    }
    try {
      const result = await query("blocking", parameters, { limit: 50 });
      if (timeline.area !== area) return;
      fill(places, h("h3", {}, filter.goroutine || isAll ? "Where they waited" : "Where all goroutines waited"), table(result, {
        name: "blocking", height: 190, hidden: ["stack_id", "longest_goid", "longest_ended_by"], address: (ending) => queryAddress(`blocking.${ending}`, parameters),
      }));
    } catch (error) {
      fill(places, problem(error));
    }
  }

  /**
   * @param {any} sums
   * @param {number} length
   */
  sums(sums, length) {
    const all = sums.classes.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.ns, 0) || 1;
    return h("div", {}, h("table.sums", { data: { query: "area" } }, h("thead", {}, h("tr", {}, ["state", "time", "share", "on average", "states"].map((name) => h("th", {}, name)))),
      h("tbody", {}, sums.classes.filter((/** @type {any} */ one) => one.class > 0).map((/** @type {any} */ one) => h("tr", {},
        h("td", {}, h(`i.key.lane-${CLASSES[one.class].name}`), CLASSES[one.class].text),
        h("td.number", { data: { value: String(one.ns) } }, format.ns(one.ns)),
        h("td.number", {}, format.share(one.ns / all)),
        h("td.number", { title: "goroutines at any moment" }, (one.ns / Math.max(1, length)).toFixed(2)),
        h("td.number", { data: { value: String(one.states) } }, format.count(one.states)))))));
  }

  /** @param {any} sums */
  busiest(sums) {
    const name = (/** @type {any} */ one) => one.goid !== undefined ? h("a", { href: links.goroutine(one.goid) }, `goroutine ${one.goid}`) : one.proc !== undefined ? `proc ${one.proc}` : `thread ${one.thread}`;
    return h("div", {}, h("h3", {}, "The busiest"), h("ul.wokenlist", {}, sums.busiest.slice(0, 12).map((/** @type {any} */ one) =>
      h("li", {}, name(one), h("span.muted", {}, ` ran ${format.ns(one.ns.running ?? 0)}`)))));
  }
}

/**
 * @param {number} trace
 * @param {number} from
 * @param {number} to
 */
function statement(trace, from, to) {
  return `select s.state, s.reason, count(*) as states,\n  sum(min(s.start_ns + s.duration_ns, ${to}) - max(s.start_ns, ${from})) as total_ns\nfrom goroutine_states s join goroutines g on g.id = s.goroutine_id\nwhere g.trace_id = ${trace} and s.start_ns < ${to} and s.start_ns + s.duration_ns > ${from}\ngroup by 1, 2 order by 4 desc`;
}
