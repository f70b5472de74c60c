"""Sliding windows over a ranking, from its back to its front, so that good passages rise (Sun et al., EMNLP 2023)."""

from collections.abc import Iterator


def windows(count: int, *, size: int, stride: int) -> Iterator[tuple[int, int]]:
    """Yield half-open windows over `count` places, the last places first; none for fewer than two places.

    There are `1 + ceil((count - size) / stride)` of them, one when all places fit: every place is in one, neighbours
    overlap by `size - stride`, and the last one yielded begins at 0.

    Raises:
        ValueError: the stride is below 1 or above the size.
    """
    if not 1 <= stride <= size:
        raise ValueError(f"a stride of {stride} does not fit windows of {size}")
    if count < 2:  # noqa: PLR2004  # one place is in order
        return
    end = count
    while True:
        start = max(end - size, 0)
        yield start, end
        if start == 0:
            return
        end -= stride
