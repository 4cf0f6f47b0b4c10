"""Results as a report: one HTML page that needs nothing beside it, or the same as Markdown.

The report is a view of the results in a folder: it reads them, counts, and computes no mathematics. The same results give
the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exactrelu.certificates import write_text
from exactrelu.errors import InvalidRequestError
from exactrelu.report.reading import read_results
from exactrelu.report.view import view

if TYPE_CHECKING:
    from markupsafe import Markup

    from exactrelu.report.reading import Results
    from exactrelu.report.view import View

_HERE = Path(__file__).parent
_POWER = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ]+")
_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ", "0123456789n")
_CODE = re.compile("`([^`]+)`")
_ESCAPED = frozenset("\\`*_[]<>|~&$#@")


def report(folder: Path, output: Path | None = None) -> tuple[Path, Results]:
    """Write the report on the results in a folder; returns where it is and what it is about.

    output: a file `.html` or `.md`, FOLDER/report.html by default. Raises InvalidRequestError for another suffix, for a folder
    without results and where the file cannot be written; InvalidFileError for results that cannot be read.
    """
    output = folder / "report.html" if output is None else output
    render = {".html": html, ".htm": html, ".md": markdown}.get(output.suffix.lower())
    if render is None:
        raise InvalidRequestError(f"a report is written as .html or .md, not as {output.name[:80]!r}; change the name after -o")
    results = read_results(folder)
    text = render(view(results))
    try:
        write_text(output, text)
    except OSError as error:
        raise InvalidRequestError(f"{output} cannot be written: {error.strerror or error}; choose another file") from None
    return output, results


def html(page: View) -> str:
    """The report as one HTML page: no script, nothing loaded, the style allowed by its hash alone."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    style = "\n" + (_HERE / "style.css").read_text(encoding="utf-8")
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["prose"] = _prose
    # The style sheet is a file of this package: the one text that is not escaped.
    return environment.get_template("report.html.jinja").render(view=page, style=Markup(style), style_hash=allowed)  # noqa: S704


def markdown(page: View) -> str:
    """The report as Markdown: the same words and tables, without the figures and the pictures."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=False,  # noqa: S701 -- HTML's rules are not Markdown's; `finalize` escapes every value
        finalize=_escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["code"] = lambda text: _Plain(code(str(text)))
    # What reading has left of a formula ends no block.
    environment.filters["formula"] = _Plain
    return environment.get_template("report.md.jinja").render(view=page)


def _prose(text: str) -> Markup:
    """A sentence as HTML: escaped, then raised digits set as exponents and back-ticks as code."""
    from markupsafe import Markup, escape

    marked = _POWER.sub(lambda found: f"<sup>{found[0].translate(_LOWERED)}</sup>", str(escape(text)))
    return Markup(_CODE.sub(r"<code>\1</code>", marked))  # noqa: S704 -- escaped above; only these tags were added


class _Plain(str):
    """Text that is Markdown already."""

    __slots__ = ()


def _escape(value: Any) -> Any:
    """A value as Markdown text that means itself: no emphasis, no HTML, no link."""
    if isinstance(value, _Plain) or not isinstance(value, str):
        return value
    # What stands between back-ticks stays code, unless it could end a cell of a table.
    parts = _CODE.split(value)
    return "".join(code(part) if k % 2 and "|" not in part else _plain_text(f"`{part}`" if k % 2 else part) for k, part in enumerate(parts))


def _plain_text(text: str) -> str:
    escaped = "".join(f"\\{letter}" if letter in _ESCAPED else letter for letter in text)
    return escaped.replace("://", "\\://").replace("www.", "www\\.")


def code(text: str) -> str:
    """A text as a code span, whatever back-ticks it holds.

    >>> print(code("a`b"))
    `` a`b ``
    """
    longest = fence = 0
    for letter in text:
        fence = fence + 1 if letter == "`" else 0
        longest = max(longest, fence)
    ticks = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"
