import { chemicalSymbol, type Frame } from "../frame.ts";

/** A column of vectors, shape (n_atoms, 3). */
export interface VectorColumn {
  readonly name: string;
  readonly vectors: Float64Array;
}

/**
 * A frame as extended XYZ.
 *
 * @param keys of the comment line, as they are written: `step=3`
 * @param write a number; the shortest that reads back the same if not given
 */
export function extendedXyz(
  { species, positions, cell, pbc }: Pick<Frame, "species" | "positions" | "cell" | "pbc">,
  keys: readonly string[],
  columns: readonly VectorColumn[],
  write: (x: number) => string = String,
): string {
  const names = columns.map(({ name }) => `:${name}:R:3`).join("");
  const hasCell = cell.some((x) => x !== 0);
  const head = [
    ...(hasCell ? [`Lattice="${[...cell].map(write).join(" ")}"`] : []),
    `Properties=species:S:1:pos:R:3${names}`,
    ...keys,
    `pbc="${pbc.map((periodic) => periodic ? "T" : "F").join(" ")}"`,
  ];
  const vectors = [positions, ...columns.map((column) => column.vectors)];
  const rows = Array.from(species, (z, n) => {
    let row = chemicalSymbol(z);
    for (const own of vectors) {
      row += ` ${write(own[3 * n])} ${write(own[3 * n + 1])} ${write(own[3 * n + 2])}`;
    }
    return row;
  });
  return [species.length, head.join(" "), ...rows, ""].join("\n");
}
