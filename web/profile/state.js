// What the page shows, as its address says. The options have the names that they have on pprof's page.
// @ts-check

/** What only this page knows; everything else is for the server, too. */
const OWN = ["view", "p", "zoom", "q", "color", "t"];

/** The filters, with their names in menus; as on pprof's page. */
export const FILTERS = /** @type {[string, string, string][]} */ ([
  ["f", "Focus", "only stacks with a frame that matches"],
  ["i", "Ignore", "no stack with a frame that matches"],
  ["h", "Hide", "no frame that matches"],
  ["s", "Show", "only frames that match"],
  ["sf", "Show from", "nothing above the frames that match"],
  ["prunefrom", "Prune from", "nothing below the frames that match"],
  ["tf", "Labels", "only stacks with this label"],
  ["ti", "Without labels", "no stack with this label"],
]);

/** What says which profile is meant, and which part of a trace. */
export const OF_TRACE = ["function", "goroutine", "region", "task", "from", "to"];

export function read() {
  return new URLSearchParams(location.search);
}

/**
 * The address of the page with other values; null takes one away.
 * @param {Record<string, string | number | null>} changes
 */
export function address(changes) {
  const search = read();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") search.delete(name);
    else search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `/profile?${text}` : "/profile";
}

/** @type {(() => void) | null} */
let changed = null;

/**
 * @param {() => void} listener who draws the page after the address is another one
 */
export function onChange(listener) {
  changed = listener;
  addEventListener("popstate", listener);
}

/**
 * Goes to other values; back leads back.
 * @param {Record<string, string | number | null>} changes
 */
export function go(changes) {
  const target = address(changes);
  if (target === location.pathname + location.search) return;
  history.pushState(null, "", target);
  changed?.();
}

/**
 * Notes values in the address, which are shown already.
 * @param {Record<string, string | number | null>} changes
 */
export function note(changes) {
  history.replaceState(null, "", address(changes));
}

/**
 * The address of a view's data.
 * @param {string} view with an ending for other forms
 * @param {Record<string, string | number>} [more]
 */
export function data(view, more = {}) {
  const search = read();
  for (const name of OWN) search.delete(name);
  // A trace by itself says nothing: the header of pages has it.
  if (!search.has("type")) search.delete("trace");
  for (const [name, value] of Object.entries(more)) search.set(name, String(value));
  search.sort();
  const text = search.toString();
  return `/api/profile/${view}${text ? "?" + text : ""}`;
}

/**
 * A pattern that only this name matches, as pprof makes it.
 * @param {string} name
 */
export function exactly(name) {
  return `^${name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`;
}

/**
 * What the search box asks for; null if nothing.
 * @param {string} text
 * @returns {RegExp | null}
 */
export function pattern(text) {
  if (!text) return null;
  return new RegExp(text);
}
