// Colours and heights of what is drawn; the colours are variables of style/timeline.css.
// @ts-check

/**
 * What a goroutine does: as in tiles, each at the place of its number (src/store/lanes/class.rs).
 * @typedef {{name: string, text: string, height: number}} Class
 * @type {Class[]}
 */
export const CLASSES = [
  { name: "none", text: "not there", height: 0 },
  { name: "running", text: "running", height: 1 },
  { name: "runnable", text: "runnable", height: 0.75 },
  { name: "syscall", text: "syscall", height: 1 },
  { name: "syscall-blocked", text: "syscall without proc", height: 0.5 },
  { name: "network", text: "network", height: 0.5 },
  { name: "lock", text: "lock, sync", height: 0.5 },
  { name: "channel", text: "channel", height: 0.5 },
  { name: "select", text: "select", height: 0.35 },
  { name: "sleep", text: "sleep", height: 0.25 },
  { name: "gc", text: "gc", height: 0.5 },
  { name: "runtime", text: "runtime", height: 0.25 },
  { name: "unknown", text: "unknown, for ever", height: 0.25 },
];

/** The order in which shares are put on top of each other, from below. */
export const STACKING = [1, 3, 4, 2, 10, 5, 6, 7, 8, 9, 11, 12];

/**
 * @typedef {{
 *   classes: string[], inks: string[], packed: Uint32Array, page: string, card: string, ink: string, muted: string,
 *   line: string, code: string, link: string, accent: string, mark: string, pause: string, heap: string, goal: string,
 *   selection: string, area: string, rest: string,
 * }} Palette
 */

/**
 * The colours of the theme that holds.
 * @returns {Palette}
 */
export function read() {
  const style = getComputedStyle(document.documentElement);
  const get = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const classes = CLASSES.map((one) => get(`--lane-${one.name}`) || "#888888");
  return {
    classes,
    inks: CLASSES.map((one) => get(`--lane-${one.name}-ink`) || "#000000"),
    packed: Uint32Array.from(classes, packed),
    page: get("--page"),
    card: get("--card"),
    ink: get("--ink"),
    muted: get("--muted"),
    line: get("--line"),
    code: get("--code"),
    link: get("--link"),
    accent: get("--accent"),
    mark: get("--lane-mark"),
    pause: get("--lane-pause"),
    heap: get("--lane-heap"),
    goal: get("--lane-goal"),
    selection: get("--lane-selection"),
    area: get("--lane-area"),
    rest: get("--muted"),
  };
}

/**
 * A colour as pixels of ImageData have it on little-endian machines.
 * @param {string} colour as "#rrggbb"
 */
function packed(colour) {
  const number = parseInt(colour.slice(1, 7), 16) || 0;
  const [red, green, blue] = [number >> 16, (number >> 8) & 255, number & 255];
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
