/** Acceleration of a force: eV/Å and u give so many Å/fs² (CODATA 2018). */
export const ACCELERATION = 0.00964853321233;

/** Boltzmann's constant, eV/K (exact). */
export const BOLTZMANN = 8.617333262e-5;
