// Panel: rings.
