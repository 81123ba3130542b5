#!/usr/bin/env python3
"""Measures how fluid the timeline of a trace is, and how long its tiles take.

    frames.py --binary PATH TRACE

Every motion runs for some seconds over lanes that are not grouped; the times between frames are printed in
milliseconds: median, 95 and 99 of 100, longest; and of these what JavaScript took. Then the times from asking for
a tile to its end, and what tiles and a whole screen weigh.
"""

import argparse
import importlib.machinery
import importlib.util
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

MOTION = """async ([kind, seconds]) => {
  const { timeline } = window.gotrace;
  const { view, scroller, frames } = timeline;
  const between = [], drawing = [];
  const draw = frames.draw;
  frames.draw = () => { const start = performance.now(); draw(); drawing.push(performance.now() - start); };
  let last = performance.now();
  const end = last + seconds * 1000;
  let number = 0;
  await new Promise((done) => {
    const step = () => {
      const now = performance.now();
      between.push(now - last);
      last = now;
      number++;
      if (kind === "zoom") view.zoom(number % 240 < 120 ? 0.93 : 1 / 0.93, view.width * 0.4);
      if (kind === "pan") view.pan(number % 400 < 200 ? 12 : -12);
      if (kind === "scroll") scroller.scrollTop += 37;
      if (kind === "redraw") frames.ask();
      if (now < end) requestAnimationFrame(step); else done();
    };
    requestAnimationFrame(step);
  });
  frames.draw = draw;
  await window.gotrace.idle();
  return [between, drawing];
}"""


TILES = """async (count) => {
  const { timeline } = window.gotrace;
  const { order, count: rows } = timeline.rows;
  const [taken, bytes] = [[], []];
  const most = Math.ceil(Math.log2(timeline.view.duration));
  let seed = 1;
  const random = (below) => { seed = (seed * 48271) % 2147483647; return seed % below; };
  for (let at = 0; at < count; at++) {
    const z = most - random(14);
    const x = random(Math.max(1, Math.floor(timeline.view.duration / 2 ** z)));
    const block = at % 2 ? random(Math.ceil(rows / 32)) : random(3);
    const start = performance.now();
    const answer = await fetch(`/api/tiles?order=${order}&z=${z}&x=${x}&block=${block}&n=${at}`);
    bytes.push((await answer.arrayBuffer()).byteLength);
    taken.push(performance.now() - start);
  }
  return [taken, bytes];
}"""


def parts(times):
    times = sorted(times)
    at = lambda share: times[int((len(times) - 1) * share)]
    return f"{at(.5):6.1f} {at(.95):6.1f} {at(.99):6.1f} {times[-1]:6.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("trace")
    arguments = parser.parse_args()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")
    loader = importlib.machinery.SourceFileLoader("run", path)
    runner = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
    loader.exec_module(runner)
    chromium, why = runner.install()
    if why:
        return why
    from served import Browser, Served
    with Browser(chromium, os.path.abspath(arguments.binary), None) as browser:
        served = Served(browser.binary, [os.path.abspath(arguments.trace)], browser.folder)
        browser.stack.callback(served.end)
        served.wait()
        page = browser.page(served, width=1600)
        shown = page.open("/timeline")
        paint = shown.evaluate("performance.getEntriesByType('paint').map((it) => [it.name, Math.round(it.startTime)])")
        ready = shown.evaluate("Math.round(performance.now())")
        print(f"paint {paint}, complete after {ready} ms")
        shown.evaluate("() => { const t = gotrace.timeline; t.rows.wish.group = 'none'; return t.rows.load(); }")
        shown.evaluate("gotrace.idle()")
        print(f"{shown.evaluate('gotrace.timeline.rows.count')} lanes")
        for kind in ["redraw", "zoom", "scroll", "pan"]:
            if kind == "pan":
                shown.evaluate("() => { const v = gotrace.timeline.view; v.all(); for (let i = 0; i < 12; i++) v.zoom(0.7, 500); return gotrace.idle(); }")
            between, drawing = shown.evaluate(MOTION, [kind, arguments.seconds])
            print(f"{kind:8} frames {parts(between)}   drawing {parts(drawing)}   {len(between)} frames")
        taken, bytes_of = shown.evaluate(TILES, 300)
        print(f"tiles    asked  {parts(taken)}   {max(bytes_of)} bytes at most")
        print(f"kept {shown.evaluate('gotrace.timeline.tiles.entries.size')} tiles")


if __name__ == "__main__":
    sys.exit(main())
