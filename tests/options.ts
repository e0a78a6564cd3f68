import type { DistillOptions } from "../src/pipeline.ts";

/** What the command line would pass on for the paper's method, but for the number of frames. */
export const DEFAULTS: Omit<DistillOptions, "select"> = {
  method: "cpd",
  compat: false,
  standardization: "zscore",
  components: { kind: "auto" },
  radius: null,
  objective: "log-variance",
  isolationWeight: 1,
  central: null,
  peripheral: null,
  centralShare: 0.5,
  densityWeight: 1,
  seed: 0n,
};
