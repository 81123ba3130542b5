// What the server is asked. An error has the server's words and what it advises.
// @ts-check

/**
 * @typedef {{name: string, type: string | null, unit: "ns" | "bytes" | "share" | null, doc: string | null}} Column
 * @typedef {string | number | null} Value
 * @typedef {{columns: Column[], rows: Value[][], has_more: boolean, remarks: string[]}} Result
 */

export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {string | null} hint
   */
  constructor(status, message, hint) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

/**
 * @param {string} address
 * @param {RequestInit} [options]
 */
async function ask(address, options = {}) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, "gotrace does not answer; does it still run?", null);
  }
  if (response.ok) return response;
  let body = { error: `${response.status} ${response.statusText}`, hint: null };
  try {
    body = await response.json();
  } catch {
    // Not one of our errors.
  }
  throw new ApiError(response.status, body.error, body.hint ?? null);
}

/**
 * @param {string} address
 * @param {AbortSignal} [signal]
 */
export async function getJson(address, signal) {
  return (await ask(address, { signal })).json();
}

/**
 * @param {string} address
 * @param {AbortSignal} [signal]
 */
export async function getText(address, signal) {
  return (await ask(address, { signal })).text();
}

/**
 * @param {string} address
 * @param {AbortSignal} [signal]
 * @returns {Promise<ArrayBuffer>}
 */
export async function getBytes(address, signal) {
  return (await ask(address, { signal })).arrayBuffer();
}

/**
 * @param {string} address
 * @param {unknown} body
 * @param {AbortSignal} [signal]
 */
export async function postJson(address, body, signal) {
  return (await post(address, body, signal)).json();
}

/**
 * The same in any form.
 * @param {string} address
 * @param {unknown} body
 * @param {AbortSignal} [signal]
 */
export function post(address, body, signal) {
  const headers = { "Content-Type": "application/json" };
  return ask(address, { method: "POST", headers, body: JSON.stringify(body), signal });
}

/**
 * Posts a file.
 * @param {File} file
 */
export async function upload(file) {
  const address = `/api/upload?name=${encodeURIComponent(file.name)}`;
  return (await ask(address, { method: "POST", body: file })).json();
}

/**
 * A canned query.
 * @param {string} name
 * @param {Record<string, Value | undefined>} [parameters] with the filters from, to, goroutine, function, task
 * @param {{limit?: number, signal?: AbortSignal}} [options]
 * @returns {Promise<Result>}
 */
export function query(name, parameters = {}, { limit, signal } = {}) {
  return getJson(queryAddress(name, parameters, limit), signal);
}

/**
 * The address of a canned query.
 * @param {string} name with an ending such as .csv for other forms
 * @param {Record<string, Value | undefined>} parameters
 * @param {number} [limit]
 */
export function queryAddress(name, parameters, limit) {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") search.set(key, String(value));
  }
  if (limit !== undefined) search.set("limit_rows", String(limit));
  const text = search.toString();
  return `/api/query/${encodeURIComponent(name)}${text ? "?" + text : ""}`;
}

/**
 * SQL.
 * @param {string} sql
 * @param {Record<string, Value | undefined>} [parameters]
 * @param {{limit?: number, signal?: AbortSignal, filters?: Record<string, string>}} [options]
 * @returns {Promise<Result>}
 */
export function sql(sql, parameters = {}, { limit, signal, filters } = {}) {
  return postJson("/api/sql", { sql, parameters, limit, filters }, signal);
}

/**
 * A result's rows as objects.
 * @param {Result} result
 * @returns {Record<string, any>[]}
 */
export function objects(result) {
  const names = result.columns.map((column) => column.name);
  return result.rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]])));
}
