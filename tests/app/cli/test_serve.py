import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.serve import api_url, page_command, page_environment
from app.core.settings import Server

ROOT = Path(__file__).parents[3]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_port_in_use_is_one_line_with_a_way_out(gnomon: Any, taken: int) -> None:
    ran = gnomon("--set", f"server.port={taken}", "serve", "--api")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"gnomon: port {taken} on 127.0.0.1 is in use; stop what uses it, "
        f"or choose another: gnomon --set server.port={taken + 10} serve\n"
    )


def test_the_port_of_the_page_is_looked_at_too(gnomon: Any, taken: int) -> None:
    ran = gnomon("--set", f"server.ui_port={taken}", "serve", "--ui")
    assert ran.code == 1
    assert f"--set server.ui_port={taken + 10} serve" in ran.err


def test_the_page_and_the_server_need_two_ports(gnomon: Any) -> None:
    port = free_port()
    ran = gnomon("--set", f"server.port={port}", "--set", f"server.ui_port={port}", "serve")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"gnomon: server.port and server.ui_port are both {port}; change one of them\n"


def test_an_address_of_another_machine_is_one_line(gnomon: Any) -> None:
    ran = gnomon("--set", "server.host=192.0.2.1", "--set", "server.token=x", "serve", "--api")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert ran.err.startswith("gnomon: cannot bind 192.0.2.1:8420: ")


def test_a_second_server_on_the_same_data_is_one_line(gnomon: Any, tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / "data").mkdir()
    with FileLock(tmp_path / "data" / "server.lock"):
        ran = gnomon("--set", f"server.port={free_port()}", "-q", "serve", "--api")
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert "another server uses this data folder" in ran.err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_the_server_answers_until_it_is_stopped(tmp_path: Path, number: signal.Signals, code: int) -> None:
    port = free_port()
    command = [sys.executable, "-m", "app.cli.main", "--data-dir", str(tmp_path), "--set", f"server.port={port}"]
    process = subprocess.Popen([*command, "serve", "--api"], stderr=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert reached(f"http://127.0.0.1:{port}/healthz", process)
    finally:
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in err


def test_the_page_comes_and_goes_with_the_server(tmp_path: Path) -> None:
    port, ui_port = free_port(), free_port()
    ports = ("--set", f"server.port={port}", "--set", f"server.ui_port={ui_port}")
    command = [sys.executable, "-m", "app.cli.main", "--data-dir", str(tmp_path), *ports, "serve"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        assert reached(f"http://127.0.0.1:{ui_port}/_stcore/health", process)
        assert reached(f"http://127.0.0.1:{port}/healthz", process)
    finally:
        process.terminate()
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err.splitlines()[-1]) == (130, "gnomon: stopped")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ui_port))


def reached(address: str, process: subprocess.Popen[str]) -> bool:
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=5) as response:  # noqa: S310 - loopback
                return bool(response.status == 200)
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.1)
    return False


def test_the_page_stays_on_this_machine_and_tells_nobody() -> None:
    command = page_command(Server(ui_port=9999))
    assert {"--server.address=127.0.0.1", "--server.port=9999", "--browser.gatherUsageStats=false"} <= set(command)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8420"),
        ("0.0.0.0", "http://127.0.0.1:8420"),
        ("::1", "http://[::1]:8420"),
        ("::", "http://[::1]:8420"),
        ("box.example", "http://box.example:8420"),
    ],
)
def test_the_page_is_told_where_the_server_is(host: str, url: str) -> None:
    server = Server(host=host, token="hush")
    assert api_url(server) == url
    assert page_environment(server)["GNOMON_SERVER__TOKEN"] == "hush"
