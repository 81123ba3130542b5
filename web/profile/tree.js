// The stacks of a profile as a tree: as they are, from a function on and up to it, or without what is beside a frame.
// @ts-check

/**
 * A frame. Values are of now and of before, in the unit of the profile.
 * @typedef {{name: string, parent: Frame | null, children: Frame[], own: [number, number], all: [number, number],
 *   width: number, shares: number[]}} Frame
 * @typedef {{names: string[], nodes: number[][], shares?: number[][], label_names?: string[], is_difference: boolean,
 *   total: number, unit: string, left_out: number, header: string[], remarks: string[]}} Answer
 */

/**
 * @param {string} name
 * @param {Frame | null} parent
 * @returns {Frame}
 */
function frame(name, parent) {
  return { name, parent, children: [], own: [0, 0], all: [0, 0], width: 0, shares: [] };
}

/**
 * The tree of an answer; its root is no frame of a stack.
 * @param {Answer} answer
 * @returns {Frame}
 */
export function whole(answer) {
  /** @type {Frame[]} */
  const frames = [];
  answer.nodes.forEach((node, at) => {
    const [name, parent, own, all] = node;
    const one = frame(answer.names[name], at === 0 ? null : frames[parent]);
    one.own = [own, node[4] ?? 0];
    one.all = [all, node[5] ?? 0];
    one.width = node[6] ?? all;
    one.shares = answer.shares?.[at] ?? [];
    one.parent?.children.push(one);
    frames.push(one);
  });
  return frames[0] ?? frame("root", null);
}

/**
 * All frames below one, each before its children.
 * @param {Frame} root
 * @returns {Generator<Frame>}
 */
export function* below(root) {
  const waiting = [...root.children].reverse();
  while (waiting.length) {
    const one = /** @type {Frame} */ (waiting.pop());
    yield one;
    for (let at = one.children.length - 1; at >= 0; at--) waiting.push(one.children[at]);
  }
}

/**
 * The outermost frames that match: what recurs counts once.
 * @param {Frame} root
 * @param {RegExp} pattern
 * @returns {Frame[]}
 */
export function outermost(root, pattern) {
  const found = [];
  const waiting = [...root.children].reverse();
  while (waiting.length) {
    const one = /** @type {Frame} */ (waiting.pop());
    if (pattern.test(one.name)) found.push(one);
    else for (let at = one.children.length - 1; at >= 0; at--) waiting.push(one.children[at]);
  }
  return found;
}

/**
 * What the functions that match call, and who calls them, each as a tree of these functions; null if none does.
 * @param {Frame} root
 * @param {RegExp} pattern
 * @returns {{callees: Frame, callers: Frame} | null}
 */
export function pivot(root, pattern) {
  const found = outermost(root, pattern);
  if (!found.length) return null;
  const [callees, callers] = [new Merged(), new Merged()];
  for (const one of found) {
    callees.join(one);
    callers.climb(one);
  }
  return { callees: callees.finish(), callers: callers.finish() };
}

/** A tree into which others are joined. */
class Merged {
  constructor() {
    this.root = frame("root", null);
    /** @type {Map<Frame, Map<string, Frame>>} */
    this.known = new Map();
  }

  /**
   * @param {Frame} parent
   * @param {string} name
   */
  child(parent, name) {
    let names = this.known.get(parent);
    if (!names) this.known.set(parent, (names = new Map()));
    let one = names.get(name);
    if (!one) {
      one = frame(name, parent);
      parent.children.push(one);
      names.set(name, one);
    }
    return one;
  }

  /** @param {Frame} top which goes in with everything below it */
  join(top) {
    add(this.root, top, false);
    const into = this.child(this.root, top.name);
    add(into, top, true);
    /** @type {[Frame, Frame][]} */
    const waiting = [[into, top]];
    for (let pair = waiting.pop(); pair; pair = waiting.pop()) {
      for (const one of pair[1].children) {
        const target = this.child(pair[0], one.name);
        add(target, one, true);
        waiting.push([target, one]);
      }
    }
  }

  /** @param {Frame} top which goes in with all that call it, these upside down */
  climb(top) {
    add(this.root, top, false);
    let into = this.root;
    for (let at = /** @type {Frame | null} */ (top); at?.parent; at = at.parent) {
      into = this.child(into, at.name);
      add(into, top, false);
    }
  }

  finish() {
    for (const children of [this.root, ...below(this.root)].map((one) => one.children)) {
      children.sort((a, b) => b.width - a.width || (a.name < b.name ? -1 : 1));
    }
    return this.root;
  }
}

/**
 * @param {Frame} into
 * @param {Frame} one
 * @param {boolean} withOwn
 */
function add(into, one, withOwn) {
  for (const side of /** @type {const} */ ([0, 1])) {
    into.all[side] += one.all[side];
    if (withOwn) into.own[side] += one.own[side];
  }
  into.width += one.width;
  one.shares.forEach((value, label) => {
    into.shares[label] = (into.shares[label] ?? 0) + value;
  });
}

/**
 * The way to a frame: which child it is, from the root on.
 * @param {Frame} one
 */
export function way(one) {
  const parts = [];
  for (let at = one; at.parent; at = at.parent) parts.push(at.parent.children.indexOf(at));
  return parts.reverse().join(".");
}

/**
 * The frame at the end of a way; the last one that is there.
 * @param {Frame} root
 * @param {string} path
 */
export function follow(root, path) {
  let at = root;
  for (const part of path.split(".")) {
    const next = at.children[Number(part)];
    if (part === "" || !next) break;
    at = next;
  }
  return at;
}

/** @typedef {{frame: Frame, x: number, y: number, width: number, isAside: boolean}} Box */

/** More boxes than that are too many to be seen. */
const MAX_BOXES = 8000;

/**
 * Where frames are: x and width in pixels, y in rows. Frames narrower than a pixel are not there.
 * @param {Frame} root
 * @param {Frame} zoomed takes the whole width, as those above it do
 * @param {number} width pixels
 * @returns {Box[]}
 */
export function place(root, zoomed, width) {
  for (let least = 1; ; least *= 2) {
    const boxes = placeAll(root, zoomed, width, least);
    if (boxes.length <= MAX_BOXES || least > 64) return boxes;
  }
}

/**
 * @param {Frame} root
 * @param {Frame} zoomed
 * @param {number} width
 * @param {number} least
 */
function placeAll(root, zoomed, width, least) {
  /** @type {Box[]} */
  const boxes = [];
  /** @type {Frame[]} */
  const above = [];
  for (let at = /** @type {Frame | null} */ (zoomed); at; at = at.parent) above.unshift(at);
  above.forEach((one, row) => boxes.push({ frame: one, x: 0, y: row, width, isAside: one !== zoomed }));
  const waiting = [boxes[boxes.length - 1]];
  const scale = zoomed.width ? width / zoomed.width : 0;
  for (let box = waiting.pop(); box; box = waiting.pop()) {
    let x = box.x;
    for (const one of box.frame.children) {
      const size = one.width * scale;
      if (size >= least) {
        const placed = { frame: one, x, y: box.y + 1, width: size, isAside: false };
        boxes.push(placed);
        waiting.push(placed);
      }
      x += size;
    }
  }
  return boxes;
}
