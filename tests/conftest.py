"""Shared by all suites: the hypothesis profile, the same examples in every run."""

from hypothesis import settings

settings.register_profile("gnomon", max_examples=100, deadline=None, derandomize=True, print_blob=True)
settings.load_profile("gnomon")
