import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { COMMANDS, optionsOf } from "../src/cli/syntax/commands.ts";
import { inFolder, runProgram } from "./cli/program.ts";
import { projectPath } from "./support.ts";

const README = readFileSync(projectPath("README.md"), "utf8");

/** Commands of the sessions, each with the lines that it prints; `...` stands for anything. */
function sessions(): { command: string; expected: string[] }[] {
  const found: { command: string; expected: string[] }[] = [];
  for (const [, block] of README.matchAll(/```console\n([\s\S]*?)```/g)) {
    for (const line of block.trimEnd().split("\n")) {
      if (line.startsWith("$ ")) found.push({ command: line.slice(2), expected: [] });
      else found[found.length - 1].expected.push(line);
    }
  }
  for (const { expected } of found) while (expected.at(-1) === "") expected.pop();
  return found;
}

test("the sessions of the README print what it says", () =>
  inFolder(async (folder) => {
    symlinkSync(projectPath("data"), join(folder, "data"));
    for (const { command, expected } of sessions()) {
      const [program, ...args] = command.split(" ");
      let printed: string;
      if (program === "cpd") {
        const { code, stdout, stderr } = await runProgram(args, { cwd: folder });
        assert.equal(code, 0, `${command}: ${stderr}`);
        printed = stderr + stdout;
      } else {
        printed = spawnSync(program, args, { cwd: folder, encoding: "utf8" }).stdout;
      }
      const lines = printed.trimEnd() === "" ? [] : printed.trimEnd().split("\n");
      assert.equal(lines.length, expected.length, `${command}:\n${printed}`);
      expected.forEach((line, k) => {
        const pattern = line.split("...").map((part) =>
          part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
        );
        assert.match(lines[k], new RegExp(`^${pattern.join(".*")}$`), command);
      });
    }
  }));

test("every option that the README names exists, and every file that it points to", () => {
  const known = new Set(COMMANDS.flatMap((command) => optionsOf(command).map(({ flag }) => flag)));
  for (const [, flag] of README.matchAll(/--([a-z][a-z0-9-]+)/g)) assert.ok(known.has(flag), flag);
  const paths = README.matchAll(
    /`((?:bench|data|src|tests|\.github)\/[\w./-]+|[A-Z]+\.md|mod\.ts)`/g,
  );
  for (const [, path] of paths) assert.ok(existsSync(projectPath(path)), path);
});
