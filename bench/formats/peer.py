"""What another program reads of a file, beside what `cpd convert` wrote of it.

    python3 peer.py FILE CONVERTED.xyz [ase format | dpdata:FORMAT | py4vasp]

Prints the number of frames of both, and the largest differences of energies (eV), forces (eV/Å), stress (eV/Å³),
cells and positions (Å) over the frames that both read; "-" where either has none. Places may differ by vectors of the
cell, and by a common origin.
"""
import sys

import numpy as np
import ase.io

path, converted = sys.argv[1:3]
fmt = sys.argv[3] if len(sys.argv) > 3 and sys.argv[3] != "-" else None


def by_dpdata(name):
    import dpdata

    kind = dpdata.System if name.startswith("lammps") else dpdata.LabeledSystem
    return kind(path, fmt=name).to("ase/structure")


def by_py4vasp():
    import py4vasp
    from ase.calculators.singlepoint import SinglePointCalculator

    run = py4vasp.Calculation.from_file(path)
    places, forces, energies = run.structure[:].read(), run.force[:].read(), run.energy[:].read()
    [free] = [np.ravel(value) for key, value in energies.items() if key.split()[-1] == "TOTEN"]
    frames = []
    for i, cell in enumerate(places["lattice_vectors"]):
        atoms = ase.Atoms(places["elements"], scaled_positions=places["positions"][i], cell=cell, pbc=True)
        atoms.calc = SinglePointCalculator(atoms, energy=free[i], forces=forces["forces"][i])
        frames.append(atoms)
    return frames


if fmt == "py4vasp":
    theirs = by_py4vasp()
elif fmt and fmt.startswith("dpdata:"):
    theirs = by_dpdata(fmt[7:])
else:
    theirs = ase.io.read(path, ":", format=fmt)
ours = ase.io.read(converted, ":")


def label(atoms, name):
    key = {"energy": "REF_energy", "stress": "REF_stress", "forces": "REF_forces"}[name]
    if name == "forces":
        return atoms.arrays.get(key)
    value = atoms.info.get(key)
    if value is not None and name == "stress":
        return np.asarray(value).reshape(3, 3)
    return None if value is None else np.asarray(value)


def result(atoms, name):
    results = atoms.calc.results if atoms.calc else {}
    if name == "energy":
        return results.get("free_energy", results.get("energy"))
    if name == "stress" and "stress" in results:
        from ase.stress import voigt_6_to_full_3x3_stress

        stress = np.asarray(results["stress"])
        return stress if stress.size == 9 else voigt_6_to_full_3x3_stress(stress)
    return results.get(name)


labelled = [a for a in ours if "ml" not in a.info]
pairs = list(zip(labelled if len(labelled) == len(theirs) else ours, theirs))
row = [f"{len(ours)}", f"{len(theirs)}"]
for name in ("energy", "forces", "stress"):
    found = [(label(a, name), result(b, name)) for a, b in pairs]
    both = [np.abs(np.asarray(x) - np.asarray(y)).max() for x, y in found if x is not None and y is not None]
    n = [sum(x is not None for x, _ in found), sum(y is not None for _, y in found)]
    row.append(f"{max(both):.1e}" if both else f"- ({n[0]}, {n[1]})")
row.append(f"{max(np.abs(np.asarray(a.cell) - np.asarray(b.cell)).max() for a, b in pairs):.1e}")


def apart(a, b):
    d = a.positions - b.positions
    if a.pbc.all():
        s = np.linalg.solve(a.cell.T, (d - d[0]).T).T
        d = (s - np.round(s)) @ np.asarray(a.cell)
    return np.abs(d).max()


row.append(f"{max(apart(a, b) for a, b in pairs):.1e}")
row.append(str(all((a.numbers == b.numbers).all() for a, b in pairs)))
print(" | ".join([path.split("/")[-1], *row]))
