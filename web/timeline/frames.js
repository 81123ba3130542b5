// When to draw, and whether anything is still to come.
// @ts-check

/** Draws at most once for each frame of the browser, and knows what is in flight. */
export class Frames {
  /** @param {() => void} draw */
  constructor(draw) {
    this.draw = draw;
    this.isWanted = false;
    this.flying = 0;
    /** How many frames were drawn. */
    this.count = 0;
    /** @type {(() => void)[]} */
    this.waiting = [];
  }

  /** Something has changed. */
  ask() {
    if (this.isWanted) return;
    this.isWanted = true;
    requestAnimationFrame(() => {
      this.isWanted = false;
      this.count++;
      this.draw();
      this.settle();
    });
  }

  /**
   * Something that changes the picture when it comes.
   * @template T
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  async track(promise) {
    this.flying++;
    try {
      return await promise;
    } finally {
      this.flying--;
      this.ask();
    }
  }

  /** Resolves when nothing is in flight and the last frame is drawn. */
  idle() {
    return new Promise((/** @type {(value: void) => void} */ resolve) => {
      this.waiting.push(resolve);
      this.ask();
    });
  }

  settle() {
    if (this.isWanted || this.flying > 0) return;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/**
 * Runs something once when calls have ceased for a while.
 * @param {Frames} frames
 * @param {number} ms
 * @param {() => unknown} run
 */
export function afterwards(frames, ms, run) {
  let timer = 0;
  /** @type {(() => void) | null} */
  let done = null;
  return () => {
    clearTimeout(timer);
    if (!done) frames.track(new Promise((resolve) => (done = () => resolve(null))));
    timer = setTimeout(async () => {
      const end = done;
      done = null;
      try {
        await run();
      } finally {
        end?.();
      }
    }, ms);
  };
}
