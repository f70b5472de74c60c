from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.models._common.buckets import buckets
from app.models._common.prefix_cache import (
    NOTHING,
    SHARED_TOKENS,
    Ids,
    Node,
    Prefix,
    PrefixCache,
    common,
    longest,
    shared_prefixes,
)

Numbers = st.lists(st.integers(0, 3), min_size=1, max_size=12)


def ids(*numbers: int) -> Ids:
    return np.array(numbers, dtype=np.int64)


def a_node(tokens: Ids, *, start: int = 0, parent: Node | None = None, layers: int = 1) -> Node:
    """A node whose keys are the token ids themselves, and whose values are minus them."""
    own = torch.from_numpy(tokens[start:]).float().reshape(1, -1, 1)
    return Node(ids=tokens, start=start, parent=parent, layers=((own, -own),) * layers)


def told(prefix: Prefix) -> list[float]:
    keys, values = prefix.keys_values(0)
    assert torch.equal(keys, -values)
    return [float(key) for key in keys.flatten()]


@given(Numbers, Numbers)
def test_what_two_sequences_share_is_their_beginning(one: list[int], other: list[int]) -> None:
    length = common(ids(*one), ids(*other))
    assert one[:length] == other[:length]
    assert length in (len(one), len(other)) or one[length] != other[length]


def test_a_chain_of_nodes_gives_the_keys_of_the_whole_sequence() -> None:
    root = a_node(ids(5, 6, 7))
    child = a_node(ids(5, 6, 8, 9), start=2, parent=root)  # it parted from the root after two tokens
    assert told(Prefix(child, 4)) == [5, 6, 8, 9]
    assert told(Prefix(child, 3)) == [5, 6, 8]
    assert told(Prefix(root, 1)) == [5]


def test_a_node_that_grew_equals_the_chain() -> None:
    root = a_node(ids(5, 6))
    child = a_node(ids(5, 6, 7), start=2, parent=root)
    grandchild = a_node(ids(5, 6, 7, 8), start=3, parent=child)
    grown = child.extended(grandchild)
    assert (grown.start, grown.parent) == (2, root)
    assert told(Prefix(grown, 4)) == told(Prefix(grandchild, 4)) == [5, 6, 7, 8]


def test_the_longest_known_beginning_is_found_wherever_it_ends() -> None:
    root = a_node(ids(1, 2, 3, 4))
    child = a_node(ids(1, 2, 3, 4, 5, 6), start=4, parent=root)
    assert longest(ids(1, 2, 3, 4, 5, 9), [root, child], most=6, layers=1) == Prefix(child, 5)
    # Known from the child, but within what is the root's own part.
    assert longest(ids(1, 2, 9), [child], most=3, layers=1) == Prefix(root, 2)
    assert longest(ids(1, 2, 3), [root], most=2, layers=1) == Prefix(root, 2)
    assert longest(ids(9), [root, child], most=1, layers=1) == NOTHING


def test_a_node_computed_for_too_few_layers_is_not_used() -> None:
    shallow, deep = a_node(ids(1, 2, 3), layers=1), a_node(ids(1, 2), layers=2)
    assert longest(ids(1, 2, 3), [shallow, deep], most=3, layers=2) == Prefix(deep, 2)
    assert longest(ids(1, 2, 3), [shallow, deep], most=3, layers=1) == Prefix(shallow, 3)


def known(cache: PrefixCache, node: Node) -> bool:
    return cache.longest(node.ids, most=len(node.ids), layers=1).node is node


def test_the_cache_drops_what_was_used_longest_ago_and_children_before_parents() -> None:
    root = a_node(ids(1, 2))  # keys and values of two tokens: 16 bytes
    child = a_node(ids(1, 2, 3, 4), start=2, parent=root)
    other, third = a_node(ids(7, 8)), a_node(ids(9, 9))
    cache = PrefixCache(48)
    for node in (root, child, other):
        cache.add(node)
    assert known(cache, child)  # used last, and its parent after it: the other one goes first
    cache.add(third)
    assert [known(cache, node) for node in (other, root, child)] == [False, True, True]
    assert known(cache, third)
    cache.add(a_node(ids(8, 9)))
    assert [known(cache, node) for node in (child, root)] == [False, True]


def test_a_node_beyond_the_bound_does_not_empty_the_cache() -> None:
    cache, small = PrefixCache(16), a_node(ids(1, 2))
    cache.add(small)
    cache.add(a_node(ids(1, 2, 3)))
    cache.add(small)
    assert known(cache, small)
    assert cache.longest(ids(1, 2, 3), most=3, layers=1) == Prefix(small, 2)


def test_without_memory_nothing_is_kept_and_what_is_given_is_found() -> None:
    cache, node = PrefixCache(0), a_node(ids(1))
    cache.add(node)
    assert cache.longest(ids(1), most=1, layers=1) == NOTHING
    assert cache.longest(ids(1), most=1, layers=1, more=[node]) == Prefix(node, 1)


def test_shared_beginnings_come_in_rounds_each_over_the_one_before() -> None:
    instruction, documents = [1] * 40, [[2] * 50, [3] * 60]
    sequences = [ids(*instruction, *document, 4 + query) for document in documents for query in range(3)]
    rounds = shared_prefixes(sequences)
    assert [[len(prefix) for prefix in round_] for round_ in rounds] == [[40], [90, 100]]


def test_too_little_in_common_is_not_shared() -> None:
    few, enough = [1] * (SHARED_TOKENS - 1), [1] * SHARED_TOKENS
    assert shared_prefixes([ids(*few, 2), ids(*few, 3)]) == []
    assert [len(prefix) for [prefix] in shared_prefixes([ids(*enough, 2), ids(*enough, 3)])] == [SHARED_TOKENS]
    assert shared_prefixes([ids(*enough)]) == shared_prefixes([]) == []
    # A second one counts from the end of the first.
    nested = [ids(*enough, *([2] * 10), 5), ids(*enough, *([2] * 10), 6), ids(*enough, 7)]
    assert [[len(prefix) for prefix in round_] for round_ in shared_prefixes(nested)] == [[SHARED_TOKENS]]


@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=6), max_size=6))
def test_every_shared_beginning_is_one_of_two_sequences_at_least(short: list[list[int]]) -> None:
    sequences = [ids(*np.repeat(numbers, SHARED_TOKENS)) for numbers in short]
    for round_ in shared_prefixes(sequences):
        for prefix in round_:
            assert sum(common(prefix, own) == len(prefix) for own in sequences) >= 2


def padded(lengths: list[int], batches: list[list[int]]) -> int:
    return sum(len(batch) * max(lengths[place] for place in batch) for batch in batches)


@given(st.lists(st.integers(1, 300), max_size=25), st.integers(1, 1000))
def test_batches_hold_every_row_once_and_keep_the_limit(lengths: list[int], limit: int) -> None:
    batches = buckets(lengths, [0] * len(lengths), limit=limit)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    assert all(len(batch) == 1 or padded(lengths, [batch]) <= limit for batch in batches)


@given(st.lists(st.sampled_from([10, 60, 200, 300]), min_size=1, max_size=6))
def test_no_other_cut_of_the_sorted_rows_is_cheaper(lengths: list[int]) -> None:
    ordered = sorted(range(len(lengths)), key=lambda place: lengths[place])
    cuts = [
        [ordered[a:b] for a, b in zip((0, *chosen), (*chosen, len(ordered)), strict=True)]
        for count in range(len(ordered))
        for chosen in permutations(range(1, len(ordered)), count)
        if list(chosen) == sorted(chosen)
    ]
    found = buckets(lengths, [0] * len(lengths), limit=700)
    allowed = [cut for cut in cuts if all(len(b) == 1 or padded(lengths, [b]) <= 700 for b in cut)]
    assert padded(lengths, found) + 64 * len(found) == min(padded(lengths, c) + 64 * len(c) for c in allowed)


@pytest.mark.parametrize(("cached", "batches"), [(0, 1), (800, 2), (8000, 4)])
def test_long_prefixes_from_the_cache_make_batches_smaller(cached: int, batches: int) -> None:
    assert len(buckets([100] * 4, [cached] * 4, limit=400)) == batches
