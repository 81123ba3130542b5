// What may come next in a statement: relations, columns, functions, keywords.
// @ts-check
import { KEYWORDS, relations } from "./tokens.js";

/**
 * @typedef {{name: string, kind: string, doc: string, text: string}} Candidate
 * @typedef {{relations: {name: string, doc: string, columns: {name: string, type: string | null, doc: string | null}[]}[],
 *   functions: {name: string, arguments: string, doc: string, columns: {name: string, type: string | null, doc: string | null}[] | null}[]}} Schema
 */

/** So many are shown. */
const SHOWN = 40;

/**
 * @param {Schema} schema
 * @param {string} text the statement
 * @param {number} caret where the next letter goes
 * @returns {{from: number, candidates: Candidate[]}} what may replace the letters from a place on
 */
export function complete(schema, text, caret) {
  const before = text.slice(0, caret);
  const word = /[A-Za-z_]\w*$/.exec(before)?.[0] ?? "";
  const from = caret - word.length;
  const named = relations(text);
  const byName = new Map([...schema.relations, ...schema.functions].map((one) => [one.name, one]));
  const owner = /([A-Za-z_]\w*)\.$/.exec(text.slice(0, from))?.[1];
  let all;
  if (owner !== undefined) {
    all = columns(byName.get(named.get(owner) ?? owner));
  } else if (/\b(from|join)\s+$/i.test(text.slice(0, from))) {
    all = [...schema.relations.map(relation), ...schema.functions.filter((one) => one.columns).map(call)];
  } else {
    const own = new Map([...named.values()].flatMap((name) => columns(byName.get(name))).map((one) => [one.name, one]));
    all = [...own.values(), ...schema.relations.map(relation), ...schema.functions.map(call),
      ...KEYWORDS.map((name) => ({ name, kind: "keyword", doc: "", text: name }))];
  }
  const low = word.toLowerCase();
  const begin = all.filter((one) => one.name.toLowerCase().startsWith(low));
  const contain = low.length < 2 ? [] : all.filter((one) => one.kind !== "keyword" && one.name.toLowerCase().indexOf(low) > 0);
  const candidates = [...begin, ...contain].slice(0, SHOWN);
  // What is complete already needs nothing.
  return { from, candidates: candidates.length === 1 && candidates[0].text === word ? [] : candidates };
}

/**
 * @param {Schema["relations"][number] | Schema["functions"][number] | undefined} owner
 * @returns {Candidate[]}
 */
function columns(owner) {
  return (owner?.columns ?? []).map((one) => ({ name: one.name, kind: `column of ${owner?.name}`, doc: one.doc ?? "", text: one.name }));
}

/**
 * @param {Schema["relations"][number]} one
 * @returns {Candidate}
 */
function relation(one) {
  return { name: one.name, kind: "relation", doc: one.doc, text: one.name };
}

/**
 * @param {Schema["functions"][number]} one
 * @returns {Candidate}
 */
function call(one) {
  return { name: one.name, kind: `function (${one.arguments})`, doc: one.doc, text: `${one.name}(` };
}
