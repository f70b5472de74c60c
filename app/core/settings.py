"""What can be set, with unit and bound; built once and passed as an argument.

Precedence: command line > environment (`GNOMON_…`, `__` between levels) > settings file > preset.
"""

import hashlib
import ipaddress
import json
import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from platformdirs import user_cache_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from app.core.errors import ConfigError

PRESETS = ("default", "fast", "offline")
Mode = Literal["hybrid", "lexical", "dense"]
Effort = Literal["fast", "balanced", "deep"]
Temporal = Literal["intervals", "mrag", "years", "none"]
Strategy = Literal["graph", "fixed", "tagged", "tree"]
NO_RERANKER = "identity"


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Component(_Section):
    """A component by its module name, with its options."""

    name: str = Field(description="module name in its package")
    options: dict[str, Any] = Field(default_factory=dict, description="the component's own options")


class Models(_Section):
    """Which models are used."""

    generator: Component = Field(default=Component(name="llama_cpp"), description="language model, from app/models")
    embedder: Component = Field(default=Component(name="sentence_embedder"), description="embedder, from app/models")
    scorer: Component | None = Field(
        default=Component(name="hf_causal"),
        description="model whose probabilities and attention rerankers read, from app/models; null: the generator",
    )

    def roles(self, *, writing: bool) -> tuple[str, ...]:
        """Return which of them are asked in turn: to write, the generator; to be read, the scorer before it."""
        return ("scorer", "generator") if self.scorer and not writing else ("generator",)


class Indexes(_Section):
    """Which indexes a collection has."""

    lexical: Component = Field(default=Component(name="bm25s_bm25"), description="lexical index, from indexes")
    dense: Component | None = Field(
        default=Component(name="flat"), description="dense index, from indexes; null for none: then nothing is embedded"
    )

    @property
    def by_kind(self) -> dict[str, Component]:
        """The indexes that there are, by kind."""
        found = {"lexical": self.lexical, "dense": self.dense}
        return {kind: component for kind, component in found.items() if component is not None}


class Search(_Section):
    """How passages are found."""

    mode: Mode = Field(default="hybrid", description="retriever used by ask and search")
    top_k: int = Field(default=10, ge=1, le=1000, description="hits that a search returns")
    depth: int = Field(default=100, ge=1, le=1000, description="candidates fetched from each index before fusion")
    rrf_k: int = Field(default=60, ge=1, le=1000, description="constant of reciprocal rank fusion")
    temporal: Temporal = Field(
        default="intervals", description="how times move hits of questions that ask for one; `none`: not at all"
    )
    reranker: Component = Field(default=Component(name=NO_RERANKER), description="reranker, from rerankers")


class Agent(_Section):
    """How a question is worked on."""

    strategy: Strategy = Field(
        default="graph",
        description="`graph` plans and searches on; `tree` tries several ways and lets their answers vote; `tagged` "
        "lets a model trained to search decide; `fixed` is the baseline without decisions",
    )
    effort: Effort = Field(
        default="balanced",
        description="`fast` looks a question up once, as it stands; `deep` searches a tree",
    )
    goals: int = Field(default=4, ge=1, le=4, description="facts that a question may be split into; 1: none is split")
    passages: int = Field(default=5, ge=1, le=50, description="passages read after each search")
    characters: int = Field(
        default=2000, ge=200, le=100_000, description="characters of them that the model is shown at once"
    )
    rewrites: int = Field(default=1, ge=0, le=2, description="other queries tried for a fact that was not found")
    versions: bool = Field(
        default=False,
        description="whether code chooses among what was so at different times, if one is asked for",
    )
    odds: float = Field(
        default=0.0,
        ge=0.0,
        le=1000.0,
        description="right answers that one wrong answer costs; below a confidence of odds / (1 + odds) none is given",
    )
    confidence: Path | None = Field(
        default=None,
        description="file of weights that take the place of the shipped ones, made by `eval fit-confidence`",
    )


class Tree(_Section):
    """How the strategy `tree` searches: rollouts are actions tried, each one more step on some way to an answer."""

    policy: Literal["puct", "uct", "ab_mcts", "best_first", "beam", "best_of_n"] = Field(
        default="puct", description="which way is gone on with; `best_of_n` takes one after the other"
    )
    rollouts: int = Field(default=8, ge=1, le=1000, description="actions tried for a question")
    depth: int = Field(default=6, ge=2, le=20, description="actions one after another, the answer among them")
    samples: int = Field(default=3, ge=1, le=10, description="plans, and other wordings of a query, from one state")
    parallel: int = Field(
        default=1, ge=1, le=32, description="actions carried out at once; more than one pays with a model server alone"
    )
    priors: Literal["code", "model"] = Field(
        default="code", description="how likely an action is at first: `code` favours what is missing, `model` is asked"
    )
    exploration_weight: float | None = Field(
        default=None, ge=0.0, le=10.0, description="constant of `puct` and `uct`; null: that of their papers"
    )


class Ingest(_Section):
    """How files become passages."""

    passage_tokens: int = Field(default=200, ge=32, le=2048, description="size of a passage in embedder tokens")
    checkpoint: int = Field(default=200, ge=1, description="documents between two saved states of the index")
    max_file_mb: int = Field(default=100, ge=1, description="largest file but tables, in megabytes")


class Limits(_Section):
    """What one answer may spend."""

    seconds: float = Field(default=180.0, gt=0, description="time until an answer must be there, in seconds")
    max_calls: int = Field(default=12, ge=1, description="model calls")
    max_tokens: int = Field(default=8000, ge=100, description="tokens, prompt and completion together")
    rerank_tokens: int = Field(
        default=200_000,
        ge=0,
        description="tokens that a reranker may read besides; beyond them, or half of the time left, the order stays",
    )
    question_characters: int = Field(default=2000, ge=10, description="longest question, in characters")


class Server(_Section):
    """How the REST server listens."""

    host: str = Field(default="127.0.0.1", description="address to bind; another than loopback needs a token")
    port: int = Field(default=8420, ge=1, le=65535, description="TCP port")
    ui_port: int = Field(default=8421, ge=1, le=65535, description="TCP port of the page")
    token: SecretStr | None = Field(default=None, description="bearer token that every request must carry")
    workers: int = Field(default=1, ge=1, le=64, description="answers worked on at once")
    queue: int = Field(default=16, ge=0, le=10_000, description="answers that may wait; a full queue answers 429")
    max_upload_mb: int = Field(default=100, ge=1, description="largest upload, in megabytes")

    @model_validator(mode="after")
    def _public_address_needs_token(self) -> "Server":
        if self.token is None and not is_loopback(self.host):
            raise ValueError(f"binding {self.host} needs a token: set GNOMON_SERVER__TOKEN")
        return self


class Settings(_Section):
    """The whole tree; frozen, unknown keys refused."""

    data_dir: Path = Field(default_factory=lambda: user_data_path("gnomon"), description="folder of the collections")
    models_dir: Path = Field(
        default_factory=lambda: user_cache_path("gnomon") / "models", description="folder of the model files"
    )
    offline: bool = Field(default=False, description="open no socket beyond loopback")
    seed: int = Field(default=0, ge=0, description="seed of everything random")
    models: Models = Models()
    indexes: Indexes = Indexes()
    search: Search = Search()
    agent: Agent = Agent()
    tree: Tree = Tree()
    ingest: Ingest = Ingest()
    limits: Limits = Limits()
    server: Server = Server()

    def with_reranker(self, name: str | None) -> "Settings":
        """Return the settings with the reranker of that name: as it is set, if it is the one set, else its defaults.

        `none` is the one that leaves the order as it is; None changes nothing. The name is not checked here.
        """
        wanted = NO_RERANKER if name == "none" else name
        if wanted is None or wanted == self.search.reranker.name:
            return self
        search = self.search.model_copy(update={"reranker": Component(name=wanted)})
        return self.model_copy(update={"search": search})

    def with_effort(self, effort: Effort | None) -> "Settings":
        """Return the settings at that effort, None for the one that is set; `balanced` is as the other settings say.

        `fast` looks up the question as it stands, once; `deep` searches a tree in place of the graph, and may take
        three times as long and make five times as many calls.
        """
        effort = effort or self.agent.effort
        if effort == "fast":
            return self.model_copy(update={"agent": self.agent.model_copy(update={"goals": 1, "rewrites": 0})})
        if effort != "deep":
            return self
        limits = self.limits
        more = {
            "seconds": 3 * limits.seconds,
            "max_calls": 5 * limits.max_calls,
            "max_tokens": 5 * limits.max_tokens,
        }
        strategy = "tree" if self.agent.strategy == "graph" else self.agent.strategy
        return self.model_copy(
            update={
                "agent": self.agent.model_copy(update={"strategy": strategy}),
                "limits": limits.model_copy(update=more),
            }
        )

    def digest(self) -> str:
        """Return the SHA-256 of what can change an answer (folders, server and secrets left out)."""
        content = self.model_dump(mode="json", exclude={"data_dir", "models_dir", "offline", "server"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load_settings(
    *,
    preset: str = "default",
    file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings in force; `overrides` is a nested mapping that wins over everything.

    Raises:
        ConfigError: a file is missing or malformed, a key is unknown, or a value is out of its bounds.
    """
    layers = {
        f"preset {preset}": _preset(preset),
        f"settings file {file}": _file(file),
        "environment": _environment(os.environ if environment is None else environment),
        "command line": dict(overrides or {}),
    }
    merged: dict[str, Any] = {}
    for layer in layers.values():
        merged = _merge(merged, layer)
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise ConfigError(_told(error, layers)) from error


def _told(error: ValidationError, layers: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the first problem with the path of the setting and where it was set."""
    problem = error.errors()[0]
    path = [str(part) for part in problem["loc"]]
    words = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        nearest = get_close_matches(path[-1], _siblings(path), n=1)
        meant = f"did you mean '{nearest[0]}'?" if nearest else "'gnomon config show' lists all there are"
        words = f"there is no such setting; {meant}"
    source = next((name for name in reversed(list(layers)) if _holds(layers[name], path)), "preset")
    return f"setting {'.'.join(path)} ({source}): {words}"


def _siblings(path: Sequence[str]) -> list[str]:
    section: Any = Settings
    for part in path[:-1]:
        section = section.model_fields[part].annotation
    return list(section.model_fields)


def _holds(layer: Any, path: Sequence[str]) -> bool:
    for part in path:
        if not isinstance(layer, Mapping) or part not in layer:
            return False
        layer = layer[part]
    return True


def _preset(name: str) -> dict[str, Any]:
    if name not in PRESETS:
        raise ConfigError(f"no preset '{name}'; choose from {list(PRESETS)}")
    text = (resources.files("app") / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text) or {}


def _file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"settings file {path}: {error.strerror}; name another, or 'gnomon init' makes one"
        ) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"settings file {path}: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict | None):
        raise ConfigError(f"settings file {path}: must be a mapping of settings")
    return content or {}


def _environment(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return `GNOMON_A__B=value` as `{"a": {"b": value}}`, values read as YAML scalars."""
    found: dict[str, Any] = {}
    for key, value in variables.items():
        if not key.startswith("GNOMON_") or key in _OTHER_VARIABLES:
            continue
        path = key.removeprefix("GNOMON_").lower().split("__")
        try:
            leaf: Any = yaml.safe_load(value) if value else value
        except yaml.YAMLError as error:
            raise ConfigError(f"environment variable {key}: its value is not YAML; put it in quotes") from error
        for part in reversed(path):
            leaf = {part: leaf}
        found = _merge(found, leaf)
    return found


_OTHER_VARIABLES = frozenset(
    {"GNOMON_CONFIG", "GNOMON_PRESET", "GNOMON_EVAL_DATA", "GNOMON_API", "GNOMON_REQUIRE_BROWSER"}
)


def _merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Return `low` overlaid by `high`; a component of another name drops the old one's options."""
    merged = dict(low)
    for key, value in high.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            renamed = "name" in value and value["name"] != old.get("name")
            merged[key] = value if renamed else _merge(old, value)
        else:
            merged[key] = value
    return merged
