"""The tree of cases in a certificate through several layers: splits in preorder, and what each case without one comes down to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.certificates import Part, spaced, stated

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class CaseSplit:
    """Output `row` of layer `layer` is inactive in the first of the two cases that follow, active in the second."""

    layer: int
    row: int

    def lines(self) -> Iterator[str]:
        yield spaced("split", [self.layer, self.row])


@dataclass(frozen=True)
class Cases:
    """The nodes in preorder; a `Part` is a claim about a case's layer with its evidence.

    >>> from exactrelu.certificates import Farkas
    >>> list(Cases((CaseSplit(1, 10), Part(0, "empty", (Farkas((1,)),)), Part(0, "empty", (Farkas((2,)),)))).lines())
    ['cases', 'split 1 a', 'claim preimage empty', 'farkas 1', 'claim preimage empty', 'farkas 2']
    """

    nodes: tuple[CaseSplit | Part, ...]

    def lines(self) -> Iterator[str]:
        yield "cases"
        for node in self.nodes:
            yield from node.lines() if isinstance(node, CaseSplit) else stated(node)
