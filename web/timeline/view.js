// The stretch of time that is seen.
// @ts-check

/** Least time that is shown, nanoseconds. */
const LEAST = 50;
/** Room at both ends of the trace, as a part of it. */
const ROOM = 0.01;

/** Times are nanoseconds since the start of the trace, places are pixels from the left border of the lanes. */
export class View {
  /**
   * @param {number} duration of the trace
   * @param {() => void} changed
   */
  constructor(duration, changed) {
    this.duration = Math.max(duration, LEAST);
    this.changed = changed;
    this.width = 1000;
    this.start = -this.duration * ROOM;
    this.end = this.duration * (1 + ROOM);
  }

  /** Nanoseconds of a pixel. */
  get scale() {
    return (this.end - this.start) / this.width;
  }

  /** @param {number} ns */
  x(ns) {
    return (ns - this.start) / this.scale;
  }

  /** @param {number} x */
  ns(x) {
    return this.start + x * this.scale;
  }

  /**
   * @param {number} start
   * @param {number} end
   */
  set(start, end) {
    const room = this.duration * ROOM;
    const most = this.duration + 2 * room;
    let span = Math.min(Math.max(end - start, LEAST), most);
    // In the middle of what was wanted.
    let from = (start + end - span) / 2;
    from = Math.min(Math.max(from, -room), this.duration + room - span);
    if (from === this.start && from + span === this.end) return;
    this.start = from;
    this.end = from + span;
    this.changed();
  }

  /**
   * @param {number} factor below 1 shows less
   * @param {number} x what stays where it is
   */
  zoom(factor, x) {
    const span = Math.min(Math.max((this.end - this.start) * factor, LEAST), this.duration * (1 + 2 * ROOM));
    const fixed = this.ns(x);
    const start = fixed - (span * x) / this.width;
    this.set(start, start + span);
  }

  /** @param {number} pixels to the right */
  pan(pixels) {
    const ns = pixels * this.scale;
    this.set(this.start + ns, this.end + ns);
  }

  all() {
    this.set(-this.duration * ROOM, this.duration * (1 + ROOM));
  }

  /**
   * Shows a stretch, which takes a part of the width.
   * @param {number} from
   * @param {number} to
   * @param {number} [part]
   */
  show(from, to, part = 0.8) {
    const span = Math.max((to - from) / part, LEAST);
    const middle = (from + to) / 2;
    this.set(middle - span / 2, middle + span / 2);
  }

  /**
   * Moves no more than it takes for a stretch to be seen.
   * @param {number} from
   * @param {number} to
   */
  reveal(from, to) {
    if (to > this.start && from < this.end && to - from >= this.scale) return;
    const span = this.end - this.start;
    if (to - from < this.scale || to - from > span) this.show(from, to, 0.3);
    else this.set((from + to - span) / 2, (from + to + span) / 2);
  }
}
