"""Records what scikit-learn and maml's steps give: direct_reference.py > direct_reference.json"""
import json

import numpy as np
import sklearn
from sklearn.cluster import AgglomerativeClustering, Birch
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler


def features(n, d):
    i, k = np.arange(n)[:, None], np.arange(d)[None, :]
    x = np.sin(0.37 * i * (k + 1) + k) + 0.4 * np.sin(1.7 * i + 0.3 * k * k)
    return x * 0.8**k + 2 * ((i * 7919) % 3 == k % 3)


def direct(x, wanted, threshold=0.5):
    pca = PCA().fit(StandardScaler().fit_transform(x))
    keep = (pca.explained_variance_ > 1).sum()
    scores = pca.transform(StandardScaler().fit_transform(x))[:, :keep]
    points = scores * pca.explained_variance_ratio_[:keep]
    while True:
        model = Birch(threshold=threshold, n_clusters=wanted).fit(points)
        distinct = len(set(model.subcluster_labels_))
        if distinct >= wanted:
            break
        threshold = threshold / wanted * distinct
    centre = dict(zip(model.subcluster_labels_, model.subcluster_centers_))
    picks = []
    for label in sorted(set(model.labels_)):
        members = np.flatnonzero(model.labels_ == label)
        picks.append(int(members[np.argmin(np.linalg.norm(points[members] - centre[label], axis=1))]))
    return {
        "subclusters": model.subcluster_centers_.tolist(),
        "labels": model.subcluster_labels_.tolist(),
        "components": int(keep),
        "scores": points.tolist(),
        "threshold": threshold,
        "picks": sorted(picks),
    }


cases = []
for n, d, threshold in [(40, 3, 0.4), (700, 4, 0.25), (900, 2, 0.05)]:
    x = features(n, d)
    x -= x.mean(0)
    centres = Birch(threshold=threshold, n_clusters=None).fit(x).subcluster_centers_
    wanted = max(2, len(centres) // 3)
    labels = AgglomerativeClustering(wanted).fit(centres).labels_
    cases.append({
        "n": n, "d": d, "threshold": threshold, "centres": centres.tolist(),
        "wanted": wanted, "labels": labels.tolist(),
    })
maml = [{"n": n, "d": d, "wanted": k, **direct(features(n, d), k)} for n, d, k in [(300, 8, 20), (575, 12, 100)]]
print(json.dumps({"made_by": f"scikit-learn {sklearn.__version__}", "birch": cases, "maml": maml}))
