"""A run in jobs finds the complex that a run without jobs finds, face by face, and gives the same bytes, however it is cut."""

from __future__ import annotations

import importlib
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.oracles import examples
from theorems.test_R import chained, in_general_position, layer, rectified_rows

from exactrelu import parallel
from exactrelu.domain import AllSpace, Box
from exactrelu.errors import InvalidFileError, InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.network.readers import load
from exactrelu.regions import AffineSlice, RegionComplex, regions
from exactrelu.regions.charts import Chart
from exactrelu.regions.evidence import regions_certificate
from exactrelu.regions.forms import HomogeneousLayers
from exactrelu.regions.graph import json_text
from exactrelu.regions.jobs.glue import glued
from exactrelu.regions.jobs.part import Part
from exactrelu.regions.jobs.seams import Border
from exactrelu.regions.roots import RootForms
from exactrelu.regions.start import cones
from exactrelu.regions.vertices import Vertices
from exactrelu.strategies import domains, networks

if TYPE_CHECKING:
    from pathlib import Path

    from exactrelu.network.model import Network
    from exactrelu.regions.faces import FaceLattice

# The name `exactrelu.regions` is the function's.
jobs_module: Any = importlib.import_module("exactrelu.regions.jobs")

DEGENERATE = ("D1_dup_d2_6", "D2_WmW_d2_8", "D3_nobias_d2_8", "D3b_nobias_d2_8x8", "D4_ternary_d2_8x8_s0", "D4q_quant8_d2_12x12_s0")
DEGENERATE += ("D5_base_d2_8", "D5_scaled2m30_d2_8", "D5_scaled2m40_d2_8", "D6_tri_1e-06", "D6_tri_1e-12", "D8_zero_row_zero_bias")


def in_jobs(network: Network, jobs: int, cells_a_job: int, **asked: Any) -> RegionComplex:
    """A run in so many jobs at most, each begun with so many cells, in this process."""

    def here(*making: Any, workers: int, scheduler: str | None) -> Any:
        assert (workers, scheduler) == (2, None)
        return parallel.prepared_executor(*making)

    with (
        patch.object(jobs_module.InMemory, "jobs", jobs),
        patch.object(jobs_module, "CELLS_A_JOB", cells_a_job),
        patch.object(jobs_module, "prepared_executor", here),
    ):
        return regions(network, workers=2, **asked)


# ---------------------------------------------------------------- the same complex


def named_faces(found: RegionComplex) -> list[dict[Any, Any]]:
    """Of every dimension the pieces of faces by the coordinates of their vertices: their facets, and the pieces of the same face."""
    names: list[list[Any]] = [list(found._homogeneous)]
    result: list[dict[Any, Any]] = []
    lattice: FaceLattice = found._pieces
    for k, count in enumerate(lattice.counts()):
        facets = [[name] for name in names[0]]
        if k:
            facets = [[] for _ in range(count)]
            for owner, child in zip(*(part.tolist() for part in lattice.facets[k].of(np.arange(count))), strict=True):
                facets[owner].append(names[-1][child])
            names.append([frozenset(vertex for facet in own for vertex in (facet if k > 1 else [facet])) for own in facets])
        together = defaultdict(set)
        numbers = found._piece_numbers[k].tolist()
        for name, number in zip(names[-1], numbers, strict=True):
            together[number].add(name)
        assert len(set(names[-1])) == count
        result.append({name: (frozenset(own), together[number]) for name, own, number in zip(names[-1], facets, numbers, strict=True)})
    return result


def assert_same(ours: RegionComplex, theirs: RegionComplex) -> None:
    assert ours.complete == theirs.complete
    assert ours.neurons == theirs.neurons
    assert ours.lineality == theirs.lineality
    assert (ours.patterns() == theirs.patterns()).all()
    assert (ours.neighbours == theirs.neighbours).all()
    assert (ours.bounded == theirs.bounded).all()
    assert ours.points() == theirs.points()
    assert ours.face_counts() == theirs.face_counts()
    assert ours.faces().counts() == theirs.faces().counts()
    assert named_faces(ours) == named_faces(theirs)
    assert "".join(json_text(ours)) == "".join(json_text(theirs))


@examples(80)
@given(networks(), st.integers(1, 2), st.data())
def test_jobs_change_nothing(network, cells, data):
    assume(rectified_rows(network) <= 9)
    domain = data.draw(domains(network.inputs))
    try:
        plain = regions(network, domain=domain)
    except InvalidRequestError:
        return
    assume(plain.regions > 2)
    # Fewer cells than regions, or the run would have ended before there are jobs.
    cut = in_jobs(network, min(6, plain.regions - 1) // cells, cells, domain=domain)
    assert_same(cut, plain)
    try:
        certificate = regions_certificate(network, plain, domain)
    except InvalidRequestError:
        return
    assert regions_certificate(network, cut, domain).text() == certificate.text()


@pytest.mark.parametrize("name", DEGENERATE)
def test_jobs_change_nothing_on_degenerate_networks(shared: Path, name: str) -> None:
    network = load(shared / "networks" / "degenerate" / f"{name}.onnx")
    assert_same(in_jobs(network, 7, 2), regions(network))


@pytest.mark.parametrize(
    ("widths", "jobs", "cells"), [([2, 12, 12, 1], 8, 2), ([3, 8, 8, 1], 5, 3), ([4, 5, 4, 1], 6, 4), ([1, 9, 9, 1], 3, 1)]
)
def test_jobs_change_nothing_in_general_position(widths: list[int], jobs: int, cells: int) -> None:
    network = in_general_position(widths, 5)
    assert_same(in_jobs(network, jobs, cells), regions(network))


def test_jobs_on_a_slice_and_with_walls_that_are_merged_away() -> None:
    network = in_general_position([4, 6, 6, 1], 2)
    plane = AffineSlice.through([RationalVector(point) for point in ((0, 0, 0, 0), (1, 0, 2, 0), (0, 1, 0, -1))])
    assert_same(in_jobs(network, 4, 2, affine_slice=plane), regions(network, affine_slice=plane))
    # The first layer has rank 1: walls of coordinates that it leaves alone are artificial.
    carried = layer(np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0]]), np.array([True, False, True]))
    second = layer(np.random.default_rng(3).standard_normal((7, 4)), np.ones(7, dtype=bool))
    network = chained([carried, second])
    plain = regions(network)
    assert len(plain._pieces.facets[-1]) > plain.regions
    for jobs, cells in ((2, 1), (3, 4)):
        assert_same(in_jobs(network, jobs, cells), plain)


def test_processes_find_what_one_process_finds() -> None:
    network = in_general_position([2, 14, 14, 1], 1)
    plain = regions(network)
    told: list[tuple[int, int]] = []
    found = regions(network, workers=2, progress=lambda *counts: told.append(counts))
    assert_same(found, plain)
    assert told == [(done, told[0][1]) for done in range(told[0][1] + 1)]
    assert len(told) > 2


def test_limits() -> None:
    network = in_general_position([2, 12, 12, 1], 5)
    plain = regions(network)
    for limit in (3, 40, plain.regions - 1, plain.regions):
        assert_same(in_jobs(network, 4, 2, limit=limit), regions(network, limit=limit))
    late = in_jobs(network, 4, 2, deadline=time.monotonic())
    assert not late.complete


def test_time_that_ends_between_jobs_leaves_the_complex_of_the_first_neurons() -> None:
    network = in_general_position([2, 12, 12, 1], 5)
    now, told = [1000.0], []

    def progress(done: int, total: int) -> None:
        told.append(done)
        now[0] += 10

    with patch.object(time, "monotonic", lambda: now[0]), patch.object(time, "time", lambda: now[0] + 5e8):
        found = in_jobs(network, 8, 1, deadline=1035.0, progress=progress)
    assert told == [0, 1, 2, 3]
    assert not found.complete
    neurons = sum(layer.rectified.sum() for layer in network.layers)
    assert 0 < len(found.neurons) < neurons
    assert 0 < found.regions < regions(network).regions


@pytest.mark.parametrize("asked", [{"workers": 0}, {"workers": -1}, {"workers": 2, "scheduler": "127.0.0.1:1"}])
def test_a_number_of_workers_that_makes_no_sense(asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="workers"):
        regions(in_general_position([1, 2, 1], 0), **asked)


# ---------------------------------------------------------------- parts as bytes


def no_layers(n: int) -> HomogeneousLayers:
    return HomogeneousLayers([], Chart.identity(n))


@examples(50)
@given(st.lists(st.lists(st.integers(-(2**70), 2**70), min_size=3, max_size=3), min_size=2, max_size=2), st.booleans())
def test_a_part_is_what_its_bytes_say(rows, one_sided):
    assume(rows[0][0] * rows[1][1] != rows[0][1] * rows[1][0])
    lattice, vertices = cones([tuple(row) for row in rows], [one_sided, False])
    part = Part(lattice, Vertices(vertices, RootForms(no_layers(2))), [], None)
    read = Part.from_bytes(part.to_bytes(), no_layers(2))
    assert list(read.vertices) == vertices
    assert read.to_bytes() == part.to_bytes()
    assert glued([read], [Border.of(read)], no_layers(2)).lattice.counts() == lattice.counts()


def results_of_jobs() -> tuple[list[bytes], HomogeneousLayers]:
    network = in_general_position([2, 5, 5, 1], 5)
    held: list[bytes] = []
    part = jobs_module.Part.from_bytes
    with patch.object(jobs_module.Part, "from_bytes", lambda data, layers: (held.append(data), part(data, layers))[1]):
        in_jobs(network, 3, 2)
    # Each job is read by its runner, then each result is read.
    return held[len(held) // 2 :], HomogeneousLayers(network.layers[:2], Chart.identity(2))


RESULTS, LAYERS = results_of_jobs()


def test_results_are_what_their_bytes_say():
    for data in RESULTS:
        assert Part.from_bytes(data, LAYERS).to_bytes() == data


@examples(150)
@given(st.data())
def test_bytes_that_are_no_part_are_refused(data):
    number = data.draw(st.integers(0, len(RESULTS) - 1))
    good = RESULTS[number]
    line = good.index(b"\n")
    place = data.draw(st.one_of(st.integers(0, line), st.integers(line, len(good) - 1)))
    bad = data.draw(
        st.one_of(
            st.just(good[:place]),
            st.binary(max_size=40),
            st.binary(min_size=1, max_size=4).map(lambda some: good[:place] + some + good[place + len(some) :]),
        )
    )
    try:
        part = Part.from_bytes(bad, LAYERS)
        # Other numbers in the same places are faces of something.
        parts = [part, *(Part.from_bytes(one, LAYERS) for one in RESULTS if one is not good)]
        glued(parts, [Border.of(one) for one in parts], LAYERS)
    except InvalidFileError:
        return


def test_domains_are_told_apart_in_bytes() -> None:
    network = in_general_position([2, 8, 8, 1], 3)
    box = Box(RationalVector((-1, -1)), RationalVector((1, 1)))
    assert_same(in_jobs(network, 4, 1, domain=box), regions(network, domain=box))
    assert_same(in_jobs(network, 4, 1, domain=AllSpace()), regions(network))
