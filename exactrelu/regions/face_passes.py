"""The passes over faces that a cut is made of, in NumPy; `compiled` has the same ones as machine code.

Facets of faces are given as three arrays (start, length, pool): face i has the facets pool[start[i] : start[i] + length[i]].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Words = np.ndarray
Stretches = tuple[np.ndarray, np.ndarray, np.ndarray]
# Of every face how many facets it has, and the facets, one face after the other.
Parts = tuple[np.ndarray, np.ndarray]


class Passes(NamedTuple):
    """The three functions of this module, or others that give the same arrays."""

    crossing: Callable[[Words, Words, np.uint64], np.ndarray]
    divided: Callable[..., tuple[Parts, Parts, Parts]]
    unions: Callable[[Words, np.ndarray, np.ndarray], Words]


def starts_of(lengths: np.ndarray) -> np.ndarray:
    """Where stretches of these lengths begin.

    >>> starts_of(np.array([2, 0, 3])).tolist()
    [0, 2, 2]
    """
    return np.asarray(np.cumsum(lengths, dtype=np.int64) - lengths)


def facets_of(facets: Stretches, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The facets of these faces: (owner, facet), owner a place in `faces`, increasing."""
    return np.repeat(np.arange(len(faces)), facets[1][faces]), children_of(facets, faces)


def children_of(facets: Stretches, faces: np.ndarray) -> np.ndarray:
    """The facets of these faces, one face after the other."""
    start, length, pool = facets
    lengths = length[faces]
    places = np.repeat(start[faces] - starts_of(lengths), lengths)
    places += np.arange(len(places))
    return np.asarray(pool[places])


def crossing(positive: Words, negative: Words, bit: np.uint64) -> np.ndarray:
    """The faces with the bit in both words."""
    return np.flatnonzero(positive & negative & bit)


def unions(words: Words, children: np.ndarray, lengths: np.ndarray) -> Words:
    """The bitwise or of the words of consecutive stretches of children, an empty one giving 0."""
    result = np.zeros(len(lengths), dtype=words.dtype)
    filled = np.flatnonzero(lengths)
    if len(filled):
        result[filled] = np.bitwise_or.reduceat(words[children], starts_of(lengths)[filled])
    return result


def divided(
    faces: np.ndarray,
    facets: Stretches,
    signs: tuple[Words, Words],
    ridges: Stretches,
    ridge_signs: tuple[Words, Words],
    bit: np.uint64,
    places: np.ndarray,
    new: tuple[int, int, int],
    tight: bool,
) -> tuple[Parts, Parts, Parts]:
    """The facets of the positive parts, of the negative ones and of the cuts of faces that a hyperplane crosses; see `faces`.

    faces: their numbers. facets: of all faces of their dimension; signs: the words (positive, negative) of these facets. ridges,
    ridge_signs: the same, one dimension lower. bit: that of the hyperplane. places: of every facet its place among those that were
    divided before, -1 for the others. new: the numbers of the first cut of the faces, and of the first negative part and the first cut
    of those facets. tight: whether ridges may lie in the hyperplane.
    """
    count = len(faces)
    owner, facet = facets_of(facets, faces)
    place = places[facet]
    split = place >= 0
    plus = ~split & ((signs[0][facet] & bit) != 0)
    minus = ~split & ~plus
    own = (np.arange(count), new[0] + np.arange(count))
    cuts = [(owner[split], new[2] + place[split])]
    if tight:
        between, ridge = facets_of(ridges, facet[plus])
        inside = ((ridge_signs[0][ridge] | ridge_signs[1][ridge]) & bit) == 0
        cuts.append((owner[plus][between[inside]], ridge[inside]))
    return (
        _grouped([(owner[plus], facet[plus]), (owner[split], facet[split]), own], count),
        _grouped([(owner[minus], facet[minus]), (owner[split], new[1] + place[split]), own], count),
        _grouped(cuts, count),
    )


def _grouped(parts: Sequence[tuple[np.ndarray, np.ndarray]], count: int) -> Parts:
    """Pairs (owner, facet) in the order of their `count` owners."""
    owner = np.concatenate([part[0] for part in parts])
    facet = np.concatenate([part[1] for part in parts])
    return np.bincount(owner, minlength=count), facet[np.argsort(owner, kind="stable")]


NUMPY = Passes(crossing, divided, unions)
