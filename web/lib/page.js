// What all pages have: the header with the ways to the other pages, the sources, the theme; waiting while a trace
// is loaded; errors; the mark that a page is complete.
// @ts-check
import { ApiError, getJson, postJson, upload } from "./api.js";
import { fill, h } from "./dom.js";
import * as format from "./format.js";

/**
 * @typedef {Record<string, any>} Row
 * @typedef {{version: string, snapshot: number, is_loading: boolean, sources: string[], words: string,
 *   traces: Row[], profiles: Row[]}} Analysis
 * @typedef {{analysis: Analysis, trace: Row | null, main: HTMLElement, search: URLSearchParams}} Page
 */

/** Pages by subject: address, name, whether it needs a trace. */
const WAYS = /** @type {[string, string, boolean][]} */ ([
  ["/", "Overview", false],
  ["/timeline", "Timeline", true],
  ["/goroutines", "Goroutines", true],
  ["/profile", "Profiles", false],
  ["/collector", "Collector", true],
  ["/scheduler", "Scheduler", true],
  ["/syscalls", "System calls", true],
  ["/network", "Network", true],
  ["/locks", "Locks", true],
  ["/channels", "Channels", true],
  ["/tasks", "Tasks", true],
  ["/regions", "Regions", true],
  ["/threads", "Threads", true],
  ["/procs", "Procs", true],
  ["/events", "Events", true],
  ["/queries", "Queries", false],
  ["/sql", "SQL", false],
  ["/diagnostics", "Diagnostics", false],
]);

/**
 * Shows a page: waits until the sources are loaded, has it drawn, and sets data-ready.
 * @param {(page: Page) => Promise<void>} draw
 */
export async function start(draw) {
  const main = h("main", { id: "main" });
  const header = h("header.top");
  document.body.append(h("a.skip", { href: "#main" }, "to the content"), header, main);
  fill(header, ...head(null));
  try {
    const analysis = await loaded(main);
    if (!analysis) return drop(main);
    const search = new URLSearchParams(location.search);
    const wanted = Number(search.get("trace"));
    const trace = analysis.traces.find((one) => one.id === wanted) ?? analysis.traces[0] ?? null;
    fill(header, ...head(analysis, trace));
    takeDrops();
    fill(main);
    await draw({ analysis, trace, main, search });
  } catch (error) {
    main.append(problem(error));
  }
  document.body.dataset.ready = "1";
}

/**
 * An error as a card.
 * @param {unknown} error
 * @returns {HTMLElement}
 */
export function problem(error) {
  const hint = error instanceof ApiError ? error.hint : null;
  const text = error instanceof Error ? error.message : String(error);
  return h("div.card.problem", { role: "alert" }, h("pre", {}, text), hint && h("p", {}, hint));
}

/**
 * Keeps a page from looking empty where there is no trace.
 * @param {Page} page
 * @returns {boolean}
 */
export function needsTrace(page) {
  if (page.trace) return true;
  page.main.append(h("div.card", {}, "There is no trace among the sources; ", h("a", { href: "/profile" }, "profiles"), " are here."));
  return false;
}

/**
 * @param {Analysis | null} analysis
 * @param {Row | null} [trace]
 */
function head(analysis, trace = null) {
  const here = location.pathname;
  const isHere = (/** @type {string} */ way) => way === here || (way !== "/" && (here.startsWith(way + "/") || (way === "/goroutines" && here.startsWith("/goroutine/")) || (way === "/tasks" && here.startsWith("/task/")) || (way === "/queries" && here.startsWith("/query/"))));
  const ways = WAYS.filter(([, , needs]) => !analysis || !needs || analysis.traces.length > 0);
  const suffix = analysis && analysis.traces.length > 1 && trace ? `?trace=${trace.id}` : "";
  const nav = h("nav", { "aria-label": "Pages" }, ways.map(([way, name]) =>
    h("a", { href: way + suffix, "aria-current": isHere(way) ? "page" : null }, name)));
  const parts = [h("a.brand", { href: "/" + suffix }, "gotrace"), sources(analysis, trace), nav, themeButton()];
  return parts;
}

/**
 * @param {Analysis | null} analysis
 * @param {Row | null} trace
 */
function sources(analysis, trace) {
  if (!analysis) return h("span.source");
  if (analysis.traces.length < 2) {
    const name = analysis.sources.join(", ");
    return h("span.source", { title: name }, name);
  }
  const select = /** @type {HTMLSelectElement} */ (h("select.source", { "aria-label": "Trace" }, analysis.traces.map((one) =>
    h("option", { value: one.id, selected: one.id === trace?.id }, String(one.source)))));
  select.addEventListener("change", () => {
    const search = new URLSearchParams(location.search);
    search.set("trace", select.value);
    location.search = search.toString();
  });
  return select;
}

function themeButton() {
  const root = document.documentElement;
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  return h("button.theme", {
    type: "button",
    title: "light or dark",
    "aria-label": "light or dark",
    onclick: () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem("gotrace-theme", root.dataset.theme);
      } catch {
        // It holds for this page.
      }
      dispatchEvent(new CustomEvent("gotrace-theme"));
    },
  }, "◐");
}

/**
 * What is loaded, once it is; null if there is nothing and nothing is coming.
 * @param {HTMLElement} main
 * @returns {Promise<Analysis | null>}
 */
async function loaded(main) {
  try {
    return await getJson("/api/analysis");
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 503 && error.status !== 404)) throw error;
    if (error.status === 404) return null;
  }
  await watch(main);
  return getJson("/api/analysis");
}

/**
 * Shows how far loading is, until it is over.
 * @param {HTMLElement} main
 * @returns {Promise<void>}
 */
function watch(main) {
  const card = h("div.card.loading", { role: "status" });
  fill(main, card);
  return new Promise((resolve) => {
    const events = new EventSource("/api/progress");
    const end = () => {
      events.close();
      resolve();
    };
    events.onmessage = (event) => {
      const state = JSON.parse(event.data);
      fill(card, h("h2", {}, "Loading"), state.work.map(bar));
      if (!state.is_loading) end();
    };
    events.onerror = end;
  });
}

/** @param {Row} work */
function bar(work) {
  const isRecording = work.recording_ns && !work.done_bytes;
  const [done, all] = isRecording ? [work.recorded_ns, work.recording_ns] : [work.done_bytes, work.size_bytes];
  const text = isRecording
    ? `recording, ${format.ns(done)} of ${format.ns(all)}`
    : `${format.bytes(done ?? 0)}${all ? ` of ${format.bytes(all)}` : ""}`;
  return h("div", {}, h("p", {}, work.source), h("progress", { value: all ? Math.min(done ?? 0, all) : null, max: all || null }), h("p.muted", {}, text));
}

/**
 * The page without a source.
 * @param {HTMLElement} main
 */
function drop(main) {
  takeDrops();
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "file", multiple: true, id: "files" }));
  input.addEventListener("change", () => take(input.files ?? []));
  const url = /** @type {HTMLInputElement} */ (h("input", { type: "text", id: "url", placeholder: "http://host:6060", size: 40 }));
  const form = h("form", {
    onsubmit: async (/** @type {Event} */ event) => {
      event.preventDefault();
      await reload(() => postJson("/api/open", { source: url.value }));
    },
  }, h("label", { for: "url" }, "or read from a server: "), url, " ", h("button", { type: "submit" }, "Open"));
  fill(main, h("div.card.drop", {}, h("h1", {}, "Drop a trace or a profile here"),
    h("p.muted", {}, "It is read by gotrace on this machine and goes nowhere else."),
    h("p", {}, h("label", { for: "files" }, "or choose files: "), input), form));
  document.body.dataset.ready = "1";
}

/** Files that are dropped on any page are added. */
function takeDrops() {
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    take(event.dataTransfer?.files ?? []);
  });
}

/** @param {ArrayLike<File>} files */
async function take(files) {
  await reload(async () => {
    for (const file of Array.from(files)) await upload(file);
  });
}

/** @param {() => Promise<unknown>} change */
async function reload(change) {
  const main = /** @type {HTMLElement} */ (document.querySelector("main"));
  try {
    await change();
    await watch(main);
    location.reload();
  } catch (error) {
    main.prepend(problem(error));
  }
}
