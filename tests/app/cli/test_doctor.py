import json
import shutil
from pathlib import Path
from typing import Any

import pytest


def checks(ran: Any) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(ran.out)["checks"]}


@pytest.fixture
def without_models(tmp_path: Path) -> tuple[str, ...]:
    """Options that name no model file, so that nothing need be pulled."""
    return ("--set", "models.generator={name: hashing_embedder}", "--set", f"models_dir={tmp_path / 'models'}")


@pytest.fixture
def collection(real: Any, tmp_path: Path) -> Path:
    (tmp_path / "one.md").write_text("Neil Armstrong commanded Apollo 11.")
    real("ingest", tmp_path / "one.md")
    return tmp_path / "data" / "collections" / "default"


def test_before_anything_was_made_nothing_is_broken(real: Any, without_models: tuple[str, ...]) -> None:
    ran = real("doctor", "--json", options=without_models)
    assert ran.code == 0
    assert checks(ran)["database"]["fix"] == "gnomon init, then gnomon ingest FOLDER"


def test_an_empty_database_says_what_to_do_next(real: Any, without_models: tuple[str, ...]) -> None:
    real("collections", "list")
    assert checks(real("doctor", "--json", options=without_models))["database"]["fix"] == "gnomon ingest FOLDER"
    real("collections", "create", "space")
    empty = checks(real("doctor", "--json", options=without_models))["documents of space"]
    assert (empty["state"], empty["fix"]) == ("warning", "gnomon ingest FOLDER -c space")


def test_a_whole_installation_is_ok(real: Any, without_models: tuple[str, ...], collection: Path) -> None:
    ran = real("doctor", options=without_models)
    assert ran.code == 0
    assert all(line.startswith("ok ") for line in ran.out.splitlines())
    assert "indexes of default: the ids of the database" in ran.out


def test_a_missing_model_names_the_pull_command(real: Any, tmp_path: Path) -> None:
    ran = real("doctor", options=("--set", f"models_dir={tmp_path / 'models'}"))
    assert ran.code == 1
    assert "broken   model qwen2.5-coder-1.5b-instruct-q4_k_m" in ran.out
    assert "-> gnomon models pull qwen2.5-coder-1.5b-instruct-q4_k_m" in ran.out


def test_a_lost_index_names_the_rebuild_command(real: Any, without_models: tuple[str, ...], collection: Path) -> None:
    shutil.rmtree(collection / "index")
    ran = real("doctor", "--json", options=without_models)
    assert ran.code == 1
    broken = checks(ran)["indexes of default"]
    assert (broken["state"], broken["fix"]) == ("broken", "gnomon index rebuild -c default")
    assert real("index", "rebuild").code == 0
    assert real("doctor", options=without_models).code == 0


def test_a_database_that_is_none_is_broken(real: Any, without_models: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "gnomon.db").write_text("this is text, and long enough to be looked at as a database" * 20)
    ran = real("doctor", "--json", options=without_models)
    assert ran.code == 1
    assert "is no SQLite database" in checks(ran)["database"]["finding"]


def test_settings_that_cannot_be_used_end_the_checks(real: Any) -> None:
    ran = real("doctor", "--json", options=("--set", "search.top_k=0"))
    assert ran.code == 1
    assert list(checks(ran)) == ["python", "settings"]


def test_a_data_folder_that_is_a_file_is_broken(real: Any, without_models: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    ran = real("doctor", "--json", options=without_models)
    assert ran.code == 1
    assert checks(ran)["data folder"]["state"] == "broken"
