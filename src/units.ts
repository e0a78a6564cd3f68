/**
 * Physical constants and unit factors. Lengths are Å, energies eV, temperatures K.
 * Values are rounded as in MACE.
 */

/** e²/(4πε0) in eV·Å, rounded as in MACE's pair repulsion. */
export const COULOMB = 14.3996;

/** Bohr radius in Å, rounded as in MACE's pair repulsion. */
export const ZBL_BOHR = 0.529;

/** Exponents of the universal screening function (Ziegler, Biersack, Littmark 1985), per screening length. */
export const ZBL_EXPONENTS = [3.2, 0.9423, 0.4028, 0.2016] as const;

/** One eV/Å³ in GPa (CODATA 2018). */
export const GPA = 160.2176634;

/** One hartree in eV (CODATA 2018). */
export const HARTREE = 27.211386245988;

/** One Bohr radius in Å (CODATA 2018). */
export const BOHR = 0.529177210903;

/** One kcal/mol (thermochemical) in eV. */
export const KCAL_PER_MOL = 0.0433641153087705;

/** One kJ/mol in eV. */
export const KJ_PER_MOL = 0.0103642696562621;

/** One u/Å³ in g/cm³ (CODATA 2018). */
export const DALTON_PER_CUBIC_ANGSTROM = 1.66053906660;

/** Acceleration of a force: eV/Å and u give so many Å/fs² (CODATA 2018). */
export const ACCELERATION = 0.00964853321233;

/** Boltzmann's constant, eV/K (exact). */
export const BOLTZMANN = 8.617333262e-5;
