import process from "node:process";
import { exitCode, UsageError } from "../errors.ts";
import { helpText } from "./help.ts";
import { watchInterrupts } from "./interrupt.ts";
import { VERSION } from "./version.ts";

async function run(args: readonly string[]): Promise<void> {
  const [command, ...rest] = args;
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  if (command === "--version") return print(VERSION);
  if (command === undefined || command === "--help" || command === "-h" || command === "help") {
    return print(helpText(rest[0] ?? null));
  }
  if (rest.includes("--help") || rest.includes("-h")) return print(helpText(command));
  switch (command) {
    case "distill": {
      const { parseDistill } = await import("./options.ts");
      const { runDistill } = await import("./distill.ts");
      return await runDistill(parseDistill(rest));
    }
    case "features": {
      const { parseFeatures } = await import("./options.ts");
      const { runFeatures } = await import("./features.ts");
      return await runFeatures(parseFeatures(rest));
    }
    case "model":
      return (await import("./model.ts")).runModel(rest);
    case "doctor":
      return await (await import("./doctor.ts")).runDoctor(rest);
  }
  throw new UsageError(`Cannot run "${command}": expected distill, features, model or doctor`);
}

watchInterrupts();
try {
  await run(process.argv.slice(2));
  process.exit(process.exitCode ?? 0);
} catch (error) {
  const code = exitCode(error);
  const message = code === 1
    ? `cpd: this is a bug, please report it\n${(error as Error)?.stack ?? error}`
    : `cpd: ${(error as Error).message}`;
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
