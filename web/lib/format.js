// Numbers for people, as the command line writes them (src/store/human.rs).
// @ts-check

/**
 * A duration: three significant digits and a unit.
 * @param {number | string} value nanoseconds
 */
export function ns(value) {
  const number = Number(value);
  const sign = number < 0 ? "-" : "";
  const size = Math.abs(number);
  if (size < 1000) return `${sign}${Math.round(size)}ns`;
  let scaled;
  let unit;
  if (size < 999500) [scaled, unit] = [size / 1e3, "µs"];
  else if (size < 999500000) [scaled, unit] = [size / 1e6, "ms"];
  else [scaled, unit] = [size / 1e9, "s"];
  const digits = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
  return `${sign}${scaled.toFixed(digits)}${unit}`;
}

/**
 * @param {number | string} value
 */
export function bytes(value) {
  const number = Number(value);
  const size = Math.abs(number);
  if (size < 1024) return `${number.toFixed(0)}B`;
  if (size < 1024 ** 2) return `${(number / 1024).toFixed(1)}KiB`;
  if (size < 1024 ** 3) return `${(number / 1024 ** 2).toFixed(1)}MiB`;
  return `${(number / 1024 ** 3).toFixed(1)}GiB`;
}

/**
 * @param {number} value part of a whole, 0 to 1
 */
export function share(value) {
  return `${(value * 100).toFixed(1)}%`;
}

/**
 * A number with its thousands apart.
 * @param {number | string} value
 */
export function count(value) {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/**
 * A point in time, in seconds since the start of the trace.
 * @param {number | string} value nanoseconds
 */
export function moment(value) {
  return `${(Number(value) / 1e9).toFixed(6)}s`;
}

const MOMENTS = ["start_ns", "end_ns", "time_ns", "created_ns", "started_ns", "ended_ns", "first_ns", "last_ns"];

/**
 * Whether a column holds points in time.
 * @param {string} name
 */
export function isMoment(name) {
  return MOMENTS.includes(name) || name.endsWith("_at_ns");
}

/**
 * A value of a result, for people.
 * @param {import("./api.js").Column} column
 * @param {import("./api.js").Value} value
 */
export function shown(column, value) {
  if (value === null) return "";
  const isNumber = typeof value === "number" || (column.unit && /^-?\d+$/.test(value));
  if (!isNumber) return String(value);
  if (isMoment(column.name)) return moment(value);
  if (column.unit === "ns") return ns(value);
  if (column.unit === "bytes") return bytes(value);
  if (column.unit === "share") return share(Number(value));
  if (typeof value === "number" && (column.type === "REAL" || !Number.isInteger(value))) return value.toFixed(2);
  return String(value);
}
