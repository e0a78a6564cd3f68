"""Velocity Verlet of ASE with the official calculator, one thread: ase_md.py MODEL INPUT.xyz STEPS

Moves the first frame of INPUT from rest by steps of 0.48 fs in float32 and prints seconds per step as JSON. Needs
mace-torch and ase.
"""
import json
import os
import sys
import time

os.environ.setdefault("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
import ase.io  # noqa: E402
import ase.units  # noqa: E402
import torch  # noqa: E402
from ase.md.verlet import VelocityVerlet  # noqa: E402
from mace.calculators import MACECalculator  # noqa: E402

torch.set_num_threads(1)
atoms = ase.io.read(sys.argv[2])
atoms.pbc = True
atoms.calc = MACECalculator(model_paths=sys.argv[1], device="cpu", default_dtype="float32")
dynamics = VelocityVerlet(atoms, 0.48 * ase.units.fs)
dynamics.run(2)
steps = int(sys.argv[3])
start = time.perf_counter()
dynamics.run(steps)
print(json.dumps({"seconds": (time.perf_counter() - start) / steps}))
