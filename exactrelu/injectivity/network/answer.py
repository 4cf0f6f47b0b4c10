"""The answer on a network: the verdict, the argument that decided, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exactrelu.certificates import DomainLines, Vector
from exactrelu.certificates.injectivity import CollisionCertificate
from exactrelu.certificates.injectivity_network import NetworkInjectivityCertificate
from exactrelu.decimals import decimal_text
from exactrelu.errors import CertificateError

if TYPE_CHECKING:
    from fractions import Fraction

    from exactrelu.certificates.injectivity_network import Evidence
    from exactrelu.domain import Domain
    from exactrelu.injectivity.collisions.collision import Collision

_UNCERTIFIED = "certificates have no form yet for this argument about a whole network"


@dataclass(frozen=True)
class NetworkInjectivity:
    """Whether a network is injective on a domain.

    verdict: "injective", "not-injective" (with `collision`) or "undecided" (with `progress`, a sentence on what was reached);
    method: the argument that decided, in words. inverse_lipschitz: a proved L with |x - y| <= L |f(x) - f(y)|, in Euclidean norms, on
    the domain, or None. regions: how many activation regions were looked at, None where the argument needs none; pairs: where it was not
    decided by pairs of these, or of their parts in the boundary, how many were closed, and how many there are. evidence: of the
    certificate of an injective network, None where the argument has no certificate yet.
    """

    verdict: str
    method: str
    seconds: float
    collision: Collision | None = None
    inverse_lipschitz: Fraction | None = None
    regions: int | None = None
    progress: str | None = None
    pairs: tuple[int, int] | None = None
    evidence: Evidence | None = None

    def record(self) -> dict[str, Any]:
        """The answer in the words of the JSON interface, without its certificate."""
        pair, bound = self.collision, self.inverse_lipschitz
        return {
            "verdict": self.verdict,
            "method": self.method,
            "collision": pair and {"x": pair.x.texts(), "y": pair.y.texts(), "value": pair.value.texts()},
            "inverse_lipschitz_upper": None if bound is None else decimal_text(bound, "up"),
            "certificate": None,
            "progress": self.progress,
            "regions": self.regions,
            "pairs": None if self.pairs is None else {"closed": self.pairs[0], "all": self.pairs[1]},
            "uncertified": _UNCERTIFIED if self.verdict == "injective" and not self.is_certified else None,
        }

    @property
    def is_certified(self) -> bool:
        """Whether the answer has a certificate."""
        return self.collision is not None or self.evidence is not None

    def certificate(self, *, network_sha256: str, last: int, domain: Domain) -> CollisionCertificate | NetworkInjectivityCertificate:
        """The certificate, about the network's lowered layers 1 .. `last`; raises CertificateError where there is none."""
        lines = DomainLines(domain.lines())
        if self.collision is not None:
            first, second = (Vector(x.numerators, x.denominator) for x in (self.collision.x, self.collision.y))
            return CollisionCertificate(network_sha256, last, first, second, through=True, domain=lines)
        if self.evidence is None:
            reason = _UNCERTIFIED if self.verdict == "injective" else "an undecided result has no certificate; give it more time"
            raise CertificateError(f"there is no certificate: {reason}")
        return NetworkInjectivityCertificate(network_sha256, last, self.evidence, lines)
