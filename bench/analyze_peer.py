"""Pair distributions of a trajectory by MDAnalysis: python3 analyze_peer.py TRAJECTORY.xyz SIDE FRAMES [RMAX]

Prints seconds of reading, and of counting pairs up to RMAX (half of SIDE if not given; beyond that MDAnalysis takes
the minimum image, which is wrong), bins of 0.02 Å.
"""
import sys
import time

import MDAnalysis as mda
from MDAnalysis.analysis.rdf import InterRDF

path, side, frames = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
reach = float(sys.argv[4]) if len(sys.argv) > 4 else side / 2
start = time.time()
u = mda.Universe(path, format="XYZ")
for ts in u.trajectory[:frames]:
    ts.dimensions = [side, side, side, 90, 90, 90]
read = time.time() - start


def boxed(ts):
    ts.dimensions = [side, side, side, 90, 90, 90]
    return ts


u.trajectory.add_transformations(boxed)
start = time.time()
InterRDF(u.atoms, u.atoms, nbins=int(reach / 0.02), range=(0, reach), exclusion_block=(1, 1)).run(stop=frames)
print(f'{{"read": {read:.2f}, "all": {time.time() - start:.2f}}}')
