"""Ask a question, watch it being worked on, read the answer beside its evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import streamlit as st
from pydantic import ValidationError

from app.api.schemas import AnswerBody, CollectionBody, PendingAnswer, TimeRequest
from app.core.types import EvidenceNote, Passage
from ui import conversing, rendering, shell, steps
from ui.client import ApiError, Client, Event
from ui.steps import FoundNote

SAMPLE = "spaceflight"
EXAMPLES = (
    "Who led ESA when Giotto passed Halley's Comet?",
    "Who was the Administrator of NASA on 1 July 2008?",
    "Which ship recovered the crew of Apollo 16?",
)
FIRST_DAY = date(1600, 1, 1)
RERANKER_HELP = "What puts the best of the passages found first. A language model that reads them takes its time."
EFFORT_HELP = "Fast looks the question up once. Deep tries several ways and takes longest."
EFFORTS = ("fast", "balanced", "deep")
AS_OF_HELP = "The collection as it stood on that day: whatever was published later is left out."
READ_HELP = "A question that names a time, as in \u2018in 2004\u2019, is answered for that time. The answer tells it."
PERIOD_HELP = "2004, 2004-03 or 2004-03-05. A period written here takes the place of the one that the question names."
FOLLOW_UP = "Ask on, as in \u2018and in 2019?\u2019"
POLL_SECONDS = 0.6
WAIT_SECONDS = 0.15  # a redraw that takes longer than half a second is shown faded
READ_SECONDS = 5.0
HERO = (
    f'<div class="gn-hero">{shell.SUN}<h1>What would you like to know?</h1><p>Every claim in an answer carries a '
    "quote from a dated document. When the documents do not say it, Gnomon tells you so.</p></div>"
)
FIRST = '<p class="gn-quiet">The first question after a start loads the models, which takes a moment.</p>'
SOON = '<p class="gn-quiet">Quotes appear here as they are found.</p>'
NOTHING_CITED = '<p class="gn-quiet">Nothing is cited, for nothing is claimed.</p>'
NO_COLLECTION = (
    '<div class="gn-end"><h3>No documents yet</h3><p>Open <b>Documents</b> and upload some, or run <code>make demo'
    "</code> for a sample collection on spaceflight.</p></div>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the sidebar says of the next question."""

    time: TimeRequest
    reranker: str | None
    effort: str

    @property
    def sets_time(self) -> bool:
        """Whether the time that a question asks for is set here and not read from its words."""
        return bool(self.time.first or self.time.last) or not self.time.read


def page() -> None:
    """Show the page: the answer that the address names, or the empty one."""
    client = shell.client()
    try:
        with st.sidebar:
            st.button("New conversation", icon=":material/add:", on_click=_forget, key="new", width="stretch")
            collection = shell.pick_collection(client.collections())
            choices = _choices(client)
            conversing.pick_conversation(client)
            shell.server_line(client.address)
        answer_id = _current_answer()
        if answer_id:
            _show(client, answer_id, collection, choices)
        else:
            _welcome(client, collection, choices)
    except ApiError as error:
        shell.show_error(error)


def _choices(client: Client) -> Choices:
    time = _time()
    known = client.rerankers()
    default = known.rerankers.index(known.default)
    effort = st.select_slider("Effort", EFFORTS, value="balanced", key="effort", help=EFFORT_HELP)
    reranker = st.selectbox("Reranker", known.rerankers, index=default, key="reranker", help=RERANKER_HELP)
    return Choices(time=time, reranker=None if reranker == known.default else reranker, effort=effort)


def _time() -> TimeRequest:
    """Show what can be said of time; a date that is none counts for nothing and says so."""
    with st.expander("Time", icon=":material/schedule:"):
        as_of = st.date_input("As of", value=None, key="as_of", min_value=FIRST_DAY, max_value="today", help=AS_OF_HELP)
        read = st.checkbox("Read the time from the question", value=True, key="read_time", help=READ_HELP)
        left, right = st.columns(2)
        first = left.text_input("From", key="from", placeholder="2004", disabled=not read, help=PERIOD_HELP)
        last = right.text_input("To", key="to", placeholder="2006-03", disabled=not read)
        written = {"from": first.strip() or None, "to": last.strip() or None} if read else {}
        try:
            return TimeRequest.model_validate({"as_of": as_of, "read": read, **written})
        except ValidationError:
            st.warning("Write a date as 2004, 2004-03 or 2004-03-05; until then this period does not count.")
            return TimeRequest(as_of=as_of, read=read)


def _current_answer() -> str | None:
    """Return the answer in the address; the last one when another page was visited in between."""
    if "answer" in st.query_params:
        st.session_state["answer"] = st.query_params["answer"]
    elif "answer" in st.session_state:
        st.query_params["answer"] = st.session_state["answer"]
    answer: str | None = st.session_state.get("answer")
    return answer


def _ask(client: Client, question: str, collection: str, choices: Choices, conversation_id: str | None = None) -> None:
    """Ask in that conversation, or in a new one, and show the answer."""
    answer_id = client.ask(
        question,
        collection=collection,
        time=choices.time,
        reranker=choices.reranker,
        effort=choices.effort,
        conversation_id=conversation_id or client.begin_conversation(),
    )
    conversing.open_answer(answer_id)
    st.rerun()


def _forget() -> None:
    st.session_state.pop("answer", None)
    st.query_params.clear()


def _form(
    client: Client,
    collection: CollectionBody,
    choices: Choices,
    *,
    placeholder: str,
    conversation_id: str | None = None,
) -> None:
    with st.form("ask", border=False, clear_on_submit=True):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            question = st.text_input("Question", placeholder=placeholder, label_visibility="collapsed", key="question")
            asked = st.form_submit_button("Ask", type="primary")
        if asked and question.strip():
            _ask(client, question, collection.collection_id, choices, conversation_id)


def _welcome(client: Client, collection: CollectionBody | None, choices: Choices) -> None:
    _, middle, _ = st.columns([1, 5, 1])
    with middle:
        st.html(HERO)
        if collection is None or not collection.documents:
            st.html(NO_COLLECTION)
            return
        _form(client, collection, choices, placeholder=f"Ask {collection.documents} documents")
        if collection.collection_id == SAMPLE:
            st.html('<div class="gn-label">For example</div>')
            for number, example in enumerate(EXAMPLES, start=1):
                if st.button(example, key=f"example{number}", width="stretch", icon=":material/arrow_forward:"):
                    _ask(client, example, collection.collection_id, choices)


def _show(client: Client, answer_id: str, collection: CollectionBody | None, choices: Choices) -> None:
    try:
        answer = client.answer(answer_id)
    except ApiError:
        _forget()
        raise
    if collection is not None:
        goes_on = answer.conversation_id
        _form(client, collection, choices, placeholder=FOLLOW_UP, conversation_id=goes_on)
    conversing.earlier_turns(client, answer)
    st.html(rendering.question_html(answer))
    if isinstance(answer, PendingAnswer):
        with st.container(key="live"):
            _live(client, answer_id)
    else:
        _finished(client, answer, choices)


@st.fragment(run_every=POLL_SECONDS)
def _live(client: Client, answer_id: str) -> None:
    """Show an answer while it is worked on; redrawn alone, so that typing and reading are not disturbed."""
    events = _events(client, answer_id, seconds=WAIT_SECONDS)
    if events and events[-1]["event"] == "done":
        st.rerun()
    left, right = st.columns([7, 5], gap="large")
    with left:
        status = st.status(f"{steps.current(events)} \u2026", state="running", expanded=True)
        lines = steps.lines_of(events)
        status.html(rendering.lines_html(lines) if lines else FIRST)  # a `with` block would end as complete
        if st.button("Stop", icon=":material/stop_circle:", key="stop"):
            client.cancel(answer_id)
        if text := steps.text_of(events):
            st.html(rendering.answer_html(text, _markers(events)))
    with right:
        st.html('<div class="gn-label">Evidence so far</div>')
        st.html(_cards(steps.notes_of(events)) or SOON)


def _finished(client: Client, answer: AnswerBody, choices: Choices) -> None:
    events = _events(client, answer.answer_id, seconds=READ_SECONDS)
    left, right = st.columns([7, 5], gap="large")
    with left:
        label = f"{_done(answer)} \u00b7 {rendering.effort(answer)}" if rendering.effort(answer) else _done(answer)
        status = st.status(label, state="error" if answer.status == "failed" else "complete")
        status.html(rendering.lines_html(steps.lines_of(events)))
        _text(answer)
        if answer.text:
            _keep(answer)
        elif answer.status != "abstained" and st.button("Ask again", icon=":material/refresh:", key="again"):
            again = choices.time.model_copy(update={"as_of": rendering.as_of(answer)})
            _ask_again(client, answer, replace(choices, time=again))
        if choices.sets_time and st.button("Ask again for that time", icon=":material/schedule:", key="for_that_time"):
            _ask_again(client, answer, choices)
    with right:
        evidence, way = st.tabs([f"Evidence ({len(answer.citations)})" if answer.citations else "Evidence", "Steps"])
        with evidence:
            _evidence(client, answer)
        with way:
            if tree := rendering.tree_html(answer.trace):
                with st.expander("Search tree"):
                    st.html(tree)
            st.html(rendering.trace_html(answer.trace))


def _ask_again(client: Client, answer: AnswerBody, choices: Choices) -> None:
    """Ask what the question was understood to mean, since it is a turn of its conversation itself by now."""
    question = answer.understood_as or answer.question
    _ask(client, question, answer.collection, choices, answer.conversation_id)


def _text(answer: AnswerBody) -> None:
    if not answer.text:
        st.html(rendering.end_html(answer))
        return
    if answer.status == "partial":
        st.html(rendering.partial_html(answer))
    elif answer.detail:
        st.html(rendering.warning_html(answer.detail))
    if answer.short and answer.short != answer.text:
        st.html(rendering.short_html(answer.short))
    st.html(rendering.answer_html(answer.text, frozenset(citation.marker for citation in answer.citations)))


def _keep(answer: AnswerBody) -> None:
    name = f"answer-{answer.answer_id[:8]}"
    with st.container(horizontal=True, gap="small"):
        st.download_button("Markdown", rendering.answer_markdown(answer), f"{name}.md", icon=":material/download:")
        st.download_button("JSON", answer.model_dump_json(indent=1), f"{name}.json", icon=":material/data_object:")


def _evidence(client: Client, answer: AnswerBody) -> None:
    cards = [
        rendering.card_html(citation, _passage(client, answer.collection, citation.passage_id))
        for citation in answer.citations
    ]
    st.html(f"<div>{''.join(cards)}</div>" if cards else NOTHING_CITED)
    cited = {citation.note_id for citation in answer.citations}
    if others := [note for note in answer.notes if note.note_id not in cited]:
        with st.expander(f"Noted, not cited ({len(others)})"):
            st.html(_cards([_found(note) for note in others]))


def _found(note: EvidenceNote) -> FoundNote:
    return FoundNote(quote=note.quote, title=note.doc_id, published=rendering.published_words(note.published))


def _cards(notes: Sequence[FoundNote]) -> str:
    return f"<div>{''.join(rendering.note_html(note) for note in notes)}</div>" if notes else ""


def _passage(client: Client, collection: str, passage_id: str) -> Passage | None:
    """Return a passage, asked for once a session."""
    known: dict[tuple[str, str], Passage | None] = st.session_state.setdefault("passages", {})
    key = (collection, passage_id)
    if key not in known:
        known[key] = client.passage(collection, passage_id)
    return known[key]


def _events(client: Client, answer_id: str, *, seconds: float) -> list[Event]:
    """Return the answer's events so far; those seen are kept, so the log is read on from there."""
    seen: list[Event] = st.session_state.setdefault(f"events {answer_id}", [])
    if not seen or seen[-1]["event"] != "done":
        seen += client.events(answer_id, after=len(seen), seconds=seconds)
    return seen


def _markers(events: list[Event]) -> frozenset[int]:
    return frozenset(event["marker"] for event in events if event["event"] == "citation")


def _done(answer: AnswerBody) -> str:
    words = {"answered": "Answered", "partial": "Answered in part", "abstained": "Searched", "cancelled": "Stopped"}
    return words.get(answer.status, "Failed")
