// The graph of calls: the server's picture, to be moved, searched, and asked about its functions.
// @ts-check
import { fill, h, picture } from "../lib/dom.js";
import { menu } from "./actions.js";
import { data } from "./state.js";

/**
 * What of the picture is seen: left and top edge, and how many of its units a pixel is.
 * @typedef {{x: number, y: number, scale: number}} Sight
 */

/** The picture. */
export function ask() {
  return picture(data("graph.svg"));
}

/**
 * @param {HTMLElement} target
 * @param {SVGElement} svg
 * @returns {import("./flame.js").Shown}
 */
export function draw(target, svg) {
  const graph = new Graph(svg);
  fill(target, graph.element);
  graph.open();
  return graph;
}

class Graph {
  /** @param {SVGElement} svg */
  constructor(svg) {
    this.svg = svg;
    const box = /** @type {SVGSVGElement} */ (svg).viewBox.baseVal;
    this.size = { width: box.width, height: box.height };
    /** @type {Sight} */
    this.sight = { x: 0, y: 0, scale: 1 };
    svg.setAttribute("width", "100%");
    svg.setAttribute("height", "100%");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", "Graph of calls");
    this.functions = functions(svg);
    const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ act) =>
      h("button", { type: "button", title, "aria-label": title, onclick: act }, text);
    this.ground = h("div.ground", { tabindex: "0", role: "region", "aria-label": "Graph of calls: arrows move, plus and minus zoom" }, svg);
    this.element = h("div.graph", {}, this.ground, h("div.zooms", {},
      button("+", "larger", () => this.zoom(1 / 1.4)), button("−", "smaller", () => this.zoom(1.4)),
      button("1:1", "as large as text", () => this.open()), button("all", "the whole graph", () => this.fit())));
    this.ground.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.ground.addEventListener("pointerdown", (event) => this.drag(event));
    this.ground.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.look(this.sight)).observe(this.ground);
  }

  /** @param {Sight} sight */
  look(sight) {
    this.sight = sight;
    const { clientWidth, clientHeight } = this.ground;
    this.svg.setAttribute("viewBox", `${sight.x} ${sight.y} ${clientWidth * sight.scale} ${clientHeight * sight.scale}`);
  }

  /** At the size of text, where the graph begins. */
  open() {
    const { clientWidth } = this.ground;
    if (this.size.width <= clientWidth) return this.look({ x: (this.size.width - clientWidth) / 2, y: 0, scale: 1 });
    const [first] = [...this.functions.values()].sort((a, b) => a.y - b.y);
    const begin = first?.x ?? 0;
    // The legend stands at the left edge; it is seen if what begins is not too far to the right.
    const x = begin < clientWidth - 60 ? 0 : Math.min(begin - clientWidth / 2, this.size.width - clientWidth);
    this.look({ x, y: 0, scale: 1 });
  }

  fit() {
    const { clientWidth, clientHeight } = this.ground;
    const scale = Math.max(this.size.width / clientWidth, this.size.height / clientHeight);
    this.look({ x: (this.size.width - clientWidth * scale) / 2, y: 0, scale });
  }

  /**
   * @param {number} factor
   * @param {number} [atX] the place that stays, pixels; the middle if left out
   * @param {number} [atY]
   */
  zoom(factor, atX = this.ground.clientWidth / 2, atY = this.ground.clientHeight / 2) {
    const { x, y, scale } = this.sight;
    const next = Math.min(Math.max(scale * factor, 0.1), 60);
    this.look({ x: x + atX * (scale - next), y: y + atY * (scale - next), scale: next });
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    const ground = this.ground.getBoundingClientRect();
    this.zoom(1.0015 ** Math.max(-300, Math.min(300, event.deltaY)), event.clientX - ground.left, event.clientY - ground.top);
  }

  /** @param {PointerEvent} event */
  drag(event) {
    if (event.button !== 0) return;
    const from = { ...this.sight, left: event.clientX, top: event.clientY };
    let isMoved = false;
    const move = (/** @type {PointerEvent} */ now) => {
      const [right, down] = [now.clientX - from.left, now.clientY - from.top];
      isMoved ||= Math.hypot(right, down) > 3;
      if (isMoved) this.look({ x: from.x - right * from.scale, y: from.y - down * from.scale, scale: from.scale });
    };
    const end = (/** @type {PointerEvent} */ now) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", end);
      if (!isMoved) this.select(/** @type {Element} */ (now.target), now.clientX, now.clientY);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", end);
  }

  /**
   * @param {Element} target
   * @param {number} x
   * @param {number} y
   */
  select(target, x, y) {
    for (const { element } of this.functions.values()) element.classList.remove("selected");
    const found = target.closest?.("g.function");
    if (!found) return;
    found.classList.add("selected");
    menu(x, y, { name: found.getAttribute("data-name") ?? "" });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const step = 80 * this.sight.scale;
    const { x, y, scale } = this.sight;
    const at = /** @type {Element} */ (event.target);
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "ArrowLeft") this.look({ x: x - step, y, scale });
    else if (event.key === "ArrowRight") this.look({ x: x + step, y, scale });
    else if (event.key === "ArrowUp") this.look({ x, y: y - step, scale });
    else if (event.key === "ArrowDown") this.look({ x, y: y + step, scale });
    else if (event.key === "+" || event.key === "=") this.zoom(1 / 1.4);
    else if (event.key === "-") this.zoom(1.4);
    else if (event.key === "0") this.fit();
    else if (event.key === "1") this.open();
    else if (event.key === "Enter" && at.classList.contains("function")) {
      const place = at.getBoundingClientRect();
      this.select(at, place.left, place.bottom);
    } else return;
    event.preventDefault();
  }

  /** @param {RegExp | null} pattern */
  search(pattern) {
    let count = 0;
    for (const [name, { element }] of this.functions) {
      const isMatch = pattern?.test(name) ?? false;
      element.classList.toggle("match", isMatch);
      element.classList.remove("current");
      count += Number(isMatch);
    }
    this.svg.classList.toggle("searching", pattern !== null);
    return pattern ? `${count} of ${this.functions.size} functions match` : "";
  }

  /** @param {number} step */
  next(step) {
    const matches = [...this.functions.values()].filter(({ element }) => element.classList.contains("match"));
    const at = matches.findIndex(({ element }) => element.classList.contains("current"));
    matches[at]?.element.classList.remove("current");
    const target = matches[(at + step + matches.length) % matches.length] ?? matches[0];
    if (!target) return;
    target.element.classList.add("current");
    const { clientWidth, clientHeight } = this.ground;
    const scale = Math.min(this.sight.scale, 1.3);
    this.look({ x: target.x - (clientWidth * scale) / 2, y: target.y - (clientHeight * scale) / 2, scale });
  }
}

/**
 * The boxes of functions in a picture, by name; in the order of the picture.
 * @param {SVGElement} svg
 * @returns {Map<string, {element: Element, x: number, y: number}>}
 */
function functions(svg) {
  const found = new Map();
  for (const element of svg.querySelectorAll("#view > g")) {
    const rect = element.querySelector("rect");
    const title = element.querySelector("title")?.textContent ?? "";
    // Labels have round corners, and no name of a function.
    if (!rect || rect.getAttribute("rx") !== "0") continue;
    const name = title.slice(0, Math.max(0, title.lastIndexOf(" (")));
    element.classList.add("function");
    element.setAttribute("data-name", name);
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "button");
    element.setAttribute("aria-label", title);
    const number = (/** @type {string} */ attribute) => Number(rect.getAttribute(attribute));
    found.set(name, { element, x: number("x") + number("width") / 2, y: number("y") + number("height") / 2 });
  }
  return found;
}
