import { relative } from "node:path";
import process from "node:process";
import { describeSystemError, exitCode, UsageError } from "../errors.ts";
import { COMMANDS } from "./syntax/commands.ts";
import { helpText } from "./syntax/help.ts";
import { dataFile } from "../shipped_files.ts";
import { watchInterrupts } from "./interrupt.ts";
import { TOPICS } from "./syntax/topics.ts";
import { VERSION } from "./syntax/version.ts";

/** @throws {UsageError} where there is nothing to explain */
function explained(name: string | null): string {
  const text = helpText(name);
  if (text !== null) return text;
  const known = [...COMMANDS.map((command) => command.name), ...Object.keys(TOPICS)].join(", ");
  throw new UsageError(`Cannot explain "${name}": expected ${known}`);
}

async function run(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  if (command === "--version") return print(VERSION);
  if (command === undefined || command === "--help" || command === "-h" || command === "help") {
    return print(explained(rest[0] ?? null));
  }
  if (rest.includes("--help") || rest.includes("-h")) return print(explained(command));
  switch (command) {
    case "distill": {
      const { parseDistill } = await import("./syntax/options.ts");
      const { runDistill } = await import("./commands/distill.ts");
      return await runDistill(parseDistill(rest));
    }
    case "compare": {
      const { parseCompare } = await import("./syntax/options.ts");
      const { runCompare } = await import("./commands/compare.ts");
      return await runCompare(parseCompare(rest));
    }
    case "evaluate": {
      const { parseEvaluate } = await import("./syntax/options.ts");
      const { runEvaluate } = await import("./commands/evaluate.ts");
      return await runEvaluate(parseEvaluate(rest));
    }
    case "md": {
      const { parseMd } = await import("./syntax/md_options.ts");
      const { runMd } = await import("./commands/md.ts");
      return await runMd(parseMd(rest));
    }
    case "analyze": {
      const { parseAnalyze } = await import("./syntax/analyze_options.ts");
      const { runAnalyze } = await import("./commands/analyze.ts");
      return await runAnalyze(parseAnalyze(rest));
    }
    case "train": {
      const { parseTrain } = await import("./syntax/train_options.ts");
      const { runTrain } = await import("./commands/train.ts");
      return await runTrain(parseTrain(rest));
    }
    case "convert": {
      const { parseConvert } = await import("./syntax/convert_options.ts");
      const { runConvert } = await import("./commands/convert.ts");
      return await runConvert(parseConvert(rest));
    }
    case "jobs": {
      const { parseJobs } = await import("./syntax/jobs_options.ts");
      const { runJobs } = await import("./commands/jobs.ts");
      return await runJobs(parseJobs(rest));
    }
    case "collect": {
      const { parseCollect } = await import("./syntax/jobs_options.ts");
      const { runCollect } = await import("./commands/collect.ts");
      return await runCollect(parseCollect(rest));
    }
    case "scan": {
      const { parseScan } = await import("./syntax/options.ts");
      const { runScan } = await import("./commands/scan.ts");
      return await runScan(parseScan(rest));
    }
    case "features": {
      const { parseFeatures } = await import("./syntax/options.ts");
      const { runFeatures } = await import("./commands/features.ts");
      return await runFeatures(parseFeatures(rest));
    }
    case "model":
      return await (await import("./commands/model.ts")).runModel(rest);
    case "doctor":
      return await (await import("./commands/doctor.ts")).runDoctor(rest);
    case "completions":
      return (await import("./syntax/completions.ts")).runCompletions(rest);
  }
  const names = COMMANDS.map(({ name }) => name).join(", ");
  throw new UsageError(`Cannot run "${command}": expected ${names}`);
}

/** `deno task` runs in the project's folder; paths are meant from where the user is. */
if (process.env.CPD_CWD) process.chdir(process.env.CPD_CWD);

/** `demo`, and the task `distill` without arguments, distil the shipped sample. */
function withSample(args: readonly string[]): readonly string[] {
  const [command, ...rest] = args;
  if (command === "demo" && (rest.includes("--help") || rest.includes("-h"))) return args;
  if (command === "distill-task" && rest.length > 0) return ["distill", ...rest];
  if (command !== "distill-task" && command !== "demo") return args;
  // Ids carry the name of the file; where the user's folders lie is nobody's business.
  const sample = relative(process.cwd(), dataFile("hydrogen-1000K.xyz.gz"));
  const given = (short: string, long: string) =>
    rest.some((arg) => arg.startsWith(short) || arg.split("=")[0] === long);
  const size = given("-n", "--select") ? [] : ["-n", "50"];
  const output = given("-o", "--output") ? [] : ["-o", "cpd-sample", "--force"];
  return ["distill", sample, ...size, ...output, ...rest];
}

watchInterrupts();
process.stdout.on("error", () => process.exit(0)); // the reader of a pipe has gone
process.stderr.on("error", () => {}); // nobody listens; the work goes on
try {
  await run(withSample(process.argv.slice(2)));
  process.exit(process.exitCode ?? 0);
} catch (thrown) {
  const error = describeSystemError(thrown);
  const code = exitCode(error);
  const message = code === 1
    ? `cpd: this is a bug, please report it\n${(error as Error)?.stack ?? error}`
    : `cpd: ${(error as Error).message}`;
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
