"""Whether a layer stays injective while it is trained: asked every so many steps, for a stated share of the time.

The weights are read as they stand, without a gradient and from any device. Where the layer was not injective before, a collision is looked
for near the last one first, which costs next to nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exactrelu.errors import InvalidNumberError, InvalidRequestError
from exactrelu.exact.rational import RationalVector
from exactrelu.injectivity.asked import layer_injectivity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exactrelu.domain import Domain
    from exactrelu.injectivity.answer import LayerInjectivity
    from exactrelu.injectivity.collisions.collision import Collision


@dataclass(frozen=True)
class Observation:
    """What was found at a step: the verdict, the argument that decided, and how long reading and deciding took."""

    step: int
    verdict: str
    method: str
    seconds: float


class InjectivityMonitor:
    """Decides every `every` steps of a training loop whether a layer is injective on a domain, within `seconds` each time.

    module: a torch.nn.Module, or a Layer as it is; which: the name or the number of the layer in it, such as "encoder.0" or 0, None for the
    module itself; domain, input_shape, activation: as in `exactrelu.testing.layer_injectivity`. `history` holds what was found, `last` the
    last answer with its proof or collision, `cost` the share of the time since the monitor was made.

    Weights that are not finite are recorded as undecided, so that the loop goes on.

    Raises InvalidRequestError where there is no such layer, and at the first step what `layer_injectivity` raises.

    >>> import numpy as np
    >>> from exactrelu import DyadicMatrix, Layer
    >>> layer = Layer(DyadicMatrix.from_floats([[1.0], [-1.0]]), DyadicMatrix.from_floats([[0.0], [0.0]]), np.array([True, True]))
    >>> monitor = InjectivityMonitor(layer, every=2)
    >>> for _ in range(5):
    ...     _ = monitor.step()
    >>> [(seen.step, seen.verdict) for seen in monitor.history]
    [(2, 'injective'), (4, 'injective')]
    """

    def __init__(
        self,
        module: Any,
        which: str | int | None = None,
        domain: str | Domain = "all",
        *,
        every: int = 100,
        seconds: float = 1.0,
        input_shape: Sequence[int] | None = None,
        activation: str | None = "relu",
    ) -> None:
        if every < 1:
            raise InvalidRequestError(f"every is {every}; give the number of steps from one question to the next, at least 1")
        self.module = module if which is None else _submodule(module, which)
        self.domain, self.every, self.seconds = domain, every, seconds
        self.input_shape, self.activation = input_shape, activation
        self.steps = 0
        self.history: list[Observation] = []
        self.last: LayerInjectivity | None = None
        self._begun = time.perf_counter()
        self._spent = 0.0

    def step(self) -> Observation | None:
        """Count a step; after each `every` of them, decide. Call it once an iteration, after the optimiser's step."""
        self.steps += 1
        return self.observe() if self.steps % self.every == 0 else None

    def observe(self) -> Observation:
        """Decide now."""
        begin = time.perf_counter()
        pair = None if self.last is None else self.last.collision
        try:
            self.last = layer_injectivity(
                self.module,
                self.domain,
                input_shape=self.input_shape,
                activation=self.activation,
                seconds=self.seconds,
                points=() if pair is None else (_between(pair),),
                widen=False,
            )
            verdict, method = self.last.verdict, self.last.method
        except InvalidNumberError as error:
            verdict, method = "undecided", str(error)
        seconds = time.perf_counter() - begin
        self._spent += seconds
        self.history.append(Observation(self.steps, verdict, method, seconds))
        return self.history[-1]

    @property
    def cost(self) -> float:
        """The share of the wall time since the monitor was made that it took, between 0 and 1."""
        return self._spent / max(time.perf_counter() - self._begun, self._spent, 1e-9)

    def record(self) -> dict[str, Any]:
        """The history and the cost, for JSON."""
        return {
            "every": self.every,
            "cost": self.cost,
            "results": [{"step": o.step, "verdict": o.verdict, "method": o.method, "seconds": o.seconds} for o in self.history],
        }


def _submodule(module: Any, which: str | int) -> Any:
    """A module's part by its name, dots for parts of parts, or its number among the parts."""
    try:
        parts, children = dict(module.named_modules()), list(module.children())
    except AttributeError:
        raise InvalidRequestError(
            f"{type(module).__name__} has no parts to choose from; give a torch.nn.Module, or leave `which` out"
        ) from None
    if isinstance(which, str) and which in parts:
        return parts[which]
    if isinstance(which, int) and -len(children) <= which < len(children):
        return children[which]
    names = ", ".join(name for name in parts if name)
    raise InvalidRequestError(f"the module has no part {str(which)[:80]!r}; its parts are {names[:200]}")


def _between(pair: Collision) -> RationalVector:
    """The middle of two inputs, rounded to floats: about there all rows that change between them are negative (theory I1)."""
    return RationalVector.from_floats((pair.x.to_float() + pair.y.to_float()) / 2)
