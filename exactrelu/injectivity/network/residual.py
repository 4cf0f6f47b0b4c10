"""Networks x -> L x + g(x) whose skip connections outweigh the rest: injective on every domain, whatever the pattern (theory I14).

Every coordinate of the state is l(x) + g(x), l linear, carried along unrectified rows, and |g(x) - g(y)| <= r |x - y| in the largest
coordinate. A relu makes r of |l| + r, a row with weights w adds up w l and |w| r: for x + g(x) these are the row sums of |W_L| .. |W_1|.
With L regular, |L^-1| r < 1 in every row makes L^-1 f injective. A residual block that does begins anew with its output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from operator import mul
from typing import TYPE_CHECKING

from flint import fmpz_mat

from exactrelu.certificates.injectivity_network import Skips
from exactrelu.injectivity.collisions.linearised import sparse_stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.network.model import Layer

# Integer matrices are inverted up to this size where they are not diagonal.
_LARGEST_INVERSE = 256
# Products of weights and linear parts in one layer.
_MOST_TERMS = 2**24
# How many bits behind the point an inverse may have in a certificate.
_BITS = (16, 32, 64, 128, 256, 512)


@dataclass(frozen=True)
class Residual:
    """For every block the largest row sums c < 1 of |L^-1| r and s of |L^-1|: |f(x) - f(y)| >= (1 - c) / s |x - y|, largest coordinates.

    evidence: of a certificate, with an approximate inverse of each L that has more than one entry in a row.
    """

    contractions: tuple[Fraction, ...]
    inverses: tuple[Fraction, ...]
    evidence: Skips

    @property
    def inverse_lipschitz(self) -> Fraction:
        """A bound L, |x - y| <= L |f(x) - f(y)| in the norm of the largest coordinate."""
        return math.prod((s / (1 - c) for c, s in zip(self.contractions, self.inverses, strict=True)), start=Fraction(1))


def residual(layers: Sequence[Layer]) -> Residual | None:
    """The certificate of a network with as many outputs as inputs; None where the skips do not outweigh the rest.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer
    >>> first = Layer(DyadicMatrix.from_floats([[0.5], [1.0]]), DyadicMatrix.from_floats([[1.0], [0.0]]), np.array([True, False]))
    >>> last = Layer(DyadicMatrix.from_floats([[1.5, 1.0]]), DyadicMatrix.from_floats([[0.0]]), np.array([False]))
    >>> residual([first, last])
    Residual(contractions=(Fraction(3, 4),), inverses=(Fraction(1, 1),), evidence=Skips(ends=(1,), inverses={}))
    """
    n = layers[0].inputs
    if n == 0 or layers[-1].outputs != n:
        return None
    state = _State.identity(n)
    blocks: list[_Block] = []
    ends: list[int] = []
    for number, layer in enumerate(layers):
        if sparse_stage(layer).entries * max(map(len, state.linear), default=0) > _MOST_TERMS:
            return None
        state = state.after(layer)
        found = None if layer.outputs != n or layer.rectified.any() else state.contraction()
        if found is not None:
            blocks.append(found)
            ends.append(number)
            state = _State.identity(n)
    if not ends or ends[-1] != len(layers) - 1:
        return None
    evidence = Skips(tuple(ends), {end: block.rounded for end, block in zip(ends, blocks, strict=True) if block.rounded is not None})
    return Residual(tuple(block.contraction for block in blocks), tuple(block.inverse for block in blocks), evidence)


@dataclass(frozen=True)
class _Block:
    """The largest row sums of |L^-1| r and |L^-1|; of an L with several entries in a row integers V and E with V * 2^E about L^-1."""

    contraction: Fraction
    inverse: Fraction
    rounded: tuple[int, tuple[tuple[int, ...], ...]] | None


@dataclass(frozen=True)
class _State:
    """Of every coordinate its linear part {input: coefficient} and the bound r."""

    linear: list[dict[int, Fraction]]
    bounds: list[Fraction]

    @staticmethod
    def identity(n: int) -> _State:
        return _State([{j: Fraction(1)} for j in range(n)], [Fraction(0)] * n)

    def after(self, layer: Layer) -> _State:
        matrix = sparse_stage(layer)
        common = math.lcm(*(bound.denominator for bound in self.bounds), 1)
        numerators = [bound.numerator * (common // bound.denominator) for bound in self.bounds]
        # A coordinate that is an input itself, and the only one that is this input, needs no sum of its own.
        single = [next(iter(part)) if len(part) == 1 else -1 for part in self.linear]
        plain = all(len(part) < 2 for part in self.linear) and len({j for j in single if j >= 0}) == sum(j >= 0 for j in single)
        sizes = [abs(next(iter(part.values()))) if part else Fraction(0) for part in self.linear]
        unit = math.lcm(*(size.denominator for size in sizes), 1)
        together = [numerator * unit + int(size * unit) * common for numerator, size in zip(numerators, sizes, strict=True)]
        linear, bounds = list[dict[int, Fraction]](), list[Fraction]()
        for row, relu in enumerate(layer.rectified.tolist()):
            columns, values, exponent = matrix.integer_row(row)
            scale = Fraction(2) ** exponent
            if relu and plain:
                total = sum(map(mul, map(abs, values), (together[k] for k in columns)))
                linear.append({})
                bounds.append(scale * total / (common * unit))
                continue
            bound = scale * sum(map(mul, map(abs, values), (numerators[k] for k in columns))) / common
            part: dict[int, Fraction] = {}
            for k, value in zip(columns, values, strict=True):
                for j, coefficient in self.linear[k].items():
                    part[j] = part.get(j, Fraction(0)) + value * scale * coefficient
            part = {j: coefficient for j, coefficient in part.items() if coefficient}
            linear.append({} if relu else part)
            bounds.append(bound + sum(map(abs, part.values()), Fraction(0)) if relu else bound)
        return _State(linear, bounds)

    @property
    def is_plain(self) -> bool:
        """Whether L has one entry in every row and column."""
        return all(len(part) == 1 for part in self.linear) and len({j for part in self.linear for j in part}) == len(self.linear)

    def contraction(self) -> _Block | None:
        """None where the skips do not outweigh the rest, L is singular, or large and not of one entry a row and column."""
        n = len(self.linear)
        if self.is_plain:
            sizes = [1 / abs(value) for part in self.linear for value in part.values()]
            largest = max(size * bound for size, bound in zip(sizes, self.bounds, strict=True))
            return _Block(largest, max(sizes), None) if largest < 1 else None
        if n > _LARGEST_INVERSE:
            return None
        common = math.lcm(*(value.denominator for part in self.linear for value in part.values()), 1)
        matrix = fmpz_mat(n, n, [int(part.get(j, Fraction(0)) * common) for part in self.linear for j in range(n)])
        try:
            numerators, denominator = matrix.inv().numer_denom()
        except ZeroDivisionError:
            return None
        scale = Fraction(common, int(denominator))
        rows = [[int(value) * scale for value in row] for row in numerators.tolist()]
        largest = max(sum(map(mul, map(abs, row), self.bounds), Fraction(0)) for row in rows)
        rounded = self._rounded(rows, matrix, common) if largest < 1 else None
        return rounded and _Block(largest, max(sum(map(abs, row), Fraction(0)) for row in rows), rounded)

    def _rounded(self, inverse: list[list[Fraction]], matrix: fmpz_mat, common: int) -> tuple[int, tuple[tuple[int, ...], ...]] | None:
        """The inverse rounded to as many bits as are enough: |V 2^E L - I| and |V| 2^E r add up to less than 1 in every row."""
        n = len(inverse)
        for bits in _BITS:
            rows = [[round(value * 2**bits) for value in row] for row in inverse]
            product = (fmpz_mat(n, n, [value for row in rows for value in row]) * matrix).tolist()
            unit = common << bits
            left = [sum(abs(int(value) - unit * (i == j)) for j, value in enumerate(row)) for i, row in enumerate(product)]
            rest = [sum(map(mul, map(abs, row), self.bounds), Fraction(0)) * common for row in rows]
            if all(a + b < unit for a, b in zip(left, rest, strict=True)):
                return -bits, tuple(map(tuple, rows))
        return None
