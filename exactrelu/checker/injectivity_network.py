"""Section 4.14 of proofs/FORMAT.md: several layers together are injective, each on values that hold what reaches it, or by their skips.

Skips: every coordinate is l(x) + g(x), l carried along rows without a relu, and |g(x) - g(y)| <= r |x - y| in the largest coordinate. Where
every output has one input as l, each another one, with a coefficient beyond r, no two inputs have one output.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from exactrelu.checker.claim import Ball, Box, Point
from exactrelu.checker.injectivity import check_injective
from exactrelu.checker.injectivity_pairs import check_pairs
from exactrelu.checker.injectivity_regions import check_maps
from exactrelu.checker.interval_image import IntervalImage
from exactrelu.checker.sparse import entries
from exactrelu.checker.text import TREE_STEPS, Fields, Rejected, Text, affordable, numbered
from exactrelu.checker.windows import check_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.checker.arithmetic import Kernels
    from exactrelu.checker.claim import Domain
    from exactrelu.checker.network import Layer

SECTION = "4.14"
ZERO = Fraction(0)
# about what a small number takes in a table
NUMBER_BITS = 512


def check_injective_network(text: Text, layers: Sequence[Layer], domain: Domain, kernels: Kernels) -> None:
    """The evidence that the composition of the layers is injective on the domain."""
    if text.begins("skips"):
        check_skips(text, layers)
    elif text.begins("orientation") or text.begins("definite"):
        check_maps(text, layers, around(domain, layers[0].inputs), kernels)
    elif text.begins("pairs") or text.begins("boundary"):
        check_pairs(text, layers, around(domain, layers[0].inputs), kernels)
    else:
        check_stages(text, layers, domain, kernels)


def around(domain: Domain, n: int) -> Domain:
    """A ball's box; other domains as they are."""
    if not isinstance(domain, Ball):
        return domain
    lower, upper = (Point(domain.denominator, [sign * domain.numerator] * n) for sign in (-1, 1))
    return Box(lower, upper)


def check_stages(text: Text, layers: Sequence[Layer], domain: Domain, kernels: Kernels) -> None:
    """Every layer is injective on a set that holds all values that reach it: a composition of injective maps."""
    after_relu = False
    image = IntervalImage(layers, domain)
    for number, layer in enumerate(layers, 1):
        fields = text.take("stage", SECTION)
        if fields.natural("a layer") != number:
            fields.reject(f"the evidence for layer {number} belongs here")
        word = fields.word("all", *(["domain"] if number == 1 else ["image", "orthant"] if after_relu else ["image"]))
        fields.done()
        reached: Domain = domain if word == "domain" else image.before(number) if word == "image" else word
        check = check_windows if text.begins("windows") else check_injective
        check(text, layer, reached, kernels, ZERO)
        after_relu = all(layer.rectified)


def check_skips(text: Text, layers: Sequence[Layer]) -> None:
    """Blocks of layers, each injective by its skips; numbered from 0 in the line, their last layers."""
    fields = text.take("skips", SECTION)
    ends = set(numbered(fields, len(layers)))
    if len(layers) - 1 not in ends:
        fields.reject("the last block does not end with the last layer")
    n = layers[0].inputs
    state = State.inputs(n)
    for number, layer in enumerate(layers):
        state = state.after(layer)
        if number in ends:
            keyword = f"inverse {number:x}"
            matrix = [read_dyadics(text.take(keyword, SECTION), n) for _ in range(n)] if text.begins(keyword) else None
            if len(state.carried) != n or not (state.outweighs() if matrix is None else state.outweighs_after(matrix)):
                fields.reject(f"the block up to layer {number} does not keep its inputs apart")
            state = State.inputs(n)


def read_dyadics(fields: Fields, n: int) -> tuple[int, list[int]]:
    """E and v1 .. vn, for v * 2^E."""
    return fields.exponent(), fields.integers(n, "a row of an inverse")


@dataclass(frozen=True)
class State:
    """Of every coordinate l as {input: integer} and the bound r, all over one denominator."""

    denominator: int
    carried: list[dict[int, int]]
    bounds: list[int]

    @staticmethod
    def inputs(n: int) -> State:
        return State(1, [{j: 1} for j in range(n)], [0] * n)

    def after(self, layer: Layer) -> State:
        """The coordinates that a layer makes. A relu keeps no l: what was carried is bounded by the sum of its sizes."""
        lowest = min([0, *(row.exponent for row in layer.rows)])
        highest = max([0, *(row.exponent for row in layer.rows)])
        terms = [[(k, value) for k, value in entries(row.coefficients) if value] for row in layer.rows]
        longest = max(
            value.bit_length() for value in [self.denominator, *self.bounds, *(v for part in self.carried for v in part.values())]
        )
        factor = max((value.bit_length() for row in terms for _, value in row), default=0)
        made = sum(1 + len(self.carried[k]) for row in terms for k, _ in row)
        affordable(made + layer.outputs, NUMBER_BITS + longest + factor + highest - lowest, SECTION)
        carried, bounds = [], []
        for row, used, rectified in zip(layer.rows, terms, layer.rectified, strict=True):
            own: dict[int, int] = {}
            bound = 0
            for k, value in used:
                bound += abs(value) * self.bounds[k]
                for j, part in self.carried[k].items():
                    own[j] = own.get(j, 0) + value * part
            if rectified:
                bound += sum(map(abs, own.values()))
                own = {}
            shift = row.exponent - lowest
            carried.append({j: part << shift for j, part in own.items() if part})
            bounds.append(bound << shift)
        return State(self.denominator << -lowest, carried, bounds)

    def outweighs(self) -> bool:
        """Whether every coordinate carries one input, each another one, by more than its bound."""
        if any(len(part) != 1 for part in self.carried) or len({j for part in self.carried for j in part}) < len(self.carried):
            return False
        return all(abs(value) > bound for part, bound in zip(self.carried, self.bounds, strict=True) for value in part.values())

    def outweighs_after(self, matrix: Sequence[tuple[int, list[int]]]) -> bool:
        """Whether after a linear map every coordinate is its input, but for less than the input's own size in all."""
        if len(matrix) * sum(map(len, self.carried)) > TREE_STEPS:
            raise Rejected(SECTION, "the product of an inverse and the skips takes longer than a checker goes on")
        for i, (exponent, row) in enumerate(matrix):
            left = {i: -self.denominator << max(-exponent, 0)}
            rest = 0
            for value, part, bound in zip(row, self.carried, self.bounds, strict=True):
                if value:
                    factor = value << max(exponent, 0)
                    rest += abs(factor) * bound
                    for j, coefficient in part.items():
                        left[j] = left.get(j, 0) + factor * coefficient
            if rest + sum(map(abs, left.values())) >= self.denominator << max(-exponent, 0):
                return False
        return True
