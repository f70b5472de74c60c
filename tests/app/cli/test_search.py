import json
from pathlib import Path
from typing import Any

from served import COLLECTION


def test_hits_are_listed_with_title_date_and_text(gnomon: Any) -> None:
    ran = gnomon("search", "Armstrong", "-c", COLLECTION)
    assert ran.code == 0
    assert "1   Apollo 11 · Overview · 1969-07-24 · apollo-11@11111111#0" in ran.out
    assert "Neil Armstrong commanded the mission." in ran.out


def test_markup_in_a_document_is_shown_as_it_is_written(gnomon: Any) -> None:
    out = gnomon("search", "hot", "-c", COLLECTION).out
    assert "<script>alert(1)</script> [notes](http://evil.invalid)" in out
    assert ":red[hot]" in " ".join(out.split())


def test_explain_tells_every_stage(gnomon: Any) -> None:
    assert "lexical #1 (1)" in gnomon("search", "Armstrong", "-c", COLLECTION, "--explain").out


def test_json_holds_the_passages_as_the_rest_search_does(gnomon: Any) -> None:
    body = json.loads(gnomon("search", "NASA", "-c", COLLECTION, "--json", "-k", "1").out)
    assert (body["query"], body["collection"], len(body["hits"])) == ("NASA", COLLECTION, 1)
    hit = body["hits"][0]
    assert (hit["rank"], hit["source"], hit["passage"]["doc_id"]) == (1, "lexical", "agency-heads")


def test_what_was_published_later_is_left_out(gnomon: Any) -> None:
    assert "Administrators" not in gnomon("search", "NASA", "-c", COLLECTION, "--as-of", "1972").out
    assert "Administrators" in gnomon("search", "NASA", "-c", COLLECTION, "--as-of", "1973").out


def test_no_hit_is_a_note_and_no_failure(gnomon: Any) -> None:
    ran = gnomon("search", "zeppelin", "-c", COLLECTION)
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("no passage matches")


def test_a_search_that_its_reranker_could_not_order_says_so(gnomon: Any, engines: Any) -> None:
    ran = gnomon("search", "Armstrong", "-c", COLLECTION, "--reranker", "likelihood")
    assert (ran.code, engines.opened[-1].rerankers) == (0, ["likelihood"])
    assert "reranking degraded (budget)" in ran.err
    body = json.loads(gnomon("search", "Armstrong", "-c", COLLECTION, "--reranker", "likelihood", "--json").out)
    assert body["degraded"]["reason"] == "budget"


def test_the_time_that_a_query_asks_for_is_told_and_moves_the_hits(real: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The head of the club in 1969 was Ada.")
    (tmp_path / "b.txt").write_text("The head of the club in 2005 was Bob.")
    real("ingest", tmp_path / "a.txt", tmp_path / "b.txt")

    ran = real("search", "head of the club", "--from", "2004", "--to", "2006", "--explain")

    assert "time: between 2004–2006, as you set it" in ran.err
    assert "temporal #1" in ran.out
    assert ran.out.index("Bob") < ran.out.index("Ada")
    body = json.loads(real("search", "head of the club in 1969", "--json").out)
    assert (body["time"]["surface"], body["hits"][0]["passage"]["doc_id"]) == ("in 1969", "a.txt")
    assert json.loads(real("search", "head of the club in 1969", "--no-time", "--json").out)["time"] is None
