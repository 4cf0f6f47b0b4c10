"""Second opinions on polyhedra, none of them by the code under test.

Brute force over `fractions` enumerates the extreme rays of a cone by subsets of tight rows; it knows no library. PPL
(pplpy, a test-only dependency) is independent of both. A polyhedron is given by rows (coefficients .., constant): equalities
row.(x, 1) = 0 and inequalities row.(x, 1) <= 0, all `Fraction`s.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import gcd, lcm
from typing import TYPE_CHECKING, Any

import numpy as np
from conftest import PROFILE
from hypothesis import settings

from exactrelu.checker.arithmetic import Kernels
from exactrelu.checker.network import read_network
from exactrelu.checker.text import Text
from exactrelu.checker.verify import verify
from exactrelu.domain import AllSpace, Ball, Box, Domain, Orthant, Polytope
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.exact.system import ConeSystem, RowSet
from exactrelu.fast_checker import FastKernels
from exactrelu.network.exact_file import _lines
from exactrelu.network.model import Layer, Network, SourceLayer

if TYPE_CHECKING:
    from exactrelu.certificates import TrivialByMargin
    from exactrelu.exact.ties import Partition
    from exactrelu.preimage.layer import LayerPreimage
    from exactrelu.verdict import Preimage

Row = Sequence[Fraction]


def examples(count: int) -> settings:
    """Settings with `count` examples, thirty times as many in the nightly profile."""
    return settings(max_examples=count * (30 if PROFILE == "nightly" else 1))


# ---------------------------------------------------------------- linear algebra over fractions


def echelon(rows: Iterable[Row]) -> tuple[list[list[Fraction]], list[int]]:
    """Reduced row echelon form without zero rows, and the pivot columns."""
    reduced = [[Fraction(value) for value in row] for row in rows]
    pivots: list[int] = []
    for column in range(len(reduced[0]) if reduced else 0):
        place = len(pivots)
        found = next((i for i in range(place, len(reduced)) if reduced[i][column]), None)
        if found is None:
            continue
        reduced[place], reduced[found] = reduced[found], reduced[place]
        pivot = reduced[place][column]
        reduced[place] = [value / pivot for value in reduced[place]]
        for i, row in enumerate(reduced):
            if i != place and row[column]:
                factor = row[column]
                reduced[i] = [a - factor * b for a, b in zip(row, reduced[place], strict=True)]
        pivots.append(column)
    return reduced[: len(pivots)], pivots


def rank(rows: Iterable[Row]) -> int:
    return len(echelon(rows)[1])


def kernel(rows: Sequence[Row], columns: int) -> list[list[Fraction]]:
    """A basis of {d : row.d = 0 for all rows}."""
    reduced, pivots = echelon(rows)
    basis = []
    for free in (j for j in range(columns) if j not in pivots):
        vector = [Fraction(0)] * columns
        vector[free] = Fraction(1)
        for row, pivot in zip(reduced, pivots, strict=True):
            vector[pivot] = -row[free]
        basis.append(vector)
    return basis


def dot(a: Row, b: Row) -> Fraction:
    return sum((u * v for u, v in zip(a, b, strict=True)), Fraction(0))


# ---------------------------------------------------------------- brute force


def generators(equalities: Sequence[Row], inequalities: Sequence[Row], columns: int) -> tuple[list[list[Fraction]], list[list[Fraction]]]:
    """(lines, extreme rays) of {d : equalities 0, inequalities <= 0}, the rays orthogonal to the lines.

    An extreme ray of a pointed cone in R^n is the kernel of n - 1 independent rows that are tight on it: try all choices.
    """
    inequalities = [row for row in inequalities if any(row)]
    lines = kernel([*equalities, *inequalities], columns)
    fixed, _ = echelon([*equalities, *lines])
    found: dict[tuple[Fraction, ...], list[Fraction]] = {}
    for chosen in combinations(inequalities, max(columns - 1 - len(fixed), 0)):
        candidates = kernel([*fixed, *chosen], columns)
        if len(candidates) != 1:
            continue
        for sign in (1, -1):
            ray = [sign * value for value in candidates[0]]
            if all(dot(row, ray) <= 0 for row in inequalities):
                size = sum(map(abs, ray))
                found[tuple(value / size for value in ray)] = ray
    return lines, list(found.values())


@dataclass(frozen=True)
class Facts:
    """What is asked about a polyhedron; dimension -1 and bounded True for the empty set."""

    dimension: int
    bounded: bool

    @property
    def cardinality(self) -> str:
        if self.dimension < 1:
            return "empty" if self.dimension < 0 else "singleton"
        return "bounded" if self.bounded else "unbounded"


def brute_facts(equalities: Sequence[Row], inequalities: Sequence[Row], n: int) -> Facts:
    """The facts from all extreme rays of the homogenised cone: those with t > 0 are points, those with t = 0 directions."""
    below = [Fraction(0)] * n + [Fraction(-1)]
    lines, rays = generators(equalities, [*inequalities, below], n + 1)
    if not any(ray[n] > 0 for ray in rays):
        return Facts(-1, True)
    return Facts(rank([*lines, *rays]) - 1, not lines and all(ray[n] > 0 for ray in rays))


# ---------------------------------------------------------------- PPL


def cleared(row: Row) -> list[int]:
    """The row as integers, multiplied by a positive number."""
    denominator = lcm(1, *(Fraction(value).denominator for value in row))
    integers = [int(value * denominator) for value in row]
    divisor = gcd(*integers) or 1
    return [value // divisor for value in integers]


def ppl_polyhedron(equalities: Iterable[Row], inequalities: Iterable[Row], n: int) -> Any:
    import ppl

    result = ppl.C_Polyhedron(n, "universe")
    for rows, is_equality in ((equalities, True), (inequalities, False)):
        for row in rows:
            *coefficients, constant = cleared(row)
            expression = ppl.Linear_Expression(coefficients, constant)
            result.add_constraint(expression == 0 if is_equality else expression <= 0)
    return result


def ppl_facts(equalities: Iterable[Row], inequalities: Iterable[Row], n: int) -> Facts:
    polyhedron = ppl_polyhedron(equalities, inequalities, n)
    if polyhedron.is_empty():
        return Facts(-1, True)
    return Facts(int(polyhedron.affine_dimension()), bool(polyhedron.is_bounded()))


def always_zero(polyhedron: Any, row: Row) -> bool:
    """Whether row.(x, 1) = 0 on all of a non-empty PPL polyhedron."""
    import ppl

    *coefficients, constant = cleared(row)
    return bool(polyhedron.relation_with(ppl.Linear_Expression(coefficients, constant) == 0).implies(ppl.Poly_Con_Relation.is_included()))


# ---------------------------------------------------------------- pre-images


def domain_rows(domain: Domain, n: int) -> list[list[Fraction]]:
    """The domain's inequalities, from its definition."""
    unit = [[Fraction(int(i == j)) for i in range(n)] for j in range(n)]
    if isinstance(domain, Orthant):
        return [[*(-value for value in row), Fraction(0)] for row in unit]
    if isinstance(domain, Box):
        lower = [[*(-value for value in row), low] for row, low in zip(unit, domain.lower.fractions(), strict=True)]
        return [*lower, *([*row, -high] for row, high in zip(unit, domain.upper.fractions(), strict=True))]
    if isinstance(domain, Polytope):
        return [[Fraction(value) for value in (*row, offset)] for row, offset in zip(domain.rows, domain.offsets, strict=True)]
    assert isinstance(domain, AllSpace)
    return []


def preimage_rows(layer: Layer, domain: Domain, y: Sequence[Fraction]) -> tuple[list[list[Fraction]], list[list[Fraction]]]:
    """P1: the system {A_P x + b_P = y_P, A_Z x + b_Z <= 0, x in the domain}; an impossible equality for a negative output."""
    equalities, inequalities = [], domain_rows(domain, layer.inputs)
    for row, (bias,), relu, value in zip(layer.weight.fractions(), layer.bias.fractions(), layer.rectified.tolist(), y, strict=True):
        if relu and value < 0:
            return [[*[Fraction(0)] * layer.inputs, Fraction(1)]], []
        if relu and value == 0:
            inequalities.append([*row, bias])
        else:
            equalities.append([*row, bias - value])
    return equalities, inequalities


def truth(layer: Layer, domain: Domain, y: Sequence[Fraction]) -> Facts:
    """The facts about a pre-image by PPL, and for up to 2 inputs by brute force as well."""
    rows = preimage_rows(layer, domain, y)
    facts = ppl_facts(*rows, layer.inputs)
    if layer.inputs <= 2:
        assert brute_facts(*rows, layer.inputs) == facts
    return facts


def evaluate(layer: Layer, x: Sequence[Fraction]) -> list[Fraction]:
    """The layer's definition over fractions."""
    rows = zip(layer.weight.fractions(), layer.bias.fractions(), layer.rectified.tolist(), strict=True)
    values = [(dot(row, x) + bias, relu) for row, (bias,), relu in rows]
    return [max(value, Fraction(0)) if relu else value for value, relu in values]


def in_domain(domain: Domain, x: Sequence[Fraction]) -> bool:
    if isinstance(domain, Ball):
        return dot(x, x) <= domain.radius**2
    return all(dot(row, [*x, Fraction(1)]) <= 0 for row in domain_rows(domain, len(x)))


# ---------------------------------------------------------------- certificates


def accepted(prepared: LayerPreimage, result: Preimage, subject: str, given: RationalVector, *, fast: bool = True) -> str:
    """Write the certificate of a result, check it with every checker, and return the claim that all of them read."""
    sha256 = hashlib.sha256(b"".join(_lines(one_layer_network(prepared.layer)))).hexdigest()
    certificate = prepared.certificate(result, network_sha256=sha256, layer_number=1, subject=subject, given=given).text()
    return claim_of(prepared.layer, certificate, fast=fast)


def claim_of(layer: Layer, certificate: str, *, fast: bool = True) -> str:
    """The claim that all checkers read from a certificate about a layer as a network of its own."""
    exact_network = read_network(io.BytesIO(b"".join(_lines(one_layer_network(layer)))))
    claims = set()
    for kernels in (Kernels(), FastKernels()) if fast else (Kernels(),):
        stream = Text(io.BytesIO(certificate.encode()))
        stream.take("exactrelu-certificate 1", "3").done()
        stream.take("network", "3").sha256()
        claims.add(str(verify(stream, exact_network, kernels)))
    (claim,) = claims
    return claim


def claim_words(result: Preimage) -> str:
    """The end of a checker's claim for this result."""
    if result.cardinality.value == "empty":
        return ": empty"
    return f": {result.cardinality.value}, dimension {result.dimension}, rank {result.rank}, {result.active} active"


def one_layer_network(layer: Layer) -> Network:
    return Network((layer,), (SourceLayer(1, "layer", (layer,), 0),), (), (layer.inputs,))


# ---------------------------------------------------------------- systems


def cone_system(equalities: Sequence[Sequence[float]], inequalities: Sequence[Sequence[float]], columns: int) -> ConeSystem:
    """The cone of float rows without sides, rows of zeros left out."""
    kept = [(row, True) for row in equalities if any(row)] + [(row, False) for row in inequalities if any(row)]
    matrix = DyadicMatrix.from_floats(np.array([row for row, _ in kept], dtype=np.float64).reshape(len(kept), columns))
    none = np.zeros(columns, dtype=bool)
    return ConeSystem(RowSet(matrix), np.array([equality for _, equality in kept], dtype=bool), none, none)


def system_rows(system: ConeSystem) -> tuple[list[list[Fraction]], list[list[Fraction]]]:
    """(equalities, inequalities) of a system over fractions; sides are the last inequalities, in the format's order."""
    rows = system.rows.matrix.fractions()
    equalities = [row for row, equality in zip(rows, system.equality.tolist(), strict=True) if equality]
    inequalities = [row for row, equality in zip(rows, system.equality.tolist(), strict=True) if not equality]
    for column, (lower, upper) in enumerate(zip(system.lower.tolist(), system.upper.tolist(), strict=True)):
        for present, sign in ((lower, -1), (upper, 1)):
            if present:
                inequalities.append([Fraction(sign * (j == column)) for j in range(system.dimension)])
    return equalities, inequalities


def is_strict(system: ConeSystem, d: Row) -> bool:
    """Whether d is a strict ray, exactly."""
    equalities, inequalities = system_rows(system)
    return any(d) and all(dot(row, d) == 0 for row in equalities) and all(dot(row, d) < 0 for row in inequalities)


def implied(system: ConeSystem, weights: Sequence[Fraction], rows: Sequence[Row]) -> tuple[list[Fraction], Fraction]:
    """The implied multipliers of the columns' sides, and |v|_1 of what no side absorbs (FORMAT 3.3)."""
    absorbed, residual = [], Fraction(0)
    for j, (lower, upper) in enumerate(zip(system.lower.tolist(), system.upper.tolist(), strict=True)):
        sigma = sum((w * row[j] for w, row in zip(weights, rows, strict=False)), Fraction(0))
        taken = max(sigma, Fraction(0)) if lower else max(-sigma, Fraction(0)) if upper else Fraction(0)
        absorbed.append(taken)
        if not (lower and upper):
            residual += abs(sigma) - taken
    return absorbed, residual


def margin_accepts(system: ConeSystem, certificate: TrivialByMargin) -> bool:
    """The rule of C3 over fractions, with the exact inverse for Q (so A = 0): D w_i > |v|_1 q_i."""
    equalities = system.equality.tolist()
    rows = system.all_rows().fractions()
    chosen = [i for i in range(system.row_count) if certificate.selected >> i & 1]
    n = system.dimension
    weights = [
        Fraction(w) * (1 if certificate.selected >> i & 1 else 2**certificate.exponent) for i, w in enumerate(certificate.multipliers)
    ]
    if any(w < 0 and not equality for w, equality in zip(weights, equalities, strict=True)) or len(chosen) != n:
        return False
    if rank([rows[i] for i in chosen]) < n:
        return False
    # Columns of the inverse, by solving N x = e_k as the kernel of [N | -e_k].
    inverse = []
    for k in range(n):
        (solution,) = kernel([[*rows[i], Fraction(-(k == place))] for place, i in enumerate(chosen)], n + 1)
        inverse.append([value / solution[n] for value in solution[:n]])
    absorbed, residual = implied(system, weights, rows)
    for place, i in enumerate(chosen):
        if i < len(equalities):
            if equalities[i]:
                continue
            own = weights[i]
        else:
            column = int(system.side_columns[i - len(equalities)])
            if system.fixed[column]:
                continue
            own = absorbed[column]
        if not own > residual * max(map(abs, inverse[place])):
            return False
    return True


def assert_split_is_proved(system: ConeSystem, split: Partition) -> None:
    """The multipliers are positive exactly on the implicit inequalities and cancel; the direction is strict on the others."""
    rows = system.all_rows().fractions()
    if split.implicit:
        assert split.multipliers is not None
        sigma = [Fraction(0)] * system.dimension
        for i, weight in enumerate(split.multipliers):
            if not system.equality[i]:
                assert (weight > 0) == (i in split.implicit)
                assert weight >= 0
            sigma = [a + weight * b for a, b in zip(sigma, rows[i], strict=True)]
        for place, (column, sign) in enumerate(zip(system.side_columns.tolist(), system.side_signs.tolist(), strict=True)):
            if not system.fixed[column]:
                absorbs = max(-int(sign) * sigma[column], Fraction(0))
                assert (absorbs > 0) == (system.general_count + place in split.implicit)
        for column, value in enumerate(sigma):
            lower, upper = bool(system.lower[column]), bool(system.upper[column])
            assert (lower and upper) or value == 0 or (lower and value > 0) or (upper and value < 0)
    if split.strict:
        assert split.direction is not None
        direction = [Fraction(value) for value in split.direction]
        for i, row in enumerate(rows):
            value = dot(row, direction)
            assert value < 0 if i in split.strict else value == 0
