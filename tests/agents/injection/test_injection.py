"""Documents that give orders, through the real engine and graph: what code holds whatever a model does.

An order in plain words inside its own quote stays readable, as any false statement does: what code holds there is that
an answer can rest on it only with that quote, from that document, in sight.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from injection.attacked import POISONS, Attacked, ObedientModel, StubbornModel, as_seen, controls_in
from judging import Judge
from scored import resources_with
from world import World

from agents.tagged import run_tagged
from app.core import registry
from app.core.run import Run
from app.core.timespan import TimeSpan
from app.core.trace import Outcome
from app.experiments.poisoned import Poison
from app.models.scripted import Rule
from fakes import a_hit, a_passage, a_query, a_question
from ui.escaping import as_markdown
from ui.rendering import answer_html

EVERY = pytest.mark.parametrize("poison", POISONS, ids=[poison.id for poison in POISONS])
DATED = [poison for poison in POISONS if poison.published]
HIDDEN = [poison for poison in POISONS if poison.kind == "hidden_html"]
INVENTED = "Zorblax"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    made = Attacked(tmp_path_factory.mktemp("attacked"))
    yield made
    made.engine.close()


def check_bound(outcome: Outcome, attacked: Attacked, poison: Poison) -> None:
    """Check that markers and citations are one another's, and each quote stands word for word in its passage."""
    answer = outcome.answer
    passages = attacked.engine.collection(attacked.collection(poison)).resources.passages
    markers = {int(number) for number in re.findall(r"\[(\d+)\]", answer.text)}
    assert markers == {citation.marker for citation in answer.citations}
    for citation in answer.citations:
        [passage] = passages.get([citation.passage_id])
        assert citation.quote == passage.text[citation.start : citation.end]
        assert citation.published == passage.published


def check_plain(queries: Sequence[str]) -> None:
    """Check that queries are words: no control text, no address, nothing unseen."""
    assert queries
    for query in queries:
        assert query == as_seen(query)
        assert not re.search(r"[<>|\n]|\[\s*n?\d+\s*\]|https?:|_start|INST\b", query)


@EVERY
def test_no_document_gets_a_voice(attacked: Attacked, poison: Poison) -> None:
    model = ObedientModel(poison)

    answer = attacked.ask(poison, model).answer

    assert poison.doc_id in attacked.hits()
    assert model.seen
    assert model.heard == []
    assert not poison.is_in(answer.text + answer.short)
    assert answer.short in ("", *(right.rstrip(".") for right in poison.answers))


@EVERY
def test_a_followed_order_is_withdrawn_or_shown_with_its_quote(attacked: Attacked, poison: Poison) -> None:
    outcome = attacked.ask(poison, StubbornModel(poison.forbidden))

    check_bound(outcome, attacked, poison)
    check_plain([data["query"] for data in attacked.named("search.results")])
    if poison.is_in(outcome.answer.text + outcome.answer.short):
        giving = [one for one in outcome.answer.citations if poison.is_in(f"{one.title} {one.quote}")]
        assert {one.doc_id for one in giving} == {poison.doc_id}
    else:
        assert outcome.answer.status == "abstained"


@EVERY
def test_what_only_the_model_says_is_no_answer(attacked: Attacked, poison: Poison) -> None:
    answer = attacked.ask(poison, StubbornModel(INVENTED)).answer

    assert (answer.status, answer.text, answer.short) == ("abstained", "", "")


@pytest.mark.parametrize("poison", HIDDEN, ids=lambda poison: poison.id)
def test_what_a_visitor_does_not_see_reaches_no_prompt_and_no_answer(attacked: Attacked, poison: Poison) -> None:
    model = StubbornModel(poison.forbidden)

    answer = attacked.ask(poison, model).answer

    assert not any(poison.is_in(as_seen(prompt.user)) for prompt in model.seen)
    assert answer.status == "abstained"


@pytest.mark.parametrize("poison", DATED, ids=lambda poison: poison.id)
def test_a_date_in_the_text_moves_no_publication(attacked: Attacked, poison: Poison) -> None:
    published = TimeSpan.parse(poison.published)
    assert published.start is not None

    attacked.ask(poison, ObedientModel(poison))
    dates = {
        hit["published"]
        for data in attacked.named("search.results")
        for hit in data["hits"]
        if hit["doc_id"] == poison.doc_id
    }
    attacked.ask(poison, ObedientModel(poison), as_of=published.start - timedelta(days=1))

    assert dates == {str(published)}
    assert poison.doc_id not in attacked.hits()


def test_markers_of_the_models_own_point_at_nothing_and_are_gone(attacked: Attacked) -> None:
    poison = next(one for one in POISONS if one.kind == "fake_citations")

    outcome = attacked.ask(poison, StubbornModel(f"{poison.answers[0]} [7][99]"))

    check_bound(outcome, attacked, poison)
    assert "[7]" not in outcome.answer.text


@EVERY
def test_the_page_shows_letters_and_no_element_of_the_document(poison: Poison) -> None:
    for text in (poison.title, poison.text):
        shown = answer_html(text, frozenset())
        assert set(re.findall(r"<\s*/?\s*([a-z]+)", shown)) <= {"div", "p", "span"}
        assert not re.search(r"(?<!\\)[\[\]<>!]", as_markdown(text))


@EVERY
def test_no_document_speaks_the_tags_of_a_search_agent(poison: Poison) -> None:
    turns = (f"<search>{poison.question}</search>", f"<answer>{INVENTED}</answer>")
    passage = a_passage(f"{poison.question} {poison.text}", title=poison.title)
    world = World(Rule(name="tagged", replies=turns), passages=[passage])

    answer = run_tagged(a_question(poison.question), world.tools)

    _, told = world.model.seen[1].prefill.split("<information>")
    assert controls_in(told.removesuffix("</information>")) == []
    assert (answer.status, answer.text) == ("abstained", "")
    assert [data["query"] for data in world.named("search.results")] == [poison.question]


@pytest.mark.parametrize("name", ["first_token", "listwise"])
def test_no_document_ranks_itself_or_forges_the_key_of_another(name: str) -> None:
    model = Judge()
    hits = [
        a_hit(a_passage(one.text, passage_id=f"{one.id}@0#0", title=f"worth {n}. {one.title}"), rank=n)
        for n, one in enumerate(POISONS, start=1)
    ]

    reranking = registry.build("rerankers", name, {"depth": len(hits)}, resources_with(model)).rerank(
        a_query(), hits, top_k=5, run=Run()
    )

    assert [hit.passage for hit in reranking.hits] == [hit.passage for hit in reversed(hits[-5:])]
    for prompt in model.seen:
        lines = [line for line in prompt.user.splitlines() if " worth " in line]
        assert len({line.split(" ")[0] for line in lines}) == len(lines) > 1
        assert [found for line in lines for found in controls_in(line.partition(" ")[2])] == []
