"""The console script `gnomon`: global options, subcommands, and how failures become one line and an exit code.

0 ok or answered, 1 failed, 2 wrong usage, 3 abstained, 4 partial, 130 interrupted.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from app.cli import (
    ask,
    batch,
    chat,
    collections,
    components,
    config,
    docs,
    doctor,
    eval,
    index,
    ingest,
    init,
    models,
    rerank,
    rerankers,
    search,
    serve,
    time,
    trace,
)
from app.cli.context import Cli, assignment, given, nested_update
from app.cli.interrupts import Interrupted
from app.cli.logs import log_to_stderr
from app.cli.screen import Screen
from app.core.errors import AppError

FAILED, USAGE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="gnomon",
    help="Answers hard questions of a dated document collection with citations, or says why it cannot.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    init.init,
    ingest.ingest,
    ask.ask,
    chat.chat,
    search.search,
    rerank.rerank,
    doctor.doctor,
    serve.serve,
):
    app.command()(command)
for group in (
    docs.app,
    collections.app,
    models.app,
    components.app,
    config.app,
    index.app,
    batch.app,
    eval.app,
    rerankers.app,
    time.app,
    trace.app,
):
    app.add_typer(group)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("gnomon")
        except PackageNotFoundError:
            number = "(not installed)"
        Screen().line(f"gnomon {number}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    *,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes; errors only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Steps, logs and tracebacks too.")] = False,
    config_file: Annotated[Path | None, typer.Option("--config", help="Settings file to use.")] = None,
    preset: Annotated[str, typer.Option(envvar="GNOMON_PRESET", help="Named settings to begin with.")] = "default",
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the collections.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Open no socket beyond this machine.")] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY.PATH=VALUE", help="One setting.")] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    overrides: dict[str, Any] = {}
    for text in settings or []:
        overrides = nested_update(overrides, assignment(text))
    flags = {"data_dir": str(data_dir) if data_dir else None, "offline": True if offline else None}
    start = context.find_object(Cli) or Cli()
    context.obj = Cli(
        screen=Screen(quiet=quiet, verbose=verbose),
        config=config_file,
        preset=preset,
        overrides=nested_update(overrides, given(flags)),
        open_engine=start.open_engine,
    )
    log_to_stderr(verbose=verbose)


def main(arguments: Sequence[str] | None = None, *, start: Cli | None = None) -> int:
    """Run one command and return its exit code; `start` lets tests bring their own engine."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    screen = Screen(verbose="-v" in given or "--verbose" in given)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller, as in `gnomon … >&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a test's stream may not have it
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    code = _guarded(lambda: app(given, standalone_mode=False, prog_name="gnomon", obj=start), screen)
    return _flushed(code, screen)


def _guarded(run: Callable[[], Any], screen: Screen) -> int:
    """Return the exit code of a command whose failure, if any, was told in one line."""
    try:
        code = int(run() or 0)
    except typer.TyperException as error:
        return _usage(error, screen)
    except BrokenPipeError:
        _discard_stdout()
        return FAILED
    except (Interrupted, KeyboardInterrupt) as error:
        return _interrupted(error, screen)
    except Exception as error:  # the edge of the process: a fault of ours is one line too
        return _failure(error, screen)
    return _interrupted(KeyboardInterrupt(), screen) if code == INTERRUPTED else code


def _usage(error: typer.TyperException, screen: Screen) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "gnomon"
    if "\n" in error.format_message():  # a command group without a command: its help
        sys.stderr.write(f"{error.format_message()}\n")
    else:
        words = error.format_message().replace("Value error, ", "").rstrip(".")
        screen.error(f"{words} (try '{path} --help')")
    return int(error.exit_code)


def _interrupted(error: BaseException, screen: Screen) -> int:
    screen.error(str(error) or "interrupted")
    if isinstance(error, Interrupted) and error.is_stuck:
        _leave_behind(INTERRUPTED)
    return INTERRUPTED


def _failure(error: Exception, screen: Screen) -> int:
    if screen.verbose:
        traceback.print_exception(error, file=sys.stderr)
    screen.error(_words(error))
    return FAILED


def _words(error: Exception) -> str:
    if isinstance(error, AppError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"internal error, please report it with --verbose: {type(error).__name__}: {error}"


def _flushed(code: int, screen: Screen) -> int:
    """Return the exit code after writing out what is buffered; a reader that left is no news."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
        return code or FAILED
    except OSError as error:
        _discard_stdout()
        return _failure(error, screen)
    return code


def _discard_stdout() -> None:
    """Send what is still buffered to nowhere, or the interpreter complains of it while it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave_behind(code: int) -> NoReturn:
    """End the process at once: a thread computes in a library that cannot be stopped."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
