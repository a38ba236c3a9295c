"""Find peaks in one dimension, and fit them."""
