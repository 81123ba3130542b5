// Pages of one subject: its canned queries, and plots where one would rather look.
// @ts-check
import { getJson, objects, query, sql } from "../lib/api.js";
import { h } from "../lib/dom.js";
import * as format from "../lib/format.js";
import * as links from "../lib/links.js";
import { needsTrace, start } from "../lib/page.js";
import { histogram, lines, stacked, time } from "../lib/plot.js";
import { border, canned, inTurn } from "../lib/section.js";

/**
 * @typedef {Record<string, any>} Row
 * @typedef {{trace: Row, isOnly: boolean}} Place
 * @typedef {(place: Place) => Promise<HTMLElement[]>} Plot
 * @typedef {{title: string, about: string, queries: [string, Record<string, any>?][], plots: Plot[], profiles?: [string, string][]}} Subject
 */

/** Steps of plots over time. */
const STEPS = 240;

/** What each page shows, by its address. */
const SUBJECTS = /** @type {Record<string, Subject>} */ ({
  scheduler: {
    title: "Scheduler",
    about: "How long goroutines that could run waited for a proc, when, and what made them wait.",
    queries: [["scheduler-latency"], ["scheduler-delays"], ["runnable-spikes"], ["preemptions"], ["proc-idle"]],
    plots: [ready, readyTimes],
    profiles: [["sched", "scheduler wait"]],
  },
  syscalls: {
    title: "System calls",
    about: "Which code makes system calls, how long they take, and how much of that is without a proc.",
    queries: [["syscalls"], ["syscall-functions"]],
    plots: [syscallTimes],
    profiles: [["syscall", "system calls"]],
  },
  network: {
    title: "Network",
    about: "Where goroutines wait for the network, and for what.",
    queries: [["network"], ["network-peers-by-stack"], ["longest-waits", { kind: "network" }]],
    plots: [waitTimes("network", "How long each wait for the network took", "network")],
    profiles: [["net", "network wait"]],
  },
  locks: {
    title: "Locks",
    about: "Where goroutines wait for mutexes, wait groups and condition variables, and who held them up.",
    queries: [["lock-contention"], ["locks"], ["wakers", { kind: "lock" }], ["longest-waits", { kind: "lock" }]],
    plots: [waitTimes("lock", "How long each wait for a lock took", "lock")],
    profiles: [["sync", "synchronization blocking"]],
  },
  channels: {
    title: "Channels",
    about: "Where goroutines wait for channels, and which code is at the other end.",
    queries: [["channels"], ["channel-traffic"], ["longest-waits", { kind: "channel" }], ["longest-waits", { kind: "select" }]],
    plots: [waitTimes("channel", "How long each wait for a channel took", "channel"), waitTimes("select", "How long each wait in a select statement took", "select")],
    profiles: [["sync", "synchronization blocking"]],
  },
  threads: {
    title: "Threads",
    about: "The threads of the operating system, and what goroutines did on them.",
    queries: [["threads"]],
    plots: [],
  },
  procs: {
    title: "Procs",
    about: "How busy the procs were, and when one was idle although a goroutine could have run.",
    queries: [["procs"], ["proc-idle"], ["preemptions"]],
    plots: [utilisation, idle],
  },
});

start(async (page) => {
  if (!needsTrace(page)) return;
  const { main, analysis } = page;
  const trace = /** @type {Row} */ (page.trace);
  const subject = SUBJECTS[location.pathname.split("/")[1]];
  const queries = await getJson("/api/queries");
  const place = { trace, isOnly: analysis.traces.length < 2 };
  main.append(h("h1", {}, subject.title), h("p.sub", {}, subject.about));
  if (subject.profiles) {
    main.append(h("p.ways", {}, subject.profiles.map(([type, name]) => h("a", { href: links.here("/profile", { type }) }, `profile: ${name}`))));
  }
  await inTurn(main, [...subject.plots.map((draw) => () => draw(place)),
    ...subject.queries.map(([name, parameters]) => () => canned(queries, name, { trace: trace.id, ...parameters }))]);
});

/**
 * How long goroutines waited for a proc, each time.
 * @type {Plot}
 */
function readyTimes({ trace, isOnly }) {
  const title = "How long goroutines waited for a proc, each time";
  // Of one trace without the view, which looks for the goroutine of each state: 2 is runnable.
  if (isOnly) return times(title, "ready", "times", "select duration_ns from raw_goroutine_states where code & 7 = 2", {});
  return times(title, "ready", "times", `select s.duration_ns as duration_ns from goroutine_states s
    join raw_goroutines g on g.id = s.goroutine_id where s.state = 'runnable' and g.trace_id = :trace`, { trace: trace.id });
}

/**
 * @param {string} kind
 * @param {string} title
 * @param {string} key
 * @returns {Plot}
 */
function waitTimes(kind, title, key) {
  return ({ trace }) => times(title, key, "waits", `select w.duration_ns as duration_ns from waits w
    join goroutines g on g.id = w.goroutine_id where w.kind = '${kind}' and g.trace_id = :trace and not g.is_system`, { trace: trace.id });
}

/** @type {Plot} */
function syscallTimes({ trace }) {
  return times("How long each system call took", "syscall", "calls", `select s.duration_ns as duration_ns from syscalls s
    join goroutines g on g.id = s.goroutine_id where g.trace_id = :trace`, { trace: trace.id });
}

/**
 * @param {string} title
 * @param {string} key
 * @param {string} what
 * @param {string} statement with the column duration_ns
 * @param {Record<string, number>} given its parameters
 */
async function times(title, key, what, statement, given) {
  const steps = objects(await sql(`select histogram_border(step, 10) as from_ns, histogram_border(step + 1, 10) as to_ns, times
    from (select histogram_step(duration_ns, 10) as step, count(*) as times from (${statement}) group by 1) order by step`, given));
  if (!steps.length) return [];
  return [histogram({ title, key, what, text: border, bars: steps.map((one) => ({ from: Math.max(1, one.from_ns), to: one.to_ns, count: one.times })) })];
}

/**
 * What the procs did over time: of GOMAXPROCS, how many ran goroutines or were in calls that kept them.
 * @type {Plot}
 */
async function utilisation({ trace, isOnly }) {
  if (!isOnly) return [];
  const steps = objects(await query("timeline", { buckets: STEPS }));
  const most = Math.max(trace.gomaxprocs ?? 1, ...steps.map((one) => one.running));
  return [stacked({
    title: "Procs that ran goroutines",
    x: time(0, trace.duration_ns),
    y: { from: 0, to: most, text: (value) => String(Math.round(value * 100) / 100) },
    legend: [{ name: "running", key: "running" }],
    line: trace.gomaxprocs ? { value: trace.gomaxprocs, name: `GOMAXPROCS ${trace.gomaxprocs}` } : undefined,
    steps: steps.map((one) => ({ start: one.start_ns, length: one.duration_ns, parts: [{ name: "running", key: "running", value: one.running }] })),
    pick: (step) => location.assign(links.timeline(step.start, step.start + step.length, { lanes: "procs" })),
  })];
}

/**
 * Time of idle procs for which a goroutine was waiting.
 * @type {Plot}
 */
async function idle({ trace, isOnly }) {
  if (!isOnly) return [];
  const steps = objects(await query("proc-idle", { buckets: STEPS }));
  const most = Math.max(0, ...steps.map((one) => one.wasted_share));
  if (!most) return [];
  return [lines({
    title: "Procs idle while a goroutine could have run",
    x: time(0, trace.duration_ns),
    y: { from: 0, to: most, text: (value) => value.toFixed(2) },
    series: [{ name: "idle procs, on average", key: "ready", isStep: true, points: steps.map((one) => [one.start_ns, one.wasted_share]) }],
  })];
}

/**
 * How many goroutines could run and had no proc.
 * @type {Plot}
 */
async function ready({ trace, isOnly }) {
  if (!isOnly) return [];
  const steps = objects(await sql("select start_ns, duration_ns, max_count, mean_count from state_peaks('runnable', :steps) order by start_ns", { steps: STEPS }));
  const most = Math.max(1, ...steps.map((one) => one.max_count));
  return [lines({
    title: "Goroutines that waited for a proc",
    x: time(0, trace.duration_ns),
    y: { from: 0, to: most, text: (value) => format.count(Math.round(value * 10) / 10) },
    series: [
      { name: "most at a time", key: "ready", isStep: true, points: steps.map((one) => [one.start_ns, one.max_count]) },
      { name: "on average", key: "running", isStep: true, points: steps.map((one) => [one.start_ns, one.mean_count]) }],
    pick: (at) => location.assign(links.timeline(at - trace.duration_ns / STEPS, at + trace.duration_ns / STEPS)),
  })];
}
