"""The points of several parts in one order, exactly, those of several parts once; sorted by SQLite in a file that nobody sees.

A nearest double keeps the order, so that points are sorted by those of their first coordinates; where these are equal, exactly.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from exactrelu.errors import InvalidRequestError
from exactrelu.exact.rational import RationalVector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class PointOrder:
    """Iterating gives the points, and only then `places` knows them. Memory holds the points with one first coordinate.

    >>> half, one = RationalVector((1, 0), 2), RationalVector((1, 0))
    >>> with ordered([[half, one], [one, RationalVector((0, 7))]]) as points:
    ...     [point.texts() for point in points], [points.places(part).tolist() for part in range(2)]
    ([['0', '7'], ['1/2', '0'], ['1', '0']], [[1, 2], [2, 0]])
    """

    def __init__(self, connection: sqlite3.Connection, places: np.ndarray, firsts: Sequence[int]) -> None:
        self._connection, self._places, self._firsts = connection, places, firsts

    def __iter__(self) -> Iterator[RationalVector]:
        number = 0
        rows = self._connection.execute("SELECT first, exact, place FROM point ORDER BY first")
        for _, group in groupby(rows, key=itemgetter(0)):
            places: dict[str, list[int]] = {}
            for _, exact, place in group:
                places.setdefault(exact, []).append(place)
            points = {exact: _read(exact) for exact in places}
            for exact in sorted(places, key=lambda exact: points[exact].fractions()) if len(places) > 1 else places:
                self._places[places[exact]] = number
                number += 1
                yield points[exact]

    def places(self, part: int) -> np.ndarray:
        """Of the points of a part their numbers in the order of all."""
        return np.array(self._places[self._firsts[part] : self._firsts[part + 1]])


@contextlib.contextmanager
def ordered(parts: Iterable[Sequence[RationalVector]]) -> Iterator[PointOrder]:
    """The points of all parts, each part looked at once; raises InvalidRequestError where there is no room on the disk for them."""
    firsts = [0]
    try:
        # A database without a name is a file that SQLite removes, as memory allows.
        with contextlib.closing(sqlite3.connect("", isolation_level=None)) as connection, tempfile.TemporaryFile() as file:
            connection.execute("CREATE TABLE point (first REAL, exact TEXT, place INTEGER)")
            connection.execute("BEGIN")
            for points in parts:
                rows = ((float(point.to_float()[0]), _written(point), place) for place, point in enumerate(points, firsts[-1]))
                connection.executemany("INSERT INTO point VALUES (?, ?, ?)", rows)
                firsts.append(firsts[-1] + len(points))
            places = np.memmap(file, dtype=np.int32, mode="w+", shape=max(1, firsts[-1]))
            yield PointOrder(connection, places, firsts)
    except (sqlite3.Error, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InvalidRequestError(f"vertices cannot be sorted on the disk ({reason}); make room for temporary files") from None


def _written(point: RationalVector) -> str:
    return " ".join(f"{value:x}" for value in (*point.numerators, point.denominator))


def _read(text: str) -> RationalVector:
    *numerators, denominator = (int(value, 16) for value in text.split(" "))
    return RationalVector(tuple(numerators), denominator)
