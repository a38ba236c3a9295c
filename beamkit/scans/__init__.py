"""One-dimensional scans: their axes, derived columns, normalisation."""
