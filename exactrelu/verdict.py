"""Verdicts: data that says what was decided, in words that people read.

The values of `Cardinality` are the words of the JSON interface; each has the sentence shown to the user.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exactrelu.exact.rational import RationalVector


class Cardinality(enum.Enum):
    """How many points a pre-image has.

    >>> Cardinality.SINGLETON.sentence
    'exactly one input gives this output'
    """

    EMPTY = "empty"
    SINGLETON = "singleton"
    FINITE = "finite"
    BOUNDED = "bounded"
    UNBOUNDED = "unbounded"
    INFINITE = "infinite"
    UNDECIDED = "undecided"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]

    @property
    def is_infinite(self) -> bool:
        return self in {Cardinality.BOUNDED, Cardinality.UNBOUNDED, Cardinality.INFINITE}


_SENTENCES = {
    Cardinality.EMPTY: "no input gives this output",
    Cardinality.SINGLETON: "exactly one input gives this output",
    Cardinality.FINITE: "two or more, but finitely many, inputs give this output",
    Cardinality.BOUNDED: "infinitely many inputs give this output, in a bounded set",
    Cardinality.UNBOUNDED: "infinitely many inputs give this output, in an unbounded set",
    Cardinality.INFINITE: "infinitely many inputs give this output; whether their set is bounded was not decided",
    Cardinality.UNDECIDED: "not decided within the limits",
}


@dataclass(frozen=True)
class Witness:
    """Why a pre-image is infinite: `point` and, exactly, a `ray` of its recession cone or a `second` point with the same output."""

    point: RationalVector
    ray: RationalVector | None = None
    second: RationalVector | None = None


@dataclass(frozen=True)
class Preimage:
    """The pre-image of one output under one layer, within a domain (theory P1, P2).

    points: how many, where finitely many; dimension: -1 when empty, None where not decided; active: the number of positive
    outputs; rank: that of the rows of positive (and unrectified) outputs, None where it played no part; reached: why a
    verdict is undecided. `grounds` is what a certificate is written from.
    """

    cardinality: Cardinality
    points: int | None
    solutions: tuple[RationalVector, ...] | None
    witness: Witness | None
    dimension: int | None
    active: int
    rank: int | None
    reached: str = ""
    grounds: object = field(default=None, repr=False, compare=False)
