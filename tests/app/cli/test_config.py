import json
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from app.core.settings import Settings, Temporal, load_settings


def test_show_prints_what_is_in_force_and_masks_secrets(gnomon: Any) -> None:
    ran = gnomon("--set", "server.token=hush", "--set", "search.top_k=7", "config", "show")
    shown = yaml.safe_load(ran.out)
    assert shown["search"]["top_k"] == 7
    assert "hush" not in ran.out
    assert set(shown) == set(Settings.model_fields)


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    gnomon: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("search: {top_k: 1, depth: 11}\nseed: 5\n")
    monkeypatch.setenv("GNOMON_SEARCH__TOP_K", "2")
    monkeypatch.setenv("GNOMON_SEARCH__DEPTH", "22")
    shown = json.loads(gnomon("--config", file, "--set", "search.top_k=3", "config", "show", "--json").out)
    assert (shown["search"]["top_k"], shown["search"]["depth"], shown["seed"]) == (3, 22, 5)


@pytest.mark.parametrize("word", get_args(Temporal))
def test_every_way_to_rank_by_time_can_be_named_on_the_command_line_and_in_a_file(
    gnomon: Any, tmp_path: Path, word: str
) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(f"search: {{temporal: {word}}}\n")

    for options in (("--set", f"search.temporal={word}"), ("--config", file)):
        assert f"temporal: {word}\n" in gnomon(*options, "config", "show").out


def test_init_writes_a_sample_that_changes_nothing_and_is_then_in_use(gnomon: Any, tmp_path: Path) -> None:
    before = gnomon("config", "show").out
    assert gnomon("config", "path").code == 1
    assert gnomon("init").code == 0
    sample = tmp_path / "data" / "gnomon.yaml"
    assert gnomon("config", "path").out == f"{sample}\n"
    assert gnomon("config", "show").out == before


def test_the_sample_without_its_comment_marks_is_the_defaults(gnomon: Any, tmp_path: Path) -> None:
    gnomon("init")
    lines = (tmp_path / "data" / "gnomon.yaml").read_text().splitlines()
    keys = "\n".join(line.removeprefix("# ") for line in lines[4:])
    assert Settings(**yaml.safe_load(keys)) == load_settings(overrides={"data_dir": str(tmp_path / "data")})


def test_init_makes_the_settings_file_that_is_named(gnomon: Any, tmp_path: Path) -> None:
    file = tmp_path / "new" / "own.yaml"
    assert gnomon("--config", file, "init").code == 0
    assert gnomon("--config", file, "config", "validate").code == 0


def test_init_leaves_a_settings_file_as_it_is(gnomon: Any, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("seed: 5\n")
    body = json.loads(gnomon("--config", file, "init", "--json").out)
    assert (body["written"], file.read_text()) == (False, "seed: 5\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("serch: {}", "there is no such setting; did you mean 'search'?"),
        ("search: {reranker: {name: magic}}", "no 'magic' in rerankers/"),
        ("search: {reranker: {name: identity, options: {windw: 3}}}", "rerankers.identity: windw"),
        ("[", "settings file"),
        ("- a", "must be a mapping of settings"),
    ],
)
def test_validate_names_what_is_wrong(gnomon: Any, tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(content)
    models = ("--set", "models.embedder.name=hashing_embedder", "--set", "models.embedder.options={}")
    ran = gnomon(*models, "config", "validate", file)
    assert (ran.code, ran.out) == (1, "")
    assert message in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("preset", ["default", "fast", "offline"])
def test_the_presets_are_valid(gnomon: Any, preset: str) -> None:
    ran = gnomon("--preset", preset, "--set", "offline=false", "config", "validate")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("valid: app.models.llama_cpp, app.models.sentence_embedder")


def test_an_unknown_preset_names_the_choices(gnomon: Any) -> None:
    ran = gnomon("--preset", "magic", "config", "show")
    assert (ran.code, ran.err) == (1, "gnomon: no preset 'magic'; choose from ['default', 'fast', 'offline']\n")
