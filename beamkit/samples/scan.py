"""A scan of slits through the beam, as an SRS text file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamkit.core.atomic import write_text

from ._sample import BEAMLINE, Sample, require_at_least, require_positive

Floats = NDArray[np.float64]

#: Counts of the monitor to which `ScanSample.signal` refers.
_MONITOR = 1_000_000.0

_HEADER = """ &SRS
 SRSRUN=12345,SRSDAT=2026115,SRSTIM=93000,
 SRSSTN='BASE',SRSPRJ='GDA_BASE',SRSEXP='Emulator',
 SRSTLE='simulated scan',
 SRSCN1='        ',SRSCN2='        ',SRSCN3='        ',
<MetaDataAtStart>
date='Thu Jan 15 09:30:00 2026'
cmd='scan SLYCENTRE {start} {stop} {step} qbpm1 1.0 ic1monitor'
instrument='{beamline}'
Energy=12.65800
SLYGAP=0.2000
SLXCENTRE=-0.3125
</MetaDataAtStart>
 &END
"""


@dataclass(frozen=True, eq=False, kw_only=True)
class ScanSample(Sample):
    """A simulated scan and its truth.

    Attributes
    ----------
    positions
        Column ``SLYCENTRE``, as the file has it, shape (point,) [mm].
    center, fwhm
        Middle of the peak and its full width at half maximum [mm].
    height
        Of the peak above the background, at the monitor counts of :attr:`monitor_reference`.
    background, slope
        Counts under the middle of the peak, and how they grow [1/mm].
    """

    positions: Floats
    center: float
    fwhm: float
    height: float
    background: float
    slope: float

    @property
    def monitor_reference(self) -> float:
        """Counts of ``ic1monitor`` at which ``qbpm1`` is :meth:`signal`."""
        return _MONITOR

    def signal(self, positions: Floats) -> Floats:
        """Return the expected ``qbpm1 / ic1monitor * monitor_reference`` at positions [mm].

        A Gaussian on a straight line; same shape as ``positions``.
        """
        away = np.asarray(positions, float) - self.center
        peak = self.height * np.exp(-4 * np.log(2) * (away / self.fwhm) ** 2)
        return np.asarray(peak + self.background + self.slope * away)


def scan(
    path: str | os.PathLike[str],
    *,
    points: int = 81,
    start: float = 2.0,
    stop: float = 3.0,
    center: float = 2.437,
    fwhm: float = 0.18,
    height: float = 50000.0,
    background: float = 1500.0,
    slope: float = 800.0,
    noise: bool = True,
    seed: int = 1,
) -> ScanSample:
    """Write a scan of ``qbpm1`` against ``SLYCENTRE`` over a known peak.

    The monitor ``ic1monitor`` falls by a twentieth during the scan and flickers, and ``qbpm1``
    with it: only their ratio has the peak of the truth.

    Parameters
    ----------
    path
        File to write; replaced if it exists.
    points
        Number of points, at least 2.
    start, stop
        First and last position [mm]; the motor stops within 2 % of a step of where it should.
    center, fwhm, height
        Of the peak [mm, mm, counts].
    background, slope
        Counts under the middle of the peak, and their growth [counts, counts/mm].
    noise
        False for exact ratios: no counting noise, and decimals in the counts.
    seed
        Of noise, motor and monitor; the same call gives the same bytes.

    Returns
    -------
    sample
        The path, and the truth.

    Raises
    ------
    ParameterError
        If a number is too small, or the signal falls below 0.
    WriteError
        If the file cannot be written.

    Examples
    --------
    >>> sample = scan(getfixture("tmp_path") / "12345.dat")
    >>> sample.path.read_text().splitlines()[14]
    'SLYCENTRE\\tcount_time\\tic1monitor\\tqbpm1'
    """
    require_at_least(2, points=points)
    require_at_least(0, height=height)
    require_positive(fwhm=fwhm)
    random = np.random.default_rng(seed)
    step = (stop - start) / (points - 1)
    wanted = start + step * np.arange(points)
    positions = np.round(wanted + 0.02 * step * random.uniform(-1, 1, points), 4)
    sample = ScanSample(
        path=Path(path),
        positions=positions,
        center=center,
        fwhm=fwhm,
        height=height,
        background=background,
        slope=slope,
    )
    signal = sample.signal(positions)
    require_at_least(0, lowest_signal=float(signal.min()))
    beam = np.linspace(1, 0.95, points) * (1 + 0.003 * random.standard_normal(points))
    monitor, counts = _MONITOR * beam, signal * beam
    if noise:
        monitor, counts = (random.poisson(mean).astype(float) for mean in (monitor, counts))
    header = _HEADER.format(start=start, stop=stop, step=round(step, 9), beamline=BEAMLINE)
    write_text(path, header + _table(positions, monitor, counts))
    return sample


def _table(positions: Floats, monitor: NDArray[Any], counts: NDArray[Any]) -> str:
    lines = ["SLYCENTRE\tcount_time\tic1monitor\tqbpm1"]
    for position, reference, count in zip(positions, monitor, counts, strict=True):
        lines.append(f"{position:.4f}\t1.0000\t{float(reference):.6f}\t{float(count):.6f}")
    return "\n".join(lines) + "\n"
