// The address holds what is seen: window, lanes, order, selection, marks. Back and forward go through views.
// @ts-check
import { objects, sql } from "../lib/api.js";
import { afterwards } from "./frames.js";

/** So many goroutines need no groups. */
const FEW = 48;

export class Address {
  /**
   * @param {import("./timeline.js").Timeline} timeline
   * @param {URLSearchParams} search
   */
  constructor(timeline, search) {
    this.timeline = timeline;
    this.search = search;
    this.isApplying = false;
    this.write = afterwards(timeline.frames, 150, () => this.replace());
    addEventListener("popstate", () => {
      this.search = new URLSearchParams(location.search);
      timeline.guard(this.apply());
    });
  }

  /** The view changes; when it stands still, the address tells it. */
  later() {
    if (!this.isApplying) this.write();
  }

  /** Keeps the view that is there, so that one can go back to it. */
  push() {
    this.replace();
    history.pushState(null, "", location.href);
  }

  replace() {
    if (this.isApplying) return;
    const address = `${location.pathname}?${this.text()}`;
    if (address !== location.pathname + location.search) history.replaceState(null, "", address);
  }

  text() {
    const { view, rows, selection, area, marks, info } = this.timeline;
    const { wish } = rows;
    const search = new URLSearchParams();
    const set = (/** @type {string} */ name, /** @type {string | number | null} */ value, /** @type {string | number} */ usual = "") => {
      if (value !== null && value !== usual) search.set(name, String(value));
    };
    const isMany = document.querySelector("select.source") !== null;
    if (isMany) set("trace", info.id);
    if (view.start > 0 || view.end < view.duration) {
      set("from", Math.round(view.start));
      set("to", Math.round(view.end));
    }
    set("lanes", wish.lanes, "goroutines");
    set("group", wish.group);
    set("sort", wish.sort, "start");
    set("window", wish.window ? wish.window.join("-") : null);
    set("filter", wish.filter);
    set("task", this.search.get("task"));
    set("unfolded", [...wish.unfolded].slice(0, 100).join("."));
    set("state", selection?.state ?? null);
    if (area) set("area", [area.from, area.to, area.first ?? "", area.last ?? ""].join("_"));
    set("marks", marks.own.slice(0, 50).map((one) => `${one.from}-${one.to}`).join("."));
    set("top", Math.round(this.timeline.top), 0);
    return search.toString();
  }

  /** Shows what the address says. */
  async apply() {
    const { timeline, search } = this;
    const { view, rows, marks } = timeline;
    const { wish } = rows;
    const number = (/** @type {string} */ name) => {
      const text = search.get(name);
      return text !== null && /^-?\d+$/.test(text) ? Number(text) : null;
    };
    const one = (/** @type {string} */ name, /** @type {string[]} */ of) => of.find((value) => value === search.get(name)) ?? of[0];
    this.isApplying = true;
    try {
      wish.lanes = one("lanes", ["goroutines", "procs", "threads"]);
      wish.group = one("group", ["function", "creator", "none"]);
      wish.sort = search.get("sort") ?? "start";
      wish.filter = search.get("filter") ?? "";
      wish.unfolded = new Set((search.get("unfolded") ?? "").split(".").filter((text) => text).map(Number));
      const window = /^(\d+)-(\d+)$/.exec(search.get("window") ?? "");
      wish.window = window ? [Number(window[1]), Number(window[2])] : null;
      timeline.toolbar.inWindow.checked = wish.window !== null;
      marks.own = (search.get("marks") ?? "").split(".").map((text) => /^(\d+)-(\d+)$/.exec(text)).filter((found) => found !== null)
        .map((found, at) => ({ from: Number(found[1]), to: Number(found[2]), text: String(at + 1) }));
      const [from, to] = [number("from") ?? number("start"), number("to") ?? number("end")];
      if (from !== null || to !== null) view.set(from ?? 0, to ?? view.duration);
      else view.all();
      wish.goids = await this.goroutinesOfTask(search.get("task"));
      await rows.load();
      // So few goroutines are seen at once, without groups.
      if (!search.has("group") && wish.lanes === "goroutines" && rows.shown <= FEW) {
        wish.group = "none";
        await rows.load();
      }
      timeline.scrollTo(number("top") ?? 0);
      const goroutine = number("goroutine");
      if (goroutine !== null) await this.showGoroutine(goroutine);
      const state = number("state");
      const area = /^(\d+)_(\d+)_(\d*)_(\d*)$/.exec(search.get("area") ?? "");
      if (state !== null) await timeline.select(state, { shows: from === null, pushes: false });
      else if (area) timeline.selectArea({ from: Number(area[1]), to: Number(area[2]), first: area[3] ? Number(area[3]) : null, last: area[4] ? Number(area[4]) : null });
      else if (!timeline.panel.hidden) timeline.hidePanel();
    } finally {
      this.isApplying = false;
      timeline.frames.ask();
    }
  }

  /** @param {number} goid */
  async showGoroutine(goid) {
    const { timeline } = this;
    const found = objects(await timeline.frames.track(sql("select id from goroutines where trace_id = :trace and goid = :goid order by id limit 1", { trace: timeline.info.id, goid })));
    if (!found.length) return;
    const row = await timeline.rows.find({ goroutine: found[0].id });
    if (row !== null) timeline.reveal(row);
    timeline.names.current = found[0].id;
  }

  /**
   * The goroutines that had a part in a task.
   * @param {string | null} task
   */
  async goroutinesOfTask(task) {
    if (!task || !/^\d+$/.test(task)) return null;
    const { timeline } = this;
    const statement = `select distinct g.goid as goid from goroutines g where g.id in (
select goroutine_id from regions where trace_id = :trace and task = :task union select goroutine_id from tasks where trace_id = :trace and task = :task
union select end_goroutine_id from tasks where trace_id = :trace and task = :task union select goroutine_id from logs where trace_id = :trace and task = :task)`;
    const found = objects(await timeline.frames.track(sql(statement, { trace: timeline.info.id, task: Number(task) })));
    return found.length ? found.map((row) => row.goid) : null;
  }
}
