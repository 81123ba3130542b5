// A profile, or what is measured in a trace, in pprof's views.
// @ts-check
import { getJson } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { problem, start } from "../lib/page.js";
import { close } from "../profile/actions.js";
import * as flame from "../profile/flame.js";
import * as graph from "../profile/graph.js";
import * as menus from "../profile/menus.js";
import * as peek from "../profile/peek.js";
import * as source from "../profile/source.js";
import * as state from "../profile/state.js";
import * as tags from "../profile/tags.js";
import * as top from "../profile/top.js";

/** @typedef {import("../profile/flame.js").Shown} Shown */

start(async ({ main }) => {
  await style();
  main.classList.add("profile");
  const list = await getJson("/api/profiles");
  const page = new Page(main, list);
  state.onChange(() => page.show());
  await page.show();
});

/** The style sheet of this page. */
function style() {
  const link = h("link", { rel: "stylesheet", href: new URL("../style/profile.css", import.meta.url).href });
  return new Promise((resolve) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
    document.head.append(link);
  });
}

class Page {
  /**
   * @param {HTMLElement} main
   * @param {import("../profile/menus.js").List} list
   */
  constructor(main, list) {
    this.list = list;
    /** @type {Shown | null} */
    this.shown = null;
    /** What the view was made of. */
    this.drawn = "";
    this.number = 0;
    this.bar = h("div.bar-of-profile");
    this.chips = h("div");
    this.header = h("p.sub.header");
    this.view = h("div.view");
    fill(main, h("h1.unseen", {}, "Profile"), this.bar, this.chips, this.header, this.view);
    document.addEventListener("keydown", (event) => {
      const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "");
      if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      document.getElementById("profile-search")?.focus();
    });
  }

  /** Shows what the address says. */
  async show() {
    close();
    const search = state.read();
    const now = menus.chosen(this.list, search);
    if (!now) {
      fill(this.view, h("div.card", {}, "There is neither a profile nor a trace among the sources."));
      return;
    }
    // What the page chose stands in the address, so that links lead to the same.
    if (now.kind === "trace" && !search.get("type")) state.note({ type: now.type });
    const view = menus.viewOf(search);
    const number = ++this.number;
    const wanted = `${view} ${state.data(view)}`;
    const box = menus.searchBox((text) => this.search(text, true), (step) => this.shown?.next(step));
    this.box = box;
    const bar = (/** @type {string} */ sample) => {
      const parts = [menus.profileSelect(this.list, now), menus.baseSelect(this.list, now), menus.sampleSelect(this.list, now, sample),
        menus.refineMenu(() => box.input.value), menus.configMenu(view, this.shown?.colors ?? []), menus.saveMenu()];
      const isTyping = document.activeElement?.id === "profile-search";
      fill(this.bar, h("div.full", {}, menus.tabs(view), box.element), parts);
      if (isTyping) box.input.focus();
    };
    bar(search.get("si") ?? "");
    fill(this.chips, menus.chips());
    if (this.drawn === wanted && view === "flame" && this.shown instanceof Object && "layout" in this.shown) {
      // Another pivot, zoom or colour of the same stacks.
      /** @type {any} */ (this.shown).layout();
    } else {
      this.view.setAttribute("aria-busy", "true");
      try {
        const { answer, shown } = await this.draw(view, () => number === this.number);
        if (number !== this.number) return;
        [this.shown, this.drawn] = [shown, wanted];
        fill(this.header, answer ? describe(answer) : "");
        bar(answer?.sample_type ?? "");
      } catch (error) {
        if (number !== this.number) return;
        [this.shown, this.drawn] = [null, ""];
        fill(this.view, problem(error));
      }
      this.view.removeAttribute("aria-busy");
    }
    this.search(search.get("q") ?? "", false);
  }

  /**
   * @param {string} view
   * @param {() => boolean} isWanted
   * @returns {Promise<{answer: any, shown: Shown | null}>}
   */
  async draw(view, isWanted) {
    const address = state.data(view);
    if (view === "graph") {
      const picture = await graph.ask();
      return { answer: null, shown: isWanted() ? graph.draw(this.view, picture) : null };
    }
    const answer = await (view === "top" ? top.ask() : getJson(address));
    if (!isWanted()) return { answer, shown: null };
    const draw = { flame: flame.draw, top: top.draw, peek: peek.draw, tags: tags.draw }[view];
    return { answer, shown: draw ? draw(this.view, answer) : source.draw(this.view, answer, this.list.has_sources) };
  }

  /**
   * @param {string} text
   * @param {boolean} isNew whether it was just typed
   */
  search(text, isNew) {
    if (isNew) state.note({ q: text || null });
    try {
      this.box?.tell(this.shown?.search(state.pattern(text)) ?? "", false);
    } catch {
      this.box?.tell("no regular expression", true);
    }
  }
}

/**
 * What the profile is, in one line.
 * @param {{header?: string[], sample_type: string, total_text: string, remarks?: string[]}} answer
 */
function describe(answer) {
  const lines = (answer.header ?? []).flatMap((line) => line.split("\n")).filter((line) => !/^(Showing|Active|Dropped|\s)/.test(line));
  if (!lines.some((line) => line.startsWith("Type"))) lines.unshift(`Type: ${answer.sample_type}`);
  return [[...lines, `total ${answer.total_text}`].join(" · "), ...(answer.remarks ?? []).map((text) => h("span.remark", {}, ` ${text}`))];
}
