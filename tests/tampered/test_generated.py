"""A checker reads certificates that are made up while it reads: whatever it asks for it gets at random, and what it then accepts is true.

Every file that a checker accepts can be written in this way, also those that no prover would write and no mutation reaches.
"""

from __future__ import annotations

import io
import random
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from conftest import PROFILE
from samples import certificate, network, verdict
from truth import truth

import exactrelu.fast_checker
from exactrelu.checker.arithmetic import Kernels
from exactrelu.checker.claim import Point, image
from exactrelu.checker.network import Network, read_network
from exactrelu.checker.text import EXPONENT, Rejected
from exactrelu.checker.verify import verify
from exactrelu.fast_checker import FastKernels

if TYPE_CHECKING:
    from collections.abc import Callable

NUMBERS = [0, 0, 0, 0, 1, 1, 1, -1, -1, 2, -2, 3]


class Agreeable(int):
    """Is what it is compared with, and remembers that."""

    value = 1

    def __ne__(self, other: object) -> bool:
        assert isinstance(other, int)
        self.value = other
        return False

    def __lt__(self, other: int) -> bool:
        return self.value < other

    __hash__ = None  # type: ignore[assignment]


class Writer:
    """Stands for `Text` and `Fields` at once: every question is answered at random and written down."""

    def __init__(self, rng: random.Random, network: Network) -> None:
        self.rng = rng
        self.layers = network.layers
        # the point, and what the layers make of it
        self.states = [[rng.choice([0, 0, 0, 1, 1, -1, 2]) for _ in range(network.inputs)]]
        for layer in network.layers:
            self.states.append(image(layer, Kernels().evaluate(layer, Point(1, self.states[-1]))).numerators)
        self.last = Agreeable(1)
        self.bits = 0
        self.singleton = False
        self.lines: list[list[Any]] = []

    def text(self) -> list[str]:
        values = [[token.value if isinstance(token, Agreeable) else token for token in line] for line in self.lines]
        return [" ".join(token if isinstance(token, str) else format(token, "x") for token in line) for line in values]

    def begins(self, keyword: str) -> bool:
        # Claims about all inputs, cases and regions are seldom made up right: test_injective.py, test_cases.py and test_listed.py do it.
        return not keyword.startswith(("subject ", "cases", "regions")) and self.rng.random() < 0.5

    def take(self, keyword: str, section: str) -> Writer:
        self.lines.append([keyword])
        self.bits = self.layers[self.last.value - 1].inputs + (keyword == "empty margin")
        return self

    def end(self, section: str) -> None:
        pass

    def done(self) -> None:
        pass

    def reject(self, reason: str) -> None:
        raise Rejected("4", reason)

    def said(self, value: Any) -> Any:
        self.lines[-1].append(value)
        return value

    def alone(self, word: str) -> bool:
        self.said(word)
        return True

    def word(self, *words: str) -> str:
        # What only cases can show is left out, as they are.
        word = str(self.said(self.rng.choice([word for word in words if word != "finite"])))
        self.singleton = word == "singleton"
        return word

    def natural(self, what: str, limit: int | None = None) -> int:
        if what == "DIM" and self.singleton:
            return int(self.said(0))
        if what in {"DIM", "RANK", "ACTIVE", "k"} or (what == "I" and self.lines[-1][0] == "relation"):
            answer = Agreeable(1)
            self.said(answer)
            if what == "k":
                self.last = answer
            return answer
        if what == "R":
            self.bits = int(self.said(self.rng.choice([0, 0, 1, 1, 2])))
            return self.bits
        if what == "Q":
            return int(self.said(self.rng.choice([0, 2, 3, 6, 0x7FFFFFFF])))
        return int(self.said(self.rng.choice([0, 0, 1, 1, 2] if limit != EXPONENT else [0, 0, 1])))

    def positive(self, what: str) -> int:
        keyword = self.lines[-1][0]
        if keyword == "scope":
            self.last.value = self.rng.randint(1, len(self.layers)) if self.lines[-1][1] == "through" else 1
            return int(self.said(self.last.value))
        return int(self.said(1 if keyword in {"output", "point", "solution"} else self.rng.choice([1, 1, 1, 2])))

    def nonzero(self, what: str) -> int:
        return int(self.said(self.rng.choice([1, -1, 2, -2])))

    def empty(self) -> bool:
        return self.lines[-1][0] == "claim" or self.rng.random() < 0.5

    def mask(self, what: str, length: int) -> int:
        if what == "E":
            return int(self.said(self.rng.choice([0, (1 << length) - 1, self.rng.getrandbits(length) if length else 0])))
        return int(self.said(sum(1 << i for i in self.rng.sample(range(length), min(length, self.bits)))))

    def exponent(self) -> int:
        return int(self.said(0))

    def integers(self, count: int, what: str) -> list[int]:
        keyword = self.lines[-1][0]
        numbers = self.rng.choice([NUMBERS, [0, 1, 1], [0, 0, -1]])
        values = [self.rng.choice(numbers) for _ in range(count)]
        guess = {"point": 0, "solution": self.last.value - 1, "output": self.last.value}.get(keyword)
        if guess is not None and self.rng.random() < 0.8:
            # The solution of a composition is one of its first layer, that of a case has further columns.
            values = next((list(self.states[k]) for k in (guess, 0) if len(self.states[k]) == count), values)
        if keyword in {"lower", "upper"} and self.rng.random() < 0.9:
            sign = 1 if keyword == "upper" else -1
            values = [v * self.lines[-1][1] + sign * self.rng.choice([0, 0, 1]) for v in self.states[0]]
        return [int(self.said(value)) for value in values]


def small_network(rng: random.Random) -> tuple[str, Network]:
    widths = [rng.choice([0, *[1, 2, 2, 3] * 4]), *(rng.choice([0, 1, 1, 2, 2, 3, 4]) for _ in range(rng.choice([1, 1, 1, 1, 2, 3])))]
    layers = []
    for n, m in pairwise(widths):
        rows = [[rng.choice([0, 0, 0, 1, -1]), *(rng.choice(NUMBERS) for _ in range(n))] for _ in range(m)]
        if m > 1 and rng.random() < 0.5:
            rows[-1] = [-a for a in rows[0]]
        layers.append(("none" if m == 0 else "all" if m == 1 or rng.random() < 0.8 else "mask 1", rows))
    text = network(widths[0], *layers)
    return text, read_network(io.BytesIO(text.encode()))


def generated(seed: int, kernels: Kernels) -> tuple[str, str] | None:
    rng = random.Random(seed)
    text, exact = small_network(rng)
    writer: Any = Writer(rng, exact)
    try:
        verify(writer, exact, kernels)
    except Rejected:
        return None
    return text, certificate(text, *writer.text())


@pytest.mark.parametrize("make", [Kernels, FastKernels])
def test_what_is_accepted_is_true(make: Callable[[], Kernels], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exactrelu.fast_checker, "SMALL", 1)
    monkeypatch.setattr(exactrelu.fast_checker, "FEW", 1)
    kernels, accepted = make(), set()
    for seed in range(15_000 * (100 if PROFILE == "nightly" else 1)):
        texts = generated(seed, kernels)
        if texts is None:
            continue
        valid, said = verdict(*texts, kernels)
        assert valid or "does not go with dimension 0" in said, f"{seed}: {''.join(texts)}"
        if not valid:
            continue
        assert truth(*texts), f"{seed}: {''.join(texts)}"
        scope, claim = (next(line for line in texts[1].splitlines() if line.startswith(word)).split(" ") for word in ("scope", "claim"))
        accepted.add((scope[1], claim[2]))
    words = ("empty", "singleton", "bounded", "unbounded", "infinite")
    assert accepted == {(scope, word) for scope in ("layer", "through") for word in words}
