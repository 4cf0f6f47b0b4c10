"""S: singular values in proved intervals, exact counts and ranks. Second opinions: ball arithmetic, planted values, fractions."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import combinations
from math import lcm

import numpy as np
import pytest
from flint import acb_mat, arb, ctx, fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from theorems.oracles import examples, rank

from exactrelu import DyadicMatrix, Layer, Network, RationalVector, SourceLayer
from exactrelu.exact.enclosed import EnclosedMatrix
from exactrelu.exact.gram import count_below, refined_spectrum
from exactrelu.exact.spectrum import Spectrum, enclosed_spectrum
from exactrelu.stability.answer import square_root
from exactrelu.strategies import dyadic_matrices, networks, rational_vectors

# ---------------------------------------------------------------- the truth


def inertia(matrix: list[list[Fraction]]) -> tuple[int, int]:
    """How many eigenvalues of a symmetric matrix are negative, and how many are 0: elimination by fractions (Sylvester)."""
    negative = 0
    while matrix:
        place = next((i for i in range(len(matrix)) if matrix[i][i]), None)
        if place is None:
            pair = next(((i, j) for i, j in combinations(range(len(matrix)), 2) if matrix[i][j]), None)
            if pair is None:
                return negative, len(matrix)
            # Adding row and column j to row and column i is a congruence, and makes the diagonal entry 2 a_ij.
            i, j = pair
            matrix = [[*row] for row in matrix]
            matrix[i] = [a + b for a, b in zip(matrix[i], matrix[j], strict=True)]
            for row in matrix:
                row[i] += row[j]
            continue
        pivot, own = matrix[place][place], matrix[place]
        negative += pivot < 0
        others = [k for k in range(len(matrix)) if k != place]
        matrix = [[matrix[i][j] - matrix[i][place] * own[j] / pivot for j in others] for i in others]
    return negative, 0


class Truth:
    """The singular values of a matrix of fractions, known by how many are below any rational number."""

    def __init__(self, rows: list[list[Fraction]]) -> None:
        columns = [list(column) for column in zip(*rows, strict=True)]
        few = rows if len(rows) <= len(columns) else columns
        self.gram = [[sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0)) for y in few] for x in few]

    def below(self, t: Fraction) -> tuple[int, int]:
        """How many singular values are less than t > 0, and how many are equal to it."""
        return inertia([[a - (t * t if i == j else 0) for j, a in enumerate(row)] for i, row in enumerate(self.gram)])

    def excluded_by(self, spectrum: Spectrum) -> list[int]:
        """The places of singular values that lie outside of their intervals."""
        r = len(self.gram)
        assert len(spectrum) == r
        found = []
        for i, (lower, upper) in enumerate(zip(spectrum.lower, spectrum.upper, strict=True)):
            # sigma_i, from 0, is at least l iff at most r - i - 1 are less, and at most u iff at least r - i are u or less.
            too_large = lower > 0 and self.below(lower)[0] > r - i - 1
            if too_large or sum(self.below(upper)) < r - i:
                found.append(i)
        return found


def by_balls(rows: list[list[Fraction]], precision: int = 400) -> list[tuple[Fraction, Fraction]]:
    """Singular values that are all different, largest first: positive eigenvalues of [[0, A], [A^T, 0]] in ball arithmetic, by FLINT."""

    def fraction(value: arb) -> Fraction:
        mantissa, exponent = value.man_exp()
        return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)

    m, n = len(rows), len(rows[0])
    old, ctx.prec = ctx.prec, precision
    try:
        whole = fmpq_mat(m + n, m + n)
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                whole[i, m + j] = whole[m + j, i] = fmpq(value.numerator, value.denominator)
        found = [value.real for value in acb_mat(whole).eig()]
        return sorted(((fraction(v.lower()), fraction(v.upper())) for v in found), reverse=True)[: min(m, n)]
    finally:
        ctx.prec = old


def contains(spectrum: Spectrum, truth: list[tuple[Fraction, Fraction]]) -> bool:
    """Whether no interval excludes the true value."""
    pairs = zip(spectrum.lower, spectrum.upper, truth, strict=True)
    return all(lower <= high and low <= upper for lower, upper, (low, high) in pairs)


def shrunk(spectrum: Spectrum, factor: int) -> Spectrum:
    """Intervals around the same centres, so many times narrower."""
    middles = [(a + b) / 2 for a, b in zip(spectrum.lower, spectrum.upper, strict=True)]
    radii = [(b - a) / 2 / factor for a, b in zip(spectrum.lower, spectrum.upper, strict=True)]
    return Spectrum(tuple(m - r for m, r in zip(middles, radii, strict=True)), tuple(m + r for m, r in zip(middles, radii, strict=True)))


# ---------------------------------------------------------------- matrices


def cayley(size: int, skew: list[int]) -> tuple[list[list[Fraction]], int]:
    """A rational orthogonal matrix (I - K)(I + K)^-1 of a skew matrix K, and its denominator."""
    places = dict(zip(combinations(range(size), 2), skew, strict=True))
    k = fmpq_mat(size, size, [places.get((i, j), 0) - places.get((j, i), 0) for i in range(size) for j in range(size)])
    one = fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])
    q = (one - k) * (one + k).inv()
    rows = [[Fraction(int(q[i, j].p), int(q[i, j].q)) for j in range(size)] for i in range(size)]
    return rows, lcm(*(value.denominator for row in rows for value in row))


@st.composite
def planted(draw: st.DrawFn) -> tuple[DyadicMatrix, list[Fraction]]:
    """An integer matrix (m, n) times a power of two with known singular values: repeated, zero, far apart."""
    m, n = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    (left, p), (right, q) = (
        cayley(size, draw(st.lists(st.integers(-2, 2), min_size=size * (size - 1) // 2, max_size=size * (size - 1) // 2)))
        for size in (m, n)
    )
    values = st.sampled_from([0, 1, 1, 2, 3, 2**20, 2**40, 2**70, 2**70 + 1])
    diagonal = draw(st.lists(values, min_size=min(m, n), max_size=min(m, n)))
    exponent = draw(st.sampled_from([0, 0, -30, -1100, 900]))
    rows = [[int(p * q * sum(left[i][k] * d * right[j][k] for k, d in enumerate(diagonal))) for j in range(n)] for i in range(m)]
    scale = p * q * Fraction(2) ** exponent
    return DyadicMatrix.from_integers(rows, n, exponent), sorted((d * scale for d in diagonal), reverse=True)


def hilbert(size: int) -> np.ndarray:
    return np.array([[1 / (i + j + 1) for j in range(size)] for i in range(size)])


def vandermonde(size: int) -> np.ndarray:
    return np.vander(np.arange(1, size + 1) / size)


def almost_singular(size: int) -> np.ndarray:
    """Ones, and a last column that differs from the first in one last bit."""
    matrix = np.random.default_rng(size).integers(-9, 10, (size, size)).astype(float)
    matrix[:, -1] = matrix[:, 0]
    matrix[0, -1] = np.nextafter(matrix[0, 0] or 1.0, 100)
    return matrix


REGULAR = [hilbert(6), hilbert(12), vandermonde(9), almost_singular(7)]
FAMOUS = [hilbert(6), vandermonde(7), almost_singular(5), np.eye(4), np.zeros((2, 3)), np.ones((5, 3)), np.ones((0, 3))]


def proposals(matrix: EnclosedMatrix, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a float decomposition, a float32 one, a poor one and nonsense say."""
    floats = matrix.floats.astype(np.float32) if kind == "float32" else matrix.floats
    u, s, vt = (part.astype(np.float64) for part in np.linalg.svd(floats, full_matrices=False))
    generator = np.random.default_rng(1)
    if kind == "poor":
        return tuple(part * (1 + 1e-3 * generator.standard_normal(part.shape)) for part in (u, s, vt))
    if kind == "nonsense":
        return tuple(generator.standard_normal(part.shape) for part in (u, s, vt))
    return (u, s * np.nan, vt) if kind == "nan" else (u, s, vt)


KINDS = ["float64", "float32", "poor", "nonsense", "nan"]

# ---------------------------------------------------------------- S1


@pytest.mark.parametrize("slices", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@examples(60)
@given(case=planted())
def test_S1_planted_values_are_never_excluded(case, kind, slices):
    matrix, values = case
    enclosed = EnclosedMatrix.of(matrix)
    spectrum = enclosed_spectrum(enclosed, *proposals(enclosed, kind), slices=slices)
    assert contains(spectrum, [(value, value) for value in values])
    if kind == "float64" and values[0]:
        assert max(b - a for a, b in zip(spectrum.lower, spectrum.upper, strict=True)) <= values[0] / 10**12


@pytest.mark.parametrize("slices", [False, True])
@pytest.mark.parametrize("matrix", REGULAR, ids=lambda matrix: str(matrix.shape))
def test_S1_famous_matrices_in_ball_arithmetic(matrix, slices):
    exact = DyadicMatrix.from_floats(matrix)
    truth, enclosed = by_balls(exact.fractions()), EnclosedMatrix.of(exact)
    for kind in KINDS:
        assert contains(enclosed_spectrum(enclosed, *proposals(enclosed, kind), slices=slices), truth)
    assert contains(refined_spectrum(exact), truth)


@pytest.mark.parametrize("slices", [False, True])
@pytest.mark.parametrize("matrix", FAMOUS, ids=lambda matrix: str(matrix.shape))
def test_S1_famous_matrices_by_fractions(matrix, slices):
    exact = DyadicMatrix.from_floats(matrix)
    truth, enclosed = Truth(exact.fractions()), EnclosedMatrix.of(exact)
    for kind in KINDS:
        assert not truth.excluded_by(enclosed_spectrum(enclosed, *proposals(enclosed, kind), slices=slices))


@examples(60)
@given(st.integers(1, 4), st.integers(1, 4), st.booleans(), st.data())
def test_S1_degenerate_matrices(m, n, slices, data):
    exact = data.draw(dyadic_matrices(m, n))
    enclosed = EnclosedMatrix.of(exact)
    spectrum = enclosed_spectrum(enclosed, *proposals(enclosed, "float64"), slices=slices)
    assert not Truth(exact.fractions()).excluded_by(spectrum)


@pytest.mark.parametrize("slices", [False, True])
def test_S1_a_thousandth_of_the_radius_would_exclude_the_truth(slices):
    # Of small matrices already the rounding of the decomposition itself is more than a thousandth of the bound.
    excluded = 0
    for seed in range(40):
        exact = DyadicMatrix.from_floats(np.random.default_rng(seed).standard_normal((3, 3)))
        enclosed, truth = EnclosedMatrix.of(exact), by_balls(exact.fractions())
        spectrum = enclosed_spectrum(enclosed, *proposals(enclosed, "float64"), slices=slices)
        assert contains(spectrum, truth)
        excluded += not contains(shrunk(spectrum, 1000), truth)
    assert excluded >= 20


def test_S1_the_bound_is_sharp_for_each_of_its_three_terms():
    # E alone; then F and G alone: in each case the truth is at the end of the interval, to a few parts in 10^6.
    for s, u in ((1 + 1e-5, 1.0), (1.0, 1 + 1e-5)):
        spectrum = enclosed_spectrum(EnclosedMatrix(np.array([[u]])), np.array([[u]]), np.array([s]), np.array([[1.0]]))
        error = abs(Fraction(u) - (spectrum.lower[0] + spectrum.upper[0]) / 2)
        assert (spectrum.upper[0] - spectrum.lower[0]) / 8 < error < (spectrum.upper[0] - spectrum.lower[0]) / 2
        assert not contains(shrunk(spectrum, 1000), [(Fraction(u), Fraction(u))])


# ---------------------------------------------------------------- S2


@examples(80)
@given(planted(), st.data())
def test_S2_counts_are_exact_at_ties_too(case, data):
    matrix, values = case
    about = data.draw(st.sampled_from([*values, Fraction(1), Fraction(2) ** 60]))
    threshold = about * data.draw(st.sampled_from([Fraction(1), 1 - Fraction(1, 10**9), 1 + Fraction(1, 10**40), Fraction(1, 3)]))
    assert count_below(matrix, threshold) == sum(value < threshold for value in values)


@pytest.mark.parametrize("seed", range(30))
def test_S2_a_tie_is_not_decided_by_noise(seed):
    # The vector of the singular value that is the threshold is not a dyadic one, so that its quotient is rounding error alone.
    generator = np.random.default_rng(seed)
    (left, p), (right, q) = (cayley(5, generator.integers(-2, 3, 10).tolist()) for _ in range(2))
    diagonal = [1, 2, 3, 3, 7]
    rows = [[int(p * q * sum(left[i][k] * d * right[j][k] for k, d in enumerate(diagonal))) for j in range(5)] for i in range(5)]
    assert count_below(DyadicMatrix.from_integers(rows, 5), Fraction(3 * p * q)) == 2


@examples(60)
@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_S2_tiny_singular_values_have_tight_intervals(m, n, data):
    exact = data.draw(dyadic_matrices(m, n))
    spectrum = refined_spectrum(exact)
    assert not Truth(exact.fractions()).excluded_by(spectrum)
    assert spectrum.positive == rank(exact.fractions())
    assert all(upper - lower <= upper / 10**9 for lower, upper in zip(spectrum.lower, spectrum.upper, strict=True))


def test_S2_large_matrices_are_counted_without_a_polynomial(monkeypatch):
    monkeypatch.setattr("exactrelu.exact.gram._by_descartes", lambda _: pytest.fail("a polynomial was used"))
    matrix = np.random.default_rng(0).standard_normal((60, 40)).astype(np.float32)
    values = np.linalg.svd(matrix.astype(float), compute_uv=False)
    for place in (1, 20, 39):
        middle = Fraction(float(values[place] + values[place - 1]) / 2)
        for exact in (DyadicMatrix.from_floats(matrix), DyadicMatrix.from_floats(matrix.T)):
            assert count_below(exact, middle) == 40 - place


# ---------------------------------------------------------------- S3


def linear_part(network: Network, x: RationalVector) -> list[list[Fraction]]:
    """A_P by fractions, rows of inactive neurons 0."""
    product = [[Fraction(int(i == j)) for j in range(network.inputs)] for i in range(network.inputs)]
    for layer, active in zip(network.layers, network.activation_pattern(x), strict=True):
        rows = layer.weight.fractions()
        product = [
            [sum((w * product[k][j] for k, w in enumerate(row)), Fraction(0)) if on else Fraction(0) for j in range(network.inputs)]
            for row, on in zip(rows, active.tolist(), strict=True)
        ]
    return product


def stability(network: Network, x: RationalVector, **options):
    pytest.importorskip("torch", reason="singular values are proposed by PyTorch")
    from exactrelu.stability import stability

    return stability(network, [x], **options)


def has_relu(network: Network) -> bool:
    return any(layer.rectified.any() for layer in network.layers)


@examples(60)
@given(networks().filter(has_relu), st.data())
def test_S3_linearisations_of_networks(network, data):
    x = data.draw(rational_vectors(network.inputs))
    threshold = data.draw(st.sampled_from([Fraction(0), Fraction(1), Fraction(1, 2), Fraction(5)]))
    found = stability(network, x, below=[threshold], sharp=data.draw(st.booleans()), before=True)
    assert [one.layer for one in found] == [one.number for one in network.source_layers]
    for one, depth in zip(found, range(1, len(network.layers) + 1), strict=True):
        part = Network(network.layers[:depth], network.source_layers[:depth], (), (network.inputs,))
        rows = linear_part(part, x)
        truth = Truth(rows)
        assert not truth.excluded_by(one.after.spectrum)
        assert one.after.exact_rank == rank(rows)
        count = truth.below(threshold)[0] if threshold else 0
        assert one.after.below[threshold] == (count, count)
        if one.after.exact_rank:
            low, high = one.after.sigma_min
            assert 0 < low <= high
        assert one.active == int(part.activation_pattern(x)[-1].sum())
        assert one.record()["sigma"][one.after.exact_rank :] == [["0", "0"]] * (min(one.after.shape) - one.after.exact_rank)


@examples(40)
@given(networks(depth=2).filter(has_relu), st.data())
def test_S3_the_inequality_holds_on_the_region(network, data):
    """sigma_min |d| <= |A_P d| <= sigma_max |d| for d in the row space, and the nearest wall by fractions."""
    x = data.draw(rational_vectors(network.inputs))
    found = stability(network, x)[-1]
    rows = linear_part(network, x)
    weights = data.draw(st.lists(st.integers(-3, 3), min_size=len(rows), max_size=len(rows)))
    d = [sum((w * row[j] for w, row in zip(weights, rows, strict=True)), Fraction(0)) for j in range(network.inputs)]
    image = [sum((a * b for a, b in zip(row, d, strict=True)), Fraction(0)) for row in rows]
    squares = [sum((value * value for value in vector), Fraction(0)) for vector in (d, image)]
    if squares[0]:
        assert found.after.sigma_min[0] ** 2 * squares[0] <= squares[1] <= found.after.sigma_max[1] ** 2 * squares[0]
    walls = []
    for depth, layer in enumerate(network.layers):
        before = [[Fraction(int(i == j)) for j in range(network.inputs)] for i in range(network.inputs)]
        point = x
        if depth:
            part = Network(network.layers[:depth], network.source_layers[:depth], (), (network.inputs,))
            before, point = linear_part(part, x), part(x)
        z = layer.pre_activation(point).fractions()
        for row, weight in enumerate(layer.weight.fractions()):
            gradient = [sum((w * before[k][j] for k, w in enumerate(weight)), Fraction(0)) for j in range(network.inputs)]
            square = sum((g * g for g in gradient), Fraction(0))
            if layer.rectified[row] and square:
                walls.append(z[row] ** 2 / square)
    boundary = found.record()["boundary"]
    assert (None if boundary is None else Fraction(boundary["squared_distance"])) == min(walls, default=None)


def chain(*weights: list[list[float]]) -> Network:
    """Layers without bias, all with a relu."""
    layers = tuple(
        Layer(DyadicMatrix.from_floats(w), DyadicMatrix.from_floats(np.zeros((len(w), 1))), np.ones(len(w), dtype=bool)) for w in weights
    )
    named = tuple(SourceLayer(k + 1, f"layer {k + 1}", (layer,), k) for k, layer in enumerate(layers))
    return Network(layers, named, (), (layers[0].inputs,))


def test_S3_a_float_rank_that_is_too_small_is_a_disagreement():
    (found,) = stability(chain([[1.0, 1.0], [1.0, 1 + 2.0**-52]]), RationalVector((1, 1)))
    assert np.linalg.matrix_rank(np.array([[1.0, 1.0], [1.0, 1 + 2.0**-52]])) == found.after.numeric_rank == 1
    assert found.after.exact_rank == 2
    assert found.record()["agrees"] is False
    low, high = found.after.sigma_min
    assert 0 < Fraction(1, 10**16) < low <= high < Fraction(12, 10**17)


def test_S3_a_float_rank_that_is_too_large_is_a_disagreement():
    # 3 (1 + 2^-53) - (3 + 3 2^-53) is 0, but not in floats.
    *_, found = stability(chain([[1.0], [2.0**-53]], [[1.0, 1.0], [3.0, 3.0]], [[3.0, -1.0]]), RationalVector((1,)), before=True)
    assert found.active == 0
    assert (found.before.exact_rank, found.before.numeric_rank, found.before.agrees) == (0, 1, False)
    assert found.before.record()["sigma"] == [["0", "0"]]
    assert found.before.sigma_min is None


@pytest.mark.parametrize("power", [-1000, -500, 500, 1000])
def test_S3_products_neither_overflow_nor_underflow(power):
    factor = 2.0**power
    *_, found = stability(chain([[factor, 0.0], [0.0, 2 * factor]], [[factor, 0.0], [0.0, factor]]), RationalVector((1, 1)))
    scale = Fraction(2) ** (2 * power)
    assert contains(found.after.spectrum, [(2 * scale, 2 * scale), (scale, scale)])
    assert found.after.exact_rank == found.after.numeric_rank == 2
    assert found.after.condition[1] < Fraction(2000001, 1000000)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_S3_numerical_ranks_are_those_of_the_libraries(dtype):
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(0)
    for size in range(1, 7):
        matrix = np.vander(1 + generator.integers(1, 20, size) / 64).astype(np.float32)
        (found,) = stability(chain(matrix.tolist()), RationalVector((1,) * size), dtype=dtype)
        typed = matrix.astype(dtype)
        assert found.after.numeric_rank == np.linalg.matrix_rank(typed) == torch.linalg.matrix_rank(torch.from_numpy(typed))
        assert not Truth(DyadicMatrix.from_floats(matrix).fractions()).excluded_by(found.after.spectrum)


@examples(40)
@given(networks().filter(has_relu), st.data())
def test_S3_what_products_with_vectors_prove_is_true(network, data):
    x = data.draw(rational_vectors(network.inputs))
    for one, depth in zip(stability(network, x, most_bytes=0), range(1, len(network.layers) + 1), strict=True):
        rows = linear_part(Network(network.layers[:depth], network.source_layers[:depth], (), (network.inputs,)), x)
        # With as many rows as columns at least, there are as many singular values as columns.
        padded = [*rows, *[[Fraction(0)] * network.inputs] * (network.inputs - len(rows))]
        truth, found = Truth(padded), one.after
        for low, high in found.held:
            assert sum(truth.below(high)) > (truth.below(low)[0] if low else 0)
        low, high = found.sigma_max
        assert low == 0 or truth.below(low)[0] < network.inputs
        assert sum(truth.below(high)) == network.inputs
        assert found.last_upper == 0 or sum(truth.below(found.last_upper)) > 0
        assert found.last_upper > 0 or rank(rows) < network.inputs
        assert found.rank[0] <= rank(rows) <= found.rank[1]


def test_S3_products_with_vectors_find_the_largest_singular_values():
    weight = np.random.default_rng(0).standard_normal((60, 50)).tolist()
    (dense,), (free,) = (stability(chain(weight), RationalVector((1,) * 50), most_bytes=size) for size in (2**32, 0))
    for (low, high), lower, upper in zip(free.after.held[:6], dense.after.spectrum.lower, dense.after.spectrum.upper, strict=False):
        assert lower <= high and low <= upper
        assert high - low < Fraction(1, 10**6)
    assert free.after.sigma_max[0] > dense.after.sigma_max[0] * (1 - Fraction(1, 10**6))
    assert json.loads(json.dumps(free.record()))["sigma"] is None


# ---------------------------------------------------------------- S4


@examples(80)
@given(st.integers(1, 4), st.integers(2, 7), st.data())
def test_S4_removed_rows_bound_the_smallest_singular_value(n, m, data):
    from exactrelu.stability.removal import removed_rows

    weight = data.draw(dyadic_matrices(m, n))
    x = data.draw(rational_vectors(n))
    layer = Layer(weight, DyadicMatrix.from_floats(np.zeros((m, 1))), np.ones(m, dtype=bool))
    active, rows = layer.active(x), weight.fractions()
    kept = [row for row, on in zip(rows, active.tolist(), strict=True) if on]
    found = removed_rows(layer, x)
    within = [k for k, on in enumerate(active.tolist()) if not on and any(rows[k]) and kept and rank([*kept, rows[k]]) == rank(kept)]
    assert {one.row for one in found} == set(within)
    for one in found:
        a = rows[one.row]
        products = [sum((p * q for p, q in zip(row, a, strict=True)), Fraction(0)) for row in kept]
        length = sum((value * value for value in a), Fraction(0))
        assert one.quotient == sum((value * value for value in products), Fraction(0)) / length
        assert one.quotient <= one.correlation == len(kept) * max(products, key=abs) ** 2 / length
        # sigma_min <= c: of the singular values that are not 0 one is at most c, so more than the zeros are at most c.
        _, high = square_root(one.quotient)
        assert sum(Truth(kept).below(high)) > min(len(kept), n) - rank(kept)
