"""What a body measures: volume, and the faces that look up, down and sideways. Meshes in metres, z upwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OPEN = 1e-4  # share of the surface by which a closed body's faces may fail to cancel out
FLAT, ALONG = 0.7, 0.95  # |cosine| from which a face counts as horizontal, and as facing the same way
STRAIGHT = 0.6  # share of the upright faces that two sides of a straight wall make up


@dataclass(frozen=True, slots=True)
class Measured:
    """m3 and m2. `volume` is None for a body that is not closed: what it holds can't be told."""

    volume: float | None
    up: float
    down: float
    upright: float
    side: float  # the larger of the two sides of a wall; half of the upright faces where it is curved
    lowest: float  # z of the lowest point

    @property
    def plan(self) -> float:
        return max(self.up, self.down)


def measure(vertices: Any, faces: Any) -> Measured | None:
    """Of a triangle mesh: `vertices` n x 3, `faces` m x 3 (numpy arrays). None for one without a surface."""
    import numpy as np

    if not len(faces):
        return None
    corners = (vertices - vertices[0])[faces]  # near the origin: models stand kilometres away from theirs
    crosses = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2  # normal times area
    areas = np.linalg.norm(crosses, axis=1)
    surface = float(areas.sum())
    if not np.isfinite(surface) or surface <= 0:
        return None
    volume = float(np.einsum("ij,ij->i", corners[:, 0], crosses).sum()) / 3
    is_closed = float(np.linalg.norm(crosses.sum(axis=0))) <= OPEN * surface and volume > 0
    used = areas > 0
    normals, areas = crosses[used] / areas[used][:, None], areas[used]
    upright = np.abs(normals[:, 2]) < FLAT
    return Measured(
        volume=volume if is_closed else None,
        up=float(areas[normals[:, 2] >= FLAT].sum()),
        down=float(areas[normals[:, 2] <= -FLAT].sum()),
        upright=float(areas[upright].sum()),
        side=_side(normals[upright], areas[upright]),
        lowest=float(vertices[:, 2].min()),
    )


def _side(normals: Any, areas: Any) -> float:
    """The area that faces one way, of the way most of the upright surface faces."""
    import numpy as np

    if not len(areas):
        return 0.0
    ways = np.round(normals, 1)
    distinct, which = np.unique(ways, axis=0, return_inverse=True)
    largest = int(np.argmax(np.bincount(which.ravel(), weights=areas, minlength=len(distinct))))
    cosines = normals @ (distinct[largest] / np.linalg.norm(distinct[largest]))
    one, other = float(areas[cosines > ALONG].sum()), float(areas[cosines < -ALONG].sum())
    total = float(areas.sum())
    return max(one, other) if one + other >= STRAIGHT * total else total / 2
