import pytest

from retrieval.temporal.published_methods import mrag_tau


@pytest.mark.parametrize(
    ("relation", "asked", "first", "told", "tau"),
    [
        ("before", (2010, None), False, [2008], 0.984),
        ("before", (2010, None), False, [1975], 0.72),
        ("before", (2010, None), False, [1950], 0.5),
        ("before", (2010, None), False, [2012], 0.5),
        ("before", (2010, None), True, [1975], 0.88),
        ("after", (2000, None), False, [2001], 0.608),
        ("after", (2000, None), False, [2040], 0.92),
        ("after", (2000, None), True, [2001], 0.992),
        ("between", (1990, 2000), False, [1995, 2005], 0.8),
        ("between", (1990, 2000), True, [1991, 1999], 0.96),
        ("before", (2010, None), True, [1950, 1975], 0.5),
        ("after", (2000, None), False, [], 0.5),
        ("between", (1990, None), False, [1990], 1.0),
    ],
)
def test_mrags_formula_gives_its_published_values(
    relation: str, asked: tuple[int, int | None], first: bool, told: list[int], tau: float
) -> None:
    year, last_year = asked

    assert mrag_tau(told, relation=relation, year=year, last_year=last_year, first=first) == pytest.approx(tau)  # type: ignore[arg-type]
