"""What a report shows of pre-images with finitely many points: the points, exactly where that is short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exactrelu.decimals import approximate, decimal_text
from exactrelu.report.words import where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exactrelu.report.reading import Results

# Exact numbers up to so many letters are shown as they are, beside their decimals.
_SHORT = 30


@dataclass(frozen=True)
class PointsView:
    """The points of some rows: a line for each, (row, coordinate, ..)."""

    title: str
    coordinates: int
    rows: tuple[tuple[str, ...], ...]


def points_views(results: Results) -> Iterator[PointsView]:
    """Of everything asked about that has pre-images of finitely many points with few coordinates."""
    for answers in results.answers:
        if answers.solutions:
            rows = [(str(found.row), *map(_number, point)) for found in answers.solutions for point in found.points]
            name = f"{answers.asked.name}, in {where(answers.domain, len(rows[0]) - 1)}"
            yield PointsView(f"{name[0].upper()}{name[1:]}", len(rows[0]) - 1, tuple(rows))


def _number(text: str) -> str:
    """A number exactly, if it is short, and in decimals."""
    short = decimal_text(approximate(text))
    return short if len(text) > _SHORT else text if text == short else f"{text} ≈ {short}"
