"""A plot of regions beside the results, shown only where it is the file that the run wrote and holds nothing but shapes and text.

A picture inside `<img>` runs no script and loads nothing in any browser. It is looked through all the same: each element and attribute is
one that `exactrelu.regions.drawing.plot` writes, no value names an address, and there is no document type, so no entity either.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

from exactrelu.errors import ExactReluError
from exactrelu.points import read_bytes
from exactrelu.results import printable

if TYPE_CHECKING:
    from exactrelu.report.fields import Checked

PLOT_BYTES = 2**24
_NAMESPACE = "{http://www.w3.org/2000/svg}"
_PLACES = {"x", "y", "dy", "width", "height", "cx", "cy", "r", "x1", "y1", "x2", "y2", "d", "offset"}
_NAMES = {"id", "class", "fill", "style", "stop-color", "text-anchor", "gradientUnits", "viewBox", "role", "aria-labelledby"}
_ELEMENTS = {"svg", "title", "desc", "style", "rect", "g", "path", "text", "defs", "linearGradient", "stop", "circle"}
_PLACE = re.compile(r"[-0-9. MZhv%]*")
_NAME = re.compile(r"(stroke:)?#[0-9a-f]{6}|(stroke:)?url\(#g[0-9]{1,12}\)|url\(#scale\)|#fff|[A-Za-z0-9 -]*")
# Without @, brackets and backslashes a style sheet names no address.
_STYLE = re.compile(r"[-\w\s{}:;.,#'>*]*")


class Plot(NamedTuple):
    """A picture as a data URI and what it shows in words; without a URI, why it is not shown."""

    uri: str | None
    said: str


def read_plot(check: Checked, value: Any) -> Plot | None:
    """The plot that a result names by its file and SHA-256, looked for beside the results; raises InvalidFileError for other fields."""
    if value is None:
        return None
    check.mapping(value, "plot")
    name, sha256 = re.split(r"[\\/]", check.text(value, "file"))[-1], check.text(value, "sha256")
    if name in {"", ".", ".."}:
        check.refuse("plot", "is not the path of a file")
    path = check.path.parent / name
    try:
        content = b"" if path.is_symlink() or not path.is_file() else read_bytes(path, PLOT_BYTES)
    except (ExactReluError, OSError):
        content = b""
    if hashlib.sha256(content).hexdigest() != sha256:
        return Plot(None, f"The plot {name} that the run wrote is not beside the results, or was changed since.")
    said = description(content)
    if said is None:
        return Plot(None, f"The plot {name} is not one that exactrelu draws, so that it is not shown.")
    return Plot(f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}", said)


def description(content: bytes) -> str | None:
    """What a plot of regions says that it shows; None for anything else than such a plot.

    >>> description(b'<svg xmlns="http://www.w3.org/2000/svg"><desc>Two regions.</desc><rect x="1" fill="#fff"/></svg>')
    'Two regions.'
    >>> description(b'<svg xmlns="http://www.w3.org/2000/svg" onload="f()"/>') is None
    True
    """
    try:
        text = content.decode("utf-8")
        if "<!" in text or "<?" in text:
            return None
        root = ET.fromstring(text)  # noqa: S314 -- no document type, and so no entities to expand
    except (ET.ParseError, ValueError):
        return None
    if root.tag != f"{_NAMESPACE}svg" or not all(map(_is_drawn, root.iter())):
        return None
    said = root.find(f"{_NAMESPACE}desc")
    return "" if said is None else printable(said.text or "")[:1000]


def _is_drawn(element: ET.Element) -> bool:
    name = element.tag.removeprefix(_NAMESPACE)
    if name not in _ELEMENTS or not element.tag.startswith(_NAMESPACE):
        return False
    if name == "style" and not _STYLE.fullmatch(element.text or ""):
        return False
    return all(
        (key in _PLACES and _PLACE.fullmatch(value)) or (key in _NAMES and _NAME.fullmatch(value)) for key, value in element.attrib.items()
    )
