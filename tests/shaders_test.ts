import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { SHADERS } from "../src/gpu/shaders.ts";
import { projectPath } from "./support.ts";

const names = readdirSync(projectPath("shaders")).map((file) => file.replace(/\.wgsl$/, ""));

test("every shader is compiled by the backend or by the self-test", () => {
  assert.deepEqual([...Object.keys(SHADERS), "self_test"].sort(), names.sort());
});

for (const name of names) {
  test(`${name}.wgsl follows the rules`, () => {
    const code = readFileSync(projectPath(`shaders/${name}.wgsl`), "utf8");
    const header = code.slice(0, code.indexOf("\n\n"));
    assert.ok(header.split("\n").every((line) => line.startsWith("//")), "no header");
    for (const word of ["Dispatch:", "Host:"]) assert.ok(header.includes(word), word);
    for (const [, path] of header.matchAll(/((?:src|shaders)\/[a-z_/]+\.ts)/g)) {
      readFileSync(projectPath(path)); // throws where the file does not exist
    }
    const entries = [...code.matchAll(/@compute[\s\S]*?fn (\w+)/g)].map((match) => match[1]);
    assert.deepEqual(entries, [name], "one entry point, named as the file");
    const bindings = [...code.matchAll(/@group\((\d)\) @binding\((\d+)\) var<([^>]*)>/g)];
    bindings.forEach(([, group, binding, space], i) => {
      assert.equal(group, "0");
      assert.equal(Number(binding), i, "bindings are numbered in order");
      assert.equal(space === "uniform", i === 0, "binding 0 is the uniform");
    });
    assert.ok(bindings.length <= 9, "no more than 8 storage buffers");
    const params = code.match(/struct Params \{([^}]*)\}/)![1];
    for (const field of params.trim().split("\n")) assert.match(field, /^\s*\w+: (u32|f32),$/);
    assert.doesNotMatch(code, /atomic<f32>|enable |ptr<storage/);
    for (const line of code.split("\n")) assert.ok([...line].length <= 80, `long line: ${line}`);
  });
}
