"""The one door for packages that the base install does not bring."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from .errors import MissingDependencyError


def need(package: str, *, extra: str, to: str) -> ModuleType:
    """Import an optional package when it is first used.

    Parameters
    ----------
    package
        Name to import, such as ``"silx.io.specfile"``.
    extra
        The extra of beamkit that installs it.
    to
        What beamkit needs it for, as the end of the sentence "beamkit needs it to ...".

    Raises
    ------
    MissingDependencyError
        If the package is not installed. One that is installed but broken raises its own error.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        top = package.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != top:
            raise  # installed but broken: its own error is the useful one
        raise MissingDependencyError(
            f"{top} is not installed; beamkit needs it to {to}. "
            f'Install it with: pip install "beamkit[{extra}]"'
        ) from None
