// What can be done with a function: a menu at the pointer, as on pprof's page.
// @ts-check
import { fill, h } from "../lib/dom.js";
import { address, exactly, go, read } from "./state.js";

/** @typedef {{name: string, more?: [string, () => void][]}} Subject */

/** @type {HTMLElement | null} */
let open = null;

/** Closes the menu. */
export function close() {
  open?.remove();
  open = null;
}

/**
 * What leads to a function in a view.
 * @param {string} view
 * @param {string} name
 */
export function viewOf(view, name) {
  return address({ view, f: exactly(name), p: null, zoom: null, q: null });
}

/**
 * Adds a pattern to a filter.
 * @param {string} filter
 * @param {string} pattern
 */
export function refine(filter, pattern) {
  const before = read().get(filter);
  const isNarrowing = filter === "f" || filter === "s" || filter === "sf";
  // Of those that leave out both count; of those that keep, the new one.
  go({ [filter]: before && !isNarrowing ? `${before}|${pattern}` : pattern, p: null, zoom: null });
}

/**
 * Shows the menu of a function.
 * @param {number} x pixels from the left of the window
 * @param {number} y from its top
 * @param {Subject} subject
 */
export function menu(x, y, { name, more = [] }) {
  close();
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const item = (/** @type {string} */ text, /** @type {() => void} */ act) =>
    h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => { close(); act(); } }, text);
  const link = (/** @type {string} */ text, /** @type {string} */ view) =>
    h("a", { href: viewOf(view, name), role: "menuitem", tabindex: "-1" }, text);
  const filters = /** @type {[string, string][]} */ ([["f", "Focus"], ["i", "Ignore"], ["h", "Hide"], ["s", "Show"], ["sf", "Show from"]]);
  const box = h("div.pop", { role: "menu", "aria-label": name }, h("p.name", {}, name),
    more.map(([text, act]) => item(text, act)),
    filters.map(([filter, text]) => item(text, () => refine(filter, exactly(name)))),
    link("Peek", "peek"), link("Source", "source"),
    item("Copy name", () => navigator.clipboard?.writeText(name)));
  box.addEventListener("keydown", (event) => {
    const items = /** @type {HTMLElement[]} */ ([...box.querySelectorAll("[role=menuitem]")]);
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (event.key === "ArrowDown") items[(at + 1) % items.length].focus();
    else if (event.key === "ArrowUp") items[(at + items.length - 1) % items.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") {
      close();
      before?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.body.append(box);
  open = box;
  const size = box.getBoundingClientRect();
  box.style.left = `${Math.max(4, Math.min(x, innerWidth - size.width - 4))}px`;
  box.style.top = `${Math.max(4, Math.min(y, innerHeight - size.height - 4))}px`;
  /** @type {HTMLElement | null} */ (box.querySelector("[role=menuitem]"))?.focus();
}

addEventListener("pointerdown", (event) => {
  if (open && !open.contains(/** @type {Node} */ (event.target))) close();
});
addEventListener("scroll", close, { passive: true });

/**
 * A card for what has nothing to show.
 * @param {HTMLElement} target
 * @param {string} text
 */
export function nothing(target, text) {
  fill(target, h("div.card", {}, text));
}
