import re
from typing import Any

import lxml.html
import pytest
from evaluated import a_cost, a_result, a_scored, an_estimate

from app.evaluation.lost import LOSSES
from app.experiments.legend import FAMILIES
from app.experiments.report import html, markdown
from app.experiments.results import Estimate, Result

METRICS = (
    "nDCG@10 R@10 R@100 full@10 RR AP P@5 EM F1 temporal_accuracy wrong_time citation_precision citation_recall quoted "
    "figures_supported refusal_precision refusal_recall refusal_F1 abstained_answerable answered_unanswerable AURC "
    "utility@0 utility@1 utility@20 search_score knowledge_sufficiency good_refusal_F1 knowledge_utilisation_F1"
).split()

EVIL = "<script>alert('1')</script>"


def a_lexical(**given: Any) -> Result:
    """A result of a system that only retrieves."""
    scored = [a_scored("q1", values={"nDCG@10": 0.65, "full@10": 1.0}, answer="", status="")]
    figures = {"nDCG@10": Estimate(value=0.65, low=0.601, high=0.699, n=200), "full@10": an_estimate(0.4)}
    return a_result(scored, **{"system": "lexical", "metrics": figures} | given)


def an_agent(**given: Any) -> Result:
    """A result of a system that reranks and answers, one question wrongly."""
    wrong = a_scored("q2", values={"EM": 0.0, "F1": 0.2}, answer="a lake", lost="not_noted")
    figures = {
        "nDCG@10/first_stage": an_estimate(0.6),
        "nDCG@10": an_estimate(0.7),
        "full@10": an_estimate(0.5),
        "R@10": an_estimate(0.6),
        "EM": an_estimate(0.5),
        "F1": an_estimate(0.6),
        "answered_unanswerable": an_estimate(0.25),
    }
    hops = {value: {metric: figures[metric] for metric in ("R@10", "full@10", "EM")} for value in ("10", "2")}
    fields: dict[str, Any] = {
        "reranker": "pairs",
        "metrics": figures,
        "groups": {"hops": hops},
        "lost": {"not_noted": 1},
        "curve": [(0.5, 0.0), (1.0, 0.5)],
        "excluded": {"no gold answer": 3},
    }
    return a_result([a_scored("q1"), wrong], **fields | given)


def rows(text: str, title: str) -> list[list[str]]:
    """Return the cells of the Markdown table under a heading, its columns first."""
    part = text.partition(f"\n### {title}\n")[2].partition("\n#")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in [lines[0], *lines[2:]]]


def words(page: str) -> str:
    return " ".join(lxml.html.fromstring(page).text_content().split())


def test_a_figure_stands_with_its_interval_in_a_row_of_its_system() -> None:
    table = rows(markdown([a_lexical(), an_agent()]), "At a glance")

    assert table[0] == [
        "system",
        "questions",
        "nDCG@10",
        "full@10",
        "EM",
        "F1",
        "seconds a question",
        "tokens a question",
    ]
    assert table[1] == ["lexical", "1", "0.650 [0.601, 0.699]", "0.400 [0.350, 0.450]", "–", "–", "2.0", "100"]
    assert [row[0] for row in table[1:]] == ["lexical", "agent + pairs"]


def test_a_reranked_system_has_its_first_stage_in_a_row_below() -> None:
    table = rows(markdown([an_agent()]), "Finding")

    assert [row[:3] for row in table[1:]] == [
        ["agent + pairs", "4", "0.700 [0.650, 0.750]"],
        ["agent + pairs, before reranking", "4", "0.600 [0.550, 0.650]"],
    ]


def test_a_family_of_which_no_system_has_a_figure_is_left_out() -> None:
    text = markdown([a_lexical()])

    assert "### Finding" in text
    for title in ("Answering", "Citing", "Abstaining", "Where answers were lost", "Left out of figures", "By hops"):
        assert f"### {title}" not in text


def test_a_figure_without_questions_is_a_dash() -> None:
    both = {"EM": an_estimate(0.5), "F1": an_estimate(None)}

    (row,) = rows(markdown([an_agent(metrics=both)]), "Answering")[1:]

    assert row == ["agent + pairs", "4", "0.500 [0.450, 0.550]"]


def test_the_count_tells_the_least_and_the_most_questions_of_a_row() -> None:
    figures = {"EM": an_estimate(0.5, n=1200), "temporal_accuracy": an_estimate(0.5, n=40)}

    assert rows(markdown([an_agent(metrics=figures)]), "Answering")[1][1] == "40–1,200"


def test_groups_are_in_the_order_of_their_numbers() -> None:
    table = rows(markdown([an_agent()]), "By hops")

    assert table[0] == ["hops", "system", "n", "full@10", "EM"]
    assert [row[:2] for row in table[1:]] == [["2", "agent + pairs"], ["10", "agent + pairs"]]


def test_a_group_of_unanswerable_questions_tells_how_many_were_answered() -> None:
    groups = {"type": {"bridge": {"EM": an_estimate(0.5)}, "null": {"answered_unanswerable": an_estimate(0.25)}}}

    table = rows(markdown([an_agent(groups=groups)]), "By type")

    assert table[0] == ["type", "system", "n", "EM", "answered_unanswerable"]
    assert table[2] == ["null", "agent + pairs", "4", "–", "0.250 [0.200, 0.300]"]


def test_losses_exclusions_and_cost_are_told_by_system() -> None:
    text = markdown([a_lexical(), an_agent(cost=a_cost(questions=2, seconds=12.34, tokens=8100))])

    assert rows(text, "Where answers were lost") == [
        ["lost", "meaning", "agent + pairs"],
        ["not noted", LOSSES["not_noted"], "1"],
    ]
    assert rows(text, "Left out of figures") == [["questions with", "agent + pairs"], ["no gold answer", "3"]]
    assert rows(text, "Cost")[2][:4] == ["agent + pairs", "12.3", "9.9", "24.7"]
    assert rows(text, "Seconds by stage")[0] == ["system", "retrieve"]


def test_the_summary_says_who_was_best_and_whether_the_intervals_overlap() -> None:
    near, far = (
        a_lexical(metrics={"nDCG@10": Estimate(value=value, low=value - 0.1, high=value + 0.1, n=9)})
        for value in (0.68, 0.2)
    )

    said = "Best at finding was agent + pairs, with an nDCG@10 of 0.700 [0.650, 0.750]; next came lexical with "
    assert f"{said}0.680 [0.580, 0.780], and the two intervals overlap. It had every" in markdown([near, an_agent()])
    assert f"{said}0.200 [0.100, 0.300]. It had every relevant document among its first ten for 50% [45% to 55%]" in (
        markdown([far, an_agent()])
    )


def test_lists_of_candidates_have_no_corpus_to_tell_of() -> None:
    assert "lakes: candidates was asked 1 question. " in markdown([a_lexical(system="candidates", documents=0)])


def test_the_summary_of_one_system_compares_it_with_none() -> None:
    text = markdown([an_agent(lost={"not_noted": 4, "failed": 1})])

    assert "lakes: agent + pairs was asked 2 questions on 1,234 documents. agent + pairs reached" in text
    assert "next came" not in text
    assert "Reranking took the nDCG@10 of agent + pairs from 0.600 to 0.700." in text
    assert "Of the questions without an answer it answered 25% [20% to 30%]." in text
    assert f"It got 5 questions wrong, 4 of them for the commonest reason: {LOSSES['not_noted']}." in text
    assert "A question took 2.0 s and 100 tokens on average." in text


def test_results_of_other_data_or_metrics_never_share_a_table() -> None:
    digests = {"dataset": "e" * 64, "metrics": "1"}
    text = markdown([a_lexical(), a_lexical(digests=digests), a_lexical(relevant_from=2), a_lexical(dataset="seas")])

    assert re.findall(r"^## (.*)$", text, re.MULTILINE)[:-1] == [
        "lakes (dddddddd, metrics 1, grade 1)",
        "lakes (eeeeeeee, metrics 1, grade 1)",
        "lakes (dddddddd, metrics 1, grade 2)",
        "seas",
    ]


def test_systems_of_one_name_are_numbered() -> None:
    table = rows(markdown([a_lexical(), a_lexical(), a_lexical()]), "At a glance")

    assert [row[0] for row in table[1:]] == ["lexical", "lexical #2", "lexical #3"]


@pytest.mark.parametrize("write", [markdown, html])
def test_systems_that_were_asked_other_questions_come_with_a_warning(write: Any) -> None:
    assert "not all asked the same questions" in write([a_lexical(), an_agent()])
    assert "not all asked the same questions" not in write([a_lexical(), a_lexical()])


def test_how_it_was_made_is_told_with_what_is_needed_to_make_it_again() -> None:
    text = markdown([a_lexical(limit=50)])

    assert "lexical: gnomon eval run lakes --system agent (made 2026-01-15" in text
    assert "seed 7; limit 50; metrics version 1; dataset digest dddddddddddd;" in text
    assert "sample" not in text


def test_every_figure_is_explained_once_and_only_those_there_are_shown() -> None:
    assert [metric for family in FAMILIES for metric in family.metrics] == METRICS
    assert set(re.findall(r"^- `(.*?)`", markdown([a_lexical()]), re.MULTILINE)) == {"nDCG@10", "full@10"}


def test_a_name_cannot_break_a_markdown_table_or_bring_markup() -> None:
    text = markdown([a_lexical(system="a|b\n# <b>`c`* [d](e)")])

    assert "| a\\|b # \\<b>\\`c\\`\\* [d\\](e) | 1 |" in text


def test_text_of_others_is_shown_on_the_page_and_never_run() -> None:
    wrong = a_scored("q", text=EVIL, golds=[EVIL], answer=EVIL, lost="answer_wrong", values={"EM": 0.0})
    evil = a_result([wrong], dataset=EVIL, system=EVIL, command=EVIL, metrics=an_agent().metrics, curve=[(1.0, 0.5)])
    page = html([evil, an_agent(dataset=EVIL, reranker="$x$")])

    assert "<script" not in page
    (row,) = lxml.html.fromstring(page).xpath("//details[starts-with(summary, '<script>')][.//td]//tbody/tr")
    assert [cell.text_content() for cell in row] == [EVIL, EVIL, EVIL, "answer wrong"]


def test_every_wrong_question_is_listed_with_where_it_was_lost() -> None:
    silent = a_scored("q3", status="abstained", answer="", golds=["Como", "Lake Como"], lost="wrongly_abstained")
    rash = a_scored("q4", answer="Garda", golds=[], lost="wrongly_answered", values={"EM": None})
    page = lxml.html.fromstring(html([an_agent(scored=[a_scored("q1"), silent, rash])]))

    listed = page.xpath("//details[.//th[.='where lost']]")
    assert [one.find("summary").text_content() for one in listed] == ["agent + pairs: 2 wrong"]
    assert [[cell.text_content() for cell in row] for row in listed[0].xpath(".//tbody/tr")] == [
        ["What is q3?", "Como / Lake Como", "(abstained)", "wrongly abstained"],
        ["What is q4?", "(has no answer)", "Garda", "wrongly answered"],
    ]


def test_the_page_needs_nothing_from_outside() -> None:
    page = html([a_lexical(), an_agent()])

    assert not re.findall(r"""(?:src|href)=["'](?!#)[^"']*""", page)
    assert not re.findall(r"url\((?!#)|@import", page)
    assert "default-src 'none'" in page


def test_ids_on_the_page_are_unique_and_references_are_met() -> None:
    page = html([a_lexical(), an_agent(), a_lexical(dataset="seas"), an_agent(dataset="seas")])

    ids = re.findall(r'\bid="([^"]+)"', page)
    used = re.findall(r'(?:url\(#|href="#)([^")]+)', page)
    assert len(ids) == len(set(ids))
    assert used
    assert set(used) <= set(ids)


def test_the_same_results_make_the_same_page() -> None:
    assert html([a_lexical(), an_agent()]) == html([a_lexical(), an_agent()])


def test_page_and_markdown_say_the_same_figures() -> None:
    results = [a_lexical(), an_agent()]
    figures = re.findall(r"\d\.\d{3}", markdown(results))

    assert figures
    assert set(figures) <= set(re.findall(r"\d\.\d{3}", words(html(results))))
