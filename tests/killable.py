"""A server for tests that kill it: the real API, engine and graph; only the model follows a script.

Usage: python tests/killable.py FOLDER PORT

The model writes the name of each prompt to FOLDER/calls before it answers, and waits at a prompt of FOLDER/hold while
that file is there; where FOLDER/die names a prompt, the process kills itself at it.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from app.api.main import create_app
from app.core.run import Run
from app.core.settings import Settings, load_settings
from app.core.types import Completion, Prompt, Sampling
from app.engine import Engine
from app.models.scripted import Rule, ScriptedModel

QUESTION = "When did the rocket that launched Skylab fly for the first time?"
FIRST, SECOND = "Which rocket launched Skylab?", "When did Saturn V fly for the first time?"
TEXTS = {
    "skylab": "Skylab was launched on 14 May 1973 by a Saturn V rocket. Three crews lived aboard Skylab.",
    "saturn-v": "The Saturn V made its first flight on 9 November 1967. Wernher von Braun led its development.",
}


def settings_of(folder: Path) -> Settings:
    """Settings whose data lie in the folder."""
    overrides = {"data_dir": folder / "data", "models": {"embedder": {"name": "hashing_embedder"}}}
    return load_settings(environment={}, overrides=overrides)


def fill(folder: Path) -> None:
    """Ingest the two documents into the collection 'space'."""
    for name, text in TEXTS.items():
        (folder / f"{name}.txt").write_text(text)
    engine = Engine.open(settings_of(folder))
    engine.pipeline("space").run([folder / f"{name}.txt" for name in TEXTS], run=Run())
    engine.close()


class KillableModel(ScriptedModel):
    """Follows the script of the two questions, and the files of its folder."""

    def __init__(self, folder: Path) -> None:
        plan = Rule(name="plan", replies=(json.dumps({"steps": [FIRST, "When did #1 fly for the first time?"]}),))
        one = _reads("Skylab was launched", "Saturn V", "Skylab was launched by a Saturn V.", question=FIRST)
        other = _reads("The Saturn V made its", "9 November 1967", "It flew on 9 November 1967.", question=SECOND)
        super().__init__(plan, *one, *other)
        self._folder = folder

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        for prompt in prompts:
            with (self._folder / "calls").open("a") as calls:
                calls.write(f"{prompt.name} {run.nonce}\n")
            if self._is_named("die", prompt):
                os.kill(os.getpid(), signal.SIGKILL)
            while self._is_named("hold", prompt):
                time.sleep(0.01)
        return super().generate(prompts, sampling=sampling, run=run)

    def _is_named(self, file: str, prompt: Prompt) -> bool:
        path = self._folder / file
        return path.is_file() and path.read_text() in f"{prompt.name} {prompt.user}"


def _reads(sentence: str, answer: str, claim: str, *, question: str) -> list[Rule]:
    return [
        Rule(
            name="note",
            contains=(f"\n{number}. {sentence}", f"Question: {question}"),
            replies=(json.dumps({"sentences": [number], "claim": claim, "answer": answer}),),
        )
        for number in range(1, 9)
    ]


def main() -> None:
    """Serve until killed."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    settings = settings_of(folder)
    app = create_app(settings, Engine.open(settings, generator=KillableModel(folder)))
    uvicorn.run(app, port=port, log_level="error", ws="none")


if __name__ == "__main__":
    main()
