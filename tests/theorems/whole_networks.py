"""Small degenerate networks, and what all their closed sign cells, flat ones among them, say of them by PPL: the second opinion."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import strategies as st
from theorems.oracles import cleared, domain_rows

from exactrelu.exact.rational import DyadicMatrix
from exactrelu.network.model import Layer, Network, SourceLayer

if TYPE_CHECKING:
    from exactrelu.domain import Domain

ppl = pytest.importorskip("ppl", reason="pplpy gives the second opinion")

Rows = list[list[Fraction]]


def sign_cells(network: Network, domain: Domain) -> list[tuple[Any, Rows]]:
    """The closed sign cells of a network that meet a domain, each with the rows of the map there; flat cells among them."""
    n = network.inputs
    whole = ppl.C_Polyhedron(n, "universe")
    for side in domain_rows(domain, n):
        whole.add_constraint(expression(side) <= 0)
    cells = [(whole, [[Fraction(int(i == j)) for j in range(n + 1)] for i in range(n)])]
    for layer in network.layers:
        cells = [part for cell, inputs in cells for part in cut(cell, after(layer, inputs), layer.rectified.tolist())]
    return [(cell, rows) for cell, rows in cells if not cell.is_empty()]


def after(layer: Layer, inputs: Rows) -> Rows:
    columns = list(zip(*inputs, strict=True))
    rows = []
    for weights, (bias,) in zip(layer.weight.fractions(), layer.bias.fractions(), strict=True):
        row = [sum((w * a for w, a in zip(weights, column, strict=True)), Fraction(0)) for column in columns]
        row[-1] += bias
        rows.append(row)
    return rows


def cut(cell: Any, rows: Rows, rectified: list[bool]) -> list[tuple[Any, Rows]]:
    parts: list[tuple[Any, Rows]] = [(cell, [])]
    for row, relu in zip(rows, rectified, strict=True):
        if not relu:
            parts = [(part, [*outputs, row]) for part, outputs in parts]
            continue
        fresh = []
        for part, outputs in parts:
            for positive in (True, False):
                piece = ppl.C_Polyhedron(part)
                piece.add_constraint(expression(row) >= 0 if positive else expression(row) <= 0)
                if not piece.is_empty():
                    fresh.append((piece, [*outputs, row if positive else [Fraction(0)] * len(row)]))
        parts = fresh
    return parts


def expression(row: list[Fraction]) -> Any:
    *coefficients, constant = cleared(row)
    return ppl.Linear_Expression(coefficients, constant)


def is_injective(network: Network, domain: Domain) -> bool:
    """By all pairs of closed cells: {(x, y) : f(x) = f(y)} lies in {x = y}."""
    n, cells = network.inputs, sign_cells(network, domain)
    for number, (first, one) in enumerate(cells):
        for second, other in cells[number:]:
            both = ppl.C_Polyhedron(first)
            both.concatenate_assign(second)
            for a, b in zip(one, other, strict=True):
                row = [*a[:-1], *(-value for value in b[:-1]), a[-1] - b[-1]]
                both.add_constraint(expression(row) == 0)
            if both.is_empty():
                continue
            for j in range(n):
                same = ppl.Variable(j) - ppl.Variable(n + j) == 0
                if not both.relation_with(same).implies(ppl.Poly_Con_Relation.is_included()):
                    return False
    return True


def are_equal(first: Network, second: Network, domain: Domain) -> bool:
    """Whether two networks are the same function on a domain: the maps agree wherever cells of both meet."""
    others = sign_cells(second, domain)
    for cell, one in sign_cells(first, domain):
        for other_cell, other in others:
            common = ppl.C_Polyhedron(cell)
            common.intersection_assign(other_cell)
            if common.is_empty():
                continue
            for a, b in zip(one, other, strict=True):
                row = [u - v for u, v in zip(a, b, strict=True)]
                if not common.relation_with(expression(row) == 0).implies(ppl.Poly_Con_Relation.is_included()):
                    return False
    return True


# ---------------------------------------------------------------- networks


def layer(rows: list[list[float]], biases: list[float], rectified: list[bool]) -> Layer:
    n = len(rows[0]) if rows else 0
    weights = DyadicMatrix.from_floats(np.array(rows, dtype=float).reshape(len(rows), n))
    return Layer(weights, DyadicMatrix.from_floats(np.array(biases, dtype=float).reshape(-1, 1)), np.array(rectified, dtype=bool))


def chained(*layers: Layer) -> Network:
    named = tuple(SourceLayer(i + 1, f"layer {i + 1}", (one,), i) for i, one in enumerate(layers))
    return Network(layers, named, (), (layers[0].inputs,))


def skipping(linear: list[list[float]], outer: list[list[float]], inner: list[list[float]], biases: list[float]) -> Network:
    """x -> linear x + outer relu(inner x + biases)."""
    n, h = len(linear[0]), len(inner)
    first = layer([*inner, *np.eye(n).tolist()], [*biases, *[0.0] * n], [True] * h + [False] * n)
    return chained(first, layer(np.hstack([outer, linear]).tolist(), [0.0] * len(linear), [False] * len(linear)))


@st.composite
def small_networks(draw: Any, *, square: bool = False) -> Network:
    """One or two hidden layers of small integers, often with a skip that makes the maps regular; zero, equal and opposite rows occur."""
    n = draw(st.integers(1, 2))
    m = n if square else draw(st.sampled_from([n, n, n + 1, n + 2, max(1, n - 1)]))
    h = draw(st.integers(1, 5))
    small = st.integers(-2, 2).map(float)

    def matrix(rows: int, columns: int, entries: Any = small) -> list[list[float]]:
        return draw(st.lists(st.lists(entries, min_size=columns, max_size=columns), min_size=rows, max_size=rows))

    if draw(st.booleans()):
        large = draw(st.sampled_from([0.0, 1.0, 3.0, 6.0]))
        linear = (np.array(matrix(m, n, st.integers(-1, 1).map(float))) + large * np.eye(m, n)).tolist()
        return skipping(linear, matrix(m, h), matrix(h, n), draw(st.lists(small, min_size=h, max_size=h)))
    widths = [n, h, *([draw(st.integers(1, 3))] if draw(st.booleans()) else []), m]
    layers = []
    for place, (a, b) in enumerate(itertools.pairwise(widths)):
        last = place == len(widths) - 2
        mask = [not last] * b if draw(st.booleans()) else draw(st.lists(st.booleans(), min_size=b, max_size=b))
        layers.append(layer(matrix(b, a), draw(st.lists(small, min_size=b, max_size=b)), mask))
    return chained(*layers)


def neurons(network: Network) -> int:
    return sum(int(one.rectified.sum()) for one in network.layers)


# Angles are doubled: |x| - |y| and (|x + y| - |x - y|) / 2. All eight determinants are positive, every value but 0 is taken twice.
DOUBLED = skipping(
    [[0, 0], [0, 0]],
    [[1, 1, -1, -1, 0, 0, 0, 0], [0, 0, 0, 0, 0.5, 0.5, -0.5, -0.5]],
    [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1], [1, -1], [-1, 1]],
    [0.0] * 8,
)
