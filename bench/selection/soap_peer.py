"""Per-frame SOAP of dscribe, the mean over the atoms of a frame, as rows for cpd --features.

    python soap_peer.py INPUT.xyz[.gz] OUT.npy R_CUT [N_MAX L_MAX]
"""

import sys

import ase.io
import numpy
from dscribe.descriptors import SOAP

source, target, r_cut, *orders = sys.argv[1:]
n_max, l_max = map(int, orders) if orders else (8, 6)
frames = ase.io.read(source, ":")
species = sorted({symbol for frame in frames for symbol in frame.get_chemical_symbols()})
for frame in frames:
    frame.calc = None
soap = SOAP(
    species=species,
    periodic=all(all(frame.pbc) for frame in frames),
    r_cut=float(r_cut),
    n_max=n_max,
    l_max=l_max,
    sigma=0.3,
    average="outer",
)
rows = soap.create(frames)
numpy.save(target, numpy.ascontiguousarray(rows, dtype="float64"))
print(source, rows.shape)
