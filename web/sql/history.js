// What was asked before, kept by the browser.
// @ts-check

const KEY = "gotrace-sql-history";
const KEPT = 50;
/** Longer statements are not kept. */
const LENGTH = 20_000;

/** @returns {string[]} the newest first */
export function all() {
  try {
    const some = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(some) ? some.filter((one) => typeof one === "string").slice(0, KEPT) : [];
  } catch {
    return [];
  }
}

/** @param {string} statement */
export function keep(statement) {
  if (statement.length > LENGTH) return;
  write([statement, ...all().filter((one) => one !== statement)].slice(0, KEPT));
}

export function forget() {
  write([]);
}

/** @param {string[]} some */
function write(some) {
  try {
    localStorage.setItem(KEY, JSON.stringify(some));
  } catch {
    // Without storage there is no history.
  }
}
