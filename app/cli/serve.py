"""`gnomon serve`: the REST server in this process, the page beside it."""

import errno
import importlib.util
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from app.cli.context import Cli
from app.cli.interrupts import Interrupted
from app.cli.logs import structured_to_stderr
from app.core.errors import AppError, ConfigError

if TYPE_CHECKING:
    from app.core.settings import Server, Settings

STOP_SECONDS = 10.0


def serve(
    context: typer.Context,
    *,
    api: Annotated[bool, typer.Option("--api", help="The REST server only.")] = False,
    ui: Annotated[bool, typer.Option("--ui", help="The page only; it needs a REST server.")] = False,
) -> None:
    """Serve the REST API and the page until Ctrl-C. One of them alone with --api or --ui."""
    cli = Cli.of(context)
    settings = cli.settings()
    both = api == ui
    if both and settings.server.port == settings.server.ui_port:
        raise ConfigError(f"server.port and server.ui_port are both {settings.server.port}; change one of them")
    with _stopped_by_sigterm(), _page(cli, settings.server, wanted=ui or both) as page:
        if api or both:
            _serve_api(cli, settings)
        elif page:
            raise typer.Exit(page.wait())


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """End the block as Ctrl-C does when the process is told to go, so that the page goes with it."""

    def stop(_number: int, _frame: object) -> NoReturn:
        raise Interrupted("stopped", is_stuck=False)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _serve_api(cli: Cli, settings: "Settings") -> None:
    import uvicorn

    from app.api.main import create_app

    server = settings.server
    structured_to_stderr()
    with closing(cli.open_engine(settings)) as engine, _bound(server.host, server.port, "server.port") as bound:
        level = logging.INFO if cli.screen.verbose else logging.WARNING
        config = uvicorn.Config(
            create_app(settings, engine), log_config=None, log_level=level, timeout_graceful_shutdown=_GRACE_SECONDS
        )
        failure = _StartFailure()
        logging.getLogger("uvicorn.error").addFilter(failure)
        cli.screen.note(f"REST server on {api_url(server)}")
        try:
            uvicorn.Server(config).run(sockets=[bound])
        except SystemExit as error:  # uvicorn leaves so when the app cannot start
            raise AppError(failure.words or "the server could not start; try --verbose") from error


_GRACE_SECONDS = 5  # for requests that still wait when the server is stopped; their answers go on in the log


class _StartFailure(logging.Filter):
    """Holds back what uvicorn says of a failed start; of the traceback the last line is enough."""

    words = ""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if message.startswith("Traceback"):
            self.words = message.strip().splitlines()[-1].partition(": ")[2]
        return not message.startswith(("Traceback", "Application startup failed"))


@contextmanager
def _page(cli: Cli, server: "Server", *, wanted: bool) -> Iterator[subprocess.Popen[bytes] | None]:
    """Run Streamlit as a child, ended with the block."""
    if not wanted:
        yield None
        return
    _bound("127.0.0.1", server.ui_port, "server.ui_port").close()
    child = subprocess.Popen(page_command(server), env={**os.environ, **page_environment(server)}, stdout=sys.stderr)
    cli.screen.note(f"page on http://127.0.0.1:{server.ui_port}")
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()


def page_command(server: "Server") -> list[str]:
    """Return the command of the page: no telemetry, no browser, on this machine only."""
    options = {
        "server.port": server.ui_port,
        "server.address": "127.0.0.1",
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(_ui_folder() / "home.py"), *flags]


def page_environment(server: "Server") -> dict[str, str]:
    """Return what the page must know of the server."""
    paths = [str(_ui_folder().parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    token = {"GNOMON_SERVER__TOKEN": server.token.get_secret_value()} if server.token else {}
    return {"GNOMON_API": api_url(server), "PYTHONPATH": os.pathsep.join(paths), **token}


def api_url(server: "Server") -> str:
    """Return where this machine reaches the REST server."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not bound
    host = everywhere.get(server.host, f"[{server.host}]" if ":" in server.host else server.host)
    return f"http://{host}:{server.port}"


def _ui_folder() -> Path:
    spec = importlib.util.find_spec("ui")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("the page is not installed; run from the checkout")
    return Path(next(iter(spec.submodule_search_locations)))


def _bound(host: str, port: int, setting: str) -> socket.socket:
    """Return a socket bound to that address.

    Raises:
        ConfigError: the port is in use, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            advice = f"stop what uses it, or choose another: gnomon --set {setting}={port + 10} serve"
            raise ConfigError(f"port {port} on {host} is in use; {advice}") from error
        raise ConfigError(f"cannot bind {host}:{port}: {error.strerror}; set server.host and {setting}") from error
    return bound
