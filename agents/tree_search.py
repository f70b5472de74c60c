"""Answers a question by tree search: several ways are tried, each finished one has a vote, the best so far counts.

A node of the tree (`agents.search`) is a state of the graph, a rollout is one action (`agents.actions`) carried out on
it (`agents.acting`) and valued (`agents.valuing`). What stands in the tree follows from the seed and the replies, not
from the order in which parallel rollouts end.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from langgraph.runtime import Runtime
from numpy.random import Generator

from agents.acting import composed, perform, with_priors
from agents.actions import choices
from agents.nodes.check import check
from agents.nodes.conclude import answer_of, tell_answer
from agents.nodes.understand import understand
from agents.remembering import Memory, RememberingModel, RememberingReranker, RememberingRetriever
from agents.search.ab_mcts import AbMcts
from agents.search.beam import Beam
from agents.search.best_first import BestFirst
from agents.search.best_of_n import BestOfN
from agents.search.nodes import Choice, Outcome, Trial
from agents.search.play_out import PlayOut
from agents.search.puct import Puct
from agents.search.rewards import Weights
from agents.search.selection import Leaf, Vote, is_decided, weighted_vote
from agents.search.tree import ROOT, Policy, Tree, ask, expire, new_tree, tell
from agents.search.uct import Uct
from agents.state import State, Tools, merged
from agents.tree_report import Reached, row_of, rows_of
from agents.valuing import adds_evidence, answer_key, digest_of, is_finished, value_of
from app.core.errors import AppError, BudgetExhausted, Cancelled
from app.core.events import EventName
from app.core.settings import Tree as TreeSettings
from app.core.trace import Step
from app.core.types import Answer, Question

_WEIGHTS = Weights(novelty=0.25)  # what was never read before establishes nothing yet


def run_tree(question: Question, tools: Tools) -> Answer:
    """Return the answer that most weight of finished paths speaks for, or why there is none.

    Where the budget or the deadline ends the search, the best answer so far comes back as a partial one.

    Raises:
        Cancelled: the caller stopped the work.
        AppError: every action failed; the first failure.
    """
    state: State = {"question": question}
    try:
        search = _TreeSearch(merged(state, understand(state, Runtime(context=tools))), tools)
    except BudgetExhausted as error:
        return answer_of(state, tools, exhausted=str(error))
    try:
        search.run()
    except BudgetExhausted as error:
        return search.answer(exhausted=str(error))
    return search.answer()


def policy_of(tree: TreeSettings) -> Policy:
    """Return the policy that the settings name; all but the beam finish a path before they choose another."""
    weight = {} if tree.exploration_weight is None else {"exploration_weight": tree.exploration_weight}
    policies: Mapping[str, Policy] = {
        "puct": PlayOut(policy=Puct(**weight)),
        "uct": PlayOut(policy=Uct(**weight)),
        "ab_mcts": PlayOut(policy=AbMcts()),
        "best_first": PlayOut(policy=BestFirst()),
        "beam": Beam(),
        "best_of_n": BestOfN(),
    }
    return policies[tree.policy]


class _Ending:
    """A policy that answers from the most valued state from which none was tried."""

    def select(self, tree: Tree, rng: Generator) -> tuple[int, int] | None:
        """Return that state and its answer, of equal ones that of the lowest id; None where there is none."""
        found = [
            (node.node_id, place)
            for _, node in sorted(tree.nodes.items())
            for place in node.open_choices()
            if node.choices[place].action.kind == "answer" and not node.is_pruned
        ]
        return max(found, key=lambda at: tree.nodes[at[0]].value, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What came of a trial: where it led, or the failure where there is no outcome; `tokens` are those of its path."""

    state: State
    tokens: float
    steps: Sequence[Step]
    outcome: Outcome | None = None
    error: AppError | None = None


class _TreeSearch:
    """One question's tree with what each node has reached."""

    def __init__(self, root: State, tools: Tools) -> None:
        self._settings = tools.tree
        self._tools = tools
        self._memory = Memory()
        self._emitting = threading.Lock()
        self._failures: list[AppError] = []
        self._leaves: list[Leaf] = []
        self._cut_off: AppError | None = None
        self._reached = {ROOT: Reached(state=root)}
        self._tree = new_tree(self._choices(root, 0, tools), seed=tools.run.seed, digest=digest_of(root))

    def run(self) -> None:
        """Grow the tree until its rollouts are used up, nothing is left to try or the answer is decided.

        While no path has ended, the last rollout is kept for an answer.

        Raises:
            BudgetExhausted: calls, tokens or time ran out; what was found stands.
            Cancelled: the caller stopped the work.
        """
        policy, left = policy_of(self._settings), self._settings.rollouts
        under_way: deque[tuple[Trial, Callable[[], _Done]]] = deque()
        with ThreadPoolExecutor(max_workers=self._settings.parallel) as pool:
            while True:
                while len(under_way) < self._settings.parallel:
                    if (trial := self._next(policy, left, len(under_way))) is None:
                        break
                    left -= 1
                    under_way.append((trial, self._begin(trial, pool)))
                if not under_way:
                    break
                trial, done = under_way.popleft()  # the oldest first, however long it takes: so a seed gives one tree
                self._tell(trial, done())
        if self._cut_off:
            raise self._cut_off

    def answer(self, *, exhausted: str = "") -> Answer:
        """Return the answer of the best leaf, else what the best state amounts to; the tree goes into the trace.

        Raises:
            AppError: every action failed.
        """
        vote = weighted_vote(self._leaves)
        self._show(vote)
        if self._failures and len(self._failures) == len(self._tree.nodes) - 1 and not exhausted:
            raise self._failures[0]
        best = self._reached[self._most_valued() if vote.node_id is None else vote.node_id].state
        if vote.node_id is None and exhausted:
            best = composed(best)  # what was established is an answer already, and costs nothing
        best = merged(best, check(best, Runtime(context=self._tools)))
        answer = answer_of(best, self._tools, exhausted=exhausted)
        if len(self._leaves) > 1:  # one alone wins whatever it is worth
            answer = replace(answer, confidence=vote.confidence)
        if answer.text:
            tell_answer(answer, self._tools)
        return answer

    def _choices(self, state: State, depth: int, tools: Tools) -> tuple[Choice, ...]:
        found = choices(state, agent=tools.agent, tree=self._settings, depth=depth)
        if self._settings.priors == "code":
            return found
        return with_priors(found, state, model=self._tools.model, run=tools.run)

    def _next(self, policy: Policy, left: int, under_way: int) -> Trial | None:
        """Return what to try next, None where there is nothing to try now."""
        if not left or self._cut_off or is_decided(self._leaves, remaining=left + under_way):
            return None
        is_kept = left == 1 and not self._leaves
        if is_kept and under_way:
            return None
        trials = (ask(self._tree, _Ending()) if is_kept else []) or ask(self._tree, policy)
        return trials[0] if trials else None

    def _begin(self, trial: Trial, pool: ThreadPoolExecutor) -> Callable[[], _Done]:
        """Return what waits for the trial; one alone is carried out by who waits."""
        parent = self._tree.nodes[trial.parent]
        carry_out = partial(self._carry_out, trial, depth=parent.depth + 1, sample=parent.tries[trial.choice])
        return pool.submit(carry_out).result if self._settings.parallel > 1 else carry_out

    def _carry_out(self, trial: Trial, *, depth: int, sample: int) -> _Done:
        """Return what came of a trial; it runs beside others and changes nothing but the memory."""
        parent = self._reached[trial.parent]
        tools, model = self._branch()
        try:
            state, action = perform(parent.state, trial.action, tools, sample=sample)
            adds, ended = adds_evidence(state, parent.state), is_finished(state)
            outcome = Outcome(
                value=0.0,  # told in order, since it depends on the answers before it
                action=action,
                digest="" if ended else digest_of(state),
                choices=self._choices(state, depth, tools) if adds and not ended else (),
                is_terminal=ended,
                adds_evidence=adds,
                cost=model.tokens,
            )
        except AppError as error:
            return _Done(state=parent.state, tokens=parent.tokens, steps=tools.tracer.steps, error=error)
        return _Done(state=state, tokens=parent.tokens + model.tokens, steps=tools.tracer.steps, outcome=outcome)

    def _branch(self) -> tuple[Tools, RememberingModel]:
        """Return the tools of one trial: books and steps of its own, what was found before shared with all."""
        tools = self._tools
        run = replace(tools.run, ledger=tools.run.ledger.branch())
        model = RememberingModel(tools.model, self._memory)
        branch = replace(
            tools,
            retriever=RememberingRetriever(tools.retriever, self._memory),
            reranker=RememberingReranker(tools.reranker, self._memory),
            model=model,
            run=run,
            tracer=tools.tracer.branch(run, self._emit),
            emit=self._emit,
        )
        return branch, model

    def _emit(self, name: EventName, data: Mapping[str, Any]) -> None:
        """Pass an event on, one at a time; what the checks say is told of the answer alone."""
        if name != "verification":
            with self._emitting:
                self._tools.emit(name, data)

    def _tell(self, trial: Trial, done: _Done) -> None:
        """Add what came of a trial to the tree; one that the end of the run cut off is undone."""
        self._tools.tracer.steps.extend(done.steps)
        if isinstance(done.error, BudgetExhausted | Cancelled):
            expire(self._tree, trial.trial_id)
            self._cut_off = self._cut_off or done.error
        else:
            self._add(trial, done)

    def _add(self, trial: Trial, done: _Done) -> None:
        parent, reward, error = self._reached[trial.parent].state, None, ""
        outcome = Outcome(value=0.0, adds_evidence=False)  # what failed would fail again
        if done.outcome is not None:
            finished = [leaf.answer for leaf in self._leaves]
            reward = value_of(done.state, parent, others=finished, tokens=done.tokens, weights=_WEIGHTS)
            outcome = replace(done.outcome, value=reward.value)
        elif done.error is not None:
            self._failures.append(done.error)
            error = f"{done.error.code}: {done.error}"
        self._reached[trial.trial_id] = Reached(state=done.state, tokens=done.tokens, reward=reward, error=error)
        tell(self._tree, trial.trial_id, outcome)
        if (draft := done.state.get("draft")) and outcome.is_terminal and outcome.adds_evidence:
            # a leaf's state holds all that its path found, so its value is the path's
            self._leaves.append(Leaf(node_id=trial.trial_id, answer=answer_key(draft), weight=outcome.value))
        self._tools.emit("tree.node", row_of(self._tree, self._reached, trial.trial_id))

    def _most_valued(self) -> int:
        """Return the node of the highest value, of equal ones the last."""
        return max(sorted(self._reached), key=lambda node_id: (self._tree.nodes[node_id].value, node_id))

    def _show(self, vote: Vote) -> None:
        with self._tools.tracer.step("tree") as step:
            leaves = {leaf.answer: leaf.node_id for leaf in reversed(self._leaves)}
            step.tell(
                f"{len(self._tree.nodes) - 1} rollouts, {len(self._leaves)} finished, "
                f"{len(vote.shares)} different answers",
                policy=self._settings.policy,
                chosen=vote.node_id,
                votes=[{"node_id": leaves[key], "share": round(share, 4)} for key, share in vote.shares.items()],
                tree=rows_of(self._tree, self._reached),
            )
