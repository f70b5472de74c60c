"""What the components of one collection ask for, and the models that all collections share: names become objects."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from app.core import registry
from app.core.errors import ConfigError, MissingCapability
from app.core.protocols import Embedder, Index, LanguageModel, StreamingModel
from app.core.settings import Component, Settings
from app.models import catalog
from app.store.database import Database
from app.store.passages import Passages

T = TypeVar("T")


class MadeModels:
    """The language model and the embedder, each made at first use, once a process."""

    def __init__(self, settings: Settings, generator: LanguageModel | None) -> None:
        self._settings = settings
        self._made: dict[str, Any] = {"generator": generator} if generator else {}
        self._lock = threading.RLock()

    def get(self, role: str, resources: registry.Resources) -> Any:
        """Return the model of that role: a field of `Settings.models`."""
        with self._lock:
            if role not in self._made:
                component: Component = getattr(self._settings.models, role)
                self._made[role] = registry.build("app.models", component.name, component.options, resources)
            return self._made[role]


class CollectionResources:
    """What components of one collection ask for; implements Resources."""

    def __init__(self, *, collection_id: str, settings: Settings, database: Database, models: MadeModels) -> None:
        self._settings = settings
        self._models = models
        self._components: dict[tuple[str, str, str], Any] = {}
        self._indexes: dict[str, Index] = {}
        self.passages = Passages(database, collection_id)

    @property
    def offline(self) -> bool:
        """Whether sockets beyond loopback are forbidden."""
        return self._settings.offline

    @property
    def embedder(self) -> Embedder:
        """The embedder that the settings name."""
        return cast("Embedder", self._models.get("embedder", self))

    def index(self, kind: str) -> Index:
        """Return the collection's index of that kind, empty until it is loaded.

        Raises:
            ConfigError: the settings name none.
        """
        if kind not in self._indexes:
            component = self._settings.indexes.by_kind.get(kind)
            if component is None:
                raise ConfigError(f"there is no {kind} index; set indexes.{kind}, or search.mode to another")
            self._indexes[kind] = registry.build("indexes", component.name, component.options, self)
        return self._indexes[kind]

    def model_with(self, capability: type[T]) -> T:
        """Return the first of the models that are asked for it, see `Models.roles`, that has a capability.

        Raises:
            MissingCapability: neither can do what is asked for.
        """
        models = self._settings.models
        roles = models.roles(writing=capability in (LanguageModel, StreamingModel))
        for role in roles:
            model = self._models.get(role, self)
            if isinstance(model, capability):
                return model
        named = " and ".join(getattr(models, role).name for role in roles)
        raise MissingCapability(f"no {capability.__name__} in {named}; choose another model or component")

    def component(self, package: str, name: str, options: Mapping[str, Any] | None = None) -> Any:
        """Build a component; the same name and options give the same object."""
        key = (package, name, repr(sorted((options or {}).items())))
        if key not in self._components:
            self._components[key] = registry.build(package, name, options or {}, self)
        return self._components[key]

    def model_file(self, name: str) -> Path:
        """Return the verified file or folder of a model."""
        return catalog.resolve(name, self._settings.models_dir)
