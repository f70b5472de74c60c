"""Scores of one question in units of their spread, so that those of different rerankers can be added or compared."""

import numpy as np
from numpy.typing import NDArray


def standardised(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (score - mean) / standard deviation over the candidates; zeros when they are all the same."""
    if not scores.size or np.ptp(scores) == 0.0:  # their deviation need not be 0 when their mean is rounded
        return np.zeros_like(scores)
    deviation = scores.std()
    return np.asarray((scores - scores.mean()) / deviation) if deviation > 0.0 else np.zeros_like(scores)
