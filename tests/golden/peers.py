"""Records what ASE makes of files that it reads otherwise than they are meant: peers.py > peers.json"""
import json
import os

import ase
from ase.io import read

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
dump = read(os.path.join(folder, "types.dump"), format="lammps-dump-text")
capitals = read(os.path.join(folder, "capitals.xyz"))
print(json.dumps({
    "made_by": f"ase {ase.__version__}",
    "types.dump": {"symbols": str(dump.symbols)},
    "capitals.xyz": {
        "results": sorted(capitals.calc.results) if capitals.calc else [],
        "info": sorted(capitals.info),
        "arrays": sorted(set(capitals.arrays) - {"numbers", "positions"}),
    },
}, indent=1))
