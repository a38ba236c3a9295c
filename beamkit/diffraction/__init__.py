"""Where a detector stands and what its pixels mean: geometry, calibrants, rings, masks."""
