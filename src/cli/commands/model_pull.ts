import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { isArchive } from "../../checkpoint/archive.ts";
import { KNOWN_MODELS } from "../../checkpoint/known_models.ts";
import { InterruptedError, UsageError, WeightsError } from "../../errors.ts";
import { isInterrupted } from "../interrupt.ts";
import { modelFolder } from "../input/model_store.ts";
import { modelFlags } from "../syntax/option_values.ts";
import { Console } from "../output/output.ts";

/** A download that says nothing for this long has failed, milliseconds. */
const SILENCE = 60_000;

/** `cpd model pull NAME`: the only command that uses a network. */
export async function runPull(args: readonly string[]): Promise<void> {
  const { values, positionals } = modelFlags(
    args,
    "accept-license",
    "sha256",
    "url",
    "force",
    "quiet",
  );
  const names = KNOWN_MODELS.map(({ name }) => name).join(", ");
  if (positionals.length !== 1) {
    throw new UsageError(`Cannot pull ${positionals.length} models: expected one of ${names}`);
  }
  const model = KNOWN_MODELS.find(({ name }) => name === positionals[0]);
  if (!model) throw new UsageError(`Cannot pull "${positionals[0]}": expected one of ${names}`);
  if (process.env.CPD_OFFLINE === "1") {
    throw new UsageError(`Cannot pull "${model.name}": CPD_OFFLINE=1 forbids the network`);
  }
  if (model.license !== "MIT" && values["accept-license"] !== model.license) {
    throw new UsageError(
      `Cannot pull "${model.name}": it is under the Academic Software License, which excludes ` +
        "commercial use (https://github.com/gabor1/ASL); give --accept-license ASL if you accept it",
    );
  }
  const wanted = (values.sha256 as string | undefined)?.toLowerCase() ?? model.sha256;
  if (wanted && !/^[0-9a-f]{64}$/.test(wanted)) {
    throw new UsageError(`Cannot use --sha256 "${wanted}": expected 64 hexadecimal digits`);
  }
  const path = join(modelFolder(), `${model.name}.model`);
  if (existsSync(path) && !values.force) {
    throw new UsageError(`Cannot write "${path}": it exists; use --force to download it again`);
  }
  const console = new Console(values.quiet === true);
  const url = (values.url as string | undefined) ?? model.url;
  console.say(`From ${url} (licence ${model.license})`);
  const { sha256, bytes } = await download(url, path, {
    name: model.name,
    sha256: wanted,
    bytes: values.url === undefined ? model.bytes : null,
  }, console);
  console.say(`Wrote ${path}, ${bytes} bytes`);
  const verdict = wanted
    ? "as expected"
    : "no checksum is published to hold it against; note it down";
  console.say(`sha256 ${sha256} (${verdict})`);
  process.stdout.write(`${path}\n`);
}

interface Expected {
  readonly name: string;
  readonly sha256: string | null;
  readonly bytes: number | null;
}

/** Downloads beside the target and moves it there when it is known to be whole. */
async function download(url: string, path: string, expected: Expected, console: Console) {
  const fail = (problem: string) =>
    new WeightsError(`Cannot pull "${expected.name}": ${problem}; nothing was kept`);
  mkdirSync(modelFolder(), { recursive: true });
  const part = `${path}.part`;
  const file = openSync(part, "w");
  let [kept, open] = [false, true];
  try {
    const { sha256, bytes, start } = await receive(url, file, fail, console);
    closeSync(file);
    open = false;
    if (expected.bytes !== null && bytes !== expected.bytes) {
      throw fail(`the file has ${bytes} bytes, expected ${expected.bytes}`);
    }
    if (!isArchive(start)) throw fail("what came is not a torch checkpoint");
    if (expected.sha256 && sha256 !== expected.sha256) {
      throw fail(`its sha256 is ${sha256}, expected ${expected.sha256}`);
    }
    renameSync(part, path);
    kept = true;
    return { sha256, bytes };
  } finally {
    if (open) closeSync(file);
    if (!kept) rmSync(part, { force: true });
  }
}

/** Streams an address into a file. */
async function receive(
  url: string,
  file: number,
  fail: (problem: string) => WeightsError,
  console: Console,
) {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), SILENCE);
  const hash = createHash("sha256");
  let [bytes, start] = [0, new Uint8Array(0)];
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok) throw fail(`the server answers ${response.status} ${response.statusText}`);
    if (/text\/html/i.test(response.headers.get("content-type") ?? "")) {
      throw fail("the server answers with a web page instead of a file");
    }
    const length = Number(response.headers.get("content-length") ?? NaN);
    const progress = console.progress("Download", Math.round(length / 1e6) || 1, "MB");
    for await (const chunk of response.body!) {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), SILENCE);
      if (isInterrupted()) throw new InterruptedError("Interrupted; nothing was kept");
      if (bytes === 0) start = chunk.slice(0, 64);
      writeSync(file, chunk);
      hash.update(chunk);
      bytes += chunk.length;
      if (Number.isFinite(length)) progress(Math.round(bytes / 1e6));
    }
    if (Number.isFinite(length) && bytes !== length) {
      throw fail(`the connection broke after ${bytes} of ${length} bytes`);
    }
  } catch (error) {
    if (error instanceof WeightsError || error instanceof InterruptedError) throw error;
    const reason = abort.signal.aborted
      ? "the server says nothing"
      : (error as Error).cause instanceof Error
      ? ((error as Error).cause as Error).message
      : (error as Error).message;
    throw fail(`${reason.split("\n")[0]} (is there a network?)`);
  } finally {
    clearTimeout(timer);
  }
  return { sha256: hash.digest("hex"), bytes, start };
}
