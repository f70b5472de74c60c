"""Shared by all suites: the hypothesis profile, the same examples in every run."""

import signal

from hypothesis import settings

# Tests press Ctrl-C on processes that they start; a job in the background has it ignored, and so have its children.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("gnomon", max_examples=100, deadline=None, derandomize=True, print_blob=True)
settings.load_profile("gnomon")
