"""Pieces of SQL that several stores need."""

import json
from collections.abc import Iterable

from sqlalchemy import Column, ColumnElement, func, select


def among(column: Column[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a column is one of the values; one parameter, however many there are."""
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))
