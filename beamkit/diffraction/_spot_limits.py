"""What the compiled parts of the spot finder and those that use them agree on."""

#: Counts above this enter the sums as this, so that the sum over 441 pixels stays below 2**31, and
#: the sum of the squares below 2**53, the largest whole numbers of int32 and of float64.
HIGHEST = 2**22

#: Largest half width of the window [pixel].
WIDEST = 10

#: What is told of a spot, in the order of the columns of its table. Edges are those of pixels.
COLUMNS = (
    "x", "y", "intensity", "sigma", "background", "peak", "pixels",
    "x_min", "x_max", "y_min", "y_max",
)  # fmt: skip
