import type { ParityPoints } from "../evaluate/parity.ts";
import type { Suspect } from "../evaluate/suspects.ts";
import type { Epoch } from "../train/fit.ts";
import { parityFigures } from "./evaluation.ts";
import { COLORS, curve, figure, mark, rangeOf } from "./figure.ts";
import { type Captioned, drawn, list, plainPage, table } from "./plain_page.ts";

/** Figures of a training by the name of their file: losses and errors against epochs.
 * @param best epoch that was kept */
export function lossFigures(
  epochs: readonly Epoch[],
  best: number,
): { name: string; figure: Captioned }[] {
  const draw = (
    name: string,
    caption: string,
    label: string,
    series: readonly (readonly [string, (epoch: Epoch) => number])[],
  ) => {
    const lines = series.map(([title, of]) =>
      [title, epochs.map((row) => [row.epoch, of(row)] as const).filter(([, y]) => y > 0)] as const
    ).filter(([, points]) => points.length > 0);
    if (lines.length === 0) return [];
    const values = lines.flatMap(([, points]) => points.map(([, y]) => y));
    const domain = [Math.min(...values) / 1.1, 1.1 * Math.max(...values)] as const;
    const axes = {
      title: caption,
      x: { label: "epoch", domain: rangeOf(epochs.map(({ epoch }) => epoch)) },
      y: { label, domain, log: true },
      legend: lines.map(([title], i) => ({ name: title, color: COLORS[i] })),
    };
    const svg = figure(axes, (x, y) => [
      mark(best, "kept", x, y, domain),
      ...lines.map(([, points], i) => curve(points, x, y, COLORS[i])),
    ]);
    return [{ name, figure: [caption, svg] as const }];
  };
  const both = (key: keyof Epoch["train"]) =>
    [
      ["training", ({ train }: Epoch) => 1000 * train[key]],
      ["validation", ({ valid }: Epoch) => 1000 * valid[key]],
    ] as const;
  return [
    ...draw("loss", "Loss against epochs; the validation's is per frame, as mace has it", "loss", [
      ["training", ({ loss }) => loss],
      ["validation", ({ validLoss }) => validLoss],
    ]),
    ...draw("energy", "Errors of energies against epochs", "RMSE, meV/atom", both("energy")),
    ...draw("forces", "Errors of forces against epochs", "RMSE, meV/Å", both("forces")),
    ...draw("stress", "Errors of stresses against epochs", "RMSE, meV/Å³", both("stress")),
  ];
}

type Parities = Readonly<Record<"energy" | "forces" | "stress", ParityPoints>>;

/** Parity on the validation frames, before and after. */
export function beforeAndAfter(
  before: Parities,
  after: Parities,
): { name: string; figure: Captioned }[] {
  const named = (parities: Parities, when: string) =>
    parityFigures(parities).map(({ name, figure: [caption, svg] }) => ({
      name: `${name}_${when}`,
      figure: [`${caption}, ${when} training`, svg] as const,
    }));
  const [first, last] = [named(before, "before"), named(after, "after")];
  return first.flatMap((own, i) => [own, ...last.slice(i, i + 1)]);
}

/** A training for people: one page without scripts or outside resources. */
export function trainingPage(
  facts: readonly (readonly [string, string])[],
  errors: readonly (readonly string[])[],
  found: readonly Suspect[],
  notes: readonly string[],
  figures: readonly Captioned[],
): string {
  const rows = found.map(({ quantity, frame, error, cause }) => [
    ...[quantity, frame, error, cause ?? "none found in the file"],
  ]);
  return plainPage("A model in training", [
    ...(notes.length > 0 ? [list(notes)] : []),
    table(errors),
    "<p>Root-mean-square errors on the validation frames: E in meV/atom, F in meV/Å, S in meV/Å³.</p>",
    `<div class="panels">${figures.map(drawn).join("\n")}</div>`,
    ...(rows.length > 0
      ? [
        "<h2>Labels that look wrong</h2>",
        table([["", "frame", "error", "probable cause"], ...rows]),
      ]
      : []),
    "<h2>Recipe</h2>",
    table([["", ""], ...facts]),
  ]);
}
