"""The Hugging Face libraries as Gnomon loads them: quiet, and from this disk alone."""

import logging
import os


def be_quiet_and_offline() -> None:
    """Let the libraries load without progress bars, advice and questions to the hub."""
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false")
    os.environ.setdefault("TQDM_DISABLE", "1")
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)


def first_line(error: Exception) -> str:
    """Return what an error says, cut to one line; its kind when it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]
