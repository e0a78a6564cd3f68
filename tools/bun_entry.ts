/** Entry of the Bun executable: its files are embedded, and the program is told where they are. */
import sample from "../data/hydrogen-1000K.xyz.gz" with { type: "file" };
import weights from "../data/hydrogen-small.safetensors" with { type: "file" };

globalThis.cpdFiles = {
  "hydrogen-1000K.xyz.gz": sample,
  "hydrogen-small.safetensors": weights,
  // Entry points lie under their paths in the project.
  "thread.ts": "./src/cpu/thread.ts",
};
await import("../src/cli/main.ts");
