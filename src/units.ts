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
