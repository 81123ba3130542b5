// What was repaired, skipped or lost while the sources were read.
// @ts-check
import { getJson, sql } from "../lib/api.js";
import { h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { start } from "../lib/page.js";
import { statement, tiles } from "../lib/section.js";
import { table } from "../lib/table.js";

start(async ({ main, analysis }) => {
  const { told, remarks } = await getJson("/api/diagnostics");
  main.append(h("h1", {}, "Diagnostics"),
    h("p.sub", {}, "What was repaired, skipped or lost while the sources were read, with the byte of the unpacked source."));
  const { rows } = await sql("select severity, count(*) from diagnostics group by 1 order by 1");
  const counts = new Map(rows.map(([severity, count]) => [String(severity), Number(count)]));
  const lost = analysis.traces.reduce((sum, one) => ({
    bytes: sum.bytes + one.lost_bytes, events: sum.events + one.lost_events, gaps: sum.gaps + one.gaps,
  }), { bytes: 0, events: 0, gaps: 0 });
  const all = [...counts.values()].reduce((sum, one) => sum + one, 0);
  if (!all && !told.length && !remarks.length) {
    main.append(h("div.card.ok", {}, "Nothing: everything was read as it stands."));
  }
  if (analysis.traces.length) {
    main.append(tiles([
      [format.bytes(lost.bytes), "could not be used"], [format.count(lost.events), "events lost, as far as they can be counted"],
      [format.count(lost.gaps), "gaps in traces"], ...[...counts].map(([severity, count]) => /** @type {[string, string]} */ ([format.count(count), `of severity ${severity}`]))]));
  }
  if (told.length) {
    const names = ["source", "severity", "code", "text"];
    main.append(h("h2", {}, "What was told while loading"), table({
      columns: names.map((name) => ({ name, type: "TEXT", unit: null, doc: null })),
      rows: told.map((/** @type {Record<string, string>} */ one) => names.map((name) => one[name])),
      has_more: false,
      remarks: [],
    }, { name: "told", height: 420 }));
  }
  if (remarks.length) {
    main.append(h("h2", {}, "Remarks"), h("div.card", {}, h("ul", {}, remarks.map((/** @type {string} */ text) => h("li", {}, text)))));
  }
  if (all) {
    main.append(await statement({
      title: "What the database keeps of that",
      doc: "The table diagnostics: its codes are explained in docs/diagnostics.md.",
      name: "diagnostics",
      statement: `select d.severity, d.code, d.byte_offset, d.message, d.lost_bytes, d.lost_events, d.lost_ns, d.generation, d.thread, t.source
from diagnostics d
join traces t on t.id = d.trace_id
order by d.id`,
    }));
  }
  if (analysis.traces.length) {
    main.append(await statement({
      title: "Traces",
      doc: "What was read of each.",
      name: "traces",
      statement: "select id, source, format, written_by, size_bytes, duration_ns, events, generations, goroutines, gaps, lost_bytes, lost_events from traces order by id",
    }));
  }
});
