"""The writer of certificates: every section in the words of the format, nothing half-written, and accepted when read back."""

from __future__ import annotations

import os
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from theorems.oracles import accepted, claim_words, examples

from exactrelu.certificates import (
    Certificate,
    DataSource,
    Direction,
    Farkas,
    Negative,
    Part,
    Rank,
    RecessionDirection,
    Relation,
    SecondPoint,
    StrictRay,
    ThroughCertificate,
    TightRows,
    TrivialByMargin,
    TrivialExactly,
    Vector,
    hexadecimal,
    percent_encoded,
    replacing,
    write_text,
)
from exactrelu.check import check
from exactrelu.domain import AllSpace
from exactrelu.errors import CertificateError
from exactrelu.exact.rational import DyadicMatrix, RationalVector
from exactrelu.network.exact_file import write_network
from exactrelu.network.model import Layer
from exactrelu.preimage.layer import LayerPreimage
from exactrelu.strategies import domains, layers_with_points, networks, rational_vectors
from exactrelu.verdict import Cardinality, Preimage

INT = re.compile(r"0|-?[1-9a-f][0-9a-f]*")
SHA256 = "5" * 64
RANK = Rank(1, 7, 1, 2, "rows")


@given(st.integers(-(2**300), 2**300))
def test_every_integer_has_one_spelling(value):
    assert INT.fullmatch(hexadecimal(value))
    assert int(hexadecimal(value), 16) == value


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_every_file_name_becomes_one_token(name):
    from urllib.parse import unquote

    token = percent_encoded(name)
    assert re.fullmatch(r"[A-Za-z0-9\-._~%]+", token)
    assert unquote(token) == (name or "-")


SECTIONS = {
    "rank 1 7 1 2 rows": RANK,
    "rank 1 0 1 1 relations\nrelation 1 2 0 -a": Rank(1, 0, 1, 1, "relations", (Relation(1, 2, ((0, -10),)),)),
    "rank 1 7 1 1 null\nnull -1 1f": Rank(1, 7, 1, 1, "null", (), ((-1, 31),)),
    "trivial margin c 5 0 -11": TrivialByMargin(12, 5, (0, -17)),
    "empty margin 3 0 1": TrivialByMargin(3, 0, (1,), "empty margin"),
    "trivial exact 1 0\nrank 1 7 1 2 rows": TrivialExactly((1, 0), RANK),
    "ray margin -3 -1 0": StrictRay((-1, 0), -3, exact=False),
    "ray exact 0 2": StrictRay((2,), 0, exact=True),
    "recession 3 -1 0": RecessionDirection((-1, 0), 3),
    "tight 0\nray exact 0 2": TightRows(0, None, None, StrictRay((2,), 0, exact=True)),
    "tight 6\nimplicit 1 -1\nrank 1 7 1 2 rows": TightRows(6, (1, -1), RANK, None),
    "negative a": Negative(10),
    "farkas -1 10": Farkas((-1, 16)),
}


@pytest.mark.parametrize("text", SECTIONS)
def test_sections_are_written_in_the_words_of_the_format(text):
    assert "\n".join(SECTIONS[text].lines()) == text


def test_a_certificate_is_written_in_the_order_of_the_format():
    certificate = Certificate(
        SHA256, 10, "output", Vector((-1, 2), 3), "singleton 0 1 1", (RANK,), solution=Vector((5,)), data=DataSource("a" * 64, 12, 1, 255)
    )
    assert certificate.text().splitlines() == [
        "exactrelu-certificate 1",
        f"network {SHA256}",
        f"data {'a' * 64} c 1 ff",
        "scope layer a",
        "domain all",
        "subject output",
        "output 3 -1 2",
        "claim preimage singleton 0 1 1",
        "solution 1 5",
        "rank 1 7 1 2 rows",
        "end",
    ]
    assert certificate.text().endswith("end\n")


def test_a_certificate_through_layers_is_written_in_the_order_of_the_format():
    first = Certificate(SHA256, 10, "output", Vector((2,)), "singleton 0 1 1", (RANK,), solution=Vector((5,), 2))
    parts = (Part.of(first), Part(9, "empty", (Negative(0),)))
    certificate = ThroughCertificate(SHA256, 10, "output", Vector((-1, 2), 3), "empty", parts, data=DataSource("a" * 64, 12, 1, 255))
    assert certificate.text().splitlines() == [
        "exactrelu-certificate 1",
        f"network {SHA256}",
        f"data {'a' * 64} c 1 ff",
        "scope through a",
        "domain all",
        "subject output",
        "output 3 -1 2",
        "claim preimage empty",
        "part a",
        "claim preimage singleton 0 1 1",
        "solution 2 5",
        "rank 1 7 1 2 rows",
        "part 9",
        "claim preimage empty",
        "negative 0",
        "end",
    ]
    for evidence, line in ((SecondPoint(Vector((1, -16), 7)), "second 7 1 -10"), (Direction(Vector((0, 1))), "direction 1 0 1")):
        text = ThroughCertificate(SHA256, 1, "input", Vector((0, 1)), "infinite 1", evidence=evidence).text()
        assert text.splitlines()[5:] == ["subject input", "point 1 0 1", "claim preimage infinite 1", line, "end"]


def test_vectors_without_entries_end_without_a_blank():
    text = Certificate(SHA256, 1, "layer-input", Vector(()), "empty", (Farkas(()),)).text()
    assert all(line == line.strip() and "  " not in line and line for line in text.splitlines())


@examples(100)
@given(layers_with_points(), st.data(), st.booleans())
def test_every_certificate_keeps_the_bytes_of_the_format(case, data, rational):
    layer, x = case
    prepared = LayerPreimage(layer, data.draw(domains(layer.inputs, near=x)), rational=rational)
    source = data.draw(st.sampled_from([None, DataSource("0" * 64, 3)]))
    result = prepared.of_point(x)
    text = prepared.certificate(result, network_sha256=SHA256, layer_number=1, subject="layer-input", given=x, data=source).text()
    assert re.fullmatch(r"[a-z0-9 \n-]+\n", text)
    assert re.fullmatch(r"([!-~]+( [!-~]+)*\n)+", text)
    assert text.endswith("\nend\n")


@settings(max_examples=40, suppress_health_check=[*HealthCheck])
@given(networks(), st.data())
def test_certificates_of_every_layer_are_accepted_from_files(tmp_path_factory, network, data):
    folder = tmp_path_factory.mktemp("certificates")
    sha256 = write_network(network, folder / "network.network")
    x = data.draw(rational_vectors(network.inputs))
    expected = []
    for source in network.source_layers:
        (layer,) = source.stages
        at = network.layer_input(source.number, x)
        prepared = LayerPreimage(layer, data.draw(domains(layer.inputs, near=at)))
        result = prepared.of_point(at)
        for subject, given_ in (("input", x), ("layer-input", at), ("output", layer(at))):
            found = prepared.of_output(layer(at)) if subject == "output" else result
            certificate = prepared.certificate(found, network_sha256=sha256, layer_number=source.number, subject=subject, given=given_)
            write_text(folder / f"{source.number}-{subject}.certificate", certificate.text())
            expected.append(claim_words(found))
    report = check([folder])
    assert report.exit_code == 0, report
    assert sorted(re.sub(r"^.*\)", "", result.claim) for result in report.results) == sorted(expected)
    # One network says nothing about another: the same certificates with another hash are invalid.
    assert check([folder], against_sha256={SHA256}).exit_code == 2


def test_an_undecided_result_has_no_certificate(layer_and_point):
    layer, x = layer_and_point
    undecided = Preimage(Cardinality.UNDECIDED, None, None, None, None, 0, None, "stopped")
    with pytest.raises(CertificateError, match="undecided"):
        LayerPreimage(layer, AllSpace()).certificate(undecided, network_sha256="", layer_number=1, subject="layer-input", given=x)


@pytest.fixture
def layer_and_point():
    weight = DyadicMatrix.from_floats([[1.0, -1.0], [0.5, 2.0]])
    return Layer(weight, DyadicMatrix.from_floats([[0.0], [-9.0]]), np.array([True, True])), RationalVector((3, 1))


def test_a_certificate_of_another_claim_is_not_accepted(layer_and_point):
    from dataclasses import replace

    from exactrelu.checker.text import Rejected

    layer, x = layer_and_point
    prepared = LayerPreimage(layer, AllSpace())
    result = prepared.of_point(x)
    accepted(prepared, result, "layer-input", x)
    for other in (Cardinality.SINGLETON, Cardinality.BOUNDED, Cardinality.UNBOUNDED):
        if other is not result.cardinality:
            false = replace(result, cardinality=other, dimension=0 if other is Cardinality.SINGLETON else 1)
            with pytest.raises(Rejected):
                accepted(prepared, false, "layer-input", x)


# ---------------------------------------------------------------- files


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.certificate"
    write_text(path, "one\n")

    def stopped_half_way():
        with replacing(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_half_way()
    assert path.read_text() == "one\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.certificate"]
    write_text(path, "two\n")
    assert path.read_text() == "two\n"


def test_files_get_the_usual_permissions(tmp_path):
    path = tmp_path / "a.certificate"
    write_text(path, "x\n")
    (tmp_path / "plain").write_text("x")
    if os.name == "posix":
        assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_certificate_that_is_not_ascii_is_never_written(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a.certificate", "é\n")
    assert list(tmp_path.iterdir()) == []
