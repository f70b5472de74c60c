from typing import Any

import pytest
from served import COLLECTION, TEXTS, FakeEngine
from starlette.testclient import TestClient

from app.api.schemas import SearchBody
from app.core import registry


def search(client: TestClient, query: str, **more: Any) -> Any:
    return client.post("/v1/search", json={"query": query, "collection": COLLECTION, **more})


def test_hits_carry_rank_passage_and_the_scores_of_each_stage(client: TestClient) -> None:
    response = search(client, "Armstrong commanded")

    body = SearchBody.model_validate(response.json())
    assert [hit.rank for hit in body.hits] == list(range(1, len(body.hits) + 1))
    best = next(hit for hit in body.hits if hit.passage.doc_id == "apollo-11")
    assert best.passage.text == TEXTS["apollo-11"][2]
    assert best.stages[-1].name == best.source == "lexical"


@pytest.mark.parametrize(
    ("window", "found"),
    [
        ({"published_to": "1969-12-31"}, {"apollo-11"}),
        ({"published_from": "1970-01-01", "published_to": "1975-01-01"}, {"agency-heads"}),
        ({"published_from": "2019-01-01"}, {"hostile"}),
        ({"undated": False}, {"apollo-11", "agency-heads", "hostile"}),
    ],
)
def test_dates_of_publication_limit_the_search(client: TestClient, window: dict[str, Any], found: set[str]) -> None:
    hits = search(client, "NASA Armstrong rules", **window).json()["hits"]

    assert {hit["passage"]["doc_id"] for hit in hits} == found


def test_dates_the_wrong_way_round_are_refused(client: TestClient) -> None:
    response = search(client, "NASA", published_from="2020-01-01", published_to="2019-01-01")

    assert response.status_code == 422
    assert "published_from" in response.json()["detail"]


def test_a_stale_index_is_a_conflict_that_names_the_command(client: TestClient) -> None:
    response = search(client, "stale")

    assert (response.status_code, response.json()["code"]) == (409, "stale_index")
    assert "gnomon index rebuild" in response.json()["detail"]


def test_an_empty_query_is_refused(client: TestClient) -> None:
    assert search(client, " ").json()["code"] == "invalid_question"


def test_an_unknown_collection_is_not_found(client: TestClient) -> None:
    assert search(client, "NASA", collection="none").status_code == 404


def test_a_search_names_its_reranker_and_is_told_what_became_of_it(client: TestClient, engine: FakeEngine) -> None:
    body = search(client, "Armstrong", reranker="likelihood").json()

    assert engine.rerankers == ["likelihood"]
    assert body["degraded"] == {"reason": "budget", "coverage": 0.0}
    assert search(client, "Armstrong").json()["degraded"] is None


def test_the_rerankers_are_listed_with_the_one_in_use(client: TestClient) -> None:
    body = client.get("/v1/rerankers").json()

    assert body == {"rerankers": list(registry.names("rerankers")), "default": "identity"}


def test_a_search_tells_its_time_and_leaves_out_what_was_published_later(client: TestClient) -> None:
    time = {"as_of": "1972-12-31", "from": "1969"}
    body = search(client, "NASA Armstrong in 1973", time=time, published_to="2000-01-01").json()

    assert {hit["passage"]["doc_id"] for hit in body["hits"]} == {"apollo-11"}
    assert (body["time"]["relation"], body["time"]["source"]) == ("since", "user")
    assert search(client, "NASA last year", asked_on="1974-05-06").json()["time"]["span"]["start"] == "1973-01-01"
    assert search(client, "NASA").json()["time"] is None
