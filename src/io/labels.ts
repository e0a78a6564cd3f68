/**
 * Names under which labels are commonly written, in the order they are looked for: MACE's first, then
 * the free energy, which forces of smeared electrons are consistent with, then the rest.
 */
export const ENERGY_KEYS = [
  "REF_energy",
  "free_energy",
  "energy",
  "dft_energy",
  "DFT_energy",
  "Energy",
  "energies",
  "TotEnergy",
] as const;

/** Columns of forces, eV/Å. */
export const FORCE_COLUMNS = ["REF_forces", "forces", "force", "dft_forces", "DFT_forces"] as const;

/** Keys of the stress, eV/Å³, tension positive (ASE). */
export const STRESS_KEYS = ["REF_stress", "stress", "dft_stress", "DFT_stress"] as const;

/** Keys of the virial, eV: -volume · stress. */
export const VIRIAL_KEYS = ["REF_virials", "virial", "virials", "dft_virial"] as const;

/** The first of the names that every frame has, or null. */
export function commonKey(
  names: readonly string[],
  frames: readonly { readonly values: Readonly<Record<string, string>> }[],
): string | null {
  return names.find((name) => frames.every(({ values }) => name in values)) ?? null;
}
