/** One frame of `reference/forces/*.json`, by the official code in float64. */
export interface ForceCase {
  readonly name: string;
  readonly pbc: [boolean, boolean, boolean];
  readonly cell: number[][] | null;
  readonly numbers: number[];
  readonly positions: number[][];
  readonly n_edges: number;
  readonly energy: number;
  readonly node_energies: number[];
  readonly forces: number[][];
  readonly virial: number[][];
}

/** The models of these files and the folders where their checkpoints lie. */
export const FORCE_MODELS: Readonly<Record<string, string>> = {
  "density_L0_c16": "reference/mace",
  "density_c16": "reference/mace",
  "hhe-pbe": "models",
  "hhe-vdwdf": "models",
  "hydrogen-small": "demo",
  "mace02_com1_swa": "reference/mace_official",
  "mace_benchmark_maxL1_corr3_swa": "reference/mace_official",
};
