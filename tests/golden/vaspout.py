"""Writes small files of the layout of VASP's vaspout.h5, two hydrogen atoms: vaspout.py FOLDER"""
import sys

import h5py
import numpy as np

CELL = np.array([[4, 0, 0], [0.5, 4.5, 0], [0, 0.25, 5]])
RELAX = [b"free energy    TOTEN", b"energy without entropy", b"energy(sigma->0)"]
MD = [b"ion-electron   TOTEN", b"kinetic energy EKIN"]


def steps(n):
    """Positions, forces and stress of the steps that tests/formats/reading.ts has."""
    i = np.arange(1, n + 1)
    zero = np.zeros(n)
    places = [[0.1 * i, zero + 0.2, zero + 0.3], [0.9 + 0.15 * i, zero + 0.25, zero + 0.35]]
    forces = [[zero + 0.5, zero - 0.25, 0.125 * i], [zero - 0.5, zero + 0.25, -0.125 * i]]
    places, forces = np.moveaxis(places, 2, 0), np.moveaxis(forces, 2, 0)
    stress = np.array([[[10 + k, 1, 3], [1, 20, 2], [3, 2, 30]] for k in i], float)
    return i, places, forces, stress


def write(path, n, tags, scale=1.0, torn=0, growing=False, stressed=True, poscar=True):
    i, places, forces, stress = steps(n)
    more = {"maxshape": (None,), "chunks": True} if growing else {}

    def put(group, name, values):
        values = np.asarray(values, float)
        shape = {"maxshape": (None, *values.shape[1:]), "chunks": True} if growing else {}
        group.create_dataset(name, data=values, **shape)

    with h5py.File(path, "w") as file:
        atoms = file.create_group("results/positions")
        atoms["ion_types"] = np.array([b"H "])
        atoms["number_ion_types"] = np.array([2], np.int32)
        atoms["scale"] = scale
        if poscar:
            file["input/poscar/lattice_vectors"] = CELL / scale
        own = file.create_group("intermediate/ion_dynamics")
        put(own, "lattice_vectors", np.tile(CELL / scale, (n, 1, 1)))
        put(own, "position_ions", places @ np.linalg.inv(CELL))
        put(own, "forces", forces[: n - torn])
        put(own, "stress", stress if stressed else 0 * stress)
        energies = [[-6.5 - k, -6.3 - k, -6.4 - k] if len(tags) == 3 else [-6.5 - k, 0.1] for k in i]
        put(own, "energies", energies)
        own["energies_tags"] = np.array(tags)
        if len(tags) == 3:
            file["input/incar/NELM"] = 4
            put(own, "oszicar", [[k] + [0.0] * 6 for step in i for k in range(1, 5 if step == 2 else 4)])
        else:
            own.create_dataset("electronic_step_converged", data=(i == 2).astype(np.int32), **more)


folder = sys.argv[1]
write(f"{folder}/vaspout_relax.h5", 3, RELAX)
write(f"{folder}/vaspout_torn.h5", 3, RELAX, torn=1)
write(f"{folder}/vaspout_md.h5", 3, MD, scale=2.0, growing=True, stressed=False)
write(f"{folder}/vaspout_scale.h5", 1, RELAX, scale=2.0, poscar=False)
