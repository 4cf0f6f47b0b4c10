"""A second opinion on proofs of injectivity: the page on certificates read literally, in fractions; it shares no code with the prover.

Raises AssertionError where a proof is not valid.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import gcd
from typing import TYPE_CHECKING

from exactrelu.certificates.injectivity import Branch, Pack, Spanned, Split, Tree, Windows
from exactrelu.domain import AllSpace, Ball, Box, Orthant, Polytope
from exactrelu.exact.rational import RationalVector

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.certificates.injectivity import Dependency, Proof
    from exactrelu.domain import Domain
    from exactrelu.network.model import Layer

Row = list[Fraction]


def replay(layer: Layer, domain: Domain, evidence: Proof | Windows) -> None:
    """Check every line of the evidence."""
    rows = layer.weight.fractions()
    biases = [bias for (bias,) in layer.bias.fractions()]
    if isinstance(evidence, Windows):
        _replay_windows(rows, biases, layer.rectified.tolist(), domain, layer.inputs, evidence)
    else:
        _Replay(rows, biases, layer.rectified.tolist(), layer.inputs, domain, evidence).run()


def _replay_windows(rows: list[Row], biases: Row, rectified: list[bool], domain: Domain, n: int, evidence: Windows) -> None:
    """Of each window the rows and, as rows that no relu follows, the coordinates known before; a `same` is proved by what it names."""
    assert isinstance(domain, AllSpace | Orthant | Box)
    bounds = list(zip(domain.lower.fractions(), domain.upper.fractions(), strict=True)) if isinstance(domain, Box) else []
    fixed = {j for j, (low, high) in enumerate(bounds) if low == high}
    known: set[int] = set()
    for own, shown in evidence.windows:
        proof = evidence.windows[shown][1] if isinstance(shown, int) else shown
        assert increasing(own) and not isinstance(proof, int)
        columns = [j for j in range(n) if any(rows[i][j] for i in own)]
        units = [[Fraction(int(j == k)) for k in columns] for j in columns if j in known]
        part: Domain = domain
        if bounds:
            part = Box(*(RationalVector.from_fractions(bounds[j][end] for j in columns) for end in (0, 1)))
        window = [[rows[i][j] for j in columns] for i in own] + units
        constants = [biases[i] for i in own] + [Fraction(0)] * len(units)
        _Replay(window, constants, [rectified[i] for i in own] + [False] * len(units), len(columns), part, proof).run()
        known |= set(columns) - fixed
    assert known | fixed == set(range(n))


class _Replay:
    def __init__(self, rows: list[Row], biases: Row, rectified: list[bool], n: int, domain: Domain, proof: Proof) -> None:
        self.rows, self.biases, self.rectified, self.n = rows, biases, rectified, n
        self.domain, self.proof = domain, proof

    def run(self) -> None:
        for one in self.proof.dependencies:
            self.check_dependency(one)
        for flat in self.proof.flats:
            assert isinstance(self.domain, Polytope)
            assert all(u > 0 for u in flat.multipliers) and increasing(flat.sides)
            assert not any(self.combined_sides(flat.sides, flat.multipliers))
        assert increasing(self.proof.certain)
        for d in self.proof.certain:
            rows = [self.rows[j] for j in self.proof.dependencies[d].rows]
            assert all(multiples(rows[0], row) for row in rows)
        known = [row for row, relu in zip(self.rows, self.rectified, strict=True) if not relu]
        known += [self.rows[self.proof.dependencies[d].rows[0]] for d in self.proof.certain]
        if isinstance(self.domain, Box):
            bounds = zip(self.domain.lower.fractions(), self.domain.upper.fractions(), strict=True)
            known += [[Fraction(int(k == j)) for k in range(self.n)] for j, (low, high) in enumerate(bounds) if low == high]
        if self.domain == Ball(Fraction(0)):
            known += [[Fraction(int(k == j)) for k in range(self.n)] for j in range(self.n)]
        if isinstance(self.domain, Polytope):
            known += [[Fraction(v) for v in self.domain.rows[s]] for flat in self.proof.flats for s in flat.sides]
        conclusion = self.proof.conclusion
        if isinstance(conclusion, Tree):
            nodes = iter(conclusion.nodes)
            self.check_case(nodes, conclusion.modulus, frozenset(), known)
            assert next(nodes, None) is None
            return
        assert conclusion.rank == self.n and conclusion.bound == "columns"
        assert conclusion.columns == 2**self.n - 1
        chosen = [i for i in range(len(known)) if conclusion.rows >> i & 1]
        assert len(chosen) == self.n == conclusion.rows.bit_count()
        modulus = conclusion.modulus or 2**61 - 1
        assert rank_modulo([known[i] for i in chosen], modulus) == self.n

    # ------------------------------------------------------------ lines

    def check_dependency(self, one: Dependency) -> None:
        assert one.rows and increasing(one.rows) and len(one.rows) == len(one.multipliers)
        assert all(self.rectified[j] for j in one.rows) and all(isinstance(v, int) and v > 0 for v in one.multipliers)
        sigma = [Fraction(0)] * self.n
        constant = Fraction(0)
        for j, multiplier in zip(one.rows, one.multipliers, strict=True):
            sigma = [a + multiplier * b for a, b in zip(sigma, self.rows[j], strict=True)]
            constant += multiplier * self.biases[j]
        if isinstance(self.domain, Polytope):
            assert increasing(one.sides) and all(u > 0 for u in one.side_multipliers)
            extra = self.combined_sides(one.sides, one.side_multipliers)
            sigma = [a + b for a, b in zip(sigma, extra, strict=False)]
            constant += extra[self.n]
        else:
            assert one.sides == one.side_multipliers == ()
        if isinstance(self.domain, AllSpace | Polytope):
            assert not any(sigma) and constant >= 0
        elif isinstance(self.domain, Ball):
            assert constant >= 0 and constant**2 >= self.domain.radius**2 * sum(s * s for s in sigma)
        elif isinstance(self.domain, Orthant):
            assert min(sigma, default=0) >= 0 and constant >= 0
        else:
            bounds = zip(sigma, self.domain.lower.fractions(), self.domain.upper.fractions(), strict=True)
            assert constant + sum((min(s * low, s * high) for s, low, high in bounds), Fraction(0)) >= 0

    def combined_sides(self, sides: Sequence[int], multipliers: Sequence[int]) -> Row:
        assert isinstance(self.domain, Polytope)
        total = [Fraction(0)] * (self.n + 1)
        for s, u in zip(sides, multipliers, strict=True):
            total = [a + u * b for a, b in zip(total, [*self.domain.rows[s], self.domain.offsets[s]], strict=True)]
        return total

    def check_case(self, nodes: Iterator[object], modulus: int, excluded: frozenset[int], known: list[Row]) -> None:
        if rank_modulo(known, modulus) == self.n:
            return
        node = next(nodes)
        if isinstance(node, Branch):
            rows = [j for j in self.proof.dependencies[node.dependency].rows if j not in excluded]
            for place, j in enumerate(rows):
                self.check_case(nodes, modulus, excluded | set(rows[:place]), [*known, self.rows[j]])
        elif isinstance(node, Split):
            self.check_case(nodes, modulus, excluded | {node.row}, known)
            self.check_case(nodes, modulus, excluded, [*known, self.rows[node.row]])
        elif isinstance(node, Spanned):
            assert node.row in excluded and node.denominator > 0 and increasing(node.places)
            total = [Fraction(0)] * self.n
            for place, value in zip(node.places, node.coefficients, strict=True):
                total = [a + value * b for a, b in zip(total, known[place], strict=True)]
            assert total == [node.denominator * value for value in self.rows[node.row]]
        else:
            assert isinstance(node, Pack) and increasing(node.dependencies)
            groups = [[j for j in self.proof.dependencies[d].rows if j not in excluded] for d in node.dependencies]
            assert len({j for group in groups for j in group}) == sum(map(len, groups))
            self.check_choices(groups, modulus, known)

    def check_choices(self, groups: Sequence[Sequence[int]], modulus: int, known: list[Row]) -> None:
        if not groups:
            assert rank_modulo(known, modulus) == self.n
            return
        for j in groups[0]:
            self.check_choices(groups[1:], modulus, [*known, self.rows[j]])


def increasing(values: Sequence[int]) -> bool:
    return all(a < b for a, b in pairwise(values))


def multiples(first: Row, other: Row) -> bool:
    parallel = all(first[i] * other[k] == first[k] * other[i] for i in range(len(first)) for k in range(i))
    return parallel and any(first) == any(other)


def rank_modulo(rows: Sequence[Row], modulus: int) -> int:
    """The rank modulo a prime, each row multiplied by the power of two that makes it integral with an odd entry."""
    left = [[value % modulus for value in odd_row(row)] for row in rows]
    rank = 0
    for column in range(len(left[0]) if left else 0):
        found = next((i for i in range(rank, len(left)) if left[i][column]), None)
        if found is None:
            continue
        left[rank], left[found] = left[found], left[rank]
        inverse = pow(left[rank][column], -1, modulus)
        for i in range(rank + 1, len(left)):
            factor = left[i][column] * inverse % modulus
            if factor:
                left[i] = [(a - factor * b) % modulus for a, b in zip(left[i], left[rank], strict=True)]
        rank += 1
    return rank


def odd_row(row: Row) -> list[int]:
    if not any(row):
        return [0] * len(row)
    denominator = max(value.denominator for value in row)
    integers = [int(value * denominator) for value in row]
    common = gcd(*integers)
    return [value // (common & -common) for value in integers]
