"""A .nnet file read is the chain of layers that its decimals say, rounded to float64 and said so; bad files get one clear line."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exactrelu.errors import ExactReluError, InvalidFileError
from exactrelu.exact.rational import RationalVector
from exactrelu.network.readers import load

SHARED = Path(__file__).parents[2] / "shared" / "networks" / "public"
SMALL = "// comment\n2,2,1,3,\n2,3,1,\n0,\n-1,-1,\n1,1,\n0,0,0,\n1,1,1,\n1,-2,\n0.5,0.25\n-3e0,.5,\n0,\n1.5,\n-2,\n1,1,-1,\n0.125,\n"


def by_hand(text, x):
    """The second opinion: the format's definition on fractions, with each decimal as the nearest float64."""
    lines = [line.strip().rstrip(",").split(",") for line in text.splitlines() if not line.startswith("//")]
    sizes = [int(size) for size in lines[1]]
    at, state = 7, x
    for i, (n, m) in enumerate(itertools.pairwise(sizes)):
        rows = [[Fraction(float(value)) for value in line] for line in lines[at : at + m]]
        bias = [Fraction(float(line[0])) for line in lines[at + m : at + 2 * m]]
        assert all(len(row) == n for row in rows)
        state = [sum((a * b for a, b in zip(row, state, strict=True)), start) for row, start in zip(rows, bias, strict=True)]
        if i < len(sizes) - 2:
            state = [max(value, Fraction(0)) for value in state]
        at += 2 * m
    return state


def saved(tmp_path, text):
    path = tmp_path / "model.nnet"
    path.write_text(text)
    return path


def test_a_small_file_is_the_chain_it_says_and_exact_decimals_are_not_called_rounded(tmp_path):
    network = load(saved(tmp_path, SMALL))
    assert [(layer.name, layer.inputs, layer.outputs, layer.rectified) for layer in network.source_layers] == [
        ("layer1", 2, 3, 3),
        ("layer2", 3, 1, 0),
    ]
    x = [Fraction(1, 3), Fraction(-2, 7)]
    assert network(RationalVector.from_fractions(x)).fractions() == by_hand(SMALL, x)
    assert [sentence.split(" ")[1] for sentence in network.assumes] == ["means,"]
    rounded = load(saved(tmp_path, SMALL.replace("0.125", "0.1")))
    assert "rounded to the nearest float64" in rounded.assumes[1]
    assert rounded(RationalVector((0, 0))).fractions() == by_hand(SMALL.replace("0.125", "0.1"), [0, 0])


@pytest.mark.parametrize("name", ["acasxu_1_1", "hcas_pra0_tau00"])
def test_published_files_equal_their_definition(name):
    path = SHARED / f"{name}.nnet"
    if not path.exists():
        pytest.skip("the shared networks are not beside this repository")
    network = load(path)
    x = [Fraction(int(value), 7) for value in np.random.default_rng(1).integers(-7, 8, network.inputs)]
    assert network(RationalVector.from_fractions(x)).fractions() == by_hand(path.read_text(), x)


def test_a_published_file_with_an_odd_header_is_refused():
    path = SHARED / "arch_single_pendulum.nnet"
    if not path.exists():
        pytest.skip("the shared networks are not beside this repository")
    with pytest.raises(InvalidFileError, match="list of layer sizes, holds 5 numbers instead of 4"):
        load(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2,2,1,3,", "9999999,2,1,3,", "says 9999999 layers"),
        ("2,2,1,3,", "2,5,1,3,", "says 5 inputs"),
        ("2,3,1,", "2,-3,1,", "layer sizes"),
        ("2,3,1,", "2,2.5,1,", "no size"),
        ("1,-2,", "1,nan,", "'nan', which is no decimal"),
        ("1,-2,", "1,1e999,", "beyond the range"),
        ("1,-2,", "1,1_0,", "'1_0'"),
        ("1,-2,", "1,-2,3", "holds 3 numbers instead of 2"),
        ("0.125,\n", "", "ends before bias 0 of layer 2"),
        ("0.125,\n", "0.125,\n7,\n", "line 17 follows"),
        ("// comment", "// comment\nä", "not ASCII"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, old, new, words):
    with pytest.raises(InvalidFileError, match=words) as caught:
        load(saved(tmp_path, SMALL.replace(old, new)))
    assert len(str(caught.value).splitlines()) == 1


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(SMALL) - 1), st.sampled_from("0,9\n-.e/x\0"), st.booleans())
def test_damaged_files_load_or_are_refused_but_never_crash(tmp_path, index, letter, cut):
    refusal = None
    try:
        load(saved(tmp_path, SMALL[:index] if cut else SMALL[:index] + letter + SMALL[index + 1 :]))
    except ExactReluError as error:
        refusal = str(error)
    assert refusal is None or len(refusal.splitlines()) == 1
