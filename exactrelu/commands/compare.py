"""`exactrelu compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from exactrelu.commands.options import HOLDS, REFUTED, UNDECIDED, Json, Model, Quiet, one_thread
from exactrelu.errors import InvalidRequestError


def compare(
    network: Model,
    other: Annotated[str, Parameter(name="OTHER", help="Another model with the same numbers of inputs and outputs.")],
    /,
    *,
    domain: Annotated[str, Parameter(help="all (default), orthant, box:LO,HI, box:FILE.npz or polytope:FILE.json.")] = "all",
    limit: Annotated[int | None, Parameter(help="How many activation regions of both together at most.")] = None,
    time_limit: Annotated[float | None, Parameter(help="Seconds after which the answer is undecided.")] = None,
    json: Json = False,
    quiet: Quiet = False,  # noqa: ARG001
) -> int:
    """Decide whether two networks are the same function on a domain: proved, or an input on which they differ, exactly.

    Exit code 0: the same, 1: they differ, 3: undecided.
    """
    if (time_limit is not None and not time_limit > 0) or (limit is not None and limit < 1):
        raise InvalidRequestError("--time-limit must be above 0 and --limit at least 1; change the one that is not")
    one_thread()
    from exactrelu.domain import parse_domain
    from exactrelu.injectivity.network.compare import compare as decide
    from exactrelu.network.readers import load
    from exactrelu.results import Envelope, assumptions, describe_network, json_text, speaks_of
    from exactrelu.tables import comparison_report

    envelope = Envelope("compare", domain=domain)
    paths = Path(network), Path(other)
    first, second = map(load, paths)
    found = decide(first, second, domain=parse_domain(domain, first.inputs), seconds=time_limit, limit=limit)
    record = {"other": describe_network(paths[1], second), **found.record()}
    result = envelope.around(paths[0], first, [*assumptions(certified=False), *second.assumes], **record)
    if json:
        print(json_text(result))
    else:
        print("\n\n".join([comparison_report(result), speaks_of(paths[0], first), speaks_of(paths[1], second)]))
    return {"equal": HOLDS, "different": REFUTED}.get(found.verdict, UNDECIDED)
