// What every goroutine, proc or thread did, at any zoom.
// @ts-check
import { h } from "../lib/dom.js";
import { needsTrace, start } from "../lib/page.js";
import { prepared } from "../timeline/prepare.js";
import { Timeline } from "../timeline/timeline.js";

start(async (page) => {
  if (!needsTrace(page) || !page.trace) return;
  const root = document.querySelector("link[rel=stylesheet]")?.getAttribute("href") ?? "";
  const style = h("link", { rel: "stylesheet", href: root.replace(/[^/]*$/, "timeline.css") });
  const styled = new Promise((resolve) => style.addEventListener("load", resolve, { once: true }));
  document.head.append(style);
  const info = await prepared(page.trace.id, page.main);
  await styled;
  page.main.classList.add("wide");
  const timeline = new Timeline(info, page.main, page.search);
  Object.assign(window, { gotrace: { timeline, idle: () => timeline.frames.idle() } });
  await timeline.open();
  await timeline.frames.idle();
  // The report may take a while, and nothing waits for it.
  timeline.marks.load();
});
