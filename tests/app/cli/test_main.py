"""Failures at the edge of the process: one line, an exit code, never a traceback."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from served import COLLECTION


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ask",), "Missing argument"),
        (("nonsense",), "No such command 'nonsense'"),
        (("search", "x", "--mode", "magic"), "'magic' is not one of 'hybrid', 'lexical', 'dense'"),
        (("search", "x", "-k", "0"), "Invalid value for '--top-k' / '-k'"),
        (("ask", "x", "--as-of", "2003-13"), "Invalid value for '--as-of'"),
        (("--set", "seed", "config", "show"), "write key.path=value"),
        (("--set", "seed=[", "config", "show"), "the value is not YAML"),
    ],
)
def test_wrong_usage_is_one_line_that_names_the_help(gnomon: Any, arguments: tuple[str, ...], message: str) -> None:
    ran = gnomon(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert ran.err.count("\n") == 1
    assert "--help')" in ran.err


@pytest.mark.parametrize("group", ["docs", "collections", "models", "components", "config", "index", "batch"])
def test_a_group_without_a_command_shows_its_help(gnomon: Any, group: str) -> None:
    ran = gnomon(group)
    assert (ran.code, ran.out) == (2, "")
    assert f"Usage: gnomon {group} [OPTIONS] COMMAND" in ran.err


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("serch.top_k=5", "setting serch (command line): there is no such setting; did you mean 'search'?"),
        ("search.top_k=0", "setting search.top_k (command line): Input should be greater than or equal to 1"),
        ("server.host=0.0.0.0", "binding 0.0.0.0 needs a token: set GNOMON_SERVER__TOKEN"),
    ],
)
def test_a_wrong_setting_is_named_with_its_path(gnomon: Any, setting: str, message: str) -> None:
    ran = gnomon("--set", setting, "config", "show")
    assert (ran.code, ran.out) == (1, "")
    assert message in ran.err


def test_an_unexpected_error_is_one_line_and_with_verbose_a_traceback(gnomon: Any) -> None:
    plain = gnomon("ask", "crash it", "-c", COLLECTION)
    assert plain.code == 1
    assert plain.err == "gnomon: internal error, please report it with --verbose: RuntimeError: a bug\n"
    verbose = gnomon("-v", "ask", "crash it", "-c", COLLECTION)
    assert "Traceback" in verbose.err
    assert verbose.err.endswith(plain.err)


def test_a_data_folder_that_cannot_be_made_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from app.cli.main import main

    (tmp_path / "file").write_text("")
    assert main(["--data-dir", str(tmp_path / "file" / "data"), "collections", "list"]) == 1
    err = capfd.readouterr().err
    assert err.startswith(f"gnomon: {tmp_path / 'file' / 'data'}: cannot be created: ")
    assert err.count("\n") == 1


def test_a_missing_settings_file_is_one_line(gnomon: Any, tmp_path: Path) -> None:
    ran = gnomon("--config", tmp_path / "none.yaml", "config", "show")
    assert ran.code == 1
    assert "none.yaml" in ran.err
    assert ran.err.count("\n") == 1


def test_the_version_is_told(gnomon: Any) -> None:
    ran = gnomon("--version")
    assert ran.code == 0
    assert ran.out.startswith("gnomon ")


def shell(command: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    gnomon = f"{sys.executable} -m app.cli.main --data-dir {tmp_path}"
    return subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", command.replace("gnomon", gnomon)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_reader_that_leaves_early_is_no_news(tmp_path: Path) -> None:
    done = shell("gnomon components list --json | true", tmp_path)
    assert done.stderr == ""


def test_a_closed_stdout_is_no_fault(tmp_path: Path) -> None:
    done = shell("gnomon components list >&-", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["components list", "--help", "config show"])
def test_a_full_disk_behind_stdout_is_one_line(tmp_path: Path, command: str) -> None:
    done = shell(f"gnomon {command} > /dev/full", tmp_path)
    assert (done.returncode, done.stderr) == (1, "gnomon: No space left on device\n")
