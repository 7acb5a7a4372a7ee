"""Where ratings come from, the columnar table they become, and how it is split."""
