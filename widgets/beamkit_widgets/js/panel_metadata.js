// Panel: metadata.
