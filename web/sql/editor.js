// Where statements are written: coloured words below a textarea, and a list of what may come next.
// @ts-check
import { fill, h } from "../lib/dom.js";
import { complete } from "./complete.js";
import { tokens } from "./tokens.js";

/** @typedef {import("./complete.js").Candidate} Candidate */

/** Longer ones are not coloured: it would take longer than a key. */
const COLOURED = 50_000;

export class Editor {
  /**
   * @param {import("./complete.js").Schema} schema
   * @param {{run: () => void, stop: () => void, changed: () => void}} told
   */
  constructor(schema, told) {
    this.schema = schema;
    this.told = told;
    /** @type {Candidate[]} */
    this.candidates = [];
    this.chosen = 0;
    this.from = 0;
    this.colours = h("pre.colours", { "aria-hidden": "true" });
    this.area = /** @type {HTMLTextAreaElement} */ (h("textarea", {
      rows: 9, spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off", id: "statement",
      "aria-label": "SQL", role: "combobox", "aria-expanded": "false", "aria-controls": "candidates", "aria-autocomplete": "list",
    }));
    this.list = h("ul.candidates", { id: "candidates", role: "listbox", "aria-label": "what may come next", hidden: true });
    this.element = h("div.editor", {}, this.colours, this.area, this.list);
    this.area.addEventListener("input", () => {
      this.paint();
      this.told.changed();
      this.suggest(false);
    });
    this.area.addEventListener("scroll", () => this.follow());
    this.area.addEventListener("keydown", (event) => this.key(event));
    this.area.addEventListener("blur", () => this.close());
    this.area.addEventListener("click", () => this.close());
  }

  get value() {
    return this.area.value;
  }

  set value(text) {
    this.area.value = text;
    this.paint();
    this.told.changed();
  }

  paint() {
    const text = this.area.value;
    const isLong = text.length > COLOURED;
    this.element.classList.toggle("plain", isLong);
    // The last line counts only if something stands in it.
    fill(this.colours, isLong ? "" : tokens(text).map((one) => one.kind === "other" || one.kind === "word" ? one.text : h(`span.${one.kind}`, {}, one.text)), "\n");
    this.follow();
  }

  follow() {
    this.colours.scrollTop = this.area.scrollTop;
    this.colours.scrollLeft = this.area.scrollLeft;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const isOpen = !this.list.hidden;
    const isControl = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && isControl) this.told.run();
    else if (event.key === " " && isControl) this.suggest(true);
    else if (event.key === "Escape") isOpen ? this.close() : this.told.stop();
    else if (isOpen && event.key === "ArrowDown") this.choose(this.chosen + 1);
    else if (isOpen && event.key === "ArrowUp") this.choose(this.chosen - 1);
    else if (isOpen && (event.key === "Tab" || event.key === "Enter") && !event.shiftKey) this.accept(this.chosen);
    else return;
    event.preventDefault();
  }

  /** @param {boolean} isAsked whether somebody wants to see it even without a letter */
  suggest(isAsked) {
    const caret = this.area.selectionStart;
    const before = this.area.value.slice(0, caret);
    const last = tokens(before).at(-1);
    const isInText = last && (last.kind === "text" || last.kind === "comment");
    if (isInText || (!isAsked && !/[A-Za-z_]\w$|\w\.\w*$/.test(before)) || caret !== this.area.selectionEnd) return this.close();
    const { from, candidates } = complete(this.schema, this.area.value, caret);
    if (!candidates.length) return this.close();
    this.candidates = candidates;
    this.from = from;
    this.list.hidden = false;
    this.area.setAttribute("aria-expanded", "true");
    fill(this.list, candidates.map((one, at) => h("li", {
      role: "option",
      id: `candidate-${at}`,
      title: one.doc,
      onmousedown: (/** @type {Event} */ event) => {
        event.preventDefault();
        this.accept(at);
      },
    }, h("span", {}, one.name), h("span.muted", {}, one.kind))));
    this.place(from);
    this.choose(0);
  }

  /** @param {number} from */
  place(from) {
    const lines = this.area.value.slice(0, from).split("\n");
    const style = getComputedStyle(this.area);
    const line = parseFloat(style.lineHeight);
    const context = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    context.font = style.font;
    const left = context.measureText(lines[lines.length - 1]).width + parseFloat(style.paddingLeft) - this.area.scrollLeft;
    this.list.style.top = `${lines.length * line + parseFloat(style.paddingTop) + 2 - this.area.scrollTop}px`;
    this.list.style.left = `${Math.max(0, Math.min(left, this.area.clientWidth - 300))}px`;
  }

  /** @param {number} at */
  choose(at) {
    const count = this.candidates.length;
    this.chosen = (at + count) % count;
    [...this.list.children].forEach((one, index) => one.setAttribute("aria-selected", String(index === this.chosen)));
    this.list.children[this.chosen]?.scrollIntoView({ block: "nearest" });
    this.area.setAttribute("aria-activedescendant", `candidate-${this.chosen}`);
  }

  /** @param {number} at */
  accept(at) {
    const { text } = this.candidates[at];
    this.area.setRangeText(text, this.from, this.area.selectionStart, "end");
    this.close();
    this.paint();
    this.told.changed();
    this.area.focus();
  }

  close() {
    this.list.hidden = true;
    this.area.setAttribute("aria-expanded", "false");
    this.area.removeAttribute("aria-activedescendant");
  }

  /**
   * Puts a text where the caret is.
   * @param {string} text
   */
  insert(text) {
    this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end");
    this.paint();
    this.told.changed();
    this.area.focus();
  }
}
