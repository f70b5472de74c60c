from pathlib import Path

import pytest

from app.core import registry
from app.core.errors import ConfigError
from app.core.settings import PRESETS, Settings, load_settings


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_loads_and_its_components_take_their_options(preset: str) -> None:
    settings = load_settings(preset=preset, environment={})

    for package, component in [
        ("app.models", settings.models.generator),
        ("app.models", settings.models.embedder),
        ("indexes", settings.indexes.lexical),
        ("indexes", settings.indexes.dense),
        ("rerankers", settings.search.reranker),
    ]:
        registry.options_of(package, component.name, component.options)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gnomon.yaml"
    file.write_text("search: {top_k: 5, depth: 20}\nseed: 1\n")

    settings = load_settings(
        file=file, environment={"GNOMON_SEARCH__TOP_K": "6", "GNOMON_SEED": "2"}, overrides={"seed": 3}
    )

    assert (settings.search.depth, settings.search.top_k, settings.seed) == (20, 6, 3)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"serch": {}}, "setting serch: Extra inputs"),
        ({"search": {"top_n": 3}}, "setting search.top_n: Extra inputs"),
        ({"search": {"top_k": 0}}, "setting search.top_k: .* greater than or equal to 1"),
        ({"server": {"host": "0.0.0.0"}}, "binding 0.0.0.0 needs a token"),
    ],
)
def test_a_wrong_setting_is_named_with_its_path(overrides: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings(environment={}, overrides=overrides)


def test_another_component_does_not_inherit_the_options_of_the_preset() -> None:
    settings = load_settings(environment={"GNOMON_MODELS__EMBEDDER__NAME": "hashing_embedder"})

    assert settings.models.embedder.options == {}


def test_the_digest_speaks_of_what_can_change_an_answer_only() -> None:
    plain = load_settings(environment={})

    assert plain.digest() == plain.model_copy(update={"data_dir": Path("elsewhere"), "offline": True}).digest()
    assert plain.digest() != load_settings(environment={}, overrides={"search": {"top_k": 7}}).digest()


def test_a_broken_settings_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "gnomon.yaml"
    file.write_text("search: [")
    with pytest.raises(ConfigError, match=r"gnomon\.yaml"):
        load_settings(file=file, environment={})
    file.write_text("- search")
    with pytest.raises(ConfigError, match="must be a mapping"):
        load_settings(file=file, environment={})


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            for inner, leaf in field.annotation.model_fields.items():
                assert leaf.description, f"{name}.{inner}"
        else:
            assert field.description, name


def test_a_token_is_masked_wherever_settings_are_printed() -> None:
    settings = load_settings(environment={"GNOMON_SERVER__TOKEN": "s3cret", "GNOMON_SERVER__HOST": "0.0.0.0"})

    assert "s3cret" not in str(settings)
    assert "s3cret" not in settings.model_dump_json()
