"""Shared by all suites: the way to tests/fakes.py, a fixed example seed, the hypothesis profile."""

import sys
from pathlib import Path

from hypothesis import settings

for folder in (Path(__file__).parent, Path(__file__).parent / "agents"):
    sys.path.insert(0, str(folder))

settings.register_profile("gnomon", max_examples=100, deadline=None, derandomize=True, print_blob=True)
settings.load_profile("gnomon")
