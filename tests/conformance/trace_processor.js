// Perfetto's trace_processor, as the WebAssembly module of its viewer: reads requests from
// standard input and writes the answers to standard output, in the viewer's own protocol.
//
//     node trace_processor.js FOLDER-OF-THE-VIEWER
"use strict";
const { readFileSync, readSync, writeSync } = require("fs");
const { join, basename } = require("path");
const { runInThisContext } = require("vm");

const folder = process.argv[2];
const fail = (error) => {
  writeSync(2, String(error && error.stack ? error.message : error).slice(0, 2000) + "\n");
  exit(1);
};
const exit = process.exit.bind(process);
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);

// The module takes this for the worker of a page; it refuses to run where it sees Node.
globalThis.process = undefined;
globalThis.self = globalThis;
globalThis.location = { href: "http://localhost/" };
globalThis.WorkerGlobalScope = class {};
globalThis.XMLHttpRequest = class {
  open(method, name) { this.name = basename(name); }
  send() { this.response = readFileSync(join(folder, this.name)); }
};
console.log = console.warn = console.error = (text) => writeSync(2, text + "\n");

const port = {
  postMessage(bytes) {
    for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
  },
};
runInThisContext(readFileSync(join(folder, "engine_bundle.js"), "utf8"));
globalThis.onmessage({ data: port });

const buffer = new Uint8Array(1 << 20);
const serve = () => {
  for (let size; (size = readSync(0, buffer)); ) port.onmessage({ data: buffer.slice(0, size) });
  exit(0);
};
// The module is compiled by now; what it does next is to make its buffer of requests.
setTimeout(serve);
