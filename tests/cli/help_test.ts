import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { COMMANDS, optionsOf } from "../../src/cli/syntax/commands.ts";
import { helpText } from "../../src/cli/syntax/help.ts";
import { flagsOf } from "../../src/cli/syntax/option_values.ts";
import { TOPICS } from "../../src/cli/syntax/topics.ts";
import { METHODS } from "../../src/select/method.ts";
import { inFolder, runProgram } from "./program.ts";

test("help shows usage, examples first and every option, in lines of 98 columns", () => {
  for (const command of COMMANDS) {
    const text = helpText(command.name)!;
    assert.ok(text.startsWith(`Usage: cpd ${command.name}`));
    assert.ok(text.indexOf("Examples:") < text.indexOf("Options:") || !text.includes("Options:"));
    for (const { flag } of optionsOf(command)) assert.match(text, new RegExp(`--${flag}\\b`));
    for (const line of text.split("\n")) assert.ok([...line].length <= 98, line);
    for (const example of command.examples) {
      assert.match(example, new RegExp(`^cpd ${command.name}\\b`));
    }
  }
  assert.equal(helpText("nothing"), null);
});

test("options stand once in a command, and their choices are those of the program", () => {
  for (const command of COMMANDS) {
    const flags = optionsOf(command).map(({ flag }) => flag);
    assert.equal(new Set(flags).size, flags.length, command.name);
  }
  const method = optionsOf(COMMANDS[0]).find(({ flag }) => flag === "method")!;
  assert.deepEqual(method.choices, METHODS);
  assert.equal(flagsOf("distill").select.short, "n");
});

test("cpd help TOPIC explains units, formats, methods and citing", () =>
  inFolder(async (folder) => {
    for (const topic of Object.keys(TOPICS)) {
      const { code, stdout } = await runProgram(["help", topic], { cwd: folder });
      assert.equal(code, 0);
      assert.equal(stdout, `${TOPICS[topic].trimEnd()}\n`);
    }
    for (const method of METHODS) assert.match(TOPICS.methods, new RegExp(`^  ${method}$`, "m"));
    assert.match(TOPICS.citing, /2604\.03027/);
    const unknown = await runProgram(["help", "everything"], { cwd: folder });
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /Cannot explain "everything": expected distill, .*citing/);
    const shell = await runProgram(["completions", "csh"], { cwd: folder });
    assert.equal(shell.code, 2);
    assert.match(shell.stderr, /Cannot print "csh": expected bash, zsh, fish or man/);
  }));

/** Runs a shell where there is one; null (with a printed reason) where not. */
function shell(name: string, args: string[]): ReturnType<typeof spawnSync> | null {
  const run = spawnSync(name, args, { encoding: "utf8" });
  if (run.error) console.log(`skipped: completions in ${name}: there is no ${name}`);
  return run.error ? null : run;
}

test("completions complete commands, options and their values in bash", () =>
  inFolder(async (folder) => {
    const { code, stdout } = await runProgram(["completions", "bash"], { cwd: folder });
    assert.equal(code, 0);
    const path = join(folder, "cpd.bash");
    writeFileSync(path, stdout);
    const complete = (...words: string[]) => {
      const quoted = words.map((word) => `'${word}'`).join(" ");
      const script = `source ${path}; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; ` +
        'cd /; _cpd; echo "${COMPREPLY[@]}"';
      return String(shell("bash", ["-c", script])?.stdout ?? "").trim();
    };
    if (!shell("bash", ["-n", path])) return;
    assert.equal(complete("cpd", "dist"), "distill");
    assert.equal(complete("cpd", "distill", "--meth"), "--method");
    assert.equal(complete("cpd", "distill", "--method", "cpd"), "cpd-spread cpd");
    assert.match(complete("cpd", "model", "ex"), /^export/);
  }));

test("completions for zsh and fish, and the man page, hold every command and option", () =>
  inFolder(async (folder) => {
    for (const name of ["zsh", "fish", "man"]) {
      const { code, stdout } = await runProgram(["completions", name], { cwd: folder });
      assert.equal(code, 0);
      const plain = stdout.replaceAll("\\-", "-");
      for (const command of COMMANDS) {
        assert.ok(plain.includes(command.name), `${name} ${command.name}`);
        for (const { flag } of optionsOf(command)) {
          assert.ok(
            plain.includes(name === "fish" ? `-l ${flag}` : `--${flag}`),
            `${name} ${flag}`,
          );
        }
      }
      const path = join(folder, name);
      writeFileSync(path, stdout);
      if (name === "man") {
        // Every line that begins with a dot is a request that roff knows.
        for (const [line] of stdout.matchAll(/^\..*$/gm)) {
          assert.match(line, /^\.(TH|SH|SS|TP|PP|B|I|br|nf|fi)\b/);
        }
        const set = shell("groff", ["-man", "-ww", "-z", "-Kutf8", path]);
        if (set) assert.equal(String(set.stderr), "");
      } else {
        const checked = shell(name, ["-n", path]);
        if (checked) assert.equal(checked.status, 0, String(checked.stderr));
      }
    }
  }));
