"""Records what ASE and mace-torch read of a selected.xyz: selected_labels.py selected_labels.xyz > selected_labels.json"""
import json
import sys

import ase
import mace
from ase.io import read
from mace.data.utils import KeySpecification, load_from_xyz, update_keyspec_from_kwargs
from mace.tools import DefaultKeys

keys = update_keyspec_from_kwargs(KeySpecification(), DefaultKeys.keydict())
_, configurations = load_from_xyz(sys.argv[1], keys, keep_isolated_atoms=True)
by_mace = [
    {
        "numbers": c.atomic_numbers.tolist(),
        "positions": c.positions.ravel().tolist(),
        "cell": c.cell.ravel().tolist(),
        "pbc": list(map(bool, c.pbc)),
        "energy": float(c.properties["energy"]),
        "forces": c.properties["forces"].ravel().tolist(),
        "stress": None if c.properties["stress"] is None else c.properties["stress"].ravel().tolist(),
        "weights": {name: c.property_weights[name] for name in ["energy", "forces", "stress"]},
    }
    for c in configurations
]
by_ase = [
    {
        "formula": str(atoms.symbols),
        "energy": atoms.info["REF_energy"],
        "forces": atoms.arrays["REF_forces"].ravel().tolist(),
        "stress": atoms.info["REF_stress"].ravel().tolist() if "REF_stress" in atoms.info else None,
    }
    for atoms in read(sys.argv[1], ":")
]
made_by = f"ase {ase.__version__}, mace-torch {mace.__version__}"
print(json.dumps({"made_by": made_by, "mace": by_mace, "ase": by_ase}, indent=1))
