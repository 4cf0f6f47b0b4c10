"""A search in floats for inputs at which few rows are active: there a collision is likely, and cheap to make exact (theory I10).

Steps against the gradient of sum relu(z_j), rows of norm 1, from several starts, kept inside the domain. It proposes only.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.domain import AllSpace, Ball, Box, Orthant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from exactrelu.injectivity.question import Question

_STARTS = 6
_STEPS = 60
# Boxes beyond this are left alone.
_LARGEST = 1e9
# How far from the sides points are kept, in parts of a box's width or a ball's radius.
_INSET = 2.0**-7


def quiet_points(question: Question) -> Iterator[tuple[np.ndarray, int]]:
    """Float points (n,) with few active rows, one from each start, and how many deciding rows are active there."""
    rows = question.weights[question.deciding].astype(np.float32)
    sizes = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    # A row beyond the float range has come out as zeros.
    sizes[sizes == 0] = 1.0
    rows /= sizes[:, None]
    biases = np.clip(question.biases[question.deciding] / sizes, -1e9, 1e9).astype(np.float32)
    sketch = _sketch(question, biases)
    if sketch is None or not len(rows):
        return
    starts, inside, reach = sketch
    for start in starts:
        yield _descend(rows, biases, inside(start), inside, reach, question.deadline)


Sketch = tuple[list[np.ndarray], "Callable[[np.ndarray], np.ndarray]", float]


def _sketch(question: Question, biases: np.ndarray) -> Sketch | None:
    """Starts in opposite pairs, a map into the domain and a length for steps; None where the domain gives none."""
    generator = np.random.default_rng(0)
    n, domain = question.n, question.domain
    if isinstance(domain, Box):
        low, high = domain.lower.to_float(), domain.upper.to_float()
        if not max(np.abs(low).max(initial=0.0), np.abs(high).max(initial=0.0)) < _LARGEST:
            return None
        width = high - low
        inner, outer = low + _INSET * width, high - _INSET * width
        shares = [share for _ in range(_STARTS // 2) for share in _opposite(generator.uniform(0, 1, n))]
        starts = [low + share * width for share in shares]
        return starts, lambda x: np.clip(x, inner, outer), float(np.linalg.norm(width))
    radius = 4.0 * float(np.abs(biases).max(initial=0.0)) + 1.0
    directions = [sign * v / np.linalg.norm(v) for v in generator.standard_normal((_STARTS // 2, n)) for sign in (1.0, -1.0)]
    starts = [radius * v for v in directions]
    if isinstance(domain, Ball):
        outer_radius = min(radius, (1 - _INSET) * domain.float_radius)
        starts = [outer_radius / radius * v for v in starts]
        return starts, lambda x: x * min(1.0, outer_radius / max(float(np.linalg.norm(x)), 1e-300)), 2 * outer_radius
    if isinstance(domain, AllSpace):
        # Back to the sphere: in the long run only directions count.
        return starts, lambda x: x * (radius / max(float(np.linalg.norm(x)), 1e-30)), radius
    if isinstance(domain, Orthant):
        return [np.abs(v) for v in starts], lambda x: np.maximum(x, radius * _INSET / n), radius
    return None


def _opposite(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return share, 1.0 - share


@np.errstate(all="ignore")  # some builds of OpenBLAS flag finite products as invalid
def _descend(
    rows: np.ndarray, biases: np.ndarray, x: np.ndarray, inside: Callable[[np.ndarray], np.ndarray], reach: float, deadline: float | None
) -> tuple[np.ndarray, int]:
    best, fewest = x, len(rows) + 1
    for step in range(_STEPS):
        values = rows @ x.astype(np.float32) + biases
        active = int((values >= 0).sum())
        if active < fewest:
            best, fewest = x, active
        # A little beyond the hyperplanes, so that rows stay negative after rounding.
        gradient = (values > -1e-3 * reach).astype(np.float32) @ rows
        size = float(np.linalg.norm(gradient))
        if not 0 < size < np.inf or (deadline is not None and time.monotonic() > deadline):
            break
        x = inside(x - 0.25 * reach * (1 - step / _STEPS) ** 2 / size * gradient.astype(np.float64))
    return best, fewest
