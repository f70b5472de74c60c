"""Rows of different lengths → batches with little padding."""

from collections.abc import Sequence

_PASS_TOKENS = 64  # what one more pass over the weights costs, in tokens; 2 cores, 0.5B to 1.5B models
_CACHED_WEIGHT = 8  # a token from the cache costs attention alone: so many of them count as one


def buckets(lengths: Sequence[int], cached: Sequence[int], *, limit: int) -> list[list[int]]:
    """Return the places of the rows in batches, shortest rows first.

    Rows are padded to the longest of their batch; a batch has at most `limit` padded tokens, or one row. Of all ways to
    cut the rows in order of length it is the one with the least padding and passes together. Cost: rows times rows a
    batch.
    """
    order = sorted(range(len(lengths)), key=lambda place: (lengths[place], cached[place]))
    costs, cuts = [0.0], [0]
    for end in range(1, len(order) + 1):
        longest, past, best = lengths[order[end - 1]], 0, (float("inf"), end - 1)
        for start in range(end - 1, -1, -1):
            past = max(past, cached[order[start]])
            if start < end - 1 and (end - start) * (longest + past // _CACHED_WEIGHT) > limit:
                break
            best = min(best, (costs[start] + (end - start) * longest + _PASS_TOKENS, start))
        costs.append(best[0])
        cuts.append(best[1])
    batches, end = [], len(order)
    while end:
        batches.append(order[cuts[end] : end])
        end = cuts[end]
    return batches[::-1]
