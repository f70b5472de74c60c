"""Every failure Gnomon raises on purpose.

AppError
├── ConfigError              the settings cannot be used
│   └── UnknownComponent     no module of that name
├── MissingCapability        the model cannot do what the component needs
├── MissingExtra             an optional dependency is absent; names the install command
├── NotFound                 no collection, document or answer of that name
├── UnreadableDocument       a reader refused the file; says why
├── InvalidQuestion          a question is empty, too long or not text
├── InvalidDataset           an evaluation file cannot be used; names file and row
├── StaleIndex               the index was built from other settings or another corpus
├── StaleCheckpoint          another version of Gnomon or other settings wrote it
├── StorageError             the database or the disk cannot be written or read
├── ModelError               the backend failed (transport, refusal, context overflow, checksum)
│   └── MissingModel         a model file is not on this machine; names the pull command
├── UnparsableOutput         the model answered outside its format; carries the raw text
├── Busy                     every worker is at work and the queue is full
├── BudgetExhausted          calls, tokens or seconds ran out, or the deadline passed
└── Cancelled                the caller stopped the answer

A message is one line: what is wrong, where, and what to do next.
"""


class AppError(Exception):
    """A failure that Gnomon foresaw; `str(error)` is one line for its user."""

    code = "error"


class ConfigError(AppError):
    """The settings cannot be used."""

    code = "config_error"


class UnknownComponent(ConfigError):
    """No module of that name is in the package."""

    code = "unknown_component"


class MissingCapability(AppError):
    """The model cannot do what the component needs."""

    code = "missing_capability"


class MissingExtra(AppError):
    """An optional dependency is absent."""

    code = "missing_extra"


class NotFound(AppError):
    """No collection, document or answer has that name."""

    code = "not_found"


class UnreadableDocument(AppError):
    """A reader refused a file or a row."""

    code = "unreadable_document"


class InvalidQuestion(AppError):
    """A question is empty, too long or not text."""

    code = "invalid_question"


class InvalidDataset(AppError):
    """A file of an evaluation (questions, corpus, judgements, run, result) cannot be used."""

    code = "invalid_dataset"


class StaleIndex(AppError):
    """The index was built from other settings or another corpus."""

    code = "stale_index"


class StaleCheckpoint(AppError):
    """A checkpoint was written by another version of Gnomon or under other settings."""

    code = "stale_checkpoint"


class StorageError(AppError):
    """The database or the disk cannot be written or read."""

    code = "storage_error"


class ModelError(AppError):
    """A model backend failed."""

    code = "model_error"


class MissingModel(ModelError):
    """A model file is not on this machine."""

    code = "missing_model"


class UnparsableOutput(AppError):
    """A model answered outside its format."""

    code = "unparsable_output"

    def __init__(self, message: str, *, raw: str) -> None:
        super().__init__(message)
        self.raw = raw


class Busy(AppError):
    """Every worker is at work and the queue is full."""

    code = "busy"


class BudgetExhausted(AppError):
    """Calls, tokens or seconds ran out."""

    code = "budget_exhausted"


class Cancelled(AppError):
    """The caller stopped the work."""

    code = "cancelled"
