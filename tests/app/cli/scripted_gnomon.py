"""`gnomon` in a process of its own around the scripted engine; `stuck` hears no cancel, `calmly` takes its time."""

import sys
import time
from typing import Any

from served import COLLECTION, FakeEngine, fill

from app.cli.context import Cli
from app.cli.main import main
from app.core.settings import Settings
from app.store.collections import Collections


class Engine(FakeEngine):
    def answer(self, question: Any, **more: Any) -> Any:
        if question.text.startswith("stuck"):
            more["emit"]("step.finished", {"node": "stuck", "summary": "", "seconds": 0.0})
            time.sleep(60)
        self.pace = 0.3 if question.text.startswith("calmly") else 0.0
        return super().answer(question, **more)


def open_engine(settings: Settings) -> Engine:
    engine = Engine(settings)
    if COLLECTION not in {row.collection_id for row in Collections(engine.database).list()}:
        fill(engine.database)
    return engine


if __name__ == "__main__":
    sys.exit(main(start=Cli(open_engine=open_engine)))  # type: ignore[arg-type]
