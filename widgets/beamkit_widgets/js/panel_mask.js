// Panel: mask.
