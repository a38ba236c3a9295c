// Panel: peak.
