"""`gnomon eval`: how good a batch's answers are."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.context import Cli, JsonOption

app = typer.Typer(name="eval", help="Measure answers against gold.", no_args_is_help=True)

_COLUMNS = {
    "questions": "n",
    "exact_match": "EM",
    "token_f1": "F1",
    "citation_precision": "cite P",
    "citation_recall": "cite R",
    "abstained_on_answerable": "abstained",
    "abstained_on_unanswerable": "refused",
    "failed": "failed",
    "median_seconds": "median s",
    "mean_prompt_tokens": "prompt tokens",
}


@app.callback()
def _group() -> None:
    """Keep `score` a command of its own."""


@app.command("score")
def score_answers(
    context: typer.Context,
    answers: Annotated[Path, typer.Argument(metavar="ANSWERS", help="What gnomon batch run wrote.")],
    questions: Annotated[Path, typer.Argument(metavar="QUESTIONS", help="Its questions, with gold answers.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Score a batch's answers: all of them, and by question type."""
    from app.experiments.score import score

    cli = Cli.of(context)
    scores = score(answers, questions)
    if as_json:
        cli.screen.json({name: group.as_dict() for name, group in scores.items()})
        return
    rows = [[name, *(_cell(group.as_dict()[key]) for key in _COLUMNS)] for name, group in scores.items()]
    cli.screen.table(["type", *_COLUMNS.values()], rows)


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}" if value < 1 + 1e-9 else f"{value:.1f}"
