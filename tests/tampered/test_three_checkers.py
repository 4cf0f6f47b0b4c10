"""Three checkers give every file the same verdict: integers, float64 with proved bounds, and the machine-checked program of proofs/ocaml.

The program is looked for at EXACTRELU_CHECK, then where `make -C proofs/ocaml` puts it; tests that need it skip without it.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from conftest import PROFILE
from samples import CORPUS, PRIME, SAMPLES, TRIANGLE, Sample, certificate, digests, header, network, verdict, verdicts
from test_mutants import BY_HAND, line_mutants
from truth import truth

from exactrelu.check import run
from exactrelu.checker.arithmetic import Kernels
from exactrelu.fast_checker import FastKernels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Ask = Callable[[Kernels | Path, Path], "Answer"]

INTEGERS, FLOATS = Kernels(), FastKernels()
SECONDS = 60


class Answer(NamedTuple):
    """What a checker's command said: the exit code and, for each certificate by its name, the claim, or None and the reason.

    unknown: the certificates that the checker does not read, which have no claim either.
    """

    code: int
    claims: dict[str, str | None]
    reasons: dict[str, str]
    unknown: set[str]


def read_answer(code: int, output: str) -> Answer:
    answer = Answer(code, {}, {}, set())
    for line in output.splitlines():
        word, _, rest = line.partition(" ")
        if word in {"valid", "unknown", "INVALID"}:
            path, said = rest.strip().split(".certificate: ", 1)
            name = path.rpartition("/")[2]
            answer.claims[name] = said if word == "valid" else None
            answer.reasons[name] = "" if word == "valid" else said
            if word == "unknown":
                answer.unknown.add(name)
    counted = f", {len(answer.unknown)} unknown" if answer.unknown else ""
    assert f"of {len(answer.claims)} certificates are valid{counted} (" in output.splitlines()[-1]
    return answer


@pytest.fixture
def ask(capfd: pytest.CaptureFixture[str]) -> Ask:
    """Run a checker's command on a folder: one of this package in this process, or a program."""

    def answer(checker: Kernels | Path, folder: Path) -> Answer:
        start = time.monotonic()
        if isinstance(checker, Kernels):
            capfd.readouterr()
            code = run([str(folder)], checker)
            output, errors = capfd.readouterr()
        else:
            done = subprocess.run([checker, folder], capture_output=True, text=True, timeout=SECONDS, check=False)
            code, output, errors = done.returncode, done.stdout, done.stderr
        assert time.monotonic() - start < SECONDS
        assert code in (0, 1, 2)
        assert all(line.startswith("problem ") for line in errors.splitlines()), errors
        return read_answer(code, output)

    return answer


@pytest.fixture(scope="session")
def proved() -> Path:
    given = os.environ.get("EXACTRELU_CHECK")
    path = Path(given) if given else CORPUS.parent / "ocaml" / "exactrelu-check"
    if not given and not path.is_file():
        pytest.skip("proofs/ocaml/exactrelu-check has not been built, and EXACTRELU_CHECK names no other")
    return path


def write(folder: Path, texts: Mapping[str, tuple[str, str]]) -> None:
    """Certificates by name, and their networks."""
    for name, (network_text, certificate_text) in texts.items():
        (folder / f"{name}.certificate").write_bytes(certificate_text.encode())
        (folder / f"{hashlib.sha256(network_text.encode()).hexdigest()}.network").write_bytes(network_text.encode())


# The corpus


@pytest.mark.parametrize("kernels", [INTEGERS, FLOATS])
def test_the_corpus_has_the_verdicts_of_its_index(kernels: Kernels, ask: Ask) -> None:
    valid, invalid = (ask(kernels, CORPUS / folder) for folder in ("valid", "invalid"))
    assert valid.code == 0 and valid.claims == verdicts("valid")
    assert invalid.code == 2 and invalid.reasons.keys() == verdicts("invalid").keys()
    for name, section in verdicts("invalid").items():
        assert invalid.reasons[name].startswith(f"{section}:"), (name, invalid.reasons[name])


def test_every_file_of_the_corpus_is_in_its_index() -> None:
    for folder in ("valid", "invalid"):
        assert {path.stem for path in (CORPUS / folder).glob("*.certificate")} == verdicts(folder).keys()
        text = b"".join(path.read_bytes() for path in (CORPUS / folder).glob("*.certificate"))
        for path in (CORPUS / folder).glob("*.network"):
            assert hashlib.sha256(path.read_bytes()).hexdigest().encode() in text


def test_every_file_of_the_corpus_has_its_digest() -> None:
    """`samples` holds them to it: where a file has changed or gone no test of this folder begins."""
    files = {f"{path.parent.name}/{path.name}" for path in CORPUS.glob("*/*")} - {"valid/VERDICTS", "invalid/VERDICTS"}
    new = sorted(files - digests().keys())
    assert not new, f"files without a digest; in proofs/corpus: sha256sum {' '.join(new)} >> SHA256SUMS"


EVIDENCE = ["solution", "rank", "relation", "null", "trivial margin", "trivial exact", "tight", "implicit", "ray margin", "ray exact"]
EVIDENCE += ["recession", "negative", "farkas", "empty margin", "part", "second", "direction", "cases"]
EVIDENCE += ["dependency", "flat", "certain", "tree", "branch", "split", "spanned", "pack", "first", "lowered", "point"]
EVIDENCE += ["windows", "window", "same"]
EVIDENCE += ["regions", "cut", "leaf", "above", "below", "zero", "bounded"]
EVIDENCE += ["skips", "inverse", "stage", "orientation", "definite", "weights", "pairs", "boundary", "apart", "slice", "flat"]
EVIDENCE += ["walls", "implied", "facet", "border", "data none", "data [0-9a-f]{64}"]
# lines one after the other
TOGETHER = [rf"solution .*\n{word} " for word in ("second", "direction", "part")]
TOGETHER += [rf"claim regions .*\n{word}" for word in ("tree", "region ")] + [r"slice .*\n(.*\n)*claim regions "]


def test_the_corpus_holds_every_claim_and_every_kind_of_evidence() -> None:
    claims = {re.sub(r"preimage (\w+) .*\((\w+)\): (\w+).*", r"\1 \3 \2", sample.claim) for sample in SAMPLES}
    domains = ["all", "orthant", "box", "polytope"]
    asked = {f"{word} {domain}" for word in ("empty", "singleton", "unbounded") for domain in domains} - {"unbounded box"}
    asked |= {f"infinite {domain}" for domain in domains}
    assert {f"of {claim}" for claim in (*asked, *(f"bounded {domain}" for domain in domains))} <= claims
    assert {f"through {claim}" for claim in (*asked, "bounded box", "finite all", "finite polytope")} <= claims
    assert {f"layer 1 ({domain}): injective" for domain in (*domains, "ball")} <= claims
    assert {"through layer 2 (all): collision", "through layer 2 (ball): collision"} <= claims
    for word in ("injective", "collision"):
        assert any(re.search(rf", biases lowered by .*: {word}$", claim) for claim in claims)
    for domain in (*domains, "ball"):
        for said in ("not injective once biases are lowered by more than ", r"\|\|f\(x\) - f\(y\)\|\| >= ", "collision$"):
            assert any(re.match(rf"layer \d \({domain}\): {said}", claim) for claim in claims), (domain, said)
    for domain in domains:
        for word in ("tree", "region"):
            regions = re.compile(rf"^domain {domain}\b(.*\n)*claim regions .*\n{word}\b", re.MULTILINE)
            assert any(regions.search(sample.text) for sample in SAMPLES), (domain, word)
    for keyword in EVIDENCE:
        assert any(re.search(f"^{keyword}( |$)", sample.text, re.MULTILINE) for sample in SAMPLES), keyword
    for lines in TOGETHER:
        assert any(re.search(f"^{lines}", sample.text, re.MULTILINE) for sample in SAMPLES), lines
    assert any("\nsource " in sample.network for sample in SAMPLES)
    assert {sample.network.split("\n", maxsplit=1)[0] for sample in SAMPLES} == {"exactrelu-network 1", "exactrelu-network 2"}


# The proved checker reads no trees of cases that hold sets, no cells with an output, and no pairs yet.
SETS = ("written-through-cases-bounded", "written-through-cases-carried")
CASES = (*SETS, "written-through-regions-", "through-regions-", "pairs-", "boundary-")
# Where these words begin a line it asks less of the evidence (sections 4.14 and 4.15 of FORMAT.md).
LESS_ASKED = re.compile("^(inverse|orientation|definite) ", re.MULTILINE)
PROVED_ALL_THE_SAME = {"skips-inverse-twice-as-large": "through layer 2 (all): injective"}
# It answers `unknown` to these, to claims about regions, maps on a ball, and a `solution` before the evidence of infinitely many inputs.
UNKNOWN = (*CASES, "regions-", "written-regions-", "definite-on-a-ball", "definite-on-a-larger-ball")


def test_the_proved_checker_agrees_on_the_corpus(proved: Path, ask: Ask) -> None:
    valid, invalid = (ask(proved, CORPUS / folder) for folder in ("valid", "invalid"))
    assert valid.claims == {name: None if name.startswith(UNKNOWN) else claim for name, claim in verdicts("valid").items()}
    assert valid.unknown == {name for name in valid.claims if name.startswith(UNKNOWN)}
    assert valid.code == 1
    assert invalid.claims == dict.fromkeys(verdicts("invalid")) | PROVED_ALL_THE_SAME
    assert all(name.startswith((*UNKNOWN, "through-cases-")) for name in invalid.unknown)
    assert invalid.code == 2
    assert all(reason.startswith("section ") for name, reason in invalid.reasons.items() if name not in PROVED_ALL_THE_SAME)


def test_one_certificate_that_is_not_valid_is_enough(proved: Path, tmp_path: Path, ask: Ask) -> None:
    sample = SAMPLES[0]
    write(tmp_path, {"a": (sample.network, sample.text), "b": (sample.network, sample.text.replace("point 1", "point 0"))})
    for checker in (INTEGERS, FLOATS, proved):
        answer = ask(checker, tmp_path)
        assert answer.code == 1 and answer.claims == {"a": sample.claim, "b": None}


def test_what_is_not_read_is_unknown_only_in_the_form_of_a_certificate(proved: Path, tmp_path: Path, ask: Ask) -> None:
    for sample in SAMPLES:
        if sample.name.startswith(UNKNOWN):
            text, last = sample.text, sample.text.splitlines()[-2]
            broken = [text[:-1], text[:-4], text + "end\n", text.replace(f"\n{last}\n", f"\n{last} \n"), text.replace(last, f"  {last}")]
            broken += [text.replace("\nend", "\n\nend"), text.replace("\nend", "\n\u00e9\nend"), text.replace("\ndata none", "\ndata no")]
            broken += [text.replace("\nscope through ", "\nscope through 0"), text.replace("\nclaim ", "\nclaim x ")]
            write(tmp_path, {f"{sample.name}-{k}": (sample.network, one) for k, one in enumerate([text, *broken])})
    answer = ask(proved, tmp_path)
    assert answer.code == 1 and set(answer.claims.values()) == {None}
    assert answer.unknown == {f"{sample.name}-0" for sample in SAMPLES if sample.name.startswith(UNKNOWN)}


# Mutants


def digit_mutants(rng: random.Random, text: str) -> Iterator[str]:
    """One hexadecimal digit changed, behind the line that names the network."""
    places = [i for i, character in enumerate(text) if character in "0123456789abcdef" and i > text.find("data")]
    while True:
        i = rng.choice(places)
        yield text[:i] + rng.choice("0123456789abcdef-") + text[i + 1 :]


def border(accepts: Callable[[int], bool], value: int) -> Iterator[int]:
    """From an accepted number upwards and downwards: the last that is accepted and the first that is not."""
    for sign in (1, -1):
        low, high = 0, next((2**k for k in range(80) if not accepts(value + sign * 2**k)), 0)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if accepts(value + sign * middle) else (low, middle)
        yield from (value + sign * low, value + sign * high)


def border_mutants(sample: Sample) -> Iterator[str]:
    """Numbers of margins and rays where acceptance ends."""
    lines = sample.text.splitlines()
    for i, line in enumerate(lines):
        tokens = line.split(" ")
        first = 4 if tokens[0] in {"trivial", "empty"} else 3
        if tokens[1:2] != ["margin"]:
            continue
        for j in range(first, len(tokens)):

            def text(value: int, i: int = i, j: int = j, tokens: list[str] = tokens) -> str:
                changed = " ".join([*tokens[:j], format(value, "x"), *tokens[j + 1 :]])
                return "\n".join([*lines[:i], changed, *lines[i + 1 :]]) + "\n"

            yield from map(text, border(lambda value, text=text: verdict(sample.network, text(value), INTEGERS)[0], int(tokens[j], 16)))


def mutants(rng: random.Random, sample: Sample) -> Iterator[tuple[str, str]]:
    changed = {"\n".join(lines) + "\n" for lines in line_mutants(sample.text.splitlines())}
    for text in rng.sample(sorted(changed), 6):
        yield sample.network, text
    for text, _ in zip(digit_mutants(rng, sample.text), range(3), strict=False):
        yield sample.network, text
    yield sample.network, sample.text[: rng.randrange(len(sample.text))]
    for text in border_mutants(sample):
        yield sample.network, text
    old = hashlib.sha256(sample.network.encode()).hexdigest()
    networks = ["\n".join(lines) + "\n" for lines in rng.sample(list(line_mutants(sample.network.splitlines())), 3)]
    for text in networks:
        yield text, sample.text.replace(old, hashlib.sha256(text.encode()).hexdigest())


def test_the_checkers_agree_on_mutants(proved: Path, tmp_path: Path, ask: Ask) -> None:
    """Changed tokens, lines, digits and networks, files cut off, and numbers at the border of acceptance; what is accepted is true."""
    rng = random.Random(0)
    known = [sample for sample in SAMPLES if not sample.name.startswith(UNKNOWN)]
    by_hand, written = ([sample for sample in known if (sample in BY_HAND) is chosen] for chosen in (True, False))
    chosen = known if PROFILE == "nightly" else [*by_hand, *rng.sample(written, 20)]
    distinct = {pair for sample in chosen for pair in mutants(rng, sample)} - {(sample.network, sample.text) for sample in SAMPLES}
    texts = {f"{k:04}": pair for k, pair in enumerate(sorted(distinct))}
    write(tmp_path, texts)
    integers, floats, program = (ask(checker, tmp_path) for checker in (INTEGERS, FLOATS, proved))
    assert integers == floats
    differing = {name for name, claim in integers.claims.items() if program.claims.get(name, "no line") != claim}
    different = sorted(name for name in differing if integers.claims[name] is not None or not LESS_ASKED.search(texts[name][1]))
    assert not different, "\n".join(f"{integers.claims[name] or integers.reasons[name]}\n{''.join(texts[name])}" for name in different[:3])
    assert program.claims.keys() == integers.claims.keys() and program.code == integers.code
    accepted = [texts[name] for name, claim in program.claims.items() if claim is not None]
    for pair in accepted:
        assert truth(*pair), "".join(pair)
    assert len(program.claims) >= 500 and len(accepted) >= 100


# Bad input at size

WIDE = 200_000
SINGLETON = ["point 1 1 1", "claim preimage singleton 0 2 2", f"rank 2 {PRIME} 3 3 columns"]
ZEROS = " ".join(["0"] * WIDE)
LONG = "7" * 10**7


def large_files() -> Iterator[tuple[str, str, str]]:
    """A name, a network and a certificate that no checker may accept."""
    body = "\n".join([*header(), *SINGLETON])

    def changed(old: str, new: str) -> tuple[str, str]:
        assert old in body
        return TRIANGLE, certificate(TRIANGLE, *body.replace(old, new).split("\n"))

    yield "long-number", *changed("point 1 1 1", f"point 1 1 {LONG}")
    yield "long-denominator", *changed("point 1 1 1", f"point {LONG} 1 1")
    yield "long-modulus", *changed(PRIME, LONG)
    yield "long-mask", *changed("3 3 columns", f"{LONG} 3 columns")
    yield "long-layer-number", *changed("layer 1", f"layer {LONG}")
    yield "long-count", *changed("domain all", f"domain polytope {LONG}")
    yield "deep-count", *changed("domain all", "domain polytope fffff")
    yield "long-word", *changed("columns", LONG)
    yield "wide-point", *changed("point 1 1 1", f"point 1 {ZEROS}")
    yield "wide-side", *changed("domain all", f"domain polytope 1\nside 0 {ZEROS}")
    yield "wide-multipliers", *changed("3 3 columns", f"3 3 columns\ntrivial margin 3 0 {ZEROS}")
    lines = 300_000
    yield "many-rays", *changed("3 3 columns", "3 3 columns" + "\nray exact 0 0 1" * lines)
    yield "many-relations", *changed("3 3 columns", "3 3 relations" + "\nrelation 2 1 0 1" * lines)
    yield "many-null-vectors", *changed("3 3 columns", "3 3 null" + "\nnull 0 1" * lines)
    yield "many-terms", *changed("3 3 columns", f"3 3 relations\nrelation 2 1{' 0 1' * lines}")
    yield "many-sides-too-few", *changed("domain all", "domain polytope fffff" + "\nside -1 0 0" * lines)
    for name, row in (("network-long-number", f"row 0 0 1 {LONG}"), ("network-wide-row", f"row 0 1 {ZEROS}")):
        text = TRIANGLE.replace("row 0 0 1 0", row)
        yield name, text, certificate(text, *header(), *SINGLETON)
    for name, count in (("network-deep-count", "layer 2 fffff all"), ("network-long-count", f"layer 2 {LONG} all")):
        text = TRIANGLE.replace("layer 2 3 all", count)
        yield name, text, certificate(text, *header(), *SINGLETON)
    cuts = [*header(subject="network"), "claim injective", "orientation 186a1 0", "point 1 0 0", "tree", *["cut 0 0"] * 100_000]
    yield "deep-cells", TRIANGLE, certificate(TRIANGLE, *cuts).replace("scope layer 1", "scope through 1")
    # with all zeros the rows would take 6 GB
    size = 0x4000
    row = f"sparse 0 1 1 {size - 1:x} 1\n"
    text = f"exactrelu-network 2\nconvention exact-1\ninput {size:x}\nlayer {size:x} {size:x} all\n{row * size}end\n"
    yield "network-filled-in", text, certificate(text, *header(subject="layer"), "claim collision", "first 1 0", "second 1 0")
    # no precision lets a multiplier 0 exceed anything: refused before seven inverses of 513 columns are looked for
    ones = " 1" * 512
    text = f"exactrelu-network 1\nconvention exact-1\ninput 200\nlayer 200 1 none\nrow 0 0{ones}\nend\n"
    box = [*header(f"box|lower 1{ones}|upper 1{ones.replace('1', '2')}", "output"), "output 1 0", "claim preimage empty"]
    selected = 1 + sum(1 << (1 + 2 * j) for j in range(512))
    yield "hopeless-margin", text, certificate(text, *box, f"empty margin {selected:x} 0{' 0' * 1025}")


def test_large_bad_input_is_rejected(proved: Path, tmp_path: Path, ask: Ask) -> None:
    """The two checkers of this package share their reader."""
    names = []
    for name, network_text, certificate_text in large_files():
        write(tmp_path, {name: (network_text, certificate_text)})
        names.append(name)
    for checker in (INTEGERS, proved):
        answer = ask(checker, tmp_path)
        assert answer.code == 1 and answer.claims == dict.fromkeys(names)
        assert all(reason.startswith("section ") for reason in answer.reasons.values())
    # the program says so before it takes the memory
    assert answer.reasons["network-filled-in"].startswith("section 2: with the zeros")


def genuine_files() -> dict[str, tuple[str, str]]:
    """True claims of a size that a checker may find too large."""
    wide = network(WIDE, ("all", [[1, *[1] * WIDE]]))
    ray = f"recession 1 1 -1{ZEROS[3:]}"
    deep = network(1, *[("none", [[0, 1]])] * 4096)
    sides = "|".join(["polytope 186a0", *["side -1 0 0"] * 100_000])
    full = f"rank 1 {PRIME} 1 1 rows"
    return {
        "wide-layer": (wide, certificate(wide, *header(), f"point 1 {ZEROS}", f"claim preimage unbounded {WIDE - 1:x} 1 1", full, ray)),
        "many-layers": (deep, certificate(deep, *header(layer=4096), "point 1 1", "claim preimage singleton 0 1 1", full)),
        "many-sides": (TRIANGLE, certificate(TRIANGLE, *header(sides), *SINGLETON)),
    }


def test_large_genuine_input_is_judged(proved: Path, tmp_path: Path, ask: Ask) -> None:
    """Accepted by the checkers of this package; the other accepts it or says in a line why not."""
    texts = genuine_files()
    write(tmp_path, texts)
    integers, floats, program = (ask(checker, tmp_path) for checker in (INTEGERS, FLOATS, proved))
    assert integers == floats and integers.code == 0
    assert program.claims.keys() == texts.keys()
    assert program.code == (1 if None in program.claims.values() else 0)
    for name, claim in program.claims.items():
        assert claim == integers.claims[name] or (
            claim is None and program.reasons[name].startswith(("section ", "could not be checked: "))
        )
