// Names of functions: their packages, colours, and how they become shorter.
// @ts-check

/**
 * The package of a function: "net/http" of "net/http.(*conn).serve" (src/model/wait_kinds.rs, package_of).
 * @param {string} name
 */
export function packageOf(name) {
  const bracket = name.indexOf("[");
  const plain = bracket < 0 ? name : name.slice(0, bracket);
  const base = plain.lastIndexOf("/") + 1;
  const dot = name.indexOf(".", base);
  return dot < 0 ? name : name.slice(0, dot);
}

/** @param {string} name of a package */
export function isRuntime(name) {
  return name === "runtime" || name.startsWith("runtime/") || name.startsWith("internal/");
}

/** @type {Map<string, number>} */
const hues = new Map();

/**
 * The hue of a text, 0 to 359: the same in every picture (src/picture/palette.rs, package).
 * @param {string} text
 */
export function hue(text) {
  let known = hues.get(text);
  if (known === undefined) {
    let hash = 0xcbf29ce484222325n;
    for (const byte of new TextEncoder().encode(text)) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    }
    known = Number((hash >> 16n) % 360n);
    hues.set(text, known);
  }
  return known;
}

/**
 * A name that fits: first the path of its package goes, then the package, then the receiver, then the end.
 * @param {string} name
 * @param {number} letters for which there is room
 */
export function shortened(name, letters) {
  if (name.length <= letters) return name;
  const owner = packageOf(name);
  const slash = owner.lastIndexOf("/") + 1;
  const withoutPath = name.slice(slash);
  if (withoutPath.length <= letters) return withoutPath;
  if (owner.length === name.length) return cut(withoutPath, letters);
  const inside = name.slice(owner.length + 1);
  if (inside.length <= letters) return inside;
  const plain = inside.replace(/\[\.\.\.\]/g, "");
  const method = plain.startsWith("(") ? plain.slice(plain.indexOf(").") + 2) : plain;
  return method.length <= letters ? method : cut(method, letters);
}

/**
 * @param {string} text
 * @param {number} letters
 */
function cut(text, letters) {
  return letters < 2 ? "" : text.length <= letters ? text : text.slice(0, letters - 1) + "…";
}
