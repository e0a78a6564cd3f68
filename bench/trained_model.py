"""Reads a `model.model` that `cpd train` wrote with the official code, unchanged, and holds its energies and forces
against those that `cpd evaluate` wrote for the same model.

    cpd train data/hydrogen-1000K-labelled.xyz.gz --model START.model -o tuned --epochs 2 --e0s average
    cpd evaluate data/hydrogen-1000K-labelled.xyz.gz --model tuned/model.model -o evaluated --backend reference
    python bench/trained_model.py tuned/model.model evaluated/evaluate.xyz

mace-torch and ASE are installed by hand: pip install mace-torch.
"""

import sys

import ase.io
import numpy as np
import torch
from mace.calculators import MACECalculator

model, frames = sys.argv[1:3]
dtype = str(next(torch.load(model, weights_only=False, map_location="cpu").parameters()).dtype)
calculator = MACECalculator(model_paths=model, device="cpu", default_dtype="float64")
energies, forces, sizes = [], [], []
for atoms in ase.io.read(frames, ":8", format="extxyz"):
    # ASE may take the columns of a model for results of its own.
    found = atoms.arrays.get("MACE_forces")
    energy = atoms.info.get("MACE_energy")
    atoms.calc = calculator
    energies.append(atoms.get_potential_energy() - energy)
    forces.append(np.abs(atoms.get_forces() - found).max())
    sizes.append(np.abs(found).max())
print(f"{model}: {dtype}, {len(energies)} frames")
print(f"largest difference of energies {np.abs(energies).max():.1e} eV")
print(f"largest difference of forces {max(forces):.1e} eV/A of {max(sizes):.1f}")
