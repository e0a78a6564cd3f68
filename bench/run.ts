/** Prints every benchmark as Markdown; each checks its answer before it is timed. */
import os from "node:os";
import process from "node:process";
import { benchAtoms, benchDescriptors } from "./descriptors.ts";
import { benchEndToEnd } from "./end_to_end.ts";
import { benchPeers } from "./peers.ts";
import { benchLargeFrame, benchPotential } from "./potential.ts";
import { benchCounting, benchPca } from "./selection.ts";

const start = performance.now();
console.log(
  `${os.cpus()[0].model}, ${os.cpus().length} cores; ${runtime()}; ${
    new Date().toISOString().slice(0, 10)
  }`,
);
await benchDescriptors();
await benchAtoms();
await benchPotential();
await benchLargeFrame();
await benchCounting();
await benchPca();
benchEndToEnd();
const python = process.argv[2];
if (python) await benchPeers(python);
else {console.log(
    "\nno peers: name a Python that has numpy and scikit-learn, `deno task bench python3`",
  );}
console.log(`\n${((performance.now() - start) / 1000).toFixed(0)} s in all`);

function runtime(): string {
  const { deno, bun } = process.versions as Record<string, string | undefined>;
  return deno ? `Deno ${deno}` : `Bun ${bun}`;
}
