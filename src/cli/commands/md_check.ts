import process from "node:process";
import type { Backend } from "../../backend.ts";
import {
  canonicalChecks,
  type Check,
  type CheckOptions,
  driftChecks,
  reversibilityCheck,
  scalingCheck,
  virialCheck,
} from "../../dynamics/check.ts";
import { frameOf, type Replica, stepTogether } from "../../dynamics/replica.ts";
import { InterruptedError } from "../../errors.ts";
import { NO_KEYS } from "../../io/inputs.ts";
import { openPotential } from "../../potential.ts";
import { textTable } from "../../report/text_table.ts";
import { loadPool, openModel } from "../input/load_pool.ts";
import { readStart, replicasOf } from "../input/md_start.ts";
import { isInterrupted } from "../interrupt.ts";
import { openBackendOnCpu } from "../open_backend.ts";
import { jsonText } from "../output/json_text.ts";
import { Console } from "../output/output.ts";
import type { MdCommand } from "../syntax/md_options.ts";

/** Exit code where a check does not hold. */
const FAILED = 6;

/** `cpd md --check`: whether dynamics with a potential are those of physics; writes nothing. */
export async function runMdCheck(command: MdCommand): Promise<void> {
  const console = new Console(command.quiet);
  const { start: input, strict, species, output } = command;
  const pool = await loadPool([input], { keys: NO_KEYS, strict, species, output }, console);
  let backend: Backend | null = null;
  try {
    const start = await readStart(command, pool, console);
    const opened = openModel({ model: command.model, layers: null }, pool, console);
    backend = await openBackendOnCpu(command, "moves", console);
    const { elements } = pool;
    const potential = await openPotential(opened.model, backend, { elements, head: command.head });
    const predict = (frames: Parameters<typeof potential.predict>[0]) => {
      if (isInterrupted()) throw new InterruptedError("Interrupted");
      return potential.predict(frames);
    };
    const [{ state, stream }] = replicasOf(command, start);
    const [prediction] = await predict([frameOf(state, "start")]);
    const checks = await checksOf(
      { state, prediction, heat: 0, stream },
      command,
      predict,
      console,
    );
    await potential.close();
    process.stdout.write(
      command.json ? jsonText({ checks }) : formatChecks(checks),
    );
    if (checks.some(({ passed }) => !passed)) process.exitCode = FAILED;
  } finally {
    await backend?.close();
    await pool.dispose();
  }
}

/** Lets the start forget where it came from, then checks. */
async function checksOf(
  start: Replica,
  command: MdCommand,
  predict: Parameters<typeof stepTogether>[2],
  console: Console,
): Promise<Check[]> {
  const { timestep: dt, tau, steps, seed } = command;
  const temperature = command.temperature!;
  const options: CheckOptions = { dt, temperature, tau, steps, seed };
  const motion = { dt, thermostat: { temperature, tau }, seed: seed + 1n };
  console.say(
    `Checks: ${Math.ceil(steps / 4)} steps to settle, then 2 x ${steps} and some 400 more`,
  );
  for (let step = 0; step < steps / 4; step++) await stepTogether([start], motion, predict);
  const periodic = start.state.pbc.every((flag) => flag);
  return [
    ...await driftChecks(start, options, predict),
    await scalingCheck(start, options, predict),
    await reversibilityCheck(start, options, predict),
    ...await canonicalChecks(start, options, predict),
    ...(periodic ? [await virialCheck(start, predict)] : []),
  ];
}

function formatChecks(checks: readonly Check[]): string {
  const rows = checks.map(({ name, found, bar, passed }) => [
    ...[name, found, bar, passed ? "holds" : "does not hold"],
  ]);
  return [...textTable([["", "found", "expected", ""], ...rows]), ""].join("\n");
}
