// Panel: spot.
