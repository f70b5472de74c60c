"""How steady a system is when a question is asked of another time: right at all variants of a question, or not.

A system that finds a passage by its words is right at some variants by chance; one that understands the time is right
at all of them (contrast consistency: Gardner et al., Findings of EMNLP 2020, section 2.3).
"""

from collections import defaultdict
from collections.abc import Sequence

READ = 5  # passages that an answer reads: ranked right is a relevant document among so many


def consistent(groups: Sequence[str | None], right: Sequence[bool | None]) -> list[float]:
    """Return 1.0 for each group whose members are all right, else 0.0, in the order of their first members.

    `right` is None for a question that is not judged, which is left out; so are questions of no group, and groups that
    have a single judged member.
    """
    members: dict[str, list[bool]] = defaultdict(list)
    for group, one in zip(groups, right, strict=True):
        if group is not None and one is not None:
            members[group].append(one)
    return [float(all(of_group)) for of_group in members.values() if len(of_group) > 1]
