import { ParseError, RequestError } from "../errors.ts";
import { chemicalSymbol, type Frame } from "../frame.ts";

/** A real input of another program, whose structure is replaced. */
export interface JobTemplate {
  readonly code: string;
  /** Shell command that runs a job in its folder. */
  readonly command: string;
  /** File that the command writes, and the text in it that says that it came to its end. */
  readonly output: string;
  readonly done: string;
  /** Text that says that it ended without converging, or null. */
  readonly failed: string | null;
  /** What was changed besides the structure, in sentences. */
  readonly notes: readonly string[];
  /**
   * Files of a job by their names.
   *
   * @param folder of the job, for paths that are relative to the template
   * @throws {RequestError} where the template does not know an element of the frame
   */
  files(frame: Frame, folder: string): ReadonlyMap<string, string>;
}

/** Text of an input without its structure: what all jobs must have in common. */
export type SettingsOf = (folder: string) => string;

/** @throws {RequestError} where a frame has no cell for a program that needs one */
export function requirePeriodic({ id, pbc, cell }: Frame, code: string): void {
  if (pbc.every(Boolean) && cell.some((x) => x !== 0)) return;
  throw new RequestError(
    `Cannot make a job of ${id}: it is not periodic in all directions, and ${code} is`,
  );
}

/** Gives an element the label that a template has for it.
 * @throws {ParseError} where it has another already */
export function addLabel(
  labels: Map<number, string>,
  z: number,
  label: string,
  path: string,
): void {
  const other = labels.get(z);
  if (other) {
    throw new ParseError(
      path,
      `${other} and ${label} are both ${chemicalSymbol(z)}: frames cannot say which`,
    );
  }
  labels.set(z, label);
}

/** Rows of numbers as inputs have them. */
export function rowsOf(values: Float64Array, width = 3): string[] {
  return Array.from(
    { length: values.length / width },
    (_, n) =>
      [...values.subarray(n * width, (n + 1) * width)].map((x) => x.toFixed(10).padStart(16)).join(
        " ",
      ),
  );
}

/**
 * Divisions of a k-mesh that are no coarser in another cell: n' ≥ n |b'| / |b| with the reciprocal vectors b.
 *
 * @param own rows of the template's cell
 * @param other rows of the frame's cell
 */
export function scaledMesh(
  mesh: readonly number[],
  own: Float64Array,
  other: Float64Array,
): number[] {
  const [b, c] = [reciprocalLengths(own), reciprocalLengths(other)];
  return mesh.map((n, k) => Math.max(1, Math.ceil(n * c[k] / b[k] - 1e-3)));
}

function reciprocalLengths(cell: Float64Array): number[] {
  const [a, b, c] = [0, 3, 6].map((at) => cell.subarray(at, at + 3));
  const cross = (u: Float64Array, v: Float64Array) => [
    u[1] * v[2] - u[2] * v[1],
    u[2] * v[0] - u[0] * v[2],
    u[0] * v[1] - u[1] * v[0],
  ];
  const volume = Math.abs(cross(b, c).reduce((sum, x, k) => sum + x * a[k], 0));
  return [cross(b, c), cross(c, a), cross(a, b)].map((v) => Math.hypot(...v) / volume);
}
