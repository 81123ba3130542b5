// Stacks: frames of the standard library are folded, a click unfolds them.
// @ts-check
import { h } from "./dom.js";

/**
 * @typedef {{function: string, file: string | null, line: number | null}} Frame
 */

/**
 * Whether a function is of the standard library: its path has no dot before the first slash, and its
 * package is not main.
 * @param {string} name
 */
export function isStandard(name) {
  const first = name.split("/")[0];
  const isPath = name.includes("/");
  const packageName = isPath ? first : name.split(".")[0];
  if (packageName === "main") return false;
  return isPath ? !first.includes(".") : !packageName.includes("/");
}

/**
 * The lines of a stack as the report and stack() write them: a function and, behind two spaces, its place.
 * @param {string | string[]} text
 * @returns {Frame[]}
 */
export function parse(text) {
  const lines = Array.isArray(text) ? text : text.split("\n");
  return lines.filter((line) => line).map((line) => {
    const at = line.indexOf("  ");
    const name = at < 0 ? line : line.slice(0, at);
    const place = at < 0 ? "" : line.slice(at).trim();
    const colon = place.lastIndexOf(":");
    const number = colon < 0 ? NaN : Number(place.slice(colon + 1));
    return Number.isNaN(number)
      ? { function: name, file: place || null, line: null }
      : { function: name, file: place.slice(0, colon), line: number };
  });
}

/**
 * @param {Frame[]} frames the innermost first
 * @returns {HTMLElement}
 */
export function stack(frames) {
  const list = h("ol.stack");
  let folded = /** @type {Frame[]} */ ([]);
  const flush = () => {
    if (!folded.length) return;
    const some = folded;
    folded = [];
    if (some.length === 1) {
      list.append(row(some[0], true));
      return;
    }
    const names = `${some.length} frames of ${[...new Set(some.map((one) => packageOf(one.function)))].join(", ")}`;
    const item = h("li.folded", {}, h("button.link", {
      type: "button",
      title: "show these frames",
      onclick: () => item.replaceWith(...some.map((one) => row(one, true))),
    }, names));
    list.append(item);
  };
  for (const frame of frames) {
    if (isStandard(frame.function)) folded.push(frame);
    else {
      flush();
      list.append(row(frame, false));
    }
  }
  flush();
  return list;
}

/** @param {string} name */
function packageOf(name) {
  const slash = name.lastIndexOf("/");
  const dot = name.indexOf(".", slash + 1);
  return dot < 0 ? name : name.slice(0, dot);
}

/**
 * @param {Frame} frame
 * @param {boolean} isMuted
 */
function row(frame, isMuted) {
  const place = frame.file === null ? "" : frame.line === null ? frame.file : `${frame.file}:${frame.line}`;
  const name = place.split("/").pop();
  return h(isMuted ? "li.muted" : "li", {},
    h("span.function", {}, frame.function),
    place && h("button.place", {
      type: "button",
      title: `${place} (a click copies it)`,
      onclick: () => navigator.clipboard?.writeText(place),
    }, name));
}
