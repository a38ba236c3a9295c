"""Constants with their source, and the conversions that files need.

beamkit keeps one unit for each quantity (see :mod:`beamkit.core.schema`); what a file says in
another unit is converted at the door, by :func:`convert`.
"""

from __future__ import annotations

from .errors import MetadataError

#: Planck constant times speed of light [keV angstrom].
#: Source: CODATA 2018, exact by definition of the SI (h, c and e are exact).
HC_KEV_ANGSTROM = 6.62607015e-34 * 299792458 / 1.602176634e-19 * 1e7

_DEGREE = 57.29577951308232

#: Factor from a unit as files write it to the unit of its family, and the family.
_UNITS: dict[str, tuple[str, float]] = {
    "m": ("m", 1.0),
    "meter": ("m", 1.0),
    "metre": ("m", 1.0),
    "meters": ("m", 1.0),
    "cm": ("m", 1e-2),
    "mm": ("m", 1e-3),
    "millimeter": ("m", 1e-3),
    "um": ("m", 1e-6),
    "µm": ("m", 1e-6),
    "μm": ("m", 1e-6),
    "micron": ("m", 1e-6),
    "microns": ("m", 1e-6),
    "micrometer": ("m", 1e-6),
    "nm": ("m", 1e-9),
    "angstrom": ("m", 1e-10),
    "angstroms": ("m", 1e-10),
    "a": ("m", 1e-10),
    "å": ("m", 1e-10),
    "s": ("s", 1.0),
    "sec": ("s", 1.0),
    "second": ("s", 1.0),
    "seconds": ("s", 1.0),
    "ms": ("s", 1e-3),
    "millisecond": ("s", 1e-3),
    "milliseconds": ("s", 1e-3),
    "us": ("s", 1e-6),
    "microsecond": ("s", 1e-6),
    "microseconds": ("s", 1e-6),
    "µs": ("s", 1e-6),
    "ns": ("s", 1e-9),
    "nanosecond": ("s", 1e-9),
    "nanoseconds": ("s", 1e-9),
    "kev": ("keV", 1.0),
    "ev": ("keV", 1e-3),
    "mev": ("keV", 1e3),
    "gev": ("keV", 1e6),
    "j": ("keV", 1 / 1.602176634e-16),
    "deg": ("deg", 1.0),
    "degree": ("deg", 1.0),
    "degrees": ("deg", 1.0),
    "°": ("deg", 1.0),
    "rad": ("deg", _DEGREE),
    "radian": ("deg", _DEGREE),
    "radians": ("deg", _DEGREE),
    "mrad": ("deg", _DEGREE * 1e-3),
    "pixel": ("pixel", 1.0),
    "pixels": ("pixel", 1.0),
    "px": ("pixel", 1.0),
}


def is_unit(text: str) -> bool:
    """Say whether :func:`convert` knows the unit."""
    return text.strip().lower() in _UNITS


def convert(value: float, unit: str, to: str) -> float:
    """Return a number in another unit of the same quantity.

    Parameters
    ----------
    value
        The number, in ``unit``.
    unit, to
        Units as files spell them (``"mm"``, ``"degrees"``, ``"eV"``); case does not matter.

    Raises
    ------
    MetadataError
        If a unit is unknown, or the two measure different things.

    Examples
    --------
    >>> convert(172, "um", "m")
    0.000172
    >>> convert(12400, "eV", "keV")
    12.4
    """
    for name in (unit, to):
        if not is_unit(name):
            raise MetadataError(
                f"Unit {name!r} is not known. Known: {', '.join(sorted(_UNITS))}. "
                "Give the value by hand when opening the file, such as energy=12.4."
            )
    family, factor = _UNITS[unit.strip().lower()]
    to_family, to_factor = _UNITS[to.strip().lower()]
    if family != to_family:
        raise MetadataError(
            f"{value} {unit} cannot be given in {to}: the two measure different things. "
            "Give the value by hand when opening the file, such as energy=12.4."
        )
    if factor == to_factor:
        return float(value)
    # Rounded to 15 digits, so that 172 um is 0.000172 m and not 0.00017199999999999998 m.
    return float(f"{value * factor / to_factor:.15g}")


def wavelength_from_energy(energy: float) -> float:
    """Return the wavelength [angstrom] of photons of an energy [keV], above zero.

    Raises
    ------
    MetadataError
        If the energy is not above zero.

    Examples
    --------
    Copper K-alpha 1, 8.0478 keV:

    >>> round(wavelength_from_energy(8.0478), 4)
    1.5406
    """
    if not energy > 0:  # also catches nan
        raise MetadataError(
            f"Photon energy must be above 0 keV, got {energy} keV. "
            "Check the monochromator entry of the file, or give energy=... when opening it."
        )
    return HC_KEV_ANGSTROM / energy


def energy_from_wavelength(wavelength: float) -> float:
    """Return the energy [keV] of photons of a wavelength [angstrom], above zero.

    Raises
    ------
    MetadataError
        If the wavelength is not above zero.
    """
    if not wavelength > 0:
        raise MetadataError(
            f"Wavelength must be above 0 angstrom, got {wavelength} angstrom. "
            "Check the header of the file, or give wavelength=... when opening it."
        )
    return HC_KEV_ANGSTROM / wavelength
