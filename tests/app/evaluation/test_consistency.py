from app.evaluation.consistency import consistent


def test_a_group_is_consistent_where_all_of_its_judged_members_are_right() -> None:
    groups = ["a", "b", "a", "b", "b"]

    assert consistent(groups, [True, True, True, False, True]) == [1.0, 0.0]


def test_what_is_not_judged_has_no_part_and_one_member_says_nothing() -> None:
    assert consistent(["a", "a", "a", "b", None], [True, None, True, False, False]) == [1.0]
    assert consistent(["a", "a"], [True, None]) == []
