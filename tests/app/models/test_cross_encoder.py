import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.core import registry
from app.core.errors import BudgetExhausted, Cancelled, ConfigError, ModelError
from app.core.protocols import PairScorer
from app.core.run import Run
from app.models._common.hub import be_quiet_and_offline
from app.models.cross_encoder import CrossEncoder, Options

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] which rocket launched skylab the saturn v bread is baked".split()
TEXTS = ["the saturn v launched skylab", "bread is baked", "skylab", "", "the rocket is the saturn v " * 10]
LONGEST = 24


def made(folder: Path, *, labels: int = 1) -> Path:
    """Return a folder with a cross-encoder of one small random layer."""
    be_quiet_and_offline()
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = BertConfig(vocab_size=len(WORDS), max_position_embeddings=LONGEST, num_labels=labels, **sizes)
    BertForSequenceClassification(config).save_pretrained(folder)
    vocabulary = {word: place for place, word in enumerate(WORDS)}
    BertTokenizerFast(vocab=vocabulary, model_max_length=LONGEST).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("cross-encoder"))


@pytest.fixture(scope="module")
def scorer(folder: Path) -> CrossEncoder:
    return CrossEncoder(folder, Options(batch_size=2))


def test_it_is_a_pair_scorer(scorer: CrossEncoder) -> None:
    assert isinstance(scorer, PairScorer)


def test_scores_are_the_logits_of_the_plain_model(scorer: CrossEncoder, folder: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    expected = []
    for text in TEXTS:
        with torch.no_grad():
            inputs = tokenizer("which rocket", text, truncation=True, max_length=LONGEST, return_tensors="pt")
            expected.append(float(model(**inputs).logits[0, 0]))

    found = scorer.score("which rocket", TEXTS, run=Run())

    assert (found.shape, found.dtype) == ((len(TEXTS),), np.float32)
    assert np.allclose(found, expected, atol=1e-5)
    assert len(set(found.tolist())) == len(TEXTS)


def test_no_texts_no_scores(scorer: CrossEncoder) -> None:
    assert scorer.score("which rocket", [], run=Run()).shape == (0,)


def test_a_score_does_not_depend_on_company(scorer: CrossEncoder) -> None:
    together = scorer.score("which rocket", TEXTS, run=Run())

    alone = [float(scorer.score("which rocket", [text], run=Run())[0]) for text in TEXTS]

    assert np.allclose(together, alone, atol=1e-5)


def test_a_call_is_booked_with_the_tokens_it_read(scorer: CrossEncoder, folder: Path) -> None:
    run = Run()

    scorer.score("which rocket", ["bread is baked", "the saturn v " * 20], run=run)

    (call,) = run.ledger.calls()
    # [CLS] which rocket [SEP] bread is baked [SEP] are 8; the other is cut at 24
    assert (call.usage.calls, call.usage.prompt_tokens) == (1, 8 + LONGEST)
    assert (call.model, call.purpose) == (folder.name, "PairScorer")


def test_a_stopped_run_scores_nothing(scorer: CrossEncoder) -> None:
    run = Run(cancelled=lambda: True)

    with pytest.raises(Cancelled):
        scorer.score("which rocket", TEXTS, run=run)
    assert run.ledger.calls() == ()


def test_a_deadline_ends_the_work_between_batches_and_what_was_done_is_booked(scorer: CrossEncoder) -> None:
    ticks = iter(range(100))
    run = Run(deadline=4.0, clock=lambda: float(next(ticks)))

    with pytest.raises(BudgetExhausted):
        scorer.score("which rocket", ["skylab"] * 80, run=run)
    # checked at 0, started at 1, batches of 8 begin at 2 and 3, ended at 4; each pair has 6 tokens
    assert run.ledger.total().prompt_tokens == 2 * 8 * 6


def test_a_classifier_of_several_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has 3 outputs; a reranker needs a model with one"):
        CrossEncoder(made(tmp_path, labels=3), Options())


def test_the_two_labels_that_the_library_leaves_out_are_counted(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["BertForSequenceClassification"]}))

    with pytest.raises(ModelError, match="has 2 outputs"):
        CrossEncoder(tmp_path, Options())


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"architectures": []}'])
def test_a_folder_of_another_kind_is_one_clear_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)

    with pytest.raises(ModelError, match="is no CrossEncoder folder"):
        CrossEncoder(tmp_path, Options())


@pytest.mark.parametrize("kept", [None, 0, 200, 2000])
def test_weights_that_are_missing_or_cut_off_are_one_clear_error(
    tmp_path: Path, folder: Path, kept: int | None
) -> None:
    for file in folder.iterdir():
        if kept is not None or file.suffix == ".json":
            (tmp_path / file.name).write_bytes(file.read_bytes()[: kept if file.suffix == ".safetensors" else None])

    with pytest.raises(ModelError, match="cannot load the cross-encoder"):
        CrossEncoder(tmp_path, Options()).score("which rocket", TEXTS, run=Run())


def test_it_is_built_from_a_path(folder: Path) -> None:
    resources: Any = SimpleNamespace(model_file=Path)

    built = registry.build("app.models", "cross_encoder", {"model": str(folder)}, resources)

    assert built.model_id == folder.name


def test_without_a_model_there_is_nothing_to_build() -> None:
    with pytest.raises(ConfigError, match="set the option `model`"):
        registry.build("app.models", "cross_encoder", {}, SimpleNamespace())  # type: ignore[arg-type]  # needs nothing
