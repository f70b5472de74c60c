"""Prompts as data: `<package>/prompts/<name>.yaml`, checked when loaded, named by their digest.

A file has `source` (paper and section), `system`, `user`, `variables` and optionally `schema` (JSON). Variables are
`$name` in the user's part; the system's part has none, so it is the prefix that a model can keep.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from string import Template
from typing import Any

import yaml

from app.core.errors import ConfigError
from app.core.types import Prompt

_KEYS = {"source", "system", "user", "variables", "schema"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTemplate:
    """A loaded prompt file; `digest` is the SHA-256 of its content."""

    name: str
    digest: str
    system: str
    user: Template
    schema: Mapping[str, Any] | None

    def render(self, schema: Mapping[str, Any] | None = None, **variables: str) -> Prompt:
        """Return the prompt with its variables filled in; `schema` takes the place of the file's own.

        Raises:
            ConfigError: a variable is missing or unknown.
        """
        if set(variables) != set(self.user.get_identifiers()):
            raise ConfigError(
                f"prompt '{self.name}' takes {sorted(self.user.get_identifiers())}, got {sorted(variables)}"
            )
        return Prompt(
            name=self.name,
            digest=self.digest,
            system=self.system,
            user=self.user.substitute(variables),
            schema=schema if schema is not None else self.schema,
        )


@cache
def load_prompt(package: str, name: str) -> PromptTemplate:
    """Return the prompt `<package>/prompts/<name>.yaml`.

    Raises:
        ConfigError: the file is missing, has unknown or missing keys, or its variables are not the declared ones.
    """
    path = resources.files(package) / "prompts" / f"{name}.yaml"
    if not path.is_file():
        raise ConfigError(f"no prompt '{name}' in {package}/prompts/")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    title = f"{package}/{name}"
    if unknown := set(content) - _KEYS:
        raise ConfigError(f"prompt '{title}' has unknown keys {sorted(unknown)}")
    if missing := {"source", "system", "user", "variables"} - set(content):
        raise ConfigError(f"prompt '{title}' lacks {sorted(missing)}")
    user = Template(content["user"].rstrip("\n"))
    if set(user.get_identifiers()) != set(content["variables"]):
        raise ConfigError(f"prompt '{title}' declares {content['variables']}, uses {user.get_identifiers()}")
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return PromptTemplate(
        name=title, digest=digest, system=content["system"].rstrip("\n"), user=user, schema=content.get("schema")
    )
