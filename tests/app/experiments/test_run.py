import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from measured import (
    CONFIDENCE,
    PASSAGES,
    ROWS,
    SAID,
    Bench,
    LakeModel,
    a_beir_set,
    a_folder_of_documents,
    a_question_file,
    records_of,
    settings_in,
    values_of,
    write_rows,
)

from agents.confidence import SHIPPED
from app.core.errors import (
    Cancelled,
    ConfigError,
    InvalidDataset,
    ModelError,
    NotFound,
    StaleIndex,
    StorageError,
)
from app.core.run import Run
from app.core.settings import Component, Settings
from app.core.types import Hit, Query, Reranking, StageScore
from app.engine import Engine
from app.experiments.asking import ALIKE, ask_all
from app.experiments.corpus import unseen
from app.experiments.datasets import Asked, read_dataset
from app.experiments.records import Raw, RecordFile
from app.experiments.results import read_result
from app.experiments.systems import System, make_system, settings_for

LISTS = {row["id"]: list(dict.fromkeys(["garda", "como", *row["documents"]])) for row in ROWS}
IDS = [row["id"] for row in ROWS]
FIFTH = 8  # the call with which the work on q5 begins: q2 takes three, q4 two


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "data")


@pytest.fixture
def lakes(tmp_path: Path) -> Path:
    return a_beir_set(tmp_path / "lakes", candidates=LISTS)


def figures(finished: Any) -> dict[str, Any]:
    """All that may not depend on how a run went: everything but its seconds and where its records lie."""
    result = finished.result
    scored = [one.model_dump(exclude={"seconds", "trace"}) for one in result.scored]
    kept = {"metrics", "groups", "lost", "curve", "excluded", "digests", "questions", "documents"}
    return {**result.model_dump(include=kept), "scored": scored}


# Systems.


@pytest.mark.parametrize("system", ["lexical", "dense", "hybrid", "temporal"])
def test_a_retrieval_is_scored_and_has_no_answers(bench: Bench, lakes: Path, system: str) -> None:
    finished = bench.run(lakes, system)

    result = finished.result
    assert (result.system, result.reranker, result.questions, result.documents) == (system, "identity", 6, 6)
    assert result.metrics["R@100"].value == 1.0
    assert result.metrics["R@100"].n == 5  # q4 has no relevant document
    assert result.excluded == {"no relevant document: not in the retrieval figures": 1}
    assert not {"EM", "AURC", "nDCG@10/first_stage"} & result.metrics.keys()
    assert (result.curve, result.lost) == ([], {})
    assert values_of(finished, "RR") == {"q1": 1.0, "q2": 1.0, "q3": 1.0, "q4": None, "q5": 1.0, "q6": 1.0}
    assert bench.model.seen == []
    assert result.cost["total"]["calls"] == 0
    assert list(result.cost["by_stage"]) == ["search"]


def test_given_lists_are_scored_as_they_are(bench: Bench, lakes: Path) -> None:
    finished = bench.run(lakes, "candidates")

    assert bench.indexed == []
    assert finished.result.documents == 0
    # two others come first, one of them q5's own
    assert values_of(finished, "RR") == {"q1": 1 / 3, "q2": 1 / 3, "q3": 1 / 3, "q4": None, "q5": 1 / 2, "q6": 1 / 3}
    assert [doc_id for doc_id, _ in records_of(finished)["q1"]["ranking"]] == ["garda", "como", "orta"]


class Reversing:
    """Turns the order round, and notes the run and the hits that it is given; implements Reranker."""

    def __init__(self) -> None:
        self.given: list[tuple[str, int]] = []
        self.nonces: list[str] = []

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        self.given.append((query.query_id, len(hits)))
        self.nonces.append(run.nonce)
        return Reranking(
            hits=tuple(
                hit.then(StageScore(name="reversing", rank=rank, score=-float(rank)))
                for rank, hit in enumerate(reversed(hits), start=1)
            )
        )

    def rerank_many(self, pairs: Sequence[tuple[Query, Sequence[Hit]]], *, top_k: int, run: Run) -> list[Reranking]:
        return [self.rerank(query, hits, top_k=top_k, run=run) for query, hits in pairs]


class ReversingEngine(Engine):
    """An engine whose reranker turns the order round."""

    def reranker(self, collection_id: str | None, name: str | None = None) -> Reversing:
        self.reversing = Reversing()
        return self.reversing


@pytest.fixture
def reversing(tmp_path: Path, lakes: Path) -> Iterator[Callable[[str, int], tuple[System, Engine]]]:
    """Make a system with a reranker that turns the order round, from its name and seed."""
    settings = settings_in(tmp_path / "reversing")
    search = settings.search.model_copy(update={"reranker": Component(name="reversing")})
    with closing(ReversingEngine.open(settings.model_copy(update={"search": search}))) as engine:
        engine.pipeline("own").run([lakes / "corpus.jsonl"], run=Run())

        def make(name: str, seed: int) -> tuple[System, Engine]:
            dataset, today = read_dataset(lakes), date(2026, 1, 15)
            return make_system(name, engine, collection="own", dataset=dataset, today=today, seed=seed), engine

        yield make


@pytest.mark.parametrize("name", ["candidates", "lexical", "dense", "hybrid", "temporal"])
def test_a_reranker_is_given_all_hits_of_one_question_and_both_orders_are_kept(
    lakes: Path, reversing: Any, name: str
) -> None:
    system, engine = reversing(name, 7)

    [raw] = system.work_on(read_dataset(lakes).asked[: system.at_once], lambda: False)

    first = [doc_id for doc_id, _ in raw["first_stage"]]
    assert engine.reversing.given == [("q1", len(first))]
    assert raw["ranking"] == [(doc_id, -float(rank)) for rank, doc_id in enumerate(reversed(first), start=1)]
    assert (raw["degraded"], raw["stage_seconds"].keys()) == (None, {"search", "rerank"})
    if name == "candidates":
        assert first == ["garda", "como", "orta"]


def test_a_rerankers_prompts_can_be_made_again(lakes: Path, reversing: Any) -> None:
    nonces = []
    for seed in (7, 7, 8):
        system, engine = reversing("candidates", seed)
        for one in read_dataset(lakes).asked:
            system.work_on([one], lambda: False)
        nonces.append(engine.reversing.nonces)

    assert nonces[0] == nonces[1]
    assert len({*nonces[0], *nonces[2]}) == 12


def test_to_rerank_by_identity_is_not_to_rerank(bench: Bench, lakes: Path) -> None:
    with_it, without = bench.run(lakes, "lexical", reranker="identity"), bench.run(lakes, "lexical")

    assert with_it.result.metrics == without.result.metrics
    assert with_it.result.reranker == "identity"


@pytest.mark.parametrize("form", ["beir", "documents", "questions"])
def test_an_agents_record_holds_how_it_came_about(tmp_path: Path, bench: Bench, lakes: Path, form: str) -> None:
    path, collection = lakes, None
    if form != "beir":
        path = a_folder_of_documents(tmp_path / "own")
    if form == "questions":
        with closing(Engine.open(settings_in(bench.data_dir))) as engine:
            engine.pipeline("mine").run([path / "documents"], run=Run())
        path, collection = a_question_file(tmp_path / "q.jsonl"), "mine"
    suffix = "" if form == "beir" else ".md"

    finished = bench.run(path, "agent", collection=collection)

    assert {one.query_id: (one.status, one.answer) for one in finished.result.scored} == {
        query_id: ("abstained", "") if said == "unknown" else ("answered", said) for query_id, said in SAID.items()
    }
    assert values_of(finished, "EM") == {"q1": 1.0, "q2": 1.0, "q3": 0.0, "q4": None, "q5": 1.0, "q6": 1.0}
    second = records_of(finished)["q2"]
    body = second["answer"]
    [signs] = [step["details"]["signs"] for step in body["trace"]["steps"] if step["node"] == "verify"]
    assert signs["answer_probability"] == pytest.approx(CONFIDENCE)
    assert body["confidence"] == SHIPPED.probability(signs)
    hops = [step["details"] for step in body["trace"]["steps"] if step["node"] == "search"]
    assert [hop["query"] for hop in hops] == ["Who mapped Lake Iseo?", "Where was Karl Weiss born?"]
    assert hops[1]["hits"][0]["doc_id"] == f"weiss{suffix}"
    assert {citation["doc_id"] for citation in body["citations"]} == {f"iseo{suffix}", f"weiss{suffix}"}
    passages = [second["cited_passages"][citation["passage_id"]] for citation in body["citations"]]
    assert passages == [PASSAGES["iseo"][1], PASSAGES["weiss"][1]]
    calls = [call["purpose"] for step in body["trace"]["steps"] for call in step["calls"]]
    assert calls == ["agents/plan", "agents/note", "agents/note"]
    assert finished.result.lost == {"answer_wrong": 1}
    assert finished.result.cost["right"] == 5


def test_the_fixed_system_searches_once(bench: Bench, lakes: Path) -> None:
    finished = bench.run(lakes, "fixed")

    assert finished.result.cost["per_question"]["retrievals"] == {"mean": 1.0, "median": 1.0, "p95": 1.0}
    assert finished.result.settings["agent"] == {
        **finished.result.settings["agent"],
        "strategy": "fixed",
        "passages": 5,
    }
    assert finished.result.metrics["knowledge_sufficiency"].n == 6


def test_settings_are_the_users_but_for_what_makes_the_system(tmp_path: Path) -> None:
    own = settings_in(tmp_path).model_copy(update={"seed": 5})

    lexical = settings_for("lexical", own, reranker=None)

    assert (lexical.search.mode, lexical.indexes.dense, lexical.seed) == ("lexical", None, 5)
    assert settings_for("candidates", own, reranker=None) == own
    assert settings_for("agent", own, reranker="identity") == own


@pytest.mark.parametrize(
    ("system", "reranker", "told"),
    [
        ("bm25", None, "no system 'bm25'; choose from candidates, lexical"),
        ("lexical", "magic", "no 'magic' in rerankers/"),
    ],
)
def test_an_unknown_system_or_reranker_is_told_before_anything_is_indexed(
    bench: Bench, lakes: Path, system: str, reranker: str | None, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        bench.run(lakes, system, reranker=reranker)
    assert bench.indexed == []


# What a system is given.


def test_no_system_is_given_any_gold(tmp_path: Path, bench: Bench) -> None:
    mark = "XGOLDX"
    rows = [
        {**row, "answers": [*row["answers"], f"{mark} {row['id']}"], "documents": [*row["documents"], f"{mark}.md"]}
        for row in ROWS
        if row["id"] != "q4"
    ]
    more = {"type": mark, "page": mark, "relation": mark, "time": {"start": mark}, "near_misses": [mark]}
    folder = a_beir_set(tmp_path / "lakes", rows=[{**row, **more} for row in rows])

    finished = bench.run(folder, "agent")

    assert mark in str(finished.result.scored)
    assert len(bench.model.asked) == 5
    assert all(mark not in f"{prompt.system}{prompt.user}{prompt.schema}" for prompt in bench.model.seen)
    assert mark not in (finished.folder / "records.jsonl").read_text()
    assert mark not in str(read_dataset(folder).asked)


def test_the_same_seed_gives_the_same_prompts(tmp_path: Path, lakes: Path) -> None:
    prompts = []
    for place, seed in enumerate((1, 1, 2)):
        bench = Bench(tmp_path / f"data{place}")
        bench.run(lakes, "agent", seed=seed)
        prompts.append(bench.model.seen)

    assert prompts[0] == prompts[1]
    first, other = ({prompt.user for prompt in seen if prompt.name == "agents/note"} for seen in prompts[1:])
    assert first
    assert not first & other


def test_questions_are_asked_of_their_own_days(tmp_path: Path, bench: Bench) -> None:
    rows = [{**ROWS[0], "as_of": "2001", "asked_on": "2005-05"}, ROWS[5]]

    finished = bench.run(a_beir_set(tmp_path / "lakes", rows=rows), "fixed")

    asked = {query_id: raw["answer"]["trace"]["question"] for query_id, raw in records_of(finished).items()}
    assert (asked["q1"]["as_of"], asked["q1"]["asked_on"]) == ("2001-12-31", "2005-05-31")
    assert (asked["q6"]["as_of"], asked["q6"]["asked_on"]) == (None, str(date(2026, 1, 15)))


# The index.


def content_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_an_index_is_built_once_outside_the_data_set(bench: Bench, lakes: Path) -> None:
    before = content_of(lakes)
    lakes.chmod(0o555)

    first = bench.run(lakes, "dense")
    assert bench.indexed[-1][0] == bench.indexed[-1][1] > 0
    second = bench.run(lakes, "hybrid")

    assert bench.indexed == []
    assert content_of(lakes) == before
    assert len(list(bench.data_dir.glob("eval/indexes/*"))) == 1
    assert first.result.digests["dataset"] == second.result.digests["dataset"]


def test_a_changed_corpus_is_indexed_anew_and_changed_questions_are_not(bench: Bench, lakes: Path) -> None:
    bench.run(lakes, "dense")
    (lakes / "queries.jsonl").write_text((lakes / "queries.jsonl").read_text().replace("deep", "wide"))
    bench.run(lakes, "dense")
    assert bench.indexed == []

    (lakes / "corpus.jsonl").write_text((lakes / "corpus.jsonl").read_text().replace("Ada Brandt", "Ida Brandt"))
    finished = bench.run(lakes, "dense")

    assert bench.indexed
    assert [one.query_id for one in finished.result.scored] == IDS
    assert len(list(bench.data_dir.glob("eval/indexes/*"))) == 2


def test_other_indexes_or_passages_are_made_anew(bench: Bench, lakes: Path) -> None:
    own = settings_in(bench.data_dir)
    short = own.model_copy(update={"ingest": own.ingest.model_copy(update={"passage_tokens": 32})})
    for system, settings in (("lexical", own), ("dense", own), ("dense", short)):
        bench.run(lakes, system, settings=settings)
        assert bench.indexed

    assert len(list(bench.data_dir.glob("eval/indexes/*"))) == 3


def test_a_lexical_system_embeds_nothing(bench: Bench, lakes: Path) -> None:
    finished = bench.run(lakes, "lexical")

    assert [path.name for path in bench.data_dir.glob("eval/indexes/*/collections/dataset/index/*/*")] == ["lexical"]
    assert finished.result.digests.keys() == {"dataset", "settings", "code", "metrics"}


def test_an_index_of_an_older_version_is_told_with_what_mends_it(bench: Bench, lakes: Path) -> None:
    bench.run(lakes, "lexical")
    [manifest] = bench.data_dir.glob("eval/indexes/**/lexical/manifest.json")
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 0'))

    with pytest.raises(StaleIndex) as raised:
        bench.run(lakes, "lexical")

    [folder] = bench.data_dir.glob("eval/indexes/*")
    assert str(folder) in str(raised.value)
    assert str(raised.value).endswith("; delete it, it is made anew")
    shutil.rmtree(folder)
    assert bench.run(lakes, "lexical").result.questions == 6


def test_a_stale_index_of_the_users_own_is_left_to_the_user(tmp_path: Path, bench: Bench) -> None:
    documents = a_folder_of_documents(tmp_path / "own") / "documents"
    with closing(Engine.open(settings_in(bench.data_dir))) as engine:
        engine.pipeline("mine").run([documents], run=Run())
    [manifest] = bench.data_dir.glob("collections/mine/index/*/lexical/manifest.json")
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 0'))

    with pytest.raises(StaleIndex, match=r"run 'gnomon index rebuild -c mine'$"):
        bench.run(a_question_file(tmp_path / "q.jsonl"), "fixed", collection="mine")


def test_passages_that_cannot_be_read_are_told_and_the_rest_is_searched(bench: Bench, lakes: Path) -> None:
    with (lakes / "corpus.jsonl").open("a") as stream:
        stream.write('{"_id": "blank", "title": "Blank", "text": " "}\n')

    for _ in range(2):  # the second run does not index, and tells it all the same
        finished = bench.run(lakes, "lexical")
        assert finished.warnings == (
            "1 documents could not be read, first corpus.jsonl row 7: has no text; fill it or remove the row",
        )
        assert finished.result.documents == 6


def test_a_corpus_without_any_text_is_refused(bench: Bench, lakes: Path) -> None:
    write_rows(lakes / "corpus.jsonl", [{"_id": key, "title": key} for key in PASSAGES])

    with pytest.raises(InvalidDataset, match=r"corpus.jsonl: nothing to search: corpus.jsonl.*has none of text"):
        bench.run(lakes, "lexical")


def test_judgements_of_documents_that_are_in_no_file_are_told(tmp_path: Path, bench: Bench) -> None:
    rows = [{**ROWS[0], "documents": ["orta", "atlantis"]}]

    finished = bench.run(a_folder_of_documents(tmp_path / "own", rows=rows), "lexical")

    where = tmp_path / "own" / "documents"
    assert finished.warnings == (
        f"1 relevant documents are not in {where}, first 'atlantis.md'; they count as not found",
    )
    assert finished.result.metrics["R@10"].value == 0.5


def test_judgements_of_another_collection_are_refused(tmp_path: Path, bench: Bench, lakes: Path) -> None:
    with closing(Engine.open(settings_in(bench.data_dir))) as engine:
        engine.pipeline("mine").run([lakes / "corpus.jsonl"], run=Run())

    with pytest.raises(InvalidDataset, match=r"q: no relevant document, .* is in collection 'mine'"):
        bench.run(a_question_file(tmp_path / "q.csv"), "lexical", collection="mine")


def test_a_question_file_needs_a_collection_and_a_folder_has_its_own(tmp_path: Path, bench: Bench, lakes: Path) -> None:
    questions = a_question_file(tmp_path / "q.jsonl")
    with pytest.raises(ConfigError, match=r"q is a question file alone; name the collection .* with --collection"):
        bench.run(questions, "lexical")
    with pytest.raises(ConfigError, match="lakes has a corpus of its own; leave --collection away"):
        bench.run(lakes, "lexical", collection="mine")
    with pytest.raises(NotFound, match="no collection 'mine'"):
        bench.run(questions, "hybrid", collection="mine")
    with closing(Engine.open(settings_in(bench.data_dir))) as engine:
        engine.pipeline("mine")
    with pytest.raises(InvalidDataset, match="collection 'mine': nothing to search; fill it"):
        bench.run(questions, "hybrid", collection="mine")


def test_a_collection_that_changed_is_asked_anew(tmp_path: Path, bench: Bench) -> None:
    questions, documents = a_question_file(tmp_path / "q.jsonl"), a_folder_of_documents(tmp_path / "own") / "documents"
    runs = []
    for text in ("290", "291"):
        (documents / "orta.md").write_text(f"Lake Orta is {text} metres deep.")
        with closing(Engine.open(settings_in(bench.data_dir))) as engine:
            engine.pipeline("mine").run([documents], run=Run())
        runs.append(bench.run(questions, "fixed", collection="mine").result)
        assert len(bench.model.asked) == 6

    assert runs[0].digests["dataset"] != runs[1].digests["dataset"]
    bench.run(questions, "fixed", collection="mine")
    assert bench.model.asked == []


# Stopping and going on.


@pytest.fixture
def whole(tmp_path: Path, lakes: Path) -> dict[str, Any]:
    """The figures of an agent's run that nothing stopped."""
    return figures(Bench(tmp_path / "whole").run(lakes, "agent"))


def stop_after(questions: int, bench: Bench) -> Callable[[], bool]:
    return lambda: any(done >= questions for done, _, _ in bench.told)


def test_a_run_that_was_stopped_goes_on(bench: Bench, lakes: Path, whole: dict[str, Any]) -> None:
    with pytest.raises(Cancelled):
        bench.run(lakes, "agent", cancelled=stop_after(2, bench))
    assert bench.results == []
    assert bench.told[0] == (0, 6, "")

    finished = bench.run(lakes, "agent")

    asked = bench.model.asked
    assert asked == IDS[2:] or asked == IDS[3:]  # the third may have been done before it heard of the stop
    assert bench.told[-1] == (len(asked), len(asked), "q6")
    assert figures(finished) == whole
    assert bench.results == [finished.folder / "result.json"]
    assert read_result(finished.folder) == finished.result


@pytest.mark.parametrize("workers", [1, 3])
def test_a_run_that_crashed_goes_on(bench: Bench, lakes: Path, whole: dict[str, Any], workers: int) -> None:
    with pytest.raises(RuntimeError, match="the power went"):
        bench.run(lakes, "agent", workers=workers, model=LakeModel(break_at=6, problem=RuntimeError("the power went")))
    assert bench.results == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("eval")]
    [records] = bench.data_dir.glob("eval/runs/*/records.jsonl")
    done = [json.loads(line)["query_id"] for line in records.read_text().splitlines()]
    assert 0 < len(done) < 6

    finished = bench.run(lakes, "agent")

    assert sorted([*done, *bench.model.asked]) == IDS
    assert figures(finished) == whole


def test_a_line_that_was_cut_off_is_asked_again(bench: Bench, lakes: Path, whole: dict[str, Any]) -> None:
    finished = bench.run(lakes, "agent")
    records = finished.folder / "records.jsonl"
    records.write_bytes(records.read_bytes()[:-100])

    again = bench.run(lakes, "agent")

    assert bench.model.asked == ["q6"]
    assert figures(again) == whole


def test_a_whole_run_is_only_scored_again(bench: Bench, lakes: Path) -> None:
    first = bench.run(lakes, "agent")
    second = bench.run(lakes, "agent")

    assert (bench.model.seen, bench.told) == ([], [(0, 0, "")])
    assert figures(second) == figures(first)
    assert second.folder == first.folder


def test_a_stopped_retrieval_goes_on(bench: Bench, lakes: Path) -> None:
    with pytest.raises(Cancelled):
        bench.run(lakes, "lexical", cancelled=lambda: bool(bench.told))
    assert bench.results == []

    assert bench.run(lakes, "lexical").result.questions == 6


def test_a_stopped_indexing_goes_on(bench: Bench, lakes: Path) -> None:
    with pytest.raises(Cancelled):
        bench.run(lakes, "lexical", cancelled=lambda: True)
    assert not list(bench.data_dir.glob("eval/**/ingested.json"))

    assert bench.run(lakes, "lexical").result.documents == 6


def test_failed_questions_are_told_and_asked_again(bench: Bench, lakes: Path, whole: dict[str, Any]) -> None:
    finished = bench.run(lakes, "agent", model=LakeModel(break_at=FIFTH, problem=ModelError("overloaded")))

    failed = [one for one in finished.result.scored if one.status == "failed"]
    assert [one.query_id for one in failed] == ["q5", "q6"]
    assert [(one.lost, one.values["EM"], one.values["utility@1"]) for one in failed] == [("failed", 0.0, 0.0)] * 2
    assert finished.warnings == (
        "2 questions failed, first: model_error: overloaded; the same command asks them again",
    )

    again = bench.run(lakes, "agent")

    assert bench.model.asked == ["q5", "q6"]
    assert (figures(again), again.warnings) == (whole, ())


def test_no_result_is_left_beside_records_that_are_not_its_own(bench: Bench, lakes: Path) -> None:
    bench.run(lakes, "agent", model=LakeModel(break_at=FIFTH, problem=ModelError("overloaded")))
    with pytest.raises(RuntimeError):
        bench.run(lakes, "agent", model=LakeModel(break_at=1, problem=RuntimeError("the power went")))

    assert bench.results == []


def test_questions_that_fail_alike_stop_the_run(tmp_path: Path, bench: Bench) -> None:
    rows = [{**ROWS[0], "id": f"r{n}"} for n in range(9)]
    folder = a_beir_set(tmp_path / "lakes", rows=rows)

    with pytest.raises(ModelError, match=f"^{ALIKE} questions in a row failed alike: model_error: no memory left$"):
        bench.run(folder, "agent", model=LakeModel(break_at=2, problem=ModelError("no memory left")))

    assert bench.results == []
    finished = bench.run(folder, "agent")
    assert (len(finished.result.scored), len(bench.model.seen)) == (9, 8)  # r0 was answered before


class Answering:
    """Says of each question what `told` says: a failure's reason, or nothing for an answer; implements System."""

    at_once = 1

    def __init__(self, told: Mapping[str, str], *, together: int = 1) -> None:
        self._told = told
        self._barrier = threading.Barrier(together)

    def work_on(self, asked: Sequence[Asked], cancelled: Callable[[], bool]) -> list[Raw]:
        self._barrier.wait(timeout=60)
        [one] = asked
        why = self._told[one.query_id]
        answer = {"status": "failed" if why else "answered", "detail": why, "trace": {"steps": []}}
        return [{"query_id": one.query_id, "answer": answer, "cited_passages": {}}]


def asked_of(path: Path, told: Mapping[str, str], *, workers: int = 1) -> list[str]:
    """Ask all questions at once, and return those that are written."""
    questions = [Asked(query_id=query_id, text="?") for query_id in told]
    with closing(RecordFile(path / "records.jsonl")) as file:
        system = Answering(told, together=workers)
        ask_all(system, questions, file, workers=workers, cancelled=lambda: False, progress=unseen)
        return list(file.raw())


@pytest.mark.parametrize(
    "reasons", [["slow", "slow", "slow", "slow", "", "slow", "slow"], ["slow", "late", "slow", "slow", "slow", "slow"]]
)
def test_failures_that_are_not_alike_or_not_in_a_row_stop_nothing(tmp_path: Path, reasons: list[str]) -> None:
    told = {f"q{n}": why for n, why in enumerate(reasons)}

    assert asked_of(tmp_path, told) == list(told)


def test_as_many_questions_are_asked_at_once_as_there_are_workers(tmp_path: Path) -> None:
    told = {f"q{n}": "" for n in range(6)}

    assert sorted(asked_of(tmp_path, told, workers=3)) == list(told)  # each waits for two others


def test_questions_that_cannot_be_asked_fail_alone(tmp_path: Path, bench: Bench) -> None:
    long = [{**ROWS[0], "id": f"long{n}", "text": "Who mapped it? " * 200} for n in range(ALIKE + 1)]
    folder = a_beir_set(tmp_path / "lakes", rows=[*long, *ROWS])

    finished = bench.run(folder, "fixed")

    assert bench.model.asked == IDS
    statuses = {one.query_id: one.status for one in finished.result.scored}
    assert [statuses[f"long{n}"] for n in range(ALIKE + 1)] == ["failed"] * (ALIKE + 1)
    assert finished.warnings[0].startswith("6 questions failed, first: the question has 2999 characters, at most 2000")


def test_another_process_on_the_same_run_is_told(bench: Bench, lakes: Path) -> None:
    folder = bench.run(lakes, "lexical").folder

    with closing(RecordFile(folder / "records.jsonl")), pytest.raises(StorageError, match="another run writes it"):
        bench.run(lakes, "lexical")


def test_systems_of_one_corpus_can_be_measured_at_once(tmp_path: Path, lakes: Path) -> None:
    Bench(tmp_path / "data").run(lakes, "dense")

    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(Bench(tmp_path / "data").run, lakes, system) for system in ("hybrid", "fixed", "agent")]

    assert [run.result().result.questions for run in runs] == [6, 6, 6]


@pytest.mark.parametrize("system", ["lexical", "agent"])
def test_workers_change_nothing_but_the_time(tmp_path: Path, lakes: Path, system: str) -> None:
    alone = Bench(tmp_path / "alone").run(lakes, system)
    together = Bench(tmp_path / "together").run(lakes, system, workers=3)

    assert figures(together) == figures(alone)


# What names a run.


def test_runs_of_other_choices_lie_apart(bench: Bench, lakes: Path) -> None:
    options: list[dict[str, Any]] = [{}, {"limit": 2}, {"sample": 2}, {"seed": 1}, {"limit": 100}]
    runs = [bench.run(lakes, "lexical", **given) for given in options]

    assert len({run.folder for run in runs}) == len(options)
    assert all(run.folder.name.startswith("lakes-lexical-") for run in runs)
    assert [run.result.questions for run in runs] == [6, 2, 2, 6, 6]
    assert runs[2].result.sample == 2
    assert runs[4].result.metrics == runs[0].result.metrics


def with_model(folder: Path, model: Path) -> Settings:
    settings = settings_in(folder)
    models = settings.models.model_copy(
        update={"generator": Component(name="llama_cpp", options={"model": str(model)})}
    )
    return settings.model_copy(update={"models": models})


def test_a_run_is_named_by_what_its_records_depend_on(tmp_path: Path, bench: Bench, lakes: Path) -> None:
    model = tmp_path / "model.gguf"
    model.write_bytes(b"weights")
    first = bench.run(lakes, "fixed", settings=with_model(bench.data_dir, model))
    model.write_bytes(b"other weights")
    second = bench.run(lakes, "fixed", settings=with_model(bench.data_dir, model))

    assert len(bench.model.asked) == 6
    assert second.folder != first.folder
    assert second.result.digests["generator"] != first.result.digests["generator"]
    assert second.result.digests["settings"] == first.result.digests["settings"]
    assert first.result.digests.keys() == {"dataset", "settings", "code", "generator", "embedder", "metrics"}


def test_a_result_says_how_it_was_made(bench: Bench, lakes: Path) -> None:
    finished = bench.run(lakes, "agent", seed=4)

    result = read_result(finished.folder / "result.json")
    assert (result.dataset, result.command, result.seed) == ("lakes", "gnomon eval run", 4)
    assert result.settings["models"]["embedder"]["name"] == "hashing_embedder"
    assert not {"data_dir", "server"} & result.settings.keys()
    lines = (finished.folder / "records.jsonl").read_text().splitlines()
    for one in result.scored:
        name, line = one.trace.split(":")
        assert (name, json.loads(lines[int(line) - 1])["query_id"]) == ("records.jsonl", one.query_id)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "no such result; the run is not finished"),
        ("{", "no result of 'gnomon eval run': its JSON: Invalid JSON"),
        ("{}", "no result of 'gnomon eval run': dataset: Field required"),
    ],
)
def test_what_is_no_result_is_told(tmp_path: Path, content: str | None, told: str) -> None:
    if content is not None:
        (tmp_path / "result.json").write_text(content)

    with pytest.raises(InvalidDataset, match=told):
        read_result(tmp_path)


def test_a_result_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "result.json").mkdir()

    with pytest.raises(InvalidDataset, match=r"result.json: cannot be read \(Is a directory\); check the path"):
        read_result(tmp_path)


def test_a_result_of_another_format_is_refused(bench: Bench, lakes: Path) -> None:
    path = bench.run(lakes, "lexical").folder / "result.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))

    with pytest.raises(InvalidDataset, match=r"result.json: no result of 'gnomon eval run': format: Input should be 1"):
        read_result(path)
