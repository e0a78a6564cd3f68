import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { KERNELS } from "../src/cpu/embedded.ts";
import { compileKernel, kernelNames } from "../tools/build_wasm.ts";

test("every kernel is embedded", () => {
  assert.deepEqual(Object.keys(KERNELS).sort(), kernelNames());
});

const DATA_SECTION = 11;

/** Numbers of the sections of a module. */
function sections(bytes: Uint8Array): number[] {
  const found: number[] = [];
  let at = 8;
  while (at < bytes.length) {
    found.push(bytes[at++]);
    let [size, shift] = [0, 0];
    do size |= (bytes[at] & 127) << shift, shift += 7; while (bytes[at++] > 127);
    at += size;
  }
  return found;
}

for (const name of kernelNames()) {
  for (const build of ["plain", "relaxed"] as const) {
    test(`the embedded ${build} ${name} matches its source`, async () => {
      const embedded = KERNELS[name][build] ?? KERNELS[name].plain;
      const bytes = Uint8Array.from(Buffer.from(embedded, "base64"));
      assert.deepEqual(bytes, new Uint8Array(await compileKernel(name, build === "relaxed")));
      const module = new WebAssembly.Module(bytes);
      const exported = WebAssembly.Module.exports(module).map((entry) => entry.name);
      assert.deepEqual(exported.filter((entry) => entry !== "memory"), [name]);
      const imported = WebAssembly.Module.imports(module).map((entry) => entry.name);
      assert.deepEqual(imported, ["memory"]);
      // Static data would be written over what the host has allocated.
      assert.ok(!sections(bytes).includes(DATA_SECTION), "it has static data");
    });
  }
}
