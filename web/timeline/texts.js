// What stands in slices that are wide enough.
// @ts-check
import { postJson } from "../lib/api.js";
import { ROWS, item } from "./tile_format.js";
import { shortened } from "./names.js";
import { NARROWEST } from "./tiles.js";
import { ROW } from "./sizes.js";

/** Most texts of a frame. */
const MOST = 400;
/** Texts that are kept. */
const KEPT = 20_000;

export class Texts {
  /** @param {import("./timeline.js").Timeline} timeline */
  constructor(timeline) {
    this.timeline = timeline;
    /** @type {Map<number, {text: string, width: number} | null>} */
    this.known = new Map();
    /** @type {Set<number>} */
    this.wanted = new Set();
    this.isAsking = false;
    this.lanes = "";
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} first
   * @param {number} last
   * @param {(row: number) => number} y
   */
  draw(context, first, last, y) {
    const { tiles, view, width, colours, rows } = this.timeline;
    if (this.lanes !== rows.wish.lanes) {
      this.lanes = rows.wish.lanes;
      this.known.clear();
    }
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.textAlign = "left";
    let count = 0;
    for (const piece of this.pieces(first, last)) {
      const left = Math.max(0, view.x(piece.from));
      const right = Math.min(width, view.x(piece.to));
      if (right - left < NARROWEST) continue;
      const known = this.known.get(piece.state);
      if (known === undefined) this.wanted.add(piece.state);
      if (!known || ++count > MOST) continue;
      const room = right - left - 6;
      if (known.width === 0) known.width = context.measureText(known.text).width;
      let text = known.text;
      if (known.width > room) {
        const letters = Math.floor((text.length * room) / known.width) - 1;
        if (letters < 3) continue;
        text = `${text.slice(0, letters)}…`;
      }
      // Low slices have their text above them.
      const isHigh = [1, 2, 3].includes(piece.main);
      context.fillStyle = tiles.pale[piece.main] ? colours.muted : isHigh ? colours.inks[piece.main] : colours.ink;
      context.fillText(text, left + 3, y(piece.row) + (isHigh ? ROW / 2 + 1.5 : ROW / 2 - 3.5));
    }
  }

  /**
   * The single slices that are seen. Those that reach over several tiles are one.
   * @param {number} first
   * @param {number} last
   */
  *pieces(first, last) {
    const { tiles, view } = this.timeline;
    const need = tiles.needed(view, first, last);
    const nsOfPixel = need.span / tiles.px;
    const least = (NARROWEST * view.scale) / nsOfPixel;
    /** @type {Map<string, {row: number, state: number, from: number, to: number, main: number}>} */
    const cut = new Map();
    for (let x = need.from; x <= need.to; x++) {
      const start = x * need.span;
      for (let block = need.firstBlock; block <= need.lastBlock; block++) {
        const entry = tiles.entries.get(`${tiles.order}/${need.z}/${x}/${block}`);
        const tile = entry?.tile;
        if (!entry || !tile) continue;
        for (let at = 0; at < entry.wide.length; at += 2) {
          const row = block * ROWS + entry.wide[at];
          if (row < first || row > last) continue;
          const one = item(tile, tile.rows[entry.wide[at]], entry.wide[at + 1]);
          const isCut = one.begin <= 0 || one.end >= tile.px;
          if (one.end - one.begin < least && !isCut) continue;
          const piece = { row, state: one.state, from: start + one.begin * nsOfPixel, to: start + one.end * nsOfPixel, main: one.main };
          if (!isCut) {
            yield piece;
            continue;
          }
          const key = `${row}/${one.state}`;
          const before = cut.get(key);
          if (before) [before.from, before.to] = [Math.min(before.from, piece.from), Math.max(before.to, piece.to)];
          else cut.set(key, piece);
        }
      }
    }
    yield* cut.values();
  }

  /** Asks for the texts that were missing. */
  async send() {
    if (!this.wanted.size || this.isAsking) return;
    const states = [...this.wanted].slice(0, 500);
    this.wanted.clear();
    this.isAsking = true;
    try {
      if (this.known.size > KEPT) this.known.clear();
      const found = await this.timeline.frames.track(postJson("/api/timeline/labels", { states }));
      for (const state of states) this.known.set(state, null);
      for (const one of found) this.known.set(one.id, { text: this.text(one), width: 0 });
    } catch {
      // Without texts it is still a timeline.
      for (const state of states) this.known.set(state, null);
    } finally {
      this.isAsking = false;
      this.timeline.frames.ask();
    }
  }

  /** @param {any} one a row of /api/timeline/labels */
  text(one) {
    const place = one.place ? shortened(one.place) : "";
    if (this.lanes !== "goroutines") return `${one.goid} ${one.name ? shortened(one.name) : ""}${one.code >= 5 ? ` ${place}` : ""}`;
    if (one.code === 3) return one.proc === null ? "running" : `running on proc ${one.proc}`;
    if (one.code === 2) return one.reason ? `runnable, ${one.reason}` : "runnable";
    if (one.code >= 5) return place || "syscall";
    return [one.reason ?? "waiting", place].filter((part) => part).join(" · ");
  }
}
