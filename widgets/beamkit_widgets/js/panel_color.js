// Panel: color.
