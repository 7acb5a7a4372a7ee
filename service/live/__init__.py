"""Posted feedback: a store that never loses what was acknowledged, and what it holds of a batch's users."""
