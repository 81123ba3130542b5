// Fetches tiles and makes pictures of them, beside the page.
// @ts-check
import { raster } from "./raster.js";
import { decode } from "./tile_format.js";

/** @type {import("./raster.js").Brush | null} */
let brush = null;
/** @type {Map<string, AbortController>} */
const running = new Map();

onmessage = async (/** @type {MessageEvent} */ event) => {
  const message = event.data;
  if (message.brush) {
    brush = message.brush;
    return;
  }
  if (message.cancel) {
    running.get(message.cancel)?.abort();
    return;
  }
  const { key, address, px } = message;
  const controller = new AbortController();
  running.set(key, controller);
  try {
    const response = await fetch(address, { signal: controller.signal });
    if (!response.ok) {
      postMessage({ key, status: response.status });
      return;
    }
    const buffer = await response.arrayBuffer();
    const tile = decode(buffer, px);
    if (!brush) throw new Error("no colours yet");
    const bitmap = await createImageBitmap(raster(tile, brush));
    // @ts-ignore the page and its workers have different postMessage
    postMessage({ key, bitmap, buffer }, [bitmap, buffer]);
  } catch (error) {
    postMessage({ key, status: controller.signal.aborted ? -1 : 0, error: String(error) });
  } finally {
    running.delete(key);
  }
};
