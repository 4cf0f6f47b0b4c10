"""Points: every accepted array means exactly the numbers it holds; everything else is refused in one line."""

from __future__ import annotations

import hashlib
import io
import zipfile
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from exactrelu.errors import ExactReluError, InvalidFileError, InvalidNumberError, InvalidRequestError
from exactrelu.points import read_points

FLOATS = st.sampled_from([np.float16, np.float32, np.float64])
SCALES = st.fractions(min_value=Fraction(1, 300), max_value=5, max_denominator=300)


@given(st.data(), FLOATS, SCALES)
def test_a_float_is_the_dyadic_it_holds(tmp_path_factory, data, kind, scale):
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    array = data.draw(hnp.arrays(kind, shape, elements={"allow_nan": False, "allow_infinity": False}))
    path = tmp_path_factory.mktemp("points") / "x.npy"
    np.save(path, array)
    points = read_points(path, shape=(shape[1],), inputs=shape[1], scale=scale)
    assert [row.fractions() for row in points.rows] == [[scale * Fraction(float(value)) for value in row] for row in array]
    assert points.indices == tuple(range(shape[0]))
    assert points.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@given(hnp.arrays(np.uint8, (3, 2, 2)), SCALES)
def test_a_pixel_is_multiplied_exactly(tmp_path_factory, array, scale):
    path = tmp_path_factory.mktemp("points") / "x.npz"
    np.savez_compressed(path, x=array, y=np.arange(3))
    points = read_points(path, shape=(1, 2, 2), inputs=4, scale=scale, rows="1:3")
    assert [row.fractions() for row in points.rows] == [[scale * int(value) for value in image.ravel()] for image in array[1:]]
    assert points.indices == (1, 2)


@given(st.lists(st.lists(st.fractions(max_denominator=50), min_size=2, max_size=2), min_size=1, max_size=4))
def test_csv_is_exact(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("points") / "x.csv"
    path.write_text("\n".join(", ".join(map(str, row)) for row in rows) + "\n\n")
    assert [row.fractions() for row in read_points(path, shape=(2,), inputs=2).rows] == rows


@pytest.mark.parametrize(
    ("found", "shape", "count"),
    [
        ((5, 12), (3, 4), 5),
        ((5, 3, 4), (3, 4), 5),
        ((5, 3, 4), (12,), 5),
        ((5, 3, 4), (1, 3, 4), 5),
        ((3, 4), (3, 4), 1),
        ((3, 4), (12,), 1),
        ((12,), (12,), 1),
        ((12,), (3, 4), 1),
        ((5, 4, 3), (3, 4), None),
        ((4, 3), (3, 4), None),
        ((5, 13), (12,), None),
        ((13,), (12,), None),
        ((), (12,), None),
        ((0, 12), (12,), None),
        ((2, 5, 12), (12,), None),
    ],
)
def test_shapes(tmp_path, found, shape, count):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros(found))
    if count is None:
        with pytest.raises(InvalidRequestError):
            read_points(path, shape=shape, inputs=12)
    else:
        assert len(read_points(path, shape=shape, inputs=12).rows) == count


@pytest.mark.parametrize(("rows", "indices"), [("1:3", (1, 2)), (":2", (0, 1)), ("2:", (2, 3)), (":", (0, 1, 2, 3)), (slice(1, 2), (1,))])
def test_rows_keep_their_numbers(tmp_path, rows, indices):
    path = tmp_path / "x.npy"
    np.save(path, np.arange(4.0).reshape(4, 1))
    points = read_points(path, shape=(1,), inputs=1, rows=rows)
    assert points.indices == indices == tuple(row.numerators[0] for row in points.rows)


@pytest.mark.parametrize(
    "rows", ["", "1", "3:1", "2:2", "4:", "0:5", "-1:", "a:b", "1:2:3", "9" * 99 + ":", slice(None, None, 2), slice(-1, None)]
)
def test_rows_that_do_not_exist_are_refused(tmp_path, rows):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((4, 1)))
    with pytest.raises(InvalidRequestError):
        read_points(path, shape=(1,), inputs=1, rows=rows)


def test_integers_above_one_need_a_scale(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.array([[0, 2]]))
    with pytest.raises(InvalidRequestError, match="--scale"):
        read_points(path, shape=(2,), inputs=2)
    assert read_points(path, shape=(2,), inputs=2, scale=Fraction(1)).rows[0].numerators == (0, 2)
    np.save(path, np.array([[0, 1]]))
    assert read_points(path, shape=(2,), inputs=2).rows[0].numerators == (0, 1)
    np.save(path, np.array([[0.0, 2.0]]))
    assert read_points(path, shape=(2,), inputs=2).rows[0].numerators == (0, 2)


def test_only_the_rows_asked_for_are_converted(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.array([[np.nan], [0.5]]))
    assert read_points(path, shape=(1,), inputs=1, rows="1:2").rows[0].texts() == ["1/2"]
    with pytest.raises(InvalidNumberError, match="row 0"):
        read_points(path, shape=(1,), inputs=1)


@pytest.mark.parametrize("values", [[np.inf], [1 + 0j], ["text"], [np.datetime64("2020-01-01")], [2**60]])
def test_what_is_no_number_is_refused(tmp_path, values):
    path = tmp_path / "x.npy"
    np.save(path, np.array([values]))
    with pytest.raises(InvalidNumberError):
        read_points(path, shape=(1,), inputs=1, scale=Fraction(1))


def test_objects_are_refused_unread(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (exec, ("raise SystemExit('a pickle was opened')",))

    for path, save in ((tmp_path / "x.npy", np.save), (tmp_path / "x.npz", np.savez)):
        save(path, np.array([Harmful()], dtype=object), allow_pickle=True)
        with pytest.raises(InvalidFileError, match="objects"):
            read_points(path, shape=(1,), inputs=1)


def test_headers_are_believed_only_as_far_as_the_file_reaches(tmp_path):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (10**8, 1)})
    (tmp_path / "x.npy").write_bytes(buffer.getvalue())
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", buffer.getvalue())
    for name in ("x.npy", "x.npz"):
        with pytest.raises(InvalidFileError, match="truncated"):
            read_points(tmp_path / name, shape=(1,), inputs=1)
    huge = io.BytesIO()
    np.lib.format.write_array_header_1_0(huge, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 1)})
    (tmp_path / "x.npy").write_bytes(huge.getvalue())
    with pytest.raises(InvalidFileError, match="limit"):
        read_points(tmp_path / "x.npy", shape=(1,), inputs=1)


@given(st.integers(0, 2**32), st.integers(0, 400), st.integers(1, 255), st.booleans())
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path_factory, cut, place, flip, truncate):
    path = tmp_path_factory.mktemp("points") / "x.npz"
    np.savez_compressed(path, x=np.linspace(0, 1, 6).reshape(3, 2))
    content = bytearray(path.read_bytes())
    if truncate:
        content = content[: cut % len(content)]
    else:
        content[place % len(content)] ^= flip
    path.write_bytes(bytes(content))
    try:
        read_points(path, shape=(2,), inputs=2)
    except ExactReluError as error:
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.npy", b""),
        ("x.npz", b""),
        ("x.npz", b"PK not a zip"),
        ("x.csv", b""),
        ("x.csv", b"1,2\n3\n"),
        ("x.csv", b"a,b\n"),
        ("x.csv", b"nan,1\n"),
        ("x.csv", b"\xff\xfe\x00"),
        ("x.txt", b"1,2\n"),
        ("x.pt", b"PK"),
        ("none.npy", None),
        ("none.csv", None),
    ],
)
def test_files_that_hold_no_points_are_refused(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ExactReluError) as caught:
        read_points(tmp_path / name, shape=(2,), inputs=2)
    assert "\n" not in str(caught.value)


def test_the_array_of_an_archive_is_x_or_the_only_one(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, a=np.zeros((1, 1)), b=np.zeros((1, 1)))
    with pytest.raises(InvalidFileError, match="no array 'x'"):
        read_points(path, shape=(1,), inputs=1)
    np.savez(path, a=np.ones((1, 1)))
    assert read_points(path, shape=(1,), inputs=1).rows[0].numerators == (1,)
