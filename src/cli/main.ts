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

/** Every command loads what it needs when it is asked for: starting is part of the time. */
const RUN: Readonly<Record<string, (rest: readonly string[]) => Promise<void>>> = {
  async distill(rest) {
    const { parseDistill } = await import("./syntax/options.ts");
    const { runDistill } = await import("./commands/distill.ts");
    await runDistill(parseDistill(rest));
  },
  async compare(rest) {
    const { parseCompare } = await import("./syntax/options.ts");
    const { runCompare } = await import("./commands/compare.ts");
    await runCompare(parseCompare(rest));
  },
  async train(rest) {
    const { parseTrain } = await import("./syntax/train_options.ts");
    const { runTrain } = await import("./commands/train.ts");
    await runTrain(parseTrain(rest));
  },
  async evaluate(rest) {
    const { parseEvaluate } = await import("./syntax/options.ts");
    const { runEvaluate } = await import("./commands/evaluate.ts");
    await runEvaluate(parseEvaluate(rest));
  },
  async md(rest) {
    const { parseMd } = await import("./syntax/md_options.ts");
    const { runMd } = await import("./commands/md.ts");
    await runMd(parseMd(rest));
  },
  async analyze(rest) {
    const { parseAnalyze } = await import("./syntax/analyze_options.ts");
    const { runAnalyze } = await import("./commands/analyze.ts");
    await runAnalyze(parseAnalyze(rest));
  },
  async scan(rest) {
    const { parseScan } = await import("./syntax/options.ts");
    const { runScan } = await import("./commands/scan.ts");
    await runScan(parseScan(rest));
  },
  async convert(rest) {
    const { parseConvert } = await import("./syntax/convert_options.ts");
    const { runConvert } = await import("./commands/convert.ts");
    await runConvert(parseConvert(rest));
  },
  async jobs(rest) {
    const { parseJobs } = await import("./syntax/jobs_options.ts");
    const { runJobs } = await import("./commands/jobs.ts");
    await runJobs(parseJobs(rest));
  },
  async collect(rest) {
    const { parseCollect } = await import("./syntax/jobs_options.ts");
    const { runCollect } = await import("./commands/collect.ts");
    await runCollect(parseCollect(rest));
  },
  async features(rest) {
    const { parseFeatures } = await import("./syntax/options.ts");
    const { runFeatures } = await import("./commands/features.ts");
    await runFeatures(parseFeatures(rest));
  },
  model: async (rest) => await (await import("./commands/model.ts")).runModel(rest),
  doctor: async (rest) => await (await import("./commands/doctor.ts")).runDoctor(rest),
  completions: async (rest) => (await import("./syntax/completions.ts")).runCompletions(rest),
};

async function run(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  if (command === "--version") return print(VERSION);
  if (command === undefined || command === "--help" || command === "-h" || command === "help") {
    return print(explained(rest[0] ?? null));
  }
  if (rest.includes("--help") || rest.includes("-h")) return print(explained(command));
  if (Object.hasOwn(RUN, command)) return await RUN[command](rest);
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
