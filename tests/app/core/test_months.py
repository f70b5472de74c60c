import calendar

from app.core.months import MONTH_NAMES, MONTH_NUMBERS


def test_the_names_are_those_of_the_calendar_in_its_order() -> None:
    assert list(MONTH_NAMES) == [name.lower() for name in calendar.month_name if name]


def test_every_form_means_its_month() -> None:
    assert [MONTH_NUMBERS[name] for name in MONTH_NAMES] == list(range(1, 13))
    assert [MONTH_NUMBERS[name[:3]] for name in MONTH_NAMES] == list(range(1, 13))
    assert MONTH_NUMBERS["sept"] == 9


def test_sept_is_the_only_form_of_four_letters_that_is_no_whole_name() -> None:
    assert {form for form in MONTH_NUMBERS if len(form) == 4} == {"june", "july", "sept"}
