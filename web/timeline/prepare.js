// Waits until the lanes of a trace are there.
// @ts-check
import { ApiError } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as links from "../lib/links.js";

/**
 * @typedef {{id: number, source: string, duration_ns: number, goroutines: number, procs: number, threads: number,
 *   gomaxprocs: number | null, snapshot: number, start_clock_ns: number, start_unix_ns: number | null, gaps: number}} Info
 */

/**
 * @param {number} trace
 * @param {HTMLElement} main
 * @returns {Promise<Info>}
 */
export async function prepared(trace, main) {
  const text = h("p.muted");
  const card = h("div.card.loading", { role: "status" }, h("h2", {}, "Preparing the timeline"), text, h("progress"));
  for (let wait = 30; ; wait = Math.min(wait * 1.5, 300)) {
    const response = await fetch(links.address("/api/timeline", { trace }));
    const body = await response.json().catch(() => ({ error: response.statusText }));
    if (response.status === 200) {
      fill(main);
      return body;
    }
    if (response.status !== 202) throw new ApiError(response.status, body.error, body.hint ?? null);
    if (!card.isConnected) fill(main, card);
    text.textContent = `${format.count(body.states ?? 0)} states read`;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
