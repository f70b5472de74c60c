"""What an index on disk was made of; another recipe is refused, never searched."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from app.core.digest import corpus_digest
from app.core.errors import StaleIndex
from app.core.types import PassageId

FILE = "manifest.json"
FORMAT = 1
_MEND = "run 'gnomon index rebuild'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The recipe and the content of one saved index; `recipe` holds the settings and the model's fingerprint."""

    component: str
    recipe: Mapping[str, Any]
    corpus_digest: str
    passages: int
    generation: int
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write the manifest into the index's folder."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=2, sort_keys=True), encoding="utf-8")


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Make one error of whatever the libraries raise over a damaged file.

    Raises:
        StaleIndex: a file is missing or damaged.
    """
    try:
        yield
    except (OSError, ValueError, LookupError, RuntimeError, EOFError, BadZipFile) as error:
        raise StaleIndex(f"the index in {folder} is damaged; {_MEND}") from error


def read_manifest(folder: Path, *, component: str, recipe: Mapping[str, Any]) -> Manifest:
    """Return the manifest of a saved index.

    Raises:
        StaleIndex: there is none, or the index was made by another component, recipe or format.
    """
    try:
        found = Manifest(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise StaleIndex(f"the index in {folder} has no readable manifest; {_MEND}") from error
    if found.format != FORMAT or found.component != component:
        raise StaleIndex(f"the index in {folder} was made by '{found.component}', not '{component}'; {_MEND}")
    for key in sorted({*recipe, *found.recipe}):
        if recipe.get(key) != found.recipe.get(key):
            raise StaleIndex(
                f"the index in {folder} was made with {key} = {found.recipe.get(key)}, "
                f"the settings say {recipe.get(key)}; {_MEND}"
            )
    return found


def check_content(manifest: Manifest, passage_ids: Iterable[PassageId], folder: Path) -> None:
    """Return if the loaded ids are those the manifest speaks of.

    Raises:
        StaleIndex: the files are damaged.
    """
    if corpus_digest(passage_ids) != manifest.corpus_digest:
        raise StaleIndex(f"the index in {folder} is damaged: its passages are not those of its manifest; {_MEND}")
