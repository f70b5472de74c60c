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


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("role", ["generator", "embedder", "scorer"])
def test_one_option_of_a_model_is_set_without_its_name(preset: str, role: str) -> None:
    plain = load_settings(preset=preset, environment={})
    named = load_settings(preset=preset, environment={}, overrides={"models": {role: {"options": {"model": "x"}}}})

    assert getattr(named.models, role).name == getattr(plain.models, role).name
    assert getattr(named.models, role).options["model"] == "x"


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
        ({"serch": {}}, r"setting serch \(command line\): there is no such setting; did you mean 'search'\?"),
        ({"search": {"top_n": 3}}, r"setting search.top_n \(command line\): .*; did you mean 'top_k'\?"),
        ({"zzz": 3}, r"setting zzz \(command line\): .*; 'gnomon config show' lists all there are"),
        ({"models": {"generator": {"names": "x"}}}, r"setting models.generator.names .*; did you mean 'name'\?"),
        ({"search": {"top_k": 0}}, r"setting search.top_k \(command line\): .* greater than or equal to 1"),
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


def test_a_wrong_setting_is_named_with_where_it_was_set(tmp_path: Path) -> None:
    file = tmp_path / "gnomon.yaml"
    file.write_text("search: {top_k: many}\n")
    with pytest.raises(ConfigError, match=rf"setting search.top_k \(settings file {file}\): "):
        load_settings(file=file, environment={"GNOMON_SEARCH__DEPTH": "20"})
    with pytest.raises(ConfigError, match=r"setting search.top_k \(environment\): "):
        load_settings(file=file, environment={"GNOMON_SEARCH__TOP_K": "no"})


def test_a_missing_settings_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: No such file or directory; name another, or 'gnomon init'"):
        load_settings(file=tmp_path / "none.yaml", environment={})


def test_a_variable_that_is_no_yaml_is_named_without_its_value() -> None:
    with pytest.raises(ConfigError, match=r"environment variable GNOMON_SERVER__TOKEN: .* quotes") as caught:
        load_settings(environment={"GNOMON_SERVER__TOKEN": "[s3cret"})
    assert "s3cret" not in str(caught.value)


def test_another_reranker_has_its_defaults_and_the_one_that_is_set_keeps_its_options() -> None:
    reranker = {"name": "first_token", "options": {"window": 10}}
    settings = load_settings(environment={}, overrides={"search": {"reranker": reranker}})

    assert settings.with_reranker(None) is settings
    assert settings.with_reranker("first_token") is settings
    other = settings.with_reranker("likelihood")
    assert (other.search.reranker.name, other.search.reranker.options) == ("likelihood", {})
    assert other.digest() != settings.digest()
    assert settings.with_reranker("none").search.reranker.name == "identity"


def test_effort_sets_how_far_a_question_is_followed() -> None:
    settings = Settings()

    fast, deep = settings.with_effort("fast"), settings.with_effort("deep")

    assert (fast.agent.goals, fast.agent.rewrites) == (1, 0)
    assert deep.limits.seconds == 3 * settings.limits.seconds
    assert deep.limits.max_calls > settings.limits.max_calls
    assert (settings.agent.strategy, deep.agent.strategy) == ("graph", "tree")
    assert settings.with_effort("balanced") == settings.with_effort(None) == settings
