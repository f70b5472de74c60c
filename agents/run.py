"""Runs an agent on one question; when the budget ends first, what was found so far is the answer."""

from typing import cast

from agents.fixed import build_fixed
from agents.graph import build_graph
from agents.nodes.conclude import answer_of, tell_answer
from agents.state import State, Tools
from app.core.errors import BudgetExhausted
from app.core.types import Answer, Question

_STRATEGIES = {"graph": build_graph, "fixed": build_fixed}


def run_agent(question: Question, tools: Tools) -> Answer:
    """Return the answer of the strategy that the settings name.

    Raises:
        Cancelled: the caller stopped the work.
        AppError: a model or an index failed.
    """
    graph = _STRATEGIES[tools.agent.strategy]()
    state: State = {"question": question}
    try:
        for values in graph.stream(state, context=tools, stream_mode="values"):
            state = cast("State", values)
    except BudgetExhausted as error:
        answer = answer_of(state, exhausted=str(error))
        if answer.status == "partial":
            tell_answer(answer, tools)
        return answer
    return state["answer"]
