"""What a command writes over, and what not."""

from __future__ import annotations

from pathlib import Path

from beamkit.core.errors import ParameterError


def require_new(path: Path, *, overwrite: bool) -> None:
    """Raise ParameterError if there is a file already and nobody said to replace it."""
    if path.exists() and not overwrite:
        raise ParameterError(
            f"{path} is there already. Choose another name, or say --overwrite to replace it."
        )
