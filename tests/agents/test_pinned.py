"""Questions that are answered from notes of earlier answers, without a search."""

from world import MIR, World, reply

from agents.notes import write_note
from agents.run import run_agent
from agents.state import Pinned
from app.models.scripted import Rule
from fakes import a_question

NOTE = write_note(MIR, 0, len(MIR.text), claim="A Proton rocket launched Mir.")
PINNED = Pinned(notes=(NOTE,), passages=(MIR,))


def test_pinned_notes_are_answered_from_without_a_search() -> None:
    world = World(Rule(name="answer", replies=(reply("Proton", "A Proton rocket launched Mir.", 1),)), passages=[MIR])

    answer = run_agent(a_question("Which rocket launched Mir?"), world.tools, pinned=PINNED)

    assert (answer.status, answer.short) == ("answered", "Proton")
    assert [citation.note_id for citation in answer.citations] == [NOTE.note_id]
    assert world.named("search.results") == []


def test_pinned_notes_that_do_not_tell_are_no_answer() -> None:
    world = World(Rule(name="answer", replies=(reply("unknown", "", 1),)), passages=[MIR])

    answer = run_agent(a_question("Who built Mir?"), world.tools, pinned=PINNED)

    assert (answer.status, answer.reason) == ("abstained", "insufficient_evidence")
    assert answer.notes == PINNED.notes
