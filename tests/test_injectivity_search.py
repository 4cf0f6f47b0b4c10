"""Parts of the proof by cases on R^n against a second opinion: sets by Python's, programs by SciPy, ranks of choices by FLINT."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from flint import nmod_mat
from hypothesis import event, given
from hypothesis import strategies as st
from scipy.optimize import linprog
from theorems.injectivity_replay import replay
from theorems.oracles import examples

import exactrelu.fast_checker.choices
from exactrelu.certificates.injectivity import Pack, Split, Tree
from exactrelu.domain import AllSpace
from exactrelu.exact.rational import DyadicMatrix
from exactrelu.injectivity.cases import flats, transversals
from exactrelu.injectivity.cases.packing import Packing
from exactrelu.injectivity.cases.pool import Pool
from exactrelu.injectivity.cases.transversals import LARGEST_Q
from exactrelu.injectivity.cases.tree import LARGEST_PRIME
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.solver import CheapestCombination
from exactrelu.network.model import Layer


@st.composite
def families(draw: st.DrawFn) -> tuple[int, list[set[int]], set[int], set[int]]:
    """Subsets of 0 .. m - 1, which rows are live, which excluded."""
    m = draw(st.sampled_from([1, 7, 63, 64, 65, 130]))
    rows, some = (st.sets(st.integers(0, m - 1), min_size=least, max_size=min(m, 5)) for least in (0, 1))
    return m, draw(st.lists(some, max_size=12)), set(range(m)) - draw(rows), draw(rows)


def mask(m: int, rows: set[int]) -> np.ndarray:
    return np.isin(np.arange(m), list(rows))


def filled(m: int, sets: list[set[int]]) -> Pool:
    pool = Pool(m)
    assert [pool.add(one) for one in sets] == list(range(len(sets)))
    return pool


@examples(150)
@given(families(), st.booleans())
def test_sets_of_rows_as_bits_are_those_sets(family: tuple[int, list[set[int]], set[int], set[int]], counted_by_numpy: bool) -> None:
    m, sets, live, excluded = family
    pool = filled(m, sets * 20)
    assert len(pool) == 20 * len(sets)
    with pytest.MonkeyPatch.context() as patch:
        if not counted_by_numpy:
            patch.delattr(np, "bitwise_count", raising=False)
        assert pool.sizes(pool.without(mask(m, excluded))).tolist() == [len(one - excluded) for one in sets] * 20
    assert pool.meeting(mask(m, live)).tolist() == [bool(one & live) for one in sets] * 20
    assert pool.mask(pool.bits(mask(m, live))).tolist() == mask(m, live).tolist()


@examples(200)
@given(families(), st.integers(1, 4))
def test_a_packing_is_disjoint_and_maximal_and_knows_what_is_shared(
    family: tuple[int, list[set[int]], set[int], set[int]], count: int
) -> None:
    m, sets, live, excluded = family
    packing = Packing(filled(m, sets), mask(m, live), mask(m, excluded))
    fitting = {k for k, one in enumerate(sets) if one <= live and one - excluded}
    packing.fill(count)
    chosen = list(packing.chosen)
    outside = [sets[k] - excluded for k in chosen]
    assert len(set(chosen)) == len(chosen) <= count
    assert set(chosen) <= fitting
    assert sum(map(len, outside)) == len(set().union(*outside))
    assert np.flatnonzero(packing.used).tolist() == sorted(set().union(*outside))
    assert not packing.shared.any()
    if len(chosen) < count:
        # Neither is another one disjoint, nor are there two in the place of one.
        for k, swapped in enumerate(chosen):
            rest = set().union(*outside[:k], *outside[k + 1 :])
            free = [sets[j] - excluded for j in fitting - set(chosen) if not (sets[j] - excluded) & rest]
            assert all(one & outside[k] for one in free)
            assert all(free[i] & free[j] for i in range(len(free)) for j in range(i)), (swapped, free)
    for k in sorted(fitting - set(chosen)):
        packing.add(k)
        outside.append(sets[k] - excluded)
    both = [i for i in range(m) if sum(i in one for one in outside) > 1]
    assert np.flatnonzero(packing.shared).tolist() == both
    smallest = min((len(sets[k] - excluded) for k in fitting), default=m + 1)
    assert packing.smallest()[1] == smallest
    use = {row: sum(row in sets[k] - excluded for k in fitting) for row in range(m)}
    ordered = packing.by_use(list(range(m)))
    assert sorted(ordered) == list(range(m))
    assert [use[row] for row in ordered] == sorted(use.values(), reverse=True)


@examples(100)
@given(st.data())
def test_the_cheapest_combination_costs_what_scipy_finds(data: st.DataObject) -> None:
    n, m = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 8))
    small = st.integers(-3, 3)
    rows = np.array(data.draw(st.lists(st.lists(small, min_size=n, max_size=n), min_size=m, max_size=m)), dtype=float)
    constants = np.array(data.draw(st.lists(small, min_size=m, max_size=m)), dtype=float)
    program = CheapestCombination(rows, constants)
    for _ in range(3):
        costs = np.array(data.draw(st.lists(st.integers(0, 4), min_size=m, max_size=m)), dtype=float)
        found = program.minimise(costs)
        expected = linprog(costs, -constants[None], [0], np.vstack([rows.T, np.ones(m)]), [0] * n + [1])
        event(f"feasible: {expected.success}")
        assert (found is not None) == expected.success
        if found is not None:
            assert found.min() >= 0
            assert found.sum() == pytest.approx(1)
            assert rows.T @ found == pytest.approx(0, abs=1e-7)
            assert constants @ found >= -1e-7
            assert costs @ found == pytest.approx(expected.fun, abs=1e-7)


@examples(150)
@given(st.data())
def test_ranks_of_all_choices_are_those_of_flint(data: st.DataObject) -> None:
    q = data.draw(st.integers(1, LARGEST_Q))
    prime = data.draw(st.sampled_from([2, 3, 101, LARGEST_PRIME, LARGEST_PRIME]))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    sizes = [data.draw(st.integers(1, 3 if k < 5 else 2 if k < 7 else 1)) for k in range(q)]
    groups = [generator.integers(0, prime, (size, q)) for size in sizes]
    spread = data.draw(st.booleans())
    for group in groups if spread else []:
        # Zeros where pivots are looked for, and vectors of the largest residues.
        group[generator.random(group.shape) < data.draw(st.sampled_from([0.0, 0.0, 0.3, 0.6]))] = 0
        group[generator.random(group.shape) < data.draw(st.sampled_from([0.0, 0.5]))] = prime // 2
    if q > 1 and data.draw(st.booleans()):
        # One choice is dependent, though no two vectors need be multiples of one another.
        combined = sum(int(generator.integers(0, prime)) * group[0].astype(object) for group in groups[1:]) % prime
        groups[0][-1] = combined.astype(np.int64)
    expected = all(nmod_mat(q, q, [int(v) for row in chosen for v in row], prime).rank() == q for chosen in product(*groups))
    event(f"{expected}, {q} groups")
    assert transversals.all_independent(groups, prime) == expected
    listed = [group.tolist() for group in groups]
    for block in (1, 7, 60, exactrelu.fast_checker.choices.BLOCK):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(exactrelu.fast_checker.choices, "BLOCK", block)
            assert exactrelu.fast_checker.choices.all_independent(listed, prime) == expected


@examples(60)
@given(st.data())
def test_trees_of_small_and_of_large_packs_decide_alike_and_replay(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 4))
    m = data.draw(st.integers(2 * n, 9 * n))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    largest = data.draw(st.sampled_from([1, 3, 1000]))
    rows = generator.integers(-largest, largest + 1, (m, n)).astype(float)
    biases = generator.integers(0, 2, (m, 1)).astype(float) * data.draw(st.integers(-1, 1))
    layer = Layer(DyadicMatrix.from_floats(rows), DyadicMatrix.from_floats(biases), np.ones(m, dtype=bool))
    verdicts = set()
    for largest_pack, small_pack in ((0, 0), (20, 1), (flats._LARGEST_PACK, 1), (flats._LARGEST_PACK, flats._SMALL_PACK)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(flats, "_LARGEST_PACK", largest_pack)
            patch.setattr(flats, "_SMALL_PACK", small_pack)
            result = decide_layer(layer, AllSpace())
        verdicts.add(result.verdict)
        if result.evidence is not None:
            replay(layer, AllSpace(), result.evidence)
            if isinstance(result.evidence.conclusion, Tree):
                event(" ".join(sorted({type(node).__name__ for node in result.evidence.conclusion.nodes})) or "no line")
    assert len(verdicts) == 1
    assert "undecided" not in verdicts


def test_rows_that_dependencies_share_are_split_on() -> None:
    # In a case with few rows left, some dependencies have rows in common: those are excluded before the pack.
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((40, 5)).astype(np.float32)
    layer = Layer(DyadicMatrix.from_floats(rows), DyadicMatrix.from_floats(np.zeros((40, 1))), np.ones(40, dtype=bool))
    result = decide_layer(layer, AllSpace())
    assert result.evidence is not None
    replay(layer, AllSpace(), result.evidence)
    assert isinstance(result.evidence.conclusion, Tree)
    nodes = result.evidence.conclusion.nodes
    assert any(isinstance(one, Split) and isinstance(other, Pack) for one, other in pairwise(nodes))


def test_nine_groups_of_one_vector_stay_below_the_largest_integer() -> None:
    # Minors of nine vectors are sums of nine products of up to 60 bits.
    generator = np.random.default_rng(0)
    for _ in range(50):
        vectors = generator.choice([LARGEST_PRIME // 2, LARGEST_PRIME // 2 + 1], (9, 9))
        regular = nmod_mat(9, 9, vectors.ravel().tolist(), LARGEST_PRIME).rank() == 9
        assert transversals.all_independent(list(vectors[:, None]), LARGEST_PRIME) == regular
