"""Which library computes, and on what."""

from __future__ import annotations

from beamkit.core.errors import EngineError, MissingDependencyError, UnknownNameError

from . import _astra

#: Engines by name, each with the devices it knows.
ENGINES = {"nufft": ("cpu",), "astra": ("cpu", "gpu")}

_CHOICES = ("auto", *ENGINES)
_DEVICES = ("auto", "cpu", "gpu")


def available_engines() -> dict[str, dict[str, str]]:
    """Return what this machine can compute with.

    Returns
    -------
    engines
        By engine, then by device: ``"available"``, or why not and what to do about it.
    """
    found = {engine: dict.fromkeys(devices, "available") for engine, devices in ENGINES.items()}
    try:
        if not _astra.has_gpu():
            found["astra"]["gpu"] = "there is no CUDA device, or its driver is too old"
    except MissingDependencyError as error:
        found["astra"] = dict.fromkeys(ENGINES["astra"], str(error))
    return found


def choose(engine: str, device: str) -> tuple[str, str]:
    """Return the engine and the device to use.

    ``auto`` takes ASTRA on a CUDA device where that is there, else FINUFFT on the CPU.

    Raises
    ------
    UnknownNameError
        If there is no such engine or device.
    EngineError
        If the engine cannot run on that device, or the machine has none.
    MissingDependencyError
        If the engine is not installed.
    """
    _require_known(engine, device)
    if engine == "auto" and device == "cpu":
        return "nufft", "cpu"
    if engine == "nufft":
        return _nufft(device)
    if engine == "auto":
        return _auto(device)
    if device == "gpu" and not _astra.has_gpu():
        raise EngineError(_NO_GPU)
    _astra.load()
    return "astra", device if device != "auto" else ("gpu" if _astra.has_gpu() else "cpu")


_NO_GPU = (
    "device is 'gpu', but ASTRA finds no CUDA device on this machine. Use device='auto' or "
    "device='cpu', or run on a node with a GPU (nvidia-smi lists them)."
)


def _require_known(engine: str, device: str) -> None:
    if engine not in _CHOICES:
        raise UnknownNameError("engine", engine, _CHOICES)
    if device not in _DEVICES:
        raise UnknownNameError("device", device, _DEVICES)


def _nufft(device: str) -> tuple[str, str]:
    if device == "gpu":
        raise EngineError(
            "engine 'nufft' runs on the CPU only, but device is 'gpu'. "
            "Use engine='astra' (or 'auto') for the GPU, or device='cpu'."
        )
    return "nufft", "cpu"


def _auto(device: str) -> tuple[str, str]:
    """Choose the engine, with the device ``"auto"`` or ``"gpu"``."""
    try:
        if _astra.has_gpu():
            return "astra", "gpu"
    except MissingDependencyError:
        if device == "gpu":
            raise
    if device == "gpu":
        raise EngineError(_NO_GPU)
    return "nufft", "cpu"
