"""Times between the wire and the core."""

from app.api.schemas import TimeBody, TimeRequest
from app.core.asked_time import time_json
from app.core.timespan import TimeConstraint, TimeSpan
from app.questions import AskedTime


def asked_time(request: TimeRequest) -> AskedTime:
    """Return what a request says of the time that is asked for.

    Raises:
        InvalidQuestion: its period ends before it begins, or is given where no time is to count.
    """
    first, last = (TimeSpan.parse(text) if text else None for text in (request.first, request.last))
    return AskedTime(first=first, last=last, is_read=request.read)


def time_body(time: TimeConstraint | None) -> TimeBody | None:
    """Return a constraint as it is sent, None for none."""
    return TimeBody.model_validate(time_json(time)) if time else None
