"""The words of a report: domains, verdicts and the statements behind them, numbers with their nouns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from exactrelu.exact.rational import parse_rational
from exactrelu.verdict import Cardinality

if TYPE_CHECKING:
    from fractions import Fraction

    from exactrelu.report.preimages import Verdict

_BOX = re.compile(r"box:([^,]{1,40}),([^,]{1,40})")
REALS = "\N{DOUBLE-STRUCK CAPITAL R}"
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
SPEAKS = (
    "Every verdict is about the function of real numbers that the stored weights define, evaluated without rounding; it says nothing of"
    " the last digits of a float32 run, and nothing of another file with the same architecture."
)
# What each verdict says about an output; the verb agrees with how many there are.
_FROM = {
    Cardinality.SINGLETON: "from one input alone",
    Cardinality.FINITE: "from finitely many inputs, more than one",
    Cardinality.BOUNDED: "from infinitely many inputs, a bounded set of them",
    Cardinality.INFINITE: "from infinitely many inputs (whether a bounded set was not decided)",
    Cardinality.UNBOUNDED: "from infinitely many inputs, an unbounded set of them",
    Cardinality.EMPTY: "from no input of this set",
}
# What was proved of a verdict, and the theorems of proofs/coq that make it a proof.
RANK = (
    "The rows of the outputs that must agree have rank n, the number of inputs: their equations have one solution.",
    ("check_rank_sound", "check_singleton_sound"),
)
TIGHT = (
    (
        "The rank is below n, yet every direction but 0 changes an output that must agree or breaks a condition tight at the input: an"
        " output just at zero, a side of the domain."
    ),
    ("singleton_iff_tight_cone_trivial", "check_singleton_sound"),
)
STATEMENTS = {
    Cardinality.BOUNDED: (
        "There are directions to other solutions, and none of them stays in the set for ever.",
        ("bounded_iff_recession_cone_trivial", "dimension_by_implicit_equalities"),
    ),
    Cardinality.UNBOUNDED: (
        "Some direction stays in the set for ever: every positive multiple of it, added to the input, leaves the output as it is.",
        ("bounded_iff_recession_cone_trivial", "dimension_by_implicit_equalities"),
    ),
    Cardinality.INFINITE: ("There are directions to other solutions.", ("dimension_by_implicit_equalities", "check_dimension_sound")),
    Cardinality.EMPTY: ("The conditions contradict one another.", ("check_empty_sound", "farkas")),
    Cardinality.FINITE: ("Each of the points is a solution, and there is no other.", ()),
}

COMPOSED = {
    Cardinality.SINGLETON: (
        "Layer by layer, from the last to the first, what gives a layer's output is one point, which is what the layers before it give.",
        ("check_through_sound", "check_singleton_sound"),
    ),
    Cardinality.BOUNDED: (
        "Infinitely many inputs of a bounded set have one output after the first layer, or one activation pattern and one last output.",
        ("check_through_sound",),
    ),
    Cardinality.UNBOUNDED: ("Some direction can be followed for ever, and the last output stays as it is.", ("check_through_sound",)),
    Cardinality.INFINITE: (
        "Infinitely many inputs have one output after the first layer, or one activation pattern and one last output.",
        ("check_through_sound",),
    ),
    Cardinality.EMPTY: ("Layer by layer from the last, a layer is reached whose output no input gives.", ("check_through_sound",)),
}


def where(domain: str, inputs: int | None) -> str:
    """A domain in words.

    >>> where("all", 64), where("box:0,1", 64), where("polytope:p.json", 3), where("ball:5/2", 2)
    ('all of ℝ⁶⁴', 'the box [0, 1]⁶⁴', 'the domain polytope:p.json in ℝ³', 'the ball of radius 5/2 in ℝ²')
    """
    power = "ⁿ" if inputs is None else str(inputs).translate(_SUPERSCRIPT)
    box = _BOX.fullmatch(domain)
    if domain == "all":
        return f"all of {REALS}{power}"
    if domain == "orthant":
        return f"the orthant of {REALS}{power}"
    if domain.startswith("ball:"):
        return f"the ball of radius {domain.removeprefix('ball:')} in {REALS}{power}"
    return f"the box [{box[1]}, {box[2]}]{power}" if box else f"the domain {domain} in {REALS}{power}"


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "input"), counted(12000, "input")
    ('1 input', '12,000 inputs')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def says(kind: Cardinality, number: int) -> str:
    """What is said of a number of outputs with this kind of pre-image.

    >>> says(Cardinality.SINGLETON, 2), says(Cardinality.UNDECIDED, 1)
    ('come from one input alone', 'was not decided within the limits')
    """
    if kind is Cardinality.UNDECIDED:
        return f"{'was' if number == 1 else 'were'} not decided within the limits"
    return f"{'comes' if number == 1 else 'come'} {_FROM[kind]}"


def size_text(size: int) -> str:
    """A number of bytes for people.

    >>> size_text(999), size_text(28_800), size_text(3_200_000)
    ('999 B', '28.8 KB', '3.2 MB')
    """
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.1f} KB" if size < 999_950 else f"{size / 1_000_000:.1f} MB"


def box_bounds(domain: str) -> tuple[Fraction, Fraction] | None:
    """LO and HI of a domain box:LO,HI, else None."""
    box = _BOX.fullmatch(domain)
    try:
        return (parse_rational(box[1]), parse_rational(box[2])) if box else None
    except ValueError:
        return None


def statement(verdict: Verdict, inputs: int | None, *, composed: bool) -> tuple[str, tuple[str, ...]]:
    """What a decided verdict on a layer with so many inputs, or on several layers `composed`, rests on, and its theorems."""
    if composed and verdict.cardinality in COMPOSED:
        return COMPOSED[verdict.cardinality]
    if verdict.cardinality is Cardinality.SINGLETON:
        return RANK if verdict.rank is not None and verdict.rank == inputs else TIGHT
    return STATEMENTS[verdict.cardinality]
