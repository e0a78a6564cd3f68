/**
 * Every error a user can cause, one class per exit code of the command line.
 * Messages read: `Cannot <action>: <current state>, expected <wanted state>; <what to do>`.
 */

/** A wrong flag or argument (exit code 2). */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Input data that cannot be read (exit code 3). `where` is `file:line`, a frame id or a file. */
export class ParseError extends SyntaxError {
  override name = "ParseError";
  constructor(readonly where: string, problem: string) {
    super(`${where}: ${problem}`);
  }
}

/** A request that cannot be met, such as more frames than there are (exit code 4). */
export class RequestError extends RangeError {
  override name = "RequestError";
}

/** A checkpoint or weights file that cannot be used (exit code 5). */
export class WeightsError extends RangeError {
  override name = "WeightsError";
}

/** No usable GPU: no adapter, a null or software adapter, a failed self-test (exit code 5). */
export class GpuUnavailableError extends Error {
  override name = "GpuUnavailableError";
}

/** A shader or pipeline that the driver rejected (exit code 5). */
export class ShaderError extends Error {
  override name = "ShaderError";
}

/** The user interrupted the run (exit code 130). */
export class InterruptedError extends Error {
  override name = "InterruptedError";
}

/** What the file system refuses, in words. */
const REFUSALS: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left on the device",
  EDQUOT: "the disk quota is exceeded",
  EFBIG: "the file would be larger than is allowed",
  EIO: "the device fails",
  ENOENT: "no such folder",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "it is a folder",
  EEXIST: "something that is not a folder is there",
};

/** A refusal of the file system as a `UsageError`; any other error as it is. */
export function describeSystemError(error: unknown): unknown {
  const { code, path } = error as { code?: unknown; path?: unknown };
  const reason = typeof code === "string" ? REFUSALS[code] : undefined;
  if (!reason) return error;
  // What is written beside its place until it is whole.
  const place = typeof path === "string" ? `"${path.replace(/\.partial-\d+/, "")}"` : "a file";
  return new UsageError(`Cannot write or read ${place}: ${reason}`);
}

/** Exit code of an error, or 1 for anything that is a bug. */
export function exitCode(error: unknown): number {
  if (error instanceof UsageError) return 2;
  if (error instanceof ParseError) return 3;
  if (error instanceof RequestError) return 4;
  if (
    error instanceof WeightsError || error instanceof GpuUnavailableError ||
    error instanceof ShaderError
  ) return 5;
  if (error instanceof InterruptedError) return 130;
  return 1;
}
