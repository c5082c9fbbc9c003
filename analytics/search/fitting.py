"""Fitting a `HashedSvd` on a corpus. Needs scikit-learn, which nothing else does: imported by jobs alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD

from .embedding import BUCKETS, HashedSvd, features, number_of, spoken

SMALLEST = 3  # texts: of fewer nothing is to be learnt


def fit(texts: Iterable[str], *, version: str, dimensions: int) -> HashedSvd | None:
    """Of an iterable that is read once; columns beyond what the corpus has directions for are 0. Deterministic.
    None: too few texts, or texts of too few words."""
    indices: list[int] = []
    values: list[float] = []
    ends = [0]
    numbers: set[int] = set()
    for text in texts:
        words = spoken(text)
        numbers.update(map(number_of, words))
        told = features(words)
        indices.extend(told)
        values.extend(told.values())
        ends.append(len(indices))
    matrix = sparse.csr_matrix(
        (np.asarray(values, np.float32), np.asarray(indices, np.int32), np.asarray(ends, np.int64)),
        shape=(len(ends) - 1, BUCKETS),
    )
    holding = np.bincount(np.asarray(indices, np.int64), minlength=BUCKETS)
    directions = min(dimensions, matrix.shape[0] - 1, int((holding > 0).sum()) - 1)
    if matrix.shape[0] < SMALLEST or directions < 1:
        return None
    rarity = (np.log((1 + matrix.shape[0]) / (1 + holding)) + 1).astype(np.float32)
    weighed = matrix.multiply(rarity).tocsr()
    lengths = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1
    svd = TruncatedSVD(directions, random_state=0).fit(sparse.diags(1 / lengths) @ weighed)
    axes = np.zeros((BUCKETS, dimensions), np.float32)
    axes[:, :directions] = svd.components_.T
    return HashedSvd(version, rarity, axes, np.sort(np.fromiter(numbers, np.uint32, len(numbers))))
