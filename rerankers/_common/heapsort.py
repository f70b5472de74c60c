"""The best of many by asking for the best of a few, again and again: a heap of several children a node.

(Zhuang et al., arXiv 2310.09497, section 3.2.)
"""

from collections.abc import Callable, Generator
from typing import TypeVar

Group = tuple[int, ...]
Y = TypeVar("Y")
S = TypeVar("S")


def heapsort(
    count: int, *, top: int, children: int, pick: Callable[[Group], Generator[Y, S, int]]
) -> Generator[Y, S, list[int]]:
    """Return the best `top` of `count` places, best first; fewer if there are fewer.

    `pick` gets 2 to `children + 1` places, ascending whatever the heap's shape, and returns the best of them. Cost:
    at most one pick for each node that has children, and each time one is moved down; one place needs none.
    """
    heap = list(range(count))
    for node in reversed(range((count - 2) // children + 1)):
        yield from _sift(heap, node, children, pick)
    best: list[int] = []
    while heap and len(best) < top:
        best.append(heap[0])
        last = heap.pop()
        if heap and len(best) < top:
            heap[0] = last
            yield from _sift(heap, 0, children, pick)
    return best


def _sift(
    heap: list[int], node: int, children: int, pick: Callable[[Group], Generator[Y, S, int]]
) -> Generator[Y, S, None]:
    """Move a node's place down until it is the best of its family."""
    while len(heap) > (first := node * children + 1):
        family = [node, *range(first, min(first + children, len(heap)))]
        best = yield from pick(tuple(sorted(heap[member] for member in family)))
        winner = heap.index(best)
        if winner == node:
            return
        heap[node], heap[winner] = heap[winner], heap[node]
        node = winner
