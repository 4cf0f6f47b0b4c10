"""A large run told part by part gives the counts and the very bytes that the whole complex gives, and keeps little in memory."""

from __future__ import annotations

import contextlib
import importlib
import tracemalloc
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from theorems.oracles import examples
from theorems.test_R import chained, in_general_position, layer, rectified_rows

from exactrelu.domain import Box
from exactrelu.errors import InvalidFileError, InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.network.readers import load
from exactrelu.regions import AffineSlice, RegionComplex, regions, regions_by_part
from exactrelu.regions.graph import graphml_text, json_text, save_graph
from exactrelu.regions.jobs.by_part import RegionsByPart
from exactrelu.regions.jobs.point_order import ordered
from exactrelu.regions.jobs.store import Store
from exactrelu.regions.record import regions_record
from exactrelu.strategies import domains, networks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from exactrelu.network.model import Network

# The name `exactrelu.regions` is the function's.
package: Any = importlib.import_module("exactrelu.regions")
jobs_module: Any = importlib.import_module("exactrelu.regions.jobs")

DEGENERATE = ("D1_dup_d2_6", "D2_WmW_d2_8", "D3_nobias_d2_8", "D3b_nobias_d2_8x8", "D4_ternary_d2_8x8_s0", "D4q_quant8_d2_12x12_s0")
DEGENERATE += ("D5_base_d2_8", "D5_scaled2m30_d2_8", "D5_scaled2m40_d2_8", "D6_tri_1e-06", "D6_tri_1e-12", "D8_zero_row_zero_bias")


@contextlib.contextmanager
def by_part(network: Network, folder: Path, jobs: int, cells_a_job: int, **asked: Any) -> Iterator[RegionComplex | RegionsByPart]:
    """However few regions there are, in so many jobs at most."""
    with (
        patch.object(package, "MOST_IN_MEMORY", 0),
        patch.object(Store, "jobs", jobs),
        patch.object(jobs_module, "CELLS_A_JOB", cells_a_job),
        regions_by_part(network, folder / f"{jobs}_{cells_a_job}.store", **asked) as found,
    ):
        yield found


def assert_same(found: RegionComplex | RegionsByPart, plain: RegionComplex, network: Network) -> None:
    assert found.face_counts() == plain.face_counts()
    assert "".join(json_text(found)) == "".join(json_text(plain))
    assert "".join(graphml_text(found)) == "".join(graphml_text(plain))
    ours, theirs = (regions_record(one, network, through=None) for one in (found, plain))
    if isinstance(found, RegionsByPart):
        # What takes long is not computed.
        theirs["statistics"] |= {"diameter": None, "linear_pieces": None}
    assert ours == theirs


@examples(60)
@given(networks(), st.integers(1, 2), st.data())
def test_by_part_nothing_changes(tmp_path_factory, network, cells, data):
    assume(rectified_rows(network) <= 9)
    domain = data.draw(domains(network.inputs))
    try:
        plain = regions(network, domain=domain)
    except InvalidRequestError:
        return
    assume(plain.regions > 2)
    jobs = min(6, plain.regions - 1) // cells
    with by_part(network, tmp_path_factory.mktemp("by_part"), jobs, cells, domain=domain) as found:
        assert_same(found, plain, network)


@pytest.mark.parametrize("name", DEGENERATE)
def test_by_part_nothing_changes_on_degenerate_networks(shared: Path, tmp_path: Path, name: str) -> None:
    network = load(shared / "networks" / "degenerate" / f"{name}.onnx")
    with by_part(network, tmp_path, 5, 1) as found:
        assert isinstance(found, RegionsByPart)
        assert_same(found, regions(network), network)


@pytest.mark.parametrize(
    ("widths", "jobs", "cells"), [([2, 12, 12, 1], 8, 2), ([3, 8, 8, 1], 5, 3), ([4, 5, 4, 1], 6, 4), ([1, 9, 9, 1], 3, 1)]
)
def test_by_part_nothing_changes_in_general_position(tmp_path: Path, widths: list[int], jobs: int, cells: int) -> None:
    network = in_general_position(widths, 5)
    with by_part(network, tmp_path, jobs, cells) as found:
        assert isinstance(found, RegionsByPart)
        assert_same(found, regions(network), network)
    square = Box(RationalVector((-1,) * widths[0]), RationalVector((1,) * widths[0]))
    with by_part(network, tmp_path, jobs - 1, cells - 1 or 1, domain=square) as found:
        assert isinstance(found, RegionsByPart)
        assert_same(found, regions(network, domain=square), network)


def test_by_part_on_a_slice_and_not_with_walls_that_are_merged_away(tmp_path: Path) -> None:
    network = in_general_position([4, 6, 6, 1], 2)
    plane = AffineSlice.through([RationalVector(point) for point in ((0, 0, 0, 0), (1, 0, 2, 0), (0, 1, 0, -1))])
    with by_part(network, tmp_path, 4, 2, affine_slice=plane) as found:
        assert isinstance(found, RegionsByPart)
        assert_same(found, regions(network, affine_slice=plane), network)
    # The first layer has rank 1: walls of coordinates that it leaves alone are artificial.
    carried = layer(np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0]]), np.array([True, False, True]))
    walled = chained([carried, layer(np.random.default_rng(3).standard_normal((7, 4)), np.ones(7, dtype=bool))])
    with by_part(walled, tmp_path, 3, 3) as found:
        assert isinstance(found, RegionComplex)
        assert_same(found, regions(walled), walled)


def test_regions_are_in_order_where_a_wall_comes_before_its_turn(tmp_path: Path) -> None:
    # The last neuron's hyperplane is a wall of the first cells; cells that only it divides are in one job.
    parallel = np.array([*([1.0, 0.0, -i] for i in range(6)), [0.0, 1.0, 0.0]])
    second = np.random.default_rng(1).standard_normal((5, 8))
    network = chained([layer(parallel, np.ones(7, dtype=bool)), layer(second, np.ones(5, dtype=bool))])
    for jobs, cells in ((5, 1), (3, 3), (7, 1)):
        with by_part(network, tmp_path, jobs, cells) as found:
            assert isinstance(found, RegionsByPart)
            assert_same(found, regions(network), network)


# ---------------------------------------------------------------- when it is the whole


def test_small_limited_and_late_runs_are_told_as_a_whole(tmp_path: Path) -> None:
    network = in_general_position([2, 48, 1], 4)
    plain = regions(network)
    with regions_by_part(network, tmp_path / "a.store") as found:
        assert isinstance(found, RegionComplex)
        assert_same(found, plain, network)
    for limit in (3, 40, plain.regions - 1):
        with by_part(network, tmp_path, 6, 2, limit=limit) as found:
            limited = regions(network, limit=limit)
            assert (found.complete, found.regions, found.neurons) == (False, limited.regions, limited.neurons)
    with by_part(network, tmp_path, 6, 2, limit=plain.regions, workers=2) as found:
        assert isinstance(found, RegionsByPart)
        assert_same(found, plain, network)
        for pieces, name in ((True, "graph.json"), (False, "graph.txt")):
            with pytest.raises(InvalidRequestError):
                save_graph(found, tmp_path / name, pieces=pieces)


# ---------------------------------------------------------------- memory


def peak(work: Callable[[], object]) -> int:
    """How many bytes are in use at once, at most, beside those before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_holds_parts_alone(tmp_path: Path) -> None:
    network, store = in_general_position([2, 300, 1], 1), tmp_path / "a.store"

    def by_part() -> None:
        with regions_by_part(network, store) as found:
            assert isinstance(found, RegionsByPart)
            regions_record(found, network, through=None)

    # What the jobs find is there afterwards.
    by_part()
    assert 3 * peak(by_part) < peak(lambda: regions_record(regions(network, store=store), network, through=None))


# ---------------------------------------------------------------- points in order


POINTS = st.lists(
    st.lists(
        st.sampled_from([Fraction(0), Fraction(-1, 3), Fraction(1, 3), Fraction(2**70 + 1, 2**71), Fraction(1, 2), Fraction(2**1100)]),
        min_size=2,
        max_size=2,
    ).map(tuple),
    max_size=6,
    unique=True,
)


@examples(100)
@given(st.lists(POINTS, min_size=1, max_size=4))
def test_points_of_parts_are_sorted_exactly(parts):
    everything = sorted({point for part in parts for point in part})
    with ordered([RationalVector.from_fractions(point) for point in part] for part in parts) as points:
        assert [tuple(point.fractions()) for point in points] == everything
        for number, part in enumerate(parts):
            assert points.places(number).tolist() == [everything.index(point) for point in part]


# ---------------------------------------------------------------- stores that lie


class Kept(dict[int, bytes]):
    jobs = 3

    def begin(self, jobs: object) -> None:
        pass


def kept_results() -> tuple[Network, Kept]:
    network, kept = in_general_position([2, 5, 5, 1], 5), Kept()
    with patch.object(jobs_module, "CELLS_A_JOB", 2), regions_by_part(network, kept) as found:
        assert found.regions == regions(network).regions
    return network, kept


NETWORK, KEPT = kept_results()


@examples(100)
@given(st.data())
def test_results_that_lie_are_refused_or_do_no_harm(data):
    number = data.draw(st.integers(0, len(KEPT) - 1))
    good = KEPT[number]
    line = good.index(b"\n")
    place = data.draw(st.one_of(st.integers(0, line), st.integers(line, len(good) - 1)))
    some = data.draw(st.binary(min_size=1, max_size=4))
    lying = Kept({**KEPT, number: good[:place] + some + good[place + len(some) :]})
    with (
        contextlib.suppress(InvalidFileError),
        patch.object(jobs_module, "CELLS_A_JOB", 2),
        patch.object(package, "MOST_IN_MEMORY", 0),
        regions_by_part(NETWORK, lying) as found,
    ):
        regions_record(found, NETWORK, through=None)
