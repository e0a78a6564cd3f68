"""A training step of the official code, one thread: mace_train.py MODEL INPUT.xyz [FLOAT]

Loads MODEL as it is, or with "medium:R_MAX" builds the medium foundation architecture for hydrogen with random
weights, and times what mace_run_train does for one batch that holds every frame of INPUT: loss of energies and
forces, gradient, clipping, Adam. Prints seconds per step, edges, and the resident memory as JSON. Needs mace-torch
and ase.
"""
import json
import os
import resource
import sys
import time

import ase.io
import numpy as np
os.environ.setdefault("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
import torch  # noqa: E402
from e3nn import o3
from mace import data
from mace.modules import interaction_classes
from mace.modules.loss import WeightedEnergyForcesLoss
from mace.modules.models import ScaleShiftMACE
from mace.tools import AtomicNumberTable, torch_geometric

name, source = sys.argv[1:3]
dtype = torch.float64 if sys.argv[3:] == ["float64"] else torch.float32
torch.set_num_threads(1)
torch.manual_seed(1)
torch.set_default_dtype(dtype)
if name.startswith("medium:"):
    model = ScaleShiftMACE(
        r_max=float(name.split(":")[1]), num_bessel=10, num_polynomial_cutoff=5, max_ell=3,
        interaction_cls_first=interaction_classes["RealAgnosticDensityInteractionBlock"],
        interaction_cls=interaction_classes["RealAgnosticDensityResidualInteractionBlock"],
        num_interactions=2, num_elements=1, hidden_irreps=o3.Irreps("128x0e + 128x1o"),
        MLP_irreps=o3.Irreps("16x0e"), gate=torch.nn.functional.silu, atomic_energies=np.zeros(1),
        avg_num_neighbors=60.0, atomic_numbers=[1], correlation=3, distance_transform="Agnesi",
        radial_MLP=[64, 64, 64], atomic_inter_scale=1.0, atomic_inter_shift=0.0,
    )
else:
    model = torch.load(name, weights_only=False, map_location="cpu")
model = model.to(dtype)
for parameter in model.parameters():
    parameter.requires_grad = True
table = AtomicNumberTable([int(z) for z in model.atomic_numbers])
cutoff = float(model.r_max)
frames = []
for atoms in ase.io.read(source, ":"):
    n = len(atoms)
    config = data.Configuration(
        atomic_numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell[:], pbc=(True,) * 3,
        properties={"energy": -10.0, "forces": np.sin(np.arange(3 * n)).reshape(n, 3)},
        property_weights={"energy": 1.0, "forces": 1.0},
    )
    frames.append(data.AtomicData.from_config(config, z_table=table, cutoff=cutoff))
batch = next(iter(torch_geometric.dataloader.DataLoader(frames, batch_size=len(frames))))
loss_of = WeightedEnergyForcesLoss(energy_weight=10000.0, forces_weight=550.0)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, amsgrad=True)
seconds = []
for repeat in range(3):
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    output = model(batch.to_dict(), training=True, compute_force=True)
    loss = loss_of(pred=output, ref=batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=10.0)
    optimizer.step()
    seconds.append(time.perf_counter() - start)
print(json.dumps({
    "torch": torch.__version__, "dtype": str(dtype), "edges": int(batch.edge_index.shape[1]),
    "seconds": min(seconds[1:]), "resident_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
}))
