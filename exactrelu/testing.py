"""For test suites: a layer that is not injective fails the test, with two inputs that it confuses.

def test_the_encoder_loses_nothing():
    assert_injective(model[0], domain="box:0,1")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exactrelu.injectivity.asked import layer_injectivity
from exactrelu.interval_image import IMAGE_NOTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.domain import Domain
    from exactrelu.injectivity.collisions.collision import Collision

__all__ = ["assert_injective", "layer_injectivity"]

# Coordinates shown, of those in which the two inputs differ most.
_SHOWN = 4


def assert_injective(
    layer: Any,
    domain: str | Domain = "all",
    *,
    input_shape: Sequence[int] | None = None,
    activation: str | None = "relu",
    seconds: float = 60.0,
) -> None:
    """Raise AssertionError unless the layer is proved injective on the domain within the time.

    layer: a torch.nn.Module of one layer, an exact Layer or (Network, number or name of a layer); domain: as on the command line, or a
    Domain; input_shape: of a convolution's input, the batch first; activation: "relu" for a module that is followed by one, None for an
    affine map alone. `layer_injectivity` takes the same arguments and returns the whole answer. Theory I2.

    Raises AssertionError with two inputs of one output, or where nothing was decided in time; otherwise what `layer_injectivity` raises.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer
    >>> both = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0]] * 2), np.array([True, True]))
    >>> assert_injective(both)
    >>> try:
    ...     assert_injective(both.first(1), "box:-1,1")
    ... except AssertionError as error:
    ...     print(str(error).partition(":-1,1:")[0], str(error).splitlines()[2], sep="; ")
    the layer is not injective on box;   coordinate 0: -1 and 0
    """
    __tracebackhide__ = True
    where = domain if isinstance(domain, str) else domain.describe()
    found = layer_injectivity(layer, domain, input_shape=input_shape, activation=activation, seconds=seconds)
    if found.verdict == "injective":
        return
    if found.collision is None:
        raise AssertionError(
            f"not decided within {seconds:g} s whether the layer is injective on {where} ({found.method}: {found.record()['progress']}); "
            "raise `seconds`, or ask on a smaller domain"
        )
    note = f"\n{IMAGE_NOTE}" if where.startswith("image:") else ""
    raise AssertionError(
        f"the layer is not injective on {where}: two inputs have exactly the same output ({found.method})\n"
        f"{_difference(found.collision)}\n"
        f"in full: exactrelu.testing.layer_injectivity, called with the same arguments, has them as .collision.x and .collision.y{note}"
    )


def _difference(pair: Collision) -> str:
    """The coordinates in which two inputs differ most, in decimals."""
    rows = [(abs(a - b), k, a, b) for k, (a, b) in enumerate(zip(pair.x.fractions(), pair.y.fractions(), strict=True)) if a != b]
    largest = sorted(rows, key=lambda row: (-row[0], row[1]))[:_SHOWN]
    shown = "\n".join(f"  coordinate {k}: {float(a):.6g} and {float(b):.6g}" for _, k, a, b in largest)
    return f"they differ in {len(rows)} of {len(pair.x)} coordinates, most in\n{shown}"
