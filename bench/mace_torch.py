"""The official PyTorch MACE, one thread: mace_torch.py R_MAX MODEL INPUT.xyz OUTPUT.npy FORCES.npy

Builds the medium foundation architecture for hydrogen with random weights, saves it as MODEL, and
times the descriptors of the frame in INPUT in float32 without gradients, then its energy and forces;
needs mace-torch and ase.
"""
import json
import sys
import time

import ase.io
import e3nn
import mace
import numpy as np
import torch
from ase.neighborlist import primitive_neighbor_list
from e3nn import o3
from mace.modules import interaction_classes
from mace.modules.models import ScaleShiftMACE

r_max, model_path, source, target, forces_target = float(sys.argv[1]), *sys.argv[2:6]
torch.set_num_threads(1)
torch.manual_seed(1)
torch.set_default_dtype(torch.float32)
model = ScaleShiftMACE(
    r_max=r_max, num_bessel=10, num_polynomial_cutoff=5, max_ell=3,
    interaction_cls_first=interaction_classes["RealAgnosticDensityInteractionBlock"],
    interaction_cls=interaction_classes["RealAgnosticDensityResidualInteractionBlock"],
    num_interactions=2, num_elements=1, hidden_irreps=o3.Irreps("128x0e + 128x1o"),
    MLP_irreps=o3.Irreps("16x0e"), gate=torch.nn.functional.silu, atomic_energies=np.zeros(1),
    avg_num_neighbors=60.0, atomic_numbers=[1], correlation=3, distance_transform="Agnesi",
    radial_MLP=[64, 64, 64], atomic_inter_scale=1.0, atomic_inter_shift=0.0,
)
torch.save(model, model_path)

atoms = ase.io.read(source)
receiver_first = primitive_neighbor_list("ijS", atoms.pbc, atoms.cell[:], atoms.positions, r_max)
i, j, shift = receiver_first
n = len(atoms)
data = {
    "positions": torch.tensor(atoms.positions, dtype=torch.float32),
    "cell": torch.tensor(atoms.cell[:], dtype=torch.float32),
    "unit_shifts": torch.tensor(shift, dtype=torch.float32),
    "shifts": torch.tensor(shift @ atoms.cell[:], dtype=torch.float32),
    "edge_index": torch.tensor(np.stack([i, j])),
    "node_attrs": torch.ones((n, 1)),
    "batch": torch.zeros(n, dtype=torch.long),
    "ptr": torch.tensor([0, n]),
}
seconds = []
with torch.no_grad():
    for repeat in range(4):
        start = time.perf_counter()
        features = model({**data}, compute_force=False)["node_feats"]
        if repeat > 0:
            seconds.append(time.perf_counter() - start)
seconds_forces = []
for repeat in range(4):
    start = time.perf_counter()
    forces = model({**data}, compute_force=True)["forces"]
    if repeat > 0:
        seconds_forces.append(time.perf_counter() - start)
np.save(forces_target, forces.detach().numpy().astype(float))
# 128x0e + 128x1o of the first layer, 128x0e of the second.
np.save(target, torch.cat([features[:, :128], features[:, 512:]], 1).numpy().astype(float))
print(json.dumps({
    "name": f"mace {mace.__version__}, e3nn {e3nn.__version__}, torch {torch.__version__}",
    "seconds": seconds,
    "seconds_forces": seconds_forces,
    "n_edges": len(i),
}))
