"""Keep a bundle from going live whose held-out quality is too low, or lower than the live one's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from training.errors import ConfigurationError

GATED = {"hit_rate_at_100": 1, "ndcg_at_10": 1, "rmse": -1}
"""Measures that a gate compares, and 1 where more is better, -1 where less is."""


@dataclass(frozen=True)
class QualityGate:
    """What a bundle's measures must be.

    Attributes:
        at_least: The least each measure may be, by name; the most for RMSE, which is an error.
        margin: The largest share by which a measure may be worse than the live bundle's; None: any.
    """

    at_least: Mapping[str, float] = field(default_factory=dict)
    margin: float | None = None

    @classmethod
    def parse(cls, at_least: str, margin: float | None) -> QualityGate:
        """Read the options of the command line, `hit_rate_at_100=0.3,rmse=0.95` and a share.

        Raises:
            ConfigurationError: One cannot be read.
        """
        bounds = {}
        for part in filter(None, (part.strip() for part in at_least.split(","))):
            name, _, value = part.partition("=")
            if name not in GATED:
                raise ConfigurationError(
                    f"--at-least: expected measures of {', '.join(GATED)}, got {name!r}; "
                    "write for example hit_rate_at_100=0.3,rmse=0.95"
                )
            try:
                bounds[name] = float(value)
            except ValueError as error:
                raise ConfigurationError(
                    f"--at-least: expected a number after {name}=, got {value!r}"
                ) from error
        if margin is not None and not 0 <= margin < 1:
            raise ConfigurationError(
                f"--no-worse-than-live must be a share from 0 to below 1 such as 0.05, got {margin}"
            )
        return cls(bounds, margin)

    def refusal(self, metrics: Mapping[str, Any] | None, live: Mapping[str, Any] | None) -> str | None:
        """Say why a bundle must not go live; None where it may.

        Args:
            metrics: What was measured, as `evaluate` keeps it; None: nothing was.
            live: The live bundle's; None: there is none, or nothing was measured. Measures by another split
                are not compared.
        """
        found = {} if metrics is None else metrics["model"]
        reasons = []
        for name, bound in self.at_least.items():
            if name not in found:
                reasons.append(f"{name} was not measured, and must be known to be {_bound(name, bound)}")
            elif GATED[name] * (found[name] - bound) < 0:
                reasons.append(f"{name} is {found[name]:.4f}, and must be {_bound(name, bound)}")
        if self.margin is not None and metrics is not None and live is not None:
            reasons += self._worse(metrics, live)
        return "; ".join(reasons) or None

    def _worse(self, metrics: Mapping[str, Any], live: Mapping[str, Any]) -> list[str]:
        if metrics["split"] != live.get("split"):
            return []
        return [
            f"{name} is {metrics['model'][name]:.4f}, more than {self.margin:.0%} worse than the live "
            f"bundle's {live['model'][name]:.4f}"
            for name, sign in GATED.items()
            if name in metrics["model"]
            and name in live["model"]
            and sign * metrics["model"][name] < sign * live["model"][name] * (1 - sign * (self.margin or 0))
        ]


def _bound(name: str, bound: float) -> str:
    return f"at {'least' if GATED[name] > 0 else 'most'} {bound:g}"
