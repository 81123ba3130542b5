// The words of a statement: enough to colour it, to find its parameters, and the relations that it names.
// @ts-check

/** @typedef {{kind: "word" | "keyword" | "text" | "number" | "comment" | "parameter" | "other", text: string, at: number}} Token */

export const KEYWORDS = ("select from where group order by having limit offset join left right full inner outer cross natural on using as and or not in is null " +
  "between like glob exists case when then else end union all intersect except distinct with recursive materialized over partition window rows range " +
  "preceding following unbounded current row filter asc desc nulls first last cast collate values escape true false iif").split(" ");
const IS_KEYWORD = new Set(KEYWORDS);

const PATTERN = /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^']|'')*'?)|([:@$][A-Za-z_]\w*)|(\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b)|([A-Za-z_]\w*|"(?:[^"]|"")*"?)/gi;

/**
 * @param {string} text
 * @returns {Token[]}
 */
export function tokens(text) {
  const all = /** @type {Token[]} */ ([]);
  let end = 0;
  for (const found of text.matchAll(PATTERN)) {
    const at = found.index;
    if (at > end) all.push({ kind: "other", text: text.slice(end, at), at: end });
    const [whole, comment, literal, parameter, number] = found;
    const kind = comment !== undefined ? "comment" : literal !== undefined ? "text" : parameter !== undefined ? "parameter" : number !== undefined ? "number"
      : IS_KEYWORD.has(whole.toLowerCase()) ? "keyword" : "word";
    all.push({ kind, text: whole, at });
    end = at + whole.length;
  }
  if (end < text.length) all.push({ kind: "other", text: text.slice(end), at: end });
  return all;
}

/**
 * The names of the parameters of a statement, without the colon.
 * @param {string} text
 */
export function parameters(text) {
  return [...new Set(tokens(text).filter((one) => one.kind === "parameter").map((one) => one.text.slice(1)))];
}

/**
 * What stands behind from and join: the relation, and what it is called.
 * @param {string} text
 * @returns {Map<string, string>} by its name here
 */
export function relations(text) {
  const some = tokens(text).filter((one) => one.kind !== "comment" && (one.kind !== "other" || one.text.trim()));
  const found = new Map();
  for (let at = 0; at + 1 < some.length; at++) {
    const word = some[at].text.toLowerCase();
    // What follows a comma may be a relation, too; what is none is not known, and does no harm.
    if (word !== "from" && word !== "join" && !(some[at].kind === "other" && word.trim() === ",")) continue;
    const relation = some[at + 1];
    if (relation.kind !== "word") continue;
    found.set(relation.text, relation.text);
    let next = at + 2;
    if (some[next]?.text.trim().startsWith("(")) next = closing(some, next) + 1;
    if (some[next]?.text.toLowerCase() === "as") next += 1;
    if (some[next]?.kind === "word") found.set(some[next].text, relation.text);
  }
  return found;
}

/**
 * Where the parenthesis closes that opens at a place.
 * @param {Token[]} some
 * @param {number} at
 */
function closing(some, at) {
  let depth = 0;
  for (; at < some.length; at++) {
    if (some[at].kind !== "other") continue;
    for (const letter of some[at].text) depth += letter === "(" ? 1 : letter === ")" ? -1 : 0;
    if (depth <= 0) return at;
  }
  return some.length;
}
