"""Section 4.9 of proofs/FORMAT.md: a tree of cases, in each of which some hidden neurons are known to be active or inactive.

An input with the output y satisfies one of the two cases of every split, and so it is among the points of a leaf: together the leaves
hold all. A leaf is a layer, computed here from the network, the domain and y; only a claim about it and its evidence are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING, NamedTuple

from exactrelu.checker.claim import Box, Domain, Point, Polytope, contains, image, read_claim
from exactrelu.checker.evidence import check_claim
from exactrelu.checker.network import Layer, LayerRow
from exactrelu.checker.sparse import entries, kept
from exactrelu.checker.text import TREE_STEPS, Rejected, Text, affordable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exactrelu.checker.arithmetic import Kernels

SECTION = "4.9"
# of the numbers of a case layer: their bits, beyond which elimination takes minutes
BITS = 2**16


class Neuron(NamedTuple):
    """Rectified row `row`, counted from 0, of layer `number`, counted from 1."""

    number: int
    row: int


Signs = dict[Neuron, bool]
"""Neurons that are active (True) or inactive."""


@dataclass(frozen=True)
class Held:
    """What the leaves hold: points, and for every leaf with infinitely many its word and dimension."""

    points: set[tuple[int, ...]]
    infinite: list[tuple[str, int]]


class Cases:
    """What a leaf is computed from: layers, a domain, an output y without a negative entry at a rectified row."""

    def __init__(self, layers: Sequence[Layer], domain: Domain, y: Point, kernels: Kernels) -> None:
        if any(marked and value < 0 for marked, value in zip(layers[-1].rectified, y.numerators, strict=True)):
            raise Rejected(SECTION, "an output that is negative after a relu has no cases")
        self.layers = layers
        self.domain = domain
        self.y = y
        self.kernels = kernels
        self.neurons = [
            Neuron(number, i) for number, layer in enumerate(layers[:-1], 1) for i, marked in enumerate(layer.rectified) if marked
        ]
        self._steps = 0

    def check(self, text: Text) -> Held:
        """Read the tree: every leaf is closed."""
        text.take("cases", SECTION).done()
        known = set(self.neurons)
        held = Held(set(), [])
        # the splits above, each with the sign of the child at hand
        path: list[Neuron] = []
        signs: Signs = {}
        while True:
            if text.begins("split"):
                fields = text.take("split", SECTION)
                neuron = Neuron(fields.natural("L"), fields.natural("J"))
                fields.done()
                if neuron not in known or neuron in signs:
                    fields.reject("the row is no rectified one of a hidden layer, or its sign is known already")
                path.append(neuron)
                signs[neuron] = False
                continue
            self._leaf(text, signs, held)
            while path and signs[path[-1]]:
                del signs[path.pop()]
            if not path:
                return held
            signs[path[-1]] = True

    def _leaf(self, text: Text, signs: Signs, held: Held) -> None:
        """A claim about the layer of the case, at the output 0."""
        n = self.layers[0].inputs
        layer = self.layer_of(signs)
        zero = Point(1, [0] * layer.outputs)
        claim = read_claim(text, 0, layer, "all", None, zero)
        base = check_claim(text, claim, self.kernels)
        if base is None:
            return
        if claim.cardinality != "singleton":
            if layer.inputs > n:
                raise Rejected(SECTION, "a case with infinitely many points leaves a sign open that matters")
            held.infinite.append((claim.cardinality, claim.dimension))
            return
        x = Point(base.x.denominator, base.x.numerators[:n])
        if self._has_output(x):
            common = gcd(x.denominator, *x.numerators)
            held.points.add(tuple(value // common for value in (x.denominator, *x.numerators)))

    def _has_output(self, x: Point) -> bool:
        """Whether x is in the domain and has the output y."""
        state = x
        for layer in self.layers:
            affordable(layer.outputs, max(value.bit_length() for value in (state.denominator, *state.numerators)), SECTION)
            state = image(layer, self.kernels.evaluate(layer, state))
        return contains(self.domain, x) and state.equals(self.y)

    def _count(self, steps: int) -> None:
        self._steps += steps
        if self._steps > TREE_STEPS:
            raise Rejected(SECTION, f"cases that take more than {TREE_STEPS} steps are more than a checker takes on")

    # The layer of a case

    def layer_of(self, signs: Signs) -> Layer:
        """Its columns are those of x and the neurons without a sign, but for those that nothing else reads."""
        n = self.layers[0].inputs
        free = [neuron for neuron in self.neurons if neuron not in signs]
        sides = len(self.domain.rows) if isinstance(self.domain, Polytope) else 2 * n
        count = sides + sum(2 * layer.outputs for layer in self.layers)
        affordable(count * (n + len(free)), 64, SECTION)
        self._count(count * len(free))
        rows = [*self._rows_of_layers(signs, n + len(free)), *self._rows_of_domain()]
        columns: list[int | Neuron] = [*range(n), *free]
        for neuron in reversed(free):
            # the last one first, for its own rows may be all that reads another
            if not any(row.form.get(neuron) for row in rows if row.neuron != neuron):
                rows = [row for row in rows if row.neuron != neuron]
                columns.remove(neuron)
        return Layer(len(columns), [normal(row.form, columns) for row in rows], [not row.equality for row in rows])

    def _rows_of_layers(self, signs: Signs, columns: int) -> Iterator[CaseRow]:
        # the values of the layer before are state * 2^-down
        state: list[Form] = [{j: 1} for j in range(self.layers[0].inputs)]
        down = 0
        for number, layer in enumerate(self.layers, 1):
            z, down = self._values(layer, state, down, columns)
            if number == len(self.layers):
                yield from self._rows_of_output(z, down)
            state = []
            for i, row in enumerate(z):
                neuron = Neuron(number, i)
                if number == len(self.layers) or not layer.rectified[i]:
                    state.append(row)
                elif neuron not in signs:
                    value: Form = {neuron: 1 << down}
                    yield CaseRow(multiple(-1, value), neuron=neuron)
                    yield CaseRow(plus(dict(row), -1, value), neuron=neuron)
                    state.append(value)
                elif signs[neuron]:
                    yield CaseRow(multiple(-1, row))
                    state.append(row)
                else:
                    yield CaseRow(row)
                    state.append({})

    def _values(self, layer: Layer, state: Sequence[Form], down: int, columns: int) -> tuple[list[Form], int]:
        """The layer's rows at state * 2^-down, and how far down they are."""
        deeper = max([0, *(-row.exponent for row in layer.rows)])
        higher = max([0, *(row.exponent for row in layer.rows)])
        sizes = [abs(value).bit_length() for row in layer.rows for value in (row.constant, *kept(row.coefficients))]
        most = max([down, *(abs(value).bit_length() for form in state for value in form.values())])
        digits = most + max(sizes, default=0) + deeper + higher
        if digits > BITS:
            raise Rejected(SECTION, f"a case with numbers of more than {BITS} bits is more than a checker takes on")
        self._count((1 + len(sizes)) * (1 + columns) * (1 + digits // 1024))
        found = []
        for row in layer.rows:
            total: Form = {CONSTANT: row.constant << down}
            for j, value in entries(row.coefficients):
                if value:
                    plus(total, value, state[j])
            found.append(multiple(1 << (row.exponent + deeper), total))
        return found, down + deeper

    def _rows_of_output(self, z: Sequence[Form], down: int) -> Iterator[CaseRow]:
        """z = y where y is positive or no relu follows, z <= 0 elsewhere."""
        for row, value, marked in zip(z, self.y.numerators, self.layers[-1].rectified, strict=True):
            yield CaseRow(plus(multiple(self.y.denominator, row), -1, {CONSTANT: value << down}), equality=value > 0 or not marked)

    def _rows_of_domain(self) -> Iterator[CaseRow]:
        n, domain = self.layers[0].inputs, self.domain
        if isinstance(domain, Polytope):
            for constant, coefficients in domain.rows:
                yield CaseRow({CONSTANT: constant, **dict(enumerate(coefficients))})
        elif isinstance(domain, Box):
            for j, (lower, upper) in enumerate(zip(domain.lower.numerators, domain.upper.numerators, strict=True)):
                yield CaseRow({j: -domain.lower.denominator, CONSTANT: lower})
                yield CaseRow({j: domain.upper.denominator, CONSTANT: -upper})
        elif domain == "orthant":
            for j in range(n):
                yield CaseRow({j: -1})


CONSTANT = -1
Form = dict["int | Neuron", int]
"""Coefficients of the coordinates of x, by their numbers, and of neurons, and the constant; those that are not there are 0."""


class CaseRow(NamedTuple):
    """A form that is at most 0 or, as an equality, 0; `neuron` is set where it is one of the two rows of a free neuron."""

    form: Form
    equality: bool = False
    neuron: Neuron | None = None


def plus(total: Form, factor: int, form: Form) -> Form:
    """total + factor * form, in place of `total`."""
    for column, value in form.items():
        total[column] = total.get(column, 0) + factor * value
    return total


def multiple(factor: int, form: Form) -> Form:
    """factor * form."""
    return {column: factor * value for column, value in form.items()}


def normal(form: Form, columns: Sequence[int | Neuron]) -> LayerRow:
    """Coprime integers, times the power of two that brings the largest between 1/2 and 1."""
    common = gcd(*form.values()) or 1
    size = (max(map(abs, form.values()), default=0) // common).bit_length()
    if size > BITS:
        raise Rejected(SECTION, f"a case with numbers of more than {BITS} bits is more than a checker takes on")
    return LayerRow(-size, form.get(CONSTANT, 0) // common, [form.get(column, 0) // common for column in columns])


def check_cases(text: Text, cases: Cases, cardinality: str, points: int, dimension: int | None) -> None:
    """The leaves hold what the claim says: so many points, or infinitely many in sets of at most this dimension, and one of it."""
    held = cases.check(text)
    if cardinality in {"empty", "singleton", "finite"}:
        if held.infinite:
            raise Rejected(SECTION, "a case holds infinitely many points")
        if len(held.points) != points:
            raise Rejected(SECTION, f"the cases hold {len(held.points)} points")
        return
    words = {word for word, _ in held.infinite}
    shown = {"bounded": words == {"bounded"}, "unbounded": "unbounded" in words, "infinite": bool(words)}
    if not shown[cardinality]:
        raise Rejected(SECTION, f"the cases do not show that the pre-image is {cardinality}")
    if max(found for _, found in held.infinite) != dimension:
        raise Rejected(SECTION, "DIM is not the largest dimension of a case")
