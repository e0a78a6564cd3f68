import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { KERNELS } from "../src/cpu/embedded.ts";
import { compileKernel, kernelNames } from "../tools/build_wasm.ts";

test("every kernel is embedded", () => {
  assert.deepEqual(Object.keys(KERNELS).sort(), kernelNames());
});

for (const name of kernelNames()) {
  test(`the embedded ${name} matches its source`, async () => {
    const bytes = Buffer.from(KERNELS[name], "base64");
    assert.deepEqual(new Uint8Array(bytes), new Uint8Array(await compileKernel(name)));
    const module = new WebAssembly.Module(bytes);
    const exported = WebAssembly.Module.exports(module).map((entry) => entry.name);
    assert.deepEqual(exported.filter((entry) => entry !== "memory"), [name]);
    const imported = WebAssembly.Module.imports(module).map((entry) => entry.name);
    assert.deepEqual(imported, ["memory"]);
  });
}
