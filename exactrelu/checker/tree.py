"""Sections 4.10 and 4.11 of proofs/FORMAT.md: a tree of cases, one line a node, in preorder.

A case (I, A) is what is assumed of some rows: those in I have failed a condition, those in A satisfy it. One of a node's children
always holds if the node does, so that what closes every leaf holds without assumptions. One object goes from case to case.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import prod
from typing import TYPE_CHECKING

from exactrelu.checker.text import PACK_CHOICES, TREE_DEPTH, TREE_STEPS, Fields, Rejected, Text, numbered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.network import Layer


class Case(ABC):
    """The case that the walk through the tree has come to, and the steps that it took."""

    def __init__(self, layer: Layer, dependencies: Sequence[Sequence[int]], kernels: Kernels, section: str) -> None:
        self.layer = layer
        self.dependencies = dependencies
        self.kernels = kernels
        self._section = section
        self._steps = 0

    @property
    @abstractmethod
    def outside(self) -> Collection[int]:
        """The rows in I."""

    @abstractmethod
    def is_closed(self) -> bool:
        """Whether the case needs no line."""

    @abstractmethod
    def branch(self, rows: Sequence[int]) -> Iterator[None]:
        """Go from child to child: one of the rows of a dependency that are outside I, those before it in I.

        At each `yield` the case has become a child. What a node adds and does not take back in the end, the node above takes back.
        """

    @abstractmethod
    def split(self, j: int) -> Iterator[None]:
        """Go from child to child, as in `branch`: row j in I; in A."""

    @abstractmethod
    def close(self, text: Text) -> None:
        """Read the line that closes this case."""

    def count(self, steps: int) -> None:
        """Reject a tree that takes more steps than a checker takes on; to be asked before they are made."""
        self._steps += steps
        if self._steps > TREE_STEPS:
            raise Rejected(self._section, f"a tree that takes more than {TREE_STEPS} steps is more than a checker takes on")

    def read_pack(self, text: Text) -> tuple[Fields, list[list[int]]]:
        """The rows outside I of each dependency of a `pack`. If all have some, at most 24 of these groups have more than one."""
        if not text.begins("pack"):
            raise Rejected(self._section, "a case is open where the lines of the tree end")
        fields = text.take("pack", self._section)
        chosen = numbered(fields, len(self.dependencies))
        self.count(sum(len(self.dependencies[d]) for d in chosen))
        groups = [[j for j in self.dependencies[d] if j not in self.outside] for d in chosen]
        if len(set().union(*groups)) != sum(map(len, groups)):
            fields.reject("the dependencies have a row outside I in common")
        if prod(map(len, groups)) > PACK_CHOICES:
            fields.reject(f"more than {PACK_CHOICES} choices are more than a checker takes on")
        return fields, groups


def check_cases(text: Text, case: Case, section: str) -> None:
    """Every case is closed: walk through the tree whose root `case` is."""
    # the nodes above, each with its children to come
    above: list[Iterator[None]] = []
    while True:
        if not case.is_closed():
            if text.begins("branch"):
                above.append(case.branch(case.dependencies[_number(text.take("branch", section), len(case.dependencies))]))
            elif text.begins("split"):
                above.append(case.split(_number(text.take("split", section), case.layer.outputs)))
            else:
                case.close(text)
            if len(above) > TREE_DEPTH:
                raise Rejected(section, f"more than {TREE_DEPTH} nodes within one another are more than a checker takes on")
        while above and next(above[-1], False) is False:
            above.pop()
        if not above:
            return


def _number(fields: Fields, limit: int) -> int:
    number = fields.natural("a number")
    fields.done()
    if number >= limit:
        fields.reject("the number is beyond the last")
    return number
