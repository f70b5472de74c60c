"""What the command line costs before it does anything."""

import subprocess
import sys
import time

HEAVY = ("torch", "faiss", "sqlalchemy", "fastapi", "streamlit", "langgraph", "numpy", "app.engine")


def best_of_three(*arguments: str) -> float:
    """Seconds of the fastest of three processes: the others may have shared the machine."""
    return min(seconds_of(arguments) for _ in range(3))


def seconds_of(arguments: tuple[str, ...]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def test_importing_the_command_line_loads_no_heavy_module() -> None:
    script = f"import sys, app.cli.main; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_engine_loads_no_model_index_or_http_library_before_it_needs_one() -> None:
    script = "import sys, app.engine; print([n for n in ('torch', 'faiss', 'httpx', 'langgraph') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_the_import_takes_less_than_half_a_second() -> None:
    bare = best_of_three("-c", "pass")
    assert best_of_three("-c", "import app.cli.main") - bare < 0.5


def test_help_takes_less_than_a_second() -> None:
    assert best_of_three("-m", "app.cli.main", "--help") < 1.0
