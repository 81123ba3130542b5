// Mouse, wheel, pen and fingers.
// @ts-check
import { fill, h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import { hit } from "./hit.js";
import { CLASSES } from "./palette.js";
import { ROW } from "./sizes.js";

/** How much a turn of the wheel zooms. */
const ZOOM = 0.0025;
/** Pixels from which on it is a drag and no click. */
const DRAG = 4;
/** Within how many pixels borders of areas snap to slices. */
const SNAP = 12;

export class Pointer {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    /** @type {Map<number, {x: number, y: number}>} */
    this.fingers = new Map();
    /** @type {{x: number, y: number, startX: number, startY: number, isArea: boolean, isDrag: boolean, from: number, row: number} | null} */
    this.drag = null;
    const { canvas } = timeline;
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    timeline.head.canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.end(event));
    canvas.addEventListener("pointerleave", () => this.leave());
    canvas.addEventListener("dblclick", (event) => this.double(event));
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    const { view } = this.timeline;
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      // A pinch comes as small steps.
      const factor = Math.abs(dy) < 20 ? 4 : 1;
      view.zoom(Math.exp(Math.max(-1, Math.min(1, dy * ZOOM * factor))), event.offsetX);
    } else if (event.shiftKey || Math.abs(dx) > Math.abs(dy)) {
      event.preventDefault();
      view.pan(event.shiftKey && !dx ? dy : dx);
    } else if (event.currentTarget !== this.timeline.canvas) {
      this.timeline.scroller.scrollTop += dy;
    }
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (event.button > 0) return;
    const { canvas, view } = this.timeline;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    this.drag = {
      x: event.offsetX, y: event.offsetY, startX: event.offsetX, startY: event.offsetY, isArea: event.shiftKey, isDrag: false,
      from: this.snap(event.offsetX, event.offsetY), row: Math.floor(this.timeline.top + event.offsetY / ROW),
    };
    if (event.shiftKey) this.drag.from = Math.max(0, Math.min(view.duration, this.drag.from));
  }

  /** @param {PointerEvent} event */
  move(event) {
    const timeline = this.timeline;
    const { view } = timeline;
    const [x, y] = [event.offsetX, event.offsetY];
    if (this.fingers.size === 2 && this.fingers.has(event.pointerId)) return this.pinch(event);
    const drag = this.drag;
    if (!drag) return this.hover(x, y, event);
    if (!drag.isDrag && Math.hypot(x - drag.startX, y - drag.startY) < DRAG) return;
    drag.isDrag = true;
    timeline.tip.hidden = true;
    if (drag.isArea) {
      const to = this.snap(x, y);
      const row = Math.max(0, Math.min(timeline.rows.count - 1, Math.floor(timeline.top + y / ROW)));
      timeline.selection = null;
      timeline.area = {
        from: Math.round(Math.min(drag.from, to)), to: Math.round(Math.max(drag.from, to)),
        first: Math.min(drag.row, row), last: Math.max(drag.row, row),
      };
      timeline.frames.ask();
      return;
    }
    view.pan(drag.x - x);
    timeline.scroller.scrollTop += drag.y - y;
    [drag.x, drag.y] = [x, y];
  }

  /** @param {PointerEvent} event */
  pinch(event) {
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    const before = this.fingers.get(event.pointerId);
    if (!other || !before) return;
    const { view } = this.timeline;
    const [was, is] = [Math.abs(before.x - other.x), Math.abs(event.offsetX - other.x)];
    if (was > 10 && is > 10) view.zoom(was / is, other.x);
    this.fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    this.drag = null;
  }

  /** @param {PointerEvent} event */
  up(event) {
    const drag = this.drag;
    const timeline = this.timeline;
    this.end(event);
    if (!drag) return;
    if (drag.isArea && drag.isDrag) {
      const area = timeline.area;
      if (area) timeline.selectArea(area);
    } else if (!drag.isDrag) this.click(event.offsetX, event.offsetY);
  }

  /** @param {PointerEvent} event */
  end(event) {
    this.fingers.delete(event.pointerId);
    this.drag = null;
  }

  leave() {
    this.timeline.hover = null;
    this.timeline.tip.hidden = true;
    this.timeline.frames.ask();
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  click(x, y) {
    const timeline = this.timeline;
    const found = hit(timeline, x, y);
    if (!found) return;
    if (found.shares) {
      const row = timeline.rows.get(found.row);
      if (row?.kind === "group") timeline.guard(timeline.rows.toggle(row.key ?? 0));
      return;
    }
    const item = found.item;
    if (!item) return timeline.hidePanel();
    if (item.states === 1 && item.state) timeline.guard(timeline.select(item.state, { shows: false }));
    else if (item.states > 1) timeline.selectArea({ from: Math.round(found.from), to: Math.round(found.to), first: found.row, last: found.row });
  }

  /** @param {MouseEvent} event */
  double(event) {
    const found = hit(this.timeline, event.offsetX, event.offsetY);
    if (!found?.item) return;
    this.timeline.address.push();
    this.timeline.view.show(found.from, found.to);
  }

  /**
   * A time, at the border of a slice if one is near.
   * @param {number} x
   * @param {number} y
   */
  snap(x, y) {
    const { view } = this.timeline;
    const found = hit(this.timeline, x, y);
    const ns = view.ns(x);
    if (!found?.item) return ns;
    const near = [found.from, found.to].filter((border) => Math.abs(border - ns) < SNAP * view.scale);
    near.sort((a, b) => Math.abs(a - ns) - Math.abs(b - ns));
    return near[0] ?? ns;
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {PointerEvent} event
   */
  hover(x, y, event) {
    const timeline = this.timeline;
    timeline.hover = { x, y };
    timeline.frames.ask();
    const found = hit(timeline, x, y);
    const { tip } = timeline;
    if (!found || (!found.item && !found.shares)) {
      tip.hidden = true;
      return;
    }
    const lines = [];
    if (found.item) {
      const { item } = found;
      const length = format.ns(found.to - found.from);
      if (item.states === 1) {
        const known = timeline.texts.known.get(item.state);
        lines.push(`${CLASSES[item.main].text}, ${length}`);
        if (known && known.text) lines.push(known.text);
      } else {
        lines.push(`about ${format.count(item.states)} states in ${length}`);
        const parts = [[item.main, item.mainShare]];
        if (item.second !== item.main) parts.push([item.second, item.secondShare]);
        for (const [of, share] of parts) lines.push(`${CLASSES[of].text} ${format.share(share / 255)}`);
      }
    } else {
      for (const part of found.shares ?? []) lines.push(`${CLASSES[part.main].text} ${format.share(part.share / 255)}`);
    }
    lines.push(`at ${format.moment(Math.max(0, found.ns))}`);
    fill(tip, lines.map((line) => h("div", {}, line)));
    tip.hidden = false;
    const box = timeline.element.getBoundingClientRect();
    const left = event.clientX - box.left + 14;
    tip.style.left = `${Math.min(left, box.width - tip.offsetWidth - 4)}px`;
    tip.style.top = `${Math.min(event.clientY - box.top + 16, box.height - tip.offsetHeight - 4)}px`;
  }
}
