"""Conversations on the page: which there are, the turns before an answer, and the way to each of them."""

from textwrap import shorten

import streamlit as st

from app.api.schemas import AnswerBody, PendingAnswer
from ui import rendering
from ui.client import Client
from ui.escaping import as_markdown

SHOWN = 8
_TITLE = 50


def open_answer(answer_id: str) -> None:
    """Make an answer the one that the page and its address name."""
    st.session_state["answer"] = st.query_params["answer"] = answer_id


def pick_conversation(client: Client) -> None:
    """Show the newest conversations as buttons; one opens its last answer."""
    rows = [row for row in client.conversations(SHOWN) if row.turns]
    if not rows:
        return
    with st.expander("Conversations", icon=":material/forum:"):
        for row in rows:
            left, right = st.columns([7, 1], gap="xsmall", vertical_alignment="center")
            key, words = row.conversation_id, f"{row.turns} {'question' if row.turns == 1 else 'questions'}"
            title = as_markdown(shorten(row.title, _TITLE, placeholder=" \u2026"))
            if left.button(title, key=f"conversation {key}", type="tertiary", help=words, width="stretch"):
                open_answer(client.conversation(key).turns[-1].answer_id)
            if right.button("", key=f"delete {key}", type="tertiary", icon=":material/delete:", help="Delete it"):
                _delete(client, key)


def earlier_turns(client: Client, answer: AnswerBody | PendingAnswer) -> None:
    """Show the turns before an answer in short, the oldest first, each with a button that opens it."""
    if answer.conversation_id is None:
        return
    for turn in client.conversation(answer.conversation_id).turns:
        if turn.answer_id == answer.answer_id:
            return
        left, right = st.columns([11, 1], vertical_alignment="center")
        left.html(rendering.turn_html(turn))
        name = f"open {turn.answer_id}"
        right.button(
            "", key=name, icon=":material/north_east:", type="tertiary", on_click=open_answer, args=(turn.answer_id,)
        )


def _delete(client: Client, conversation_id: str) -> None:
    client.delete_conversation(conversation_id)
    st.session_state.pop("answer", None)
    st.query_params.clear()
    st.rerun()
