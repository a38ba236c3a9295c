"""What a conversion saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ConversionReport:
    """What was written, and what is to be known about it.

    Attributes
    ----------
    path
        The file.
    shape, dtype
        (frame, detector_y, detector_x) and type of the frames.
    compression
        How they are compressed.
    bytes_in, bytes_out
        Size of the source (of its image files; of the frames in memory where there are none) and
        of the file [bytes].
    resumed
        Frames taken over from a run that was stopped.
    checked
        Whether every count was read back and compared with the source.
    seconds
        Time spent in each part [s]: ``convert``, ``check``.
    problems
        Frames that could not be read, and why; they hold no measurement in the file.
    assumed, conflicts, notes
        What the source does not say, says twice, and what else to know.
    """

    path: Path
    shape: tuple[int, int, int]
    dtype: str
    compression: str
    bytes_in: int
    bytes_out: int
    resumed: int
    checked: bool
    seconds: dict[str, float]
    problems: dict[int, str]
    assumed: tuple[str, ...]
    conflicts: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def frames(self) -> int:
        """Return the number of frames."""
        return self.shape[0]

    @property
    def ratio(self) -> float:
        """Return the size of the file over that of the source."""
        return self.bytes_out / max(self.bytes_in, 1)

    @property
    def frames_per_second(self) -> float:
        """Return the rate of conversion, without the check [1/s]."""
        return (self.frames - self.resumed) / max(self.seconds.get("convert", 0.0), 1e-9)

    def __str__(self) -> str:
        """Return the report as lines of text."""
        rows, columns = self.shape[1:]
        spent = sum(self.seconds.values())
        checked = "every count read back and equal" if self.checked else "not read back"
        lines = [
            f"{self.path}: {self.frames} frames of {rows} x {columns} {self.dtype}, "
            f"{self.compression}; {checked}",
            f"  {self.bytes_in / 1e6:.1f} MB -> {self.bytes_out / 1e6:.1f} MB "
            f"({self.ratio:.2f} of the source) in {spent:.1f} s, "
            f"{self.frames_per_second:.1f} frames/s written",
        ]
        if self.resumed:
            lines.append(f"  {self.resumed} frames taken over from a run that was stopped")
        lines += [f"  problem: frame {frame}: {why}" for frame, why in self.problems.items()]
        for name in ("assumed", "conflicts", "notes"):
            lines += [f"  {name}: {line}" for line in getattr(self, name)]
        return "\n".join(lines)
