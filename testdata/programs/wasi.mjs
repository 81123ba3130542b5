// Runs a Go program for wasip1 with Node's own WASI: node wasi.mjs PROGRAM ARGUMENTS.
import { readFileSync } from "node:fs";
import { WASI } from "node:wasi";

const [file, ...args] = process.argv.slice(2);
const env = { PWD: process.cwd() };
const wasi = new WASI({ version: "preview1", args: [file, ...args], env, preopens: { "/": "/" } });
const { instance } = await WebAssembly.instantiate(readFileSync(file), wasi.getImportObject());
process.exitCode = wasi.start(instance);
