"""An undecided search goes on from what it kept: the same verdict, a valid proof, and nothing in a damaged file is believed."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from theorems.injectivity_replay import replay
from theorems.oracles import evaluate, examples, in_domain

from exactrelu.certificates.injectivity import Branch, Dependency, Pack, Proof, Spanned, Split, Tree
from exactrelu.domain import AllSpace, Box, Domain, Polytope
from exactrelu.errors import InvalidFileError, InvalidRequestError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.injectivity.cases.flats import Flats
from exactrelu.injectivity.cases.oracle import Oracle
from exactrelu.injectivity.cases.propagation import Propagation
from exactrelu.injectivity.cases.resume import InterruptedSearch, Replay, State, question_sha256, reached
from exactrelu.injectivity.cases.state_file import read_state, write_state
from exactrelu.injectivity.cases.tree import LARGEST_PRIME, TreeSearch, UnluckyPrimeError, primes_below_2_31
from exactrelu.injectivity.collisions.collision import Collision
from exactrelu.injectivity.layer import decide_layer
from exactrelu.injectivity.question import Question
from exactrelu.network.model import Layer
from exactrelu.strategies import domains, layers

if TYPE_CHECKING:
    from pathlib import Path


def dense(rows: Any, biases: Any) -> Layer:
    weight = DyadicMatrix.from_floats(np.array(rows, dtype=float))
    return Layer(weight, DyadicMatrix.from_floats(np.reshape(biases, (-1, 1)).astype(float)), np.ones(weight.shape[0], dtype=bool))


def gaussian(m: int, n: int, seed: int) -> Layer:
    return dense(np.random.default_rng(seed).standard_normal((m, n)).astype(np.float32), np.zeros(m))


def on_box() -> tuple[Layer, Box]:
    generator = np.random.default_rng(7)
    rows = np.round(generator.standard_normal((16, 8)) * 1000)
    biases = np.round((np.abs(generator.standard_normal(16)) + 2) * 1500)
    return dense(rows, biases), Box(RationalVector((-1,) * 8), RationalVector((1,) * 8))


class Impatient(Question):
    """Its time is up when the deadline has been asked for so many times."""

    def __init__(self, layer: Layer, domain: Domain, patience: int) -> None:
        super().__init__(layer, domain)
        self.patience = patience

    @property
    def deadline(self) -> float | None:
        self.patience = getattr(self, "patience", 1) - 1
        return None if self.patience >= 0 else 0.0

    @deadline.setter
    def deadline(self, value: float | None) -> None:
        pass


def searched(layer: Layer, domain: Domain, patience: int, state: State | None = None) -> Proof | Collision | State:
    """The tree alone, from a state on, for so long."""
    question = Impatient(layer, domain, patience)
    strategy = Flats if isinstance(domain, AllSpace) else Propagation
    for prime in primes_below_2_31():
        search = strategy(question, (), Oracle(question), prime)
        earlier, state = (None if state is None else Replay(state, search)), None
        try:
            found = search.run(earlier)
        except UnluckyPrimeError:
            continue
        if found is None:
            kept = reached(search, earlier).state
            assert kept is not None
            return kept
        return found
    raise AssertionError


def assert_right(layer: Layer, domain: Domain, found: object) -> None:
    if isinstance(found, Proof):
        replay(layer, domain, found)
        return
    assert isinstance(found, Collision)
    x, y = found.x.fractions(), found.y.fractions()
    assert x != y and in_domain(domain, x) and in_domain(domain, y) and evaluate(layer, x) == evaluate(layer, y)


@pytest.mark.parametrize(
    ("layer", "domain"),
    [
        (gaussian(40, 5, 0), AllSpace()),
        (gaussian(36, 6, 1), AllSpace()),
        (gaussian(14, 5, 0), AllSpace()),
        on_box(),
        (on_box()[0], Polytope(tuple(tuple(s * int(i == j) for i in range(8)) for j in range(8) for s in (1, -1)), (-1,) * 16)),
    ],
)
def test_stopped_three_times(layer: Layer, domain: Domain, tmp_path: Path) -> None:
    at_once = searched(layer, domain, 10**9)
    state, patience = None, 0
    for _ in range(3):
        patience += 12
        found = searched(layer, domain, patience, state)
        if not isinstance(found, State):
            break
        # What was found stays as it was.
        if state is not None:
            assert found.nodes[: len(state.nodes)] == state.nodes
            assert found.dependencies[: len(state.dependencies)] == state.dependencies
        state = found
        write_state(tmp_path / "a.partial.json", state)
        assert read_state(tmp_path / "a.partial.json") == state
    found = searched(layer, domain, 10**9, state)
    assert isinstance(found, type(at_once))
    assert_right(layer, domain, found)
    if isinstance(found, Proof) and state is not None:
        assert len(found.conclusion.nodes) >= len(state.nodes) > 0


@examples(100)
@given(st.data())
def test_small_layers_stopped_anywhere(data: st.DataObject) -> None:
    layer = data.draw(layers(inputs=data.draw(st.integers(1, 3))))
    domain = data.draw(domains(layer.inputs))
    try:
        if Question(layer, domain).interior is None:
            return
    except InvalidRequestError:
        return
    state = None
    for _ in range(3):
        found = searched(layer, domain, data.draw(st.integers(0, 12)), state)
        if not isinstance(found, State):
            break
        state = found
    expected = decide_layer(layer, domain).verdict
    found = searched(layer, domain, 10**9, state)
    assert_right(layer, domain, found)
    assert expected == ("injective" if isinstance(found, Proof) else "not-injective")


@pytest.mark.parametrize("strategy", [Flats, Propagation])
def test_the_shares_of_all_cases_are_the_whole_tree(strategy: type[TreeSearch]) -> None:
    """What is closed when all is proved is 1, but for rounding: shares are floats that only an estimate is made of."""
    layer, domain = (gaussian(48, 6, 1), AllSpace()) if strategy is Flats else on_box()
    question = Question(layer, domain)
    search = strategy(question, (), Oracle(question), LARGEST_PRIME)
    assert isinstance(search.run(), Proof)
    assert search.progress.closed > 1
    assert search.progress.open == 0
    assert search.progress.fraction == pytest.approx(1)


def test_an_interrupted_question_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    (layer, domain), asked = on_box(), []
    divide = Propagation.divide

    def interrupted(self: Propagation, *arguments: Any) -> Any:
        asked.append(1)
        if len(asked) == 9:
            raise KeyboardInterrupt
        return divide(self, *arguments)

    monkeypatch.setattr(Propagation, "divide", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        decide_layer(layer, domain)
    assert isinstance(caught.value, InterruptedSearch)
    state = caught.value.progress.state
    assert state is not None and state.nodes and state.seconds > 0

    # Out of time before anything is tested again: nothing is lost, and the answer says so.
    late = decide_layer(layer, domain, deadline=time.monotonic(), resume=replace(state, seconds=7.0))
    assert late.progress is not None and late.progress.state is not None
    assert (late.progress.state.nodes, late.progress.state.dependencies) == (state.nodes, state.dependencies)
    assert late.progress.state.seconds >= 7
    assert "not tested again in time" in late.record()["progress"]

    last = decide_layer(layer, domain, resume=late.progress.state)
    assert last.evidence is not None and isinstance(last.evidence.conclusion, Tree)
    assert len(last.evidence.conclusion.nodes) >= len(state.nodes)
    replay(layer, domain, last.evidence)


def test_a_question_without_time_keeps_an_empty_state() -> None:
    layer = gaussian(40, 5, 0)
    first = decide_layer(layer, AllSpace(), deadline=time.monotonic())
    assert first.verdict == "undecided" and first.progress is not None and first.progress.state is not None
    assert first.progress.state.nodes == ()
    assert decide_layer(layer, AllSpace(), resume=first.progress.state).verdict == "injective"


def test_another_question_is_refused() -> None:
    layer, domain = on_box()
    state = searched(layer, domain, 20)
    assert isinstance(state, State) and state.nodes
    # The cascade finds dependencies that are certain; this state was searched without.
    with pytest.raises(InvalidRequestError, match="certain dependencies are not the ones"):
        decide_layer(layer, domain, resume=state)
    wider = Box(RationalVector((-1,) * 8), RationalVector((2,) * 8))
    for other, where in ((layer, wider), (replace(layer, bias=layer.weight.columns(np.arange(8) == 0)), domain)):
        with pytest.raises(InvalidRequestError, match="another layer or domain"):
            searched(other, where, 10**9, state)


def changed(state: State) -> list[State]:
    """States with one wrong thing each."""
    nodes, pool = state.nodes, state.dependencies
    first = pool[0]
    result = [replace(state, nodes=(*nodes[:k], other, *nodes[k + 1 :])) for k in range(min(12, len(nodes))) for other in _others(nodes[k])]
    result += [replace(state, nodes=(*nodes[:k], *nodes[k + 1 :])) for k in range(min(12, len(nodes)))]
    result += [replace(state, nodes=(node, *nodes)) for node in (nodes[-1], Pack(()), Split(0), Spanned(0, 1, (), ()), Branch(0))]
    for one in (
        Dependency(first.rows, (0,) * len(first.rows)),
        Dependency(first.rows, tuple(-v for v in first.multipliers)),
        Dependency(first.rows, (first.multipliers[0] + 1, *first.multipliers[1:])),
        Dependency(first.rows[:-1], first.multipliers[:-1]),
        Dependency((*first.rows[:-1], 10**6), first.multipliers),
        Dependency((-1, *first.rows[1:]), first.multipliers),
        Dependency((), ()),
        Dependency(first.rows, first.multipliers, (0,), (1,)),
        Dependency(first.rows, first.multipliers, (10**6,), (1,)),
    ):
        result.append(replace(state, dependencies=(one, *pool[1:])))
    result += [
        replace(state, certain=(first,)),
        replace(state, prime=3),
        replace(state, prime=LARGEST_PRIME - 2),
        replace(state, dependencies=()),
    ]
    return result


def _others(node: object) -> list[Any]:
    if isinstance(node, Branch):
        return [Branch(node.dependency + 1), Branch(-1), Branch(10**6), Pack((node.dependency,)), Split(node.dependency)]
    if isinstance(node, Split):
        return [Split(node.row + 1), Split(-1), Split(10**6), Branch(0)]
    if isinstance(node, Pack):
        return [
            Pack(node.dependencies[1:]),
            Pack((*node.dependencies, 0)),
            Pack(node.dependencies[:1] * len(node.dependencies)),
            Pack((10**6,)),
        ]
    assert isinstance(node, Spanned)
    return [replace(node, row=node.row + 1), replace(node, row=-1), replace(node, row=10**6)]


@pytest.mark.parametrize(("layer", "domain", "patience"), [(gaussian(24, 4, 0), AllSpace(), 8), (*on_box(), 25)])
def test_changed_states_are_refused_or_change_nothing(layer: Layer, domain: Domain, patience: int) -> None:
    state = searched(layer, domain, patience)
    assert isinstance(state, State) and state.nodes
    refused = 0
    mutants = changed(state)
    for mutant in mutants:
        try:
            found = searched(layer, domain, 10**9, mutant)
        except InvalidRequestError:
            refused += 1
        else:
            assert isinstance(found, Proof)
            replay(layer, domain, found)
    assert refused >= len(mutants) / 3


@pytest.mark.parametrize("exponent", [-3, 0, 5])
def test_dependencies_with_sides_of_a_polytope_hold_at_every_scale_of_the_rows(exponent: int) -> None:
    """-3 * 2^e x >= 0 where x <= 0: a state's multipliers are for rows as real numbers, beside those of the sides."""
    layer = Layer(DyadicMatrix.from_integers([[-3]], 1, exponent), DyadicMatrix.from_floats([[0.0]]), np.array([True]))
    domain = Polytope(((1,),), (0,))
    question = Question(layer, domain)
    dependency = question.dependency({0: 1}, {0: -question.row(0)[0]})
    assert dependency is not None
    assert dependency.multipliers[0] * 3 * Fraction(2) ** exponent == dependency.side_multipliers[0]
    search = Propagation(question, (), Oracle(question), 2**31 - 1)
    state = State(question_sha256(layer, domain), 0.0, 2**31 - 1, (), (dependency,), ())
    Replay(state, search)
    assert list(search.dependencies) == [dependency]


def test_files_that_are_no_state(tmp_path: Path) -> None:
    state = searched(gaussian(24, 4, 0), AllSpace(), 8)
    assert isinstance(state, State)
    path = tmp_path / "a.partial.json"
    write_state(path, state)
    good = json.loads(path.read_text())
    bad: list[Any] = [[], {}, None, 7, {**good, "more": 1}, {key: good[key] for key in reversed(good)}, {**good, "exactrelu-partial": 2}]
    bad += [{**good, "exactrelu-partial": version} for version in (True, 1.0, "1", None)]
    for key, values in {
        "question": ["", "5" * 63, "G" * 64, 5, None],
        "seconds": [-1, "x", "7", None, True, 1e400, 10**400, []],
        "prime": [3, 2**31, -1, 2.0, True, "7", None],
        "certain": [None, {}, [1], ["pack 0"]],
        "dependencies": [
            7,
            [[]],
            ["dependency"],
            ["dependency 0"],
            ["dependency 1 0"],
            ["dependency 2 1 1 0 1"],
            ["dependency ffffffffff 0 1"],
        ],
        "nodes": [
            ["branch"],
            ["branch 1 2"],
            ["split x"],
            ["split 1 "],
            ["pack 2 1"],
            ["pack 2 2 1"],
            ["leaf"],
            ["spanned 1"],
            ["split 0x1"],
        ],
    }.items():
        bad += [{**good, key: value} for value in values]
    for content in [*(json.dumps(one) for one in bad), "", "{", "[" * 10**5, '{"a": ' + "9" * 5000 + "}", path.read_text()[:-9]]:
        path.write_text(content)
        with pytest.raises(InvalidFileError, match="no saved state"):
            read_state(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidFileError):
        read_state(path)
    with pytest.raises(InvalidFileError):
        read_state(tmp_path / "absent.json")
