"""How far two computations with one model may differ: float32 sums in another order, on another processor."""

from __future__ import annotations

FLOAT32_STEP = 2.0**-23
"""Relative distance of a float32 from the next."""

_STEPS = 8
"""Steps of float32 by which mean, spread and bias, added up, may be off."""


def stars_tolerance(rating_scale: tuple[float, float], share: float) -> float:
    """How far a predicted rating may lie from another computation of it, in stars.

    Args:
        rating_scale: Smallest and largest stars.
        share: Of the width of the scale; what float32 cannot distinguish at its ends comes on top.
    """
    low, high = rating_scale
    return share * (high - low) + _STEPS * FLOAT32_STEP * max(abs(low), abs(high))
