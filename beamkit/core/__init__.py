"""The ground floor: errors, units, the vocabulary, history and safe files. Knows no room above."""
