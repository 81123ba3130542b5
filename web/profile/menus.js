// What stands above the views: which profile, which values, filters, settings, search.
// @ts-check
import { fill, h } from "../lib/dom.js";
import { refine } from "./actions.js";
import * as state from "./state.js";

/**
 * @typedef {Record<string, any>} Row
 * @typedef {{profiles: Row[], profile_types: Row[], traces: Row[], trace_types: Row[], has_sources: boolean}} List
 * @typedef {{kind: "profile" | "trace", row: number, type: string | null}} Chosen
 */

/** The views: address, name, what it shows. */
const VIEWS = /** @type {[string, string, string][]} */ ([
  ["flame", "Flame graph", "stacks, as wide as their values"],
  ["graph", "Graph", "functions and who calls whom"],
  ["top", "Top", "the functions with the largest values"],
  ["peek", "Peek", "functions with their callers and callees"],
  ["source", "Source", "lines with their values"],
  ["tags", "Labels", "the labels of the samples"],
]);

/** @param {URLSearchParams} search */
export function viewOf(search) {
  const wanted = search.get("view") ?? "";
  return VIEWS.some(([name]) => name === wanted) ? wanted : wanted === "list" ? "source" : "flame";
}

/**
 * Which profile the address means; the first if it does not say, else all that goroutines lived through.
 * @param {List} list
 * @param {URLSearchParams} search
 * @returns {Chosen | null}
 */
export function chosen(list, search) {
  const type = search.get("type");
  const trace = list.traces.find((one) => one.id === Number(search.get("trace"))) ?? list.traces[0];
  if (type && trace) return { kind: "trace", row: trace.id, type };
  const profile = list.profiles.find((one) => one.id === Number(search.get("profile"))) ?? list.profiles[0];
  if (profile) return { kind: "profile", row: profile.id, type: null };
  return trace ? { kind: "trace", row: trace.id, type: "wall" } : null;
}

/**
 * @param {List} list
 * @param {Chosen} now
 */
export function profileSelect(list, now) {
  const value = (/** @type {Chosen} */ one) => `${one.kind} ${one.row} ${one.type ?? ""}`;
  const option = (/** @type {Chosen} */ one, /** @type {string} */ text) => h("option", { value: value(one), selected: value(one) === value(now) }, text);
  const select = /** @type {HTMLSelectElement} */ (h("select", { id: "profile-of" },
    list.profiles.length > 0 && h("optgroup", { label: "Profiles" }, list.profiles.map((one) =>
      option({ kind: "profile", row: one.id, type: null }, `${nameOf(list.profiles, one)} (${types(list, one.id).join(", ")})`))),
    list.traces.map((trace) => h("optgroup", { label: `Measured in ${nameOf(list.traces, trace)}` }, list.trace_types.map((one) =>
      option({ kind: "trace", row: trace.id, type: one.name }, `${one.name}: ${one.doc.replace(/\.$/, "")}`))))));
  select.addEventListener("change", () => {
    const [kind, row, type] = select.value.split(" ");
    const isTrace = kind === "trace";
    const gone = isTrace ? {} : Object.fromEntries(state.OF_TRACE.map((name) => [name, null]));
    state.go({ ...gone, profile: isTrace ? null : row, trace: isTrace ? row : null, type: type || null, si: null, base: null, p: null, zoom: null });
  });
  return h("label.field", {}, h("span", {}, "Profile"), select);
}

/**
 * The name of a source: its last part, if no other has the same.
 * @param {Row[]} all
 * @param {Row} one
 */
function nameOf(all, one) {
  const last = (/** @type {Row} */ it) => String(it.source).split("/").pop() ?? "";
  const isOnly = all.filter((other) => last(other) === last(one)).length === 1;
  return isOnly && last(one) ? last(one) : String(one.source);
}

/**
 * What the profile is compared with.
 * @param {List} list
 * @param {Chosen} now
 */
export function baseSelect(list, now) {
  // Only what has the same sample types can be compared.
  const kind = types(list, now.row).join();
  const others = now.kind === "trace" ? list.traces.filter((one) => one.id !== now.row)
    : list.profiles.filter((one) => one.id !== now.row && types(list, one.id).join() === kind);
  if (!others.length) return null;
  const base = state.read().get("base") ?? "";
  const select = /** @type {HTMLSelectElement} */ (h("select", { id: "profile-base" }, h("option", { value: "" }, "nothing"),
    others.map((one) => h("option", { value: one.id, selected: String(one.id) === base }, nameOf(now.kind === "trace" ? list.traces : list.profiles, one)))));
  select.addEventListener("change", () => state.go({ base: select.value || null, zoom: null }));
  return h("label.field", {}, h("span", {}, "Compare with"), select);
}

/**
 * @param {List} list
 * @param {number} profile
 * @returns {string[]}
 */
function types(list, profile) {
  return list.profile_types.filter((one) => one.profile_id === profile).map((one) => one.type);
}

/**
 * The sample types of the profile.
 * @param {List} list
 * @param {Chosen} now
 * @param {string} current
 */
export function sampleSelect(list, now, current) {
  const names = now.kind === "profile" ? types(list, now.row) : [];
  if (names.length < 2) return null;
  const usual = list.profile_types.find((one) => one.profile_id === now.row && one.is_default)?.type ?? names[names.length - 1];
  const wanted = names.includes(current) ? current : names[Number(current || NaN)] ?? usual;
  const select = /** @type {HTMLSelectElement} */ (h("select", { id: "profile-sample" },
    names.map((name) => h("option", { value: name, selected: name === wanted }, name))));
  select.addEventListener("change", () => state.go({ si: select.value }));
  return h("label.field", {}, h("span", {}, "Sample"), select);
}

/** @param {string} view */
export function tabs(view) {
  return h("nav.tabs", { "aria-label": "Views" }, VIEWS.map(([name, text, doc]) =>
    h("a", { href: state.address({ view: name === "flame" ? null : name }), title: doc, "aria-current": name === view ? "page" : null }, text)));
}

/**
 * A menu under a button.
 * @param {string} name
 * @param {...(import("../lib/dom.js").Child | import("../lib/dom.js").Child[])} children
 */
function menu(name, ...children) {
  const element = /** @type {HTMLDetailsElement} */ (h("details.menu", {}, h("summary", {}, name, " ▾"), h("div.pop", {}, ...children)));
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    element.open = false;
    element.querySelector("summary")?.focus();
  });
  element.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !element.contains(/** @type {Node} */ (event.relatedTarget))) element.open = false;
  });
  return element;
}

addEventListener("pointerdown", (event) => {
  for (const one of document.querySelectorAll("details.menu[open]")) {
    if (!one.contains(/** @type {Node} */ (event.target))) one.removeAttribute("open");
  }
});

/**
 * The filters; what the search box has goes into them.
 * @param {() => string} searched
 */
export function refineMenu(searched) {
  const item = (/** @type {[string, string, string]} */ [filter, name, doc]) => h("button", {
    type: "button",
    title: doc,
    onclick: () => {
      const text = searched() || prompt(`${name}: ${doc}. A regular expression:`, state.read().get(filter) ?? "") || "";
      if (text) refine(filter, text);
    },
  }, name);
  const none = Object.fromEntries([...state.FILTERS.map(([name]) => name), "p", "zoom", "q"].map((name) => [name, null]));
  return menu("Refine", h("p.muted", {}, "What the search box has goes into:"), state.FILTERS.slice(0, 6).map(item),
    h("button", { type: "button", onclick: () => state.go(none) }, "Reset"));
}

/** Filters that are on, each with a way out. */
export function chips() {
  const search = state.read();
  const names = [...state.FILTERS.map(([name, text]) => [name, text]), ...state.OF_TRACE.map((name) => [name, name])];
  const on = names.filter(([name]) => search.get(name));
  if (!on.length) return null;
  return h("div.chips", {}, on.map(([name, text]) => h("span.chip", {}, `${text}: `, h("code", {}, search.get(name)),
    h("button", { type: "button", "aria-label": `without ${text}`, title: "take away", onclick: () => state.go({ [name]: null, zoom: null }) }, "×"))));
}

/**
 * @param {string} view
 * @param {string[]} colors what the colours of the view can tell
 */
export function configMenu(view, colors) {
  const search = state.read();
  const select = (/** @type {string} */ name, /** @type {string} */ label, /** @type {[string, string][]} */ options) => {
    const element = /** @type {HTMLSelectElement} */ (h("select", {}, options.map(([value, text]) => h("option", { value, selected: value === (search.get(name) ?? "") }, text))));
    element.addEventListener("change", () => state.go({ [name]: element.value || null, zoom: null }));
    return h("label", {}, label, element);
  };
  const check = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ title) => {
    const element = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", checked: /^(t|true|1|y|yes)$/.test(search.get(name) ?? "") }));
    element.addEventListener("change", () => state.go({ [name]: element.checked ? "t" : null, zoom: null }));
    return h("label", { title }, element, label);
  };
  const granularities = /** @type {[string, string][]} */ ([["", "functions"], ["filefunctions", "functions and files"], ["files", "files"], ["lines", "lines"], ["addresses", "addresses"]]);
  const count = /** @type {HTMLInputElement} */ (h("input", { type: "number", min: "0", step: "10", size: "6", value: search.get("n") ?? "", placeholder: view === "graph" ? "80" : "all" }));
  count.addEventListener("change", () => state.go({ n: count.value || null }));
  return menu("Config",
    select("g", "Granularity ", granularities),
    view === "flame" && colors.length > 0 && select("color", "Colour by ", colors.map((name, at) => [at === 0 ? "" : name, name])),
    view === "top" && select("sort", "Sort by ", [["", "flat"], ["cum", "cum"]]),
    select("unit", "Unit ", [["", "what fits"], ["auto", "auto"], ["ns", "ns"], ["us", "µs"], ["ms", "ms"], ["s", "s"], ["kB", "kB"], ["MB", "MB"], ["GB", "GB"]]),
    (view === "graph" || view === "top") && h("label", {}, "Most functions ", count),
    check("noinlines", " No inlines", "count what was inlined for the function it is in"),
    view === "graph" && check("calltree", " Call tree", "what is reached on different ways is different"),
    check("rel", " Relative percentages", "percentages of what is in focus"),
    search.get("base") && check("norm", " Normalize", "scale to the total of the base"),
    search.get("base") && check("dropneg", " Drop negative", "leave out what became less"));
}

/** What can be saved. */
export function saveMenu() {
  const link = (/** @type {string} */ view, /** @type {string} */ text) => h("a", { href: state.data(view), download: true }, text);
  return menu("Download", link("download", "Profile, for go tool pprof"), link("flame.svg", "Flame graph as SVG"), link("graph.svg", "Graph as SVG"), link("top.csv", "Top as CSV"), link("folded.text", "Folded stacks"));
}

/**
 * The search box.
 * @param {(text: string) => void} search
 * @param {(step: number) => void} next
 */
export function searchBox(search, next) {
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "search", id: "profile-search", placeholder: "search (regular expression)  /", "aria-label": "search functions", size: 26, spellcheck: "false" }));
  const told = h("span.muted", { role: "status" });
  input.value = state.read().get("q") ?? "";
  input.addEventListener("input", () => search(input.value));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    next(event.shiftKey ? -1 : 1);
  });
  const step = (/** @type {number} */ by, /** @type {string} */ text, /** @type {string} */ title) =>
    h("button", { type: "button", title, "aria-label": title, onclick: () => next(by) }, text);
  return {
    input,
    element: h("div.search", {}, input, step(-1, "‹", "match before (Shift+Enter)"), step(1, "›", "next match (Enter)"), told),
    /**
     * @param {string} text
     * @param {boolean} isWrong
     */
    tell(text, isWrong) {
      fill(told, text);
      input.setAttribute("aria-invalid", String(isWrong));
    },
  };
}
