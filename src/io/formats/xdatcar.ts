import { ParseError } from "../../errors.ts";
import { atomicNumber, cellVolume } from "../../frame.ts";
import { cartesian, type FrameRecord, type Note } from "./frame_record.ts";
import { isNumeric, type Lines, numbersOf } from "./lines.ts";

const CONFIGURATION = /^\s*direct configuration\s*=/i;

export function isXdatcar(head: string): boolean {
  const lines = head.split("\n", 9);
  const numbers = lines.slice(1, 5).map(numbersOf);
  return numbers.length === 4 && numbers[0].length === 1 &&
    numbers.slice(1).every((row) => row.length === 3 && row.every(Number.isFinite)) &&
    lines.slice(5).some((line) => CONFIGURATION.test(line));
}

/** What stands before the configurations, and again where the cell has changed. */
interface Header {
  readonly cell: Float64Array;
  readonly species: Uint8Array;
}

/**
 * Configurations of a VASP XDATCAR: places alone, without labels. A negative scale is the cell's volume.
 *
 * @throws {ParseError} if the elements are not named
 */
export async function* readXdatcar(
  lines: Lines,
  file: string,
  note: Note,
): AsyncGenerator<FrameRecord> {
  let header: Header | null = null;
  let before: string[] = [];
  for (;;) {
    const line = lines.take() ?? await lines.more();
    if (line === null) return;
    if (!CONFIGURATION.test(line)) {
      before.push(line);
      continue;
    }
    if (before.length >= 7) header = headerOf(before.slice(-7), `${file}:${lines.number - 7}`);
    else if (header === null) {
      throw new ParseError(`${file}:${lines.number}`, "no cell stands before it");
    }
    before = [];
    const { cell, species } = header;
    const rows = (await lines.rows(species.length, isNumeric))
      .map((row) => numbersOf(row).slice(0, 3));
    if (rows.length < species.length || rows.some((row) => row.length < 3)) {
      note(`a configuration is cut short at line ${lines.number} and left out`, true);
      continue;
    }
    yield {
      ...{ species, cell, positions: cartesian(rows.flat(), cell), pbc: [true, true, true] },
      ...{ energy: null, forces: null, stress: null },
      info: [["step", Number(/=\s*(\d+)/.exec(line)?.[1] ?? 0)]],
    };
  }
}

function headerOf([, scale, a, b, c, names, numbers]: readonly string[], where: string): Header {
  const vectors = Float64Array.from([a, b, c].flatMap((row) => numbersOf(row).slice(0, 3)));
  const [given] = numbersOf(scale);
  const factor = given < 0 ? Math.cbrt(-given / cellVolume(vectors)) : given;
  const symbols = names.trim().split(/\s+/).map((name) => name.replace(/[/_].*$/, ""));
  const counts = numbersOf(numbers);
  const bad = symbols.find((symbol) => atomicNumber(symbol) === 0);
  if (bad !== undefined || symbols.length !== counts.length) {
    throw new ParseError(
      where,
      `it does not name its elements: "${names.trim()}" for ${counts.join(" ")} atoms`,
    );
  }
  return {
    cell: vectors.map((x) => factor * x),
    species: Uint8Array.from(
      counts.flatMap((n, i) => new Array<number>(n).fill(atomicNumber(symbols[i]))),
    ),
  };
}
