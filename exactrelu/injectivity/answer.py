"""The answer on a layer: the verdict, the argument that decided, and the pair or the proof that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exactrelu.certificates import DomainLines, Vector
from exactrelu.certificates.injectivity import CollisionCertificate, InjectivityCertificate, Proof
from exactrelu.certificates.injectivity_network import NetworkInjectivityCertificate, Stages
from exactrelu.errors import CertificateError

if TYPE_CHECKING:
    from exactrelu.certificates.injectivity import Windows
    from exactrelu.domain import Domain
    from exactrelu.injectivity.cases.tree import Progress
    from exactrelu.injectivity.collisions.collision import Collision


@dataclass(frozen=True)
class LayerInjectivity:
    """Whether a layer is injective on a domain.

    verdict: "injective" (with `evidence`), "not-injective" (with `collision`) or "undecided" (with `progress`, where the
    proof by cases had begun); method: the argument that decided, in words. remark: a sentence on why an injective layer has no
    `evidence`, or on what was tried where it is undecided. through: the answer is about several stages, so its certificate is, too.
    """

    verdict: str
    method: str
    seconds: float
    collision: Collision | None = None
    evidence: Proof | Windows | Stages | None = None
    progress: Progress | None = None
    remark: str | None = None
    through: bool = False

    def record(self) -> dict[str, Any]:
        """The answer in the words of the JSON interface, without its certificate."""
        pair = self.collision
        progress = (self.remark or "nothing was closed within the limits") if self.verdict == "undecided" else None
        return {
            "verdict": self.verdict,
            "method": self.method,
            "collision": pair and {"x": pair.x.texts(), "y": pair.y.texts(), "value": pair.value.texts()},
            "inverse_lipschitz_upper": None,
            "certificate": None,
            "progress": progress if self.progress is None else self.progress.sentence(self._searched),
            "uncertified": self.remark if self.verdict == "injective" and not self.is_certified else None,
        }

    @property
    def _searched(self) -> float:
        """The seconds of this run and of those that it went on from."""
        state = None if self.progress is None else self.progress.state
        return self.seconds if state is None else state.seconds

    @property
    def proof(self) -> Proof | None:
        """The evidence where it speaks of all rows together, not window by window."""
        return self.evidence if isinstance(self.evidence, Proof) else None

    @property
    def is_certified(self) -> bool:
        """Whether the answer has a certificate."""
        return self.collision is not None or self.evidence is not None

    def certificate(
        self, *, network_sha256: str, layer_number: int, domain: Domain
    ) -> InjectivityCertificate | NetworkInjectivityCertificate | CollisionCertificate:
        """The certificate of a decided result on the same domain; raises CertificateError where there is none, see `is_certified`."""
        lines = DomainLines(domain.lines())
        if self.collision is not None:
            first, second = (Vector(x.numerators, x.denominator) for x in (self.collision.x, self.collision.y))
            return CollisionCertificate(network_sha256, layer_number, first, second, self.through, domain=lines)
        if self.evidence is None:
            reason = self.remark if self.verdict == "injective" else "an undecided result has no certificate; give it more time"
            raise CertificateError(f"there is no certificate: {reason}")
        if isinstance(self.evidence, Stages):
            return NetworkInjectivityCertificate(network_sha256, layer_number, self.evidence, lines)
        return InjectivityCertificate(network_sha256, layer_number, self.evidence, domain=lines)
