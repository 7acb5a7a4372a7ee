"""What a worker knows of the process that supervises it, and can have it do."""

from __future__ import annotations

from dataclasses import dataclass

from service.reloading.refusals import Refusal


@dataclass(frozen=True)
class LookOutcome:
    """What came of reading CURRENT.

    Attributes:
        bundle_id: Of the bundle that is served now; None where there is none.
        refusal: Why it is not the one that CURRENT names; None where it is.
    """

    bundle_id: str | None
    refusal: Refusal | None


class Supervision:
    """The view of a process without a supervisor, which serves the bundle it began with."""

    @property
    def refusal(self) -> Refusal | None:
        """Why what CURRENT names is not what is served; None while it is."""
        return None

    @property
    def is_draining(self) -> bool:
        """Whether this service is about to stop, and others should be asked."""
        return False

    async def look(self, bundle_id: str | None) -> LookOutcome:
        """Have CURRENT read now and refused bundles tried again; return when that is done.

        Args:
            bundle_id: What this process serves.
        """
        return LookOutcome(bundle_id, self.refusal)
