// Addresses of pages. Where there are several traces, the one that is looked at stays in them.
// @ts-check

/** The trace of the page, where its address names one. */
const trace = () => new URLSearchParams(location.search).get("trace");

/**
 * The address of a page about the same trace.
 * @param {string} page
 * @param {Record<string, string | number | null | undefined>} [parameters]
 */
export const here = (page, parameters = {}) => address(page, { trace: trace(), ...parameters });

/**
 * @param {string} page
 * @param {Record<string, string | number | null | undefined>} [parameters]
 */
export function address(page, parameters = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${page}?${text}` : page;
}

/** @param {number | string} goid */
export const goroutine = (goid) => here(`/goroutine/${goid}`);

/** @param {string | null} name the function they began with; null if that is unknown */
export const group = (name) => here(`/goroutines/${encodeURIComponent(name ?? "")}`);

/** @param {number | string} number of Go */
export const task = (number) => here(`/task/${number}`);

/**
 * A stretch of the timeline, with some room around it.
 * @param {number} start nanoseconds
 * @param {number} end nanoseconds
 * @param {Record<string, string | number | null | undefined>} [more]
 */
export function timeline(start, end, more = {}) {
  const room = Math.max((end - start) * 0.1, 1000);
  return here("/timeline", { from: Math.max(0, Math.round(start - room)), to: Math.round(end + room), ...more });
}

/**
 * @param {string} name
 * @param {Record<string, string | number | null | undefined>} [parameters]
 */
export const query = (name, parameters = {}) => here(`/query/${encodeURIComponent(name)}`, parameters);

/** @param {string} statement */
export const sql = (statement) => here("/sql", { q: statement });
