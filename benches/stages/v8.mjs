// Prints each stage's time in V8: `name<TAB>nanoseconds`. Usage: node v8.mjs stages.wasm
import { readFileSync } from "node:fs";

const BATCHES = 15;
const BATCH_NS = 10_000_000;

const module = new WebAssembly.Module(readFileSync(process.argv[2]));
// The filter names Envoy's functions; no stage calls them.
const imports = {};
for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
  if (kind === "function") (imports[from] ??= {})[name] = () => 0;
}
const wasm = new WebAssembly.Instance(module, imports).exports;

const batch = (index, times) => {
  const start = process.hrtime.bigint();
  wasm.stage_run(index, times);
  return Number(process.hrtime.bigint() - start);
};

for (let index = 0; index < wasm.stage_count(); index++) {
  const bytes = new Uint8Array(wasm.memory.buffer, wasm.stage_name(index), wasm.stage_name_len(index));
  const name = Buffer.from(bytes).toString();
  // Long enough for V8 to use its optimising tier, which is the only one that Envoy uses.
  const warm = performance.now();
  while (performance.now() - warm < 300) batch(index, 10);
  const times = Math.max(1, Math.floor(BATCH_NS / (batch(index, 10) / 10)));
  let best = Infinity;
  for (let round = 0; round < BATCHES; round++) best = Math.min(best, batch(index, times));
  console.log(`${name}\t${(best / times).toFixed(1)}`);
}
