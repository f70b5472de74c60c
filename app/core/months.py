"""The names of the months, in English, and which month a name means."""

MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
"""In full and in lower case, in the order of the year."""
MONTH_NUMBERS = {form: number for number, name in enumerate(MONTH_NAMES, start=1) for form in (name, name[:3])}
"""1 to 12 by the full name, its first three letters, and `sept`; in lower case."""
MONTH_NUMBERS["sept"] = 9
