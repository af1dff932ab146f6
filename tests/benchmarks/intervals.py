"""How sure a measured share is: its 95 % Wilson interval."""

import math
from typing import Any


def share(hits: float, of: int, z: float = 1.96) -> dict[str, Any]:
    """A share with its Wilson interval."""
    if not of:
        return {"share": None, "of": 0}
    p = hits / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return {"share": round(p, 5), "low": round(low, 5), "high": round(high, 5), "of": of}
