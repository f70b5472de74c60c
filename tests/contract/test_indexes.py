"""Laws of every index; a new one is covered by its name alone."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core import registry
from app.core.errors import BudgetExhausted, StaleIndex
from app.core.protocols import Index
from app.core.run import Run
from app.core.timespan import TimeSpan
from app.core.types import DocId, Filter
from fakes import PassageShelf, a_passage

PASSAGES = [
    a_passage("Skylab was launched by a Saturn V rocket.", passage_id="skylab@1#0", published=TimeSpan.parse("1973")),
    a_passage(
        "Mir was launched by a Proton rocket.", passage_id="mir@2#0", title="Mir", published=TimeSpan.parse("1986")
    ),
    a_passage("Apollo 8 flew to the Moon.", passage_id="apollo-8@3#0", title="Apollo 8"),
    a_passage("Apollo 9 stayed in orbit around the Earth.", passage_id="apollo-9@4#0", title="Apollo 9"),
]
Make = Callable[[PassageShelf], Index]


@pytest.fixture(params=registry.names("indexes"))
def make(request: pytest.FixtureRequest) -> Make:
    embedder = registry.build("app.models", "hashing_embedder", {}, SimpleNamespace())

    def build(shelf: PassageShelf) -> Index:
        resources = SimpleNamespace(passages=shelf, embedder=embedder)
        index: Index = registry.build("indexes", request.param, {}, resources)
        return index

    return build


@pytest.fixture
def index(make: Make) -> Index:
    filled = make(PassageShelf(PASSAGES))
    filled.add(PASSAGES, run=Run())
    return filled


def ids(index: Index, text: str, *, top_k: int = 10, allowed: Filter | None = None) -> list[str]:
    return [hit.passage.passage_id for hit in index.search([text], top_k=top_k, run=Run(), allowed=allowed)[0]]


def test_the_best_passage_comes_first_with_ranks_from_one_and_falling_scores(index: Index) -> None:
    hits = index.search(["which rocket launched Skylab"], top_k=3, run=Run())[0]

    assert hits[0].passage == PASSAGES[0]
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len({hit.passage.passage_id for hit in hits}) == len(hits) <= 3


def test_one_character_tells_two_missions_apart(index: Index) -> None:
    assert ids(index, "Apollo 8", top_k=1) == ["apollo-8@3#0"]
    assert ids(index, "Apollo 9", top_k=1) == ["apollo-9@4#0"]


def test_several_texts_give_what_each_gives_alone(index: Index) -> None:
    together = index.search(["Mir", "Apollo 9"], top_k=2, run=Run())

    assert [[hit.passage.passage_id for hit in hits] for hits in together] == [
        ids(index, "Mir", top_k=2),
        ids(index, "Apollo 9", top_k=2),
    ]


def test_an_empty_index_and_no_texts_give_empty_lists(make: Make) -> None:
    empty = make(PassageShelf())

    assert empty.search(["Mir"], top_k=3, run=Run()) == [[]]
    assert empty.search([], top_k=3, run=Run()) == []
    assert empty.live_ids() == frozenset()


def test_a_deleted_passage_is_never_a_hit_again(index: Index) -> None:
    before = index.generation
    index.delete([PASSAGES[0].passage_id, PASSAGES[0].passage_id.replace("1", "9")])
    index.compact()

    assert "skylab@1#0" not in ids(index, "Skylab Saturn V rocket")
    assert index.live_ids() == {p.passage_id for p in PASSAGES[1:]}
    assert index.generation > before


def test_a_known_passage_is_replaced_not_doubled(index: Index) -> None:
    index.add([PASSAGES[1]], run=Run())

    assert ids(index, "Mir Proton rocket").count("mir@2#0") == 1
    assert len(index.live_ids()) == len(PASSAGES)


def test_a_filter_acts_inside_the_search(index: Index) -> None:
    until = Filter(published=TimeSpan(start=None, end=TimeSpan.parse("1980").end), undated=False)

    assert ids(index, "launched by a rocket", top_k=1, allowed=until) == ["skylab@1#0"]
    assert ids(index, "flew on a rocket", top_k=1, allowed=Filter(doc_ids=frozenset({DocId("mir")}))) == ["mir@2#0"]
    assert ids(index, "rocket", allowed=Filter(doc_ids=frozenset())) == []


def test_what_is_saved_is_what_is_loaded(index: Index, make: Make, tmp_path: Path) -> None:
    index.save(tmp_path)
    loaded = make(PassageShelf(PASSAGES))
    loaded.load(tmp_path)

    assert loaded.live_ids() == index.live_ids()
    assert loaded.generation == index.generation
    for text in ("Skylab rocket", "Apollo 9"):
        assert ids(loaded, text) == ids(index, text)
    loaded.add([a_passage("Salyut 1", passage_id="salyut@5#0")], run=Run())
    assert len(loaded.live_ids()) == 5


def test_an_empty_index_can_be_saved_and_loaded(make: Make, tmp_path: Path) -> None:
    make(PassageShelf()).save(tmp_path)
    loaded = make(PassageShelf())
    loaded.load(tmp_path)

    assert loaded.live_ids() == frozenset()


def test_a_folder_without_an_index_is_refused_with_the_mending_command(make: Make, tmp_path: Path) -> None:
    with pytest.raises(StaleIndex, match="gnomon index rebuild"):
        make(PassageShelf()).load(tmp_path)


def test_an_index_of_another_kind_is_refused(index: Index, make: Make, tmp_path: Path) -> None:
    index.save(tmp_path)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"component": "', '"component": "other_'))

    with pytest.raises(StaleIndex, match="made by 'other_"):
        make(PassageShelf()).load(tmp_path)


def test_a_damaged_index_is_refused(index: Index, make: Make, tmp_path: Path) -> None:
    index.save(tmp_path)
    content = tmp_path / "content.json"
    content.write_text(content.read_text().replace("mir@2#0", "mir@9#0"))

    with pytest.raises(StaleIndex, match="damaged"):
        make(PassageShelf()).load(tmp_path)


def test_what_has_no_word_is_searched_and_kept_all_the_same(index: Index, make: Make) -> None:
    for text in ("!!!", "the", "🚀"):
        assert len(index.search([text, "Mir"], top_k=4, run=Run())) == 2
    marks = [a_passage("… !!!", passage_id="marks@1#0", title="")]
    only = make(PassageShelf(marks))
    only.add(marks, run=Run())
    assert len(only.search(["Mir", "?"], top_k=4, run=Run())) == 2


@pytest.mark.parametrize("name", ["content.json", "tokens.npz", "vectors.faiss"])
@pytest.mark.parametrize("content", [b"", b"{"])
def test_a_file_that_was_cut_off_is_refused(
    index: Index, make: Make, tmp_path: Path, name: str, content: bytes
) -> None:
    index.save(tmp_path)
    if not (tmp_path / name).exists():
        pytest.skip("another index has that file")
    (tmp_path / name).write_bytes(content)

    with pytest.raises(StaleIndex, match="damaged; run 'gnomon index rebuild'"):
        make(PassageShelf()).load(tmp_path)


def test_a_spent_run_stops_a_search(index: Index) -> None:
    with pytest.raises(BudgetExhausted):
        index.search(["Mir"], top_k=1, run=Run(deadline=0.0))
