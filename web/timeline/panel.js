// What is known of the selected slice.
// @ts-check
import { getJson } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as links from "../lib/links.js";
import { stack } from "../lib/stack.js";
import { shortened } from "./names.js";

export class SlicePanel {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    /** @type {any} */
    this.slice = null;
    this.woken = h("div.woken");
  }

  /**
   * @param {number} state row in goroutine_states
   */
  async show(state) {
    const slice = await getJson(links.address("/api/slice", { state }));
    this.slice = slice;
    const { timeline } = this;
    this.woken = h("div.woken");
    const title = [slice.state, slice.reason && slice.reason !== slice.state ? `(${slice.reason})` : ""].filter((part) => part).join(" ");
    fill(timeline.panel,
      h("div.panelhead", {}, h("h2", {}, `${title}, ${format.ns(slice.duration_ns)}`),
        this.step("◂ before", slice.previous, "previous state of this goroutine (,)"), this.step("after ▸", slice.next, "next state of this goroutine (.)"),
        slice.waker?.id ? this.step("waker [", slice.waker.id, "what woke it did then ([)") : null,
        h("button", { type: "button", title: "zoom to it (F)", onclick: () => this.fit() }, "zoom"),
        h("button", { type: "button", title: "over the lanes (C)", onclick: () => this.timeline.guard(this.timeline.path.toggle()) }, "critical path"),
        h("span.gap"), h("a", { href: links.query("critical-path", { goid: slice.goid, from: `${slice.start_ns}ns`, to: `${slice.end_ns}ns` }) }, "its steps"),
        h("a", { href: links.sql(statement(slice)) }, "SQL"),
        h("button", { type: "button", title: "Escape", "aria-label": "close", onclick: () => timeline.hidePanel() }, "✕")),
      h("div.panelbody", {}, this.facts(slice), this.where(slice), this.ended(slice)));
    timeline.panel.hidden = false;
    timeline.resize();
    return slice;
  }

  /** Zooms to what is selected. */
  fit() {
    const { timeline } = this;
    const { selection, area } = timeline;
    if (!selection && !area) return;
    timeline.address.push();
    if (selection) timeline.view.show(selection.start, selection.end);
    else if (area) timeline.view.show(area.from, area.to);
  }

  /**
   * @param {string} text
   * @param {number | null} state
   * @param {string} title
   */
  step(text, state, title) {
    return h("button", { type: "button", title, disabled: state === null, onclick: () => state !== null && this.timeline.select(state) }, text);
  }

  /** @param {any} slice */
  facts(slice) {
    const rows = /** @type {[string, import("../lib/dom.js").Child | import("../lib/dom.js").Child[]][]} */ ([
      ["goroutine", [h("a", { href: links.goroutine(slice.goid) }, String(slice.goid)), " ", slice.function && h("a", { href: links.group(slice.function), title: slice.function }, shortened(slice.function))]],
      ["from", format.moment(slice.start_ns) + (slice.open_start ? " or before" : "")],
      ["to", format.moment(slice.end_ns) + (slice.open_end ? " or later" : "")],
    ]);
    if (slice.kind) rows.push(["waits for", slice.wait_kind && slice.wait_kind !== slice.kind ? `${slice.wait_kind} (${slice.kind})` : slice.kind]);
    if (slice.activity) rows.push(["on behalf of", slice.activity]);
    if (slice.proc !== null) rows.push(["proc", String(slice.proc)]);
    if (slice.thread !== null) rows.push(["thread", String(slice.thread)]);
    for (const one of slice.regions ?? []) {
      const of = one.task ? [" of task ", h("a", { href: links.task(one.task) }, `${one.task_type ?? ""} ${one.task}`)] : [];
      rows.push(["region", [one.type, ...of]]);
    }
    for (const one of slice.ranges ?? []) rows.push(["range", `${one.name}, ${format.ns(one.duration_ns)}`]);
    for (const one of (slice.logs ?? []).slice(0, 20)) rows.push(["log", `${format.moment(one.time_ns)} ${one.category ? `${one.category}: ` : ""}${one.message}`]);
    return h("div", {}, h("dl.facts", {}, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, ...(Array.isArray(value) ? value : [value]))]).flat()), this.woken);
  }

  /** @param {any} slice */
  where(slice) {
    if (!slice.stack?.length) return h("div", {}, h("h3", {}, "Stack"), h("p.muted", {}, slice.state === "running" ? "a goroutine that begins to run has none" : "the trace has none"));
    return h("div", {}, h("h3", {}, "Stack"), stack(slice.stack));
  }

  /** @param {any} slice */
  ended(slice) {
    const waker = slice.waker;
    if (!waker) {
      const text = slice.state !== "waiting" ? "" : slice.open_end ? "It still waits when the trace ends." : "No goroutine ended it: a timer, the network or the runtime did.";
      return text ? h("div", {}, h("h3", {}, "Ended by"), h("p.muted", {}, text)) : null;
    }
    return h("div", {}, h("h3", {}, slice.state === "runnable" ? "Made runnable by" : "Ended by"),
      h("p", {}, "goroutine ", h("a", { href: links.goroutine(waker.goid) }, String(waker.goid)), " ", waker.function ? shortened(waker.function) : "",
        waker.id ? ", " : null, waker.id ? h("button.link", { type: "button", onclick: () => this.timeline.select(waker.id) }, `which was ${waker.state}`) : null),
      slice.woken_stack?.length ? stack(slice.woken_stack) : null);
  }

  /**
   * Whom it woke is known later.
   * @param {{woken: any[], has_more: boolean}} found
   */
  setWoken(found) {
    if (!found.woken.length) return;
    const most = 12;
    fill(this.woken, h("h3", {}, `Woke ${found.has_more ? "more than " : ""}${found.woken.length}`),
      h("ul.wokenlist", {}, found.woken.slice(0, most).map((one) => h("li", {}, h("button.link", { type: "button", onclick: () => this.timeline.select(one.id) },
        `${one.goid} ${one.function ? shortened(one.function) : ""}`), h("span.muted", {}, ` at ${format.moment(one.start_ns)}`))),
      found.woken.length > most ? h("li.muted", {}, `and ${found.woken.length - most} more`) : null));
  }
}

/** @param {any} slice */
function statement(slice) {
  return `select state, reason, start_ns, duration_ns, stack(stack_id) as stack from goroutine_states\nwhere goroutine_id = ${slice.goroutine_id} and start_ns between ${slice.start_ns} and ${slice.end_ns}\norder by start_ns`;
}
