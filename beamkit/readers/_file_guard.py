"""Whatever goes wrong while a file is read is said in beamkit's words and names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beamkit.core.errors import BeamkitError, UnreadableFileError


@contextmanager
def reading(path: Path, what: str = "it") -> Iterator[None]:
    """Turn any foreign exception inside the block into UnreadableFileError.

    Parsers of damaged bytes raise anything (zlib.error, IndexError, struct.error, KeyError ...);
    none of them tells a user which of 3600 files it was.

    Parameters
    ----------
    path
        The file.
    what
        What is being read, for the message.
    """
    try:
        yield
    except BeamkitError:
        raise
    except FileNotFoundError:
        raise UnreadableFileError(
            f"{path}: there is no such file. Check the name; was it moved after it was opened?"
        ) from None
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise UnreadableFileError(
            f"{path}: {what} cannot be read ({reason}). The file is damaged or cut short; "
            "copy it again from where it was written."
        ) from None
