"""A figure with its uncertainty, and the closed-form interval of a share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

LEVEL = 0.95
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the interval around it, all three in the figure's own unit."""

    value: float
    low: float
    high: float

    @property
    def contains_zero(self) -> bool:
        return self.low <= 0.0 <= self.high

    def lies_within(self, margin: float) -> bool:
        """Whether the whole interval is nearer to zero than `margin`."""
        return -margin < self.low and self.high < margin

    def to_json(self) -> dict[str, Any]:
        """Six decimals: far below any sampling error, and equal on every machine."""
        return {"value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6)}


def wilson(hits: int, total: int, level: float = LEVEL) -> Estimate:
    """Wilson's score interval of the share `hits / total` (Wilson 1927; Brown, Cai & DasGupta 2001).

    Unlike the textbook p ± z·se it stays inside 0..1 and is sensible at 0 and at all hits. Of
    nothing, nothing is known: `total` 0 gives 0..1 around one half. Raises ValueError unless
    0 <= hits <= total and 0 < level < 1.
    """
    if not 0 <= hits <= total:
        raise ValueError(f"hits must lie in 0..total, not {hits} of {total}")
    z = normal_quantile(level)
    if total == 0:
        return Estimate(0.5, 0.0, 1.0)
    share = hits / total
    shrink = 1 + z * z / total
    centre = (share + z * z / (2 * total)) / shrink
    half = z / shrink * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    # At 0 and at all hits the bound is exactly the share; rounding must not push it past.
    low = 0.0 if hits == 0 else centre - half
    high = 1.0 if hits == total else centre + half
    return Estimate(share, low, high)


def normal_quantile(level: float) -> float:
    """Half-width, in standard errors, of a two-sided interval that holds `level` of a normal."""
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level}")
    return NormalDist().inv_cdf((1 + level) / 2)


def t_quantile(level: float, degrees: int) -> float:
    """What `normal_quantile` is for the mean of few values: the quantile of Student's t.

    By bisection of the distribution function, which is integrated numerically (Gauss-Legendre); good to six
    decimals for the levels in use. Raises ValueError for a level outside 0..1 or no degree of freedom.
    """
    if not 0 < level < 1 or degrees < 1:
        raise ValueError(f"level {level} and {degrees} degrees of freedom make no quantile")
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(degrees * math.pi)

    def inside(end: float) -> float:
        # Substituting x = √d · tan a makes a smooth integrand of any tail.
        angle = math.atan(end / math.sqrt(degrees))
        at = (_NODES + 1) / 2 * angle
        area = angle / 2 * float(np.sum(_WEIGHTS * np.cos(at) ** (degrees - 1)))
        return 2 * scale * math.sqrt(degrees) * area

    low, high = 0.0, 1.0
    while inside(high) < level:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) < level else (low, middle)
    return (low + high) / 2


def rows_to_decide(difference: Estimate, rows: int, margin: float = 0.0) -> int | None:
    """About how many rows would settle this difference, if it is as large as it looks.

    It is settled where its interval leaves zero out or, with a `margin`, where the interval lies within the
    margin on both sides, whichever takes fewer rows. An interval narrows with the square root of the rows.
    None where no number of rows would do: the difference is exactly zero and there is no margin.
    """
    low, high = difference.value - difference.low, difference.high - difference.value
    shares = []
    if difference.value != 0:
        # The half towards zero is the one that has to be short enough.
        shares.append((low if difference.value > 0 else high) / abs(difference.value))
    if abs(difference.value) < margin:
        shares.append(max(low / (margin + difference.value), high / (margin - difference.value)))
    if not shares:
        return None
    return max(rows, math.ceil(rows * min(shares) ** 2))
