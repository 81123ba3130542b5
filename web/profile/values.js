// Values of profiles for people: durations as durations, sizes as sizes.
// @ts-check
import * as format from "../lib/format.js";

const NANOSECONDS = /** @type {Record<string, number>} */ ({ nanoseconds: 1, ns: 1, microseconds: 1e3, us: 1e3, milliseconds: 1e6, ms: 1e6, seconds: 1e9, s: 1e9 });
const BYTES = /** @type {Record<string, number>} */ ({ bytes: 1, b: 1, byte: 1, kilobytes: 1024, kb: 1024 });

/**
 * @param {number} value
 * @param {string} unit of the profile
 */
export function shown(value, unit) {
  const name = unit.toLowerCase();
  if (NANOSECONDS[name]) return format.ns(value * NANOSECONDS[name]);
  if (BYTES[name]) return format.bytes(value * BYTES[name]);
  const text = format.count(Math.round(value));
  return unit === "count" || unit === "" ? text : `${text} ${unit}`;
}

/**
 * The same of a change, with its sign.
 * @param {number} value
 * @param {string} unit
 */
export function change(value, unit) {
  return value > 0 ? `+${shown(value, unit)}` : value < 0 ? `−${shown(-value, unit)}` : "no change";
}

/**
 * @param {number} value
 * @param {number} total
 */
export function share(value, total) {
  return total ? format.share(value / total) : "";
}
