"""Times a peer on one thread and writes its answer: peers.py count|pca INPUT.npy OUTPUT.npy [radius]"""
import json
import sys
import time

import numpy as np

task, source, target = sys.argv[1:4]
points = np.load(source)
if task == "count":
    import sklearn
    from sklearn.neighbors import BallTree

    start = time.perf_counter()
    answer = BallTree(points).query_radius(points, float(sys.argv[4]), count_only=True) - 1
    seconds = [time.perf_counter() - start]
    name = f"scikit-learn {sklearn.__version__} BallTree, count_only"
else:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        centred = points - points.mean(0)
        answer = centred.T @ centred / (len(points) - 1)
        np.linalg.eigh(answer)
        seconds.append(time.perf_counter() - start)
    name = f"numpy {np.__version__}, BLAS Gram and LAPACK eigh"
np.save(target, np.ascontiguousarray(np.atleast_2d(answer), dtype=float))
print(json.dumps({"name": name, "seconds": seconds}))
