"""``xr.open_dataset(path, engine="beamkit")``: the same door, from xarray's side."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, ClassVar

import xarray as xr
from xarray.backends import BackendEntrypoint

from beamkit.core.errors import ParameterError
from beamkit.readers import open_dataset


class BeamkitBackend(BackendEntrypoint):
    """Files of detectors, opened by :func:`beamkit.open`.

    Only when it is asked for by name: beamkit does not take netCDF and Zarr away from xarray's own
    engines.
    """

    description: ClassVar[str] = "Open files of X-ray detectors with beamkit"
    open_dataset_parameters: ClassVar[tuple[str, ...]] = ("filename_or_obj", "drop_variables")

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        **options: Any,
    ) -> xr.Dataset:
        """Return the dataset of a file.

        Parameters
        ----------
        filename_or_obj
            A path.
        drop_variables
            Names of variables to leave out.
        **options
            Those of :func:`beamkit.open`.

        Raises
        ------
        ParameterError
            If it is not a path, such as an open file.
        """
        if not isinstance(filename_or_obj, (str, os.PathLike)):
            raise ParameterError(
                f"engine='beamkit' opens paths, not {type(filename_or_obj).__name__}. "
                "Give the path of the file."
            )
        data = open_dataset(filename_or_obj, **options)
        dropped = [drop_variables] if isinstance(drop_variables, str) else drop_variables
        return data.drop_vars(list(dropped)) if dropped else data

    def guess_can_open(self, filename_or_obj: Any) -> bool:  # noqa: ARG002, given by xarray
        """Return False: beamkit opens what it is asked to open by name."""
        return False
