/** Inputs and frames that jobs are made of. */

export const PW = `&CONTROL
  calculation = 'scf', prefix = 'h', pseudo_dir = './pseudo', outdir = './tmp'
/
&SYSTEM
  ibrav = 1, A = 3.0, nat = 2, ntyp = 1
  ecutwfc = 20, occupations = 'smearing', smearing = 'fermi-dirac', degauss = 0.00633 ! 1000 K
/
&ELECTRONS
  conv_thr = 1.0d-6
/
ATOMIC_SPECIES
H 1.008 H.UPF
ATOMIC_POSITIONS angstrom
H 0 0 0
H 0 0 0.74
K_POINTS automatic
2 2 2 0 0 0
`;

/** Two atoms in cubes of growing width. */
export function pool(n: number): string {
  return Array.from({ length: n }, (_, i) => {
    const side = 2.6 + 0.2 * i;
    return `2\nLattice="${side} 0 0 0 ${side} 0 0 0 ${side}" Properties=species:S:1:pos:R:3 rs=1.${i} pbc="T T T"\n` +
      `H 0.1 0.2 0.3\nH 0.1 0.2 ${1 + 0.05 * i}\n`;
  }).join("");
}
