"""Whether a sentence tells of a state, which lasts until another is told, or of an event, which is over: by its verb.

"Griffin became head of NASA in 2005" is true of 2006, "Apollo 11 landed in 1969" is not true of 1970. The verb next to
the time decides, from word lists and the ending -ed. A time without a verb, or with one that no list knows, is that of
an event: to carry a value into years that nobody told it for is the worse mistake.
"""

import re
from typing import Literal

Kind = Literal["state", "event", "end"]

_BEGINS = (
    r"becomes?|became|named|appointed|elected|chosen|sworn|crowned|succeeded|replaced|inherited|assumed|joined|renamed"
    r"|(?:raised|lowered|reduced|increased|enlarged|changed|moved)(?= (?:from [^,;]{1,30} )?to\b)"
    r"|(?:entered|came|brought|put) into (?:force|effect)|(?:takes?|took|taken) (?:office|over|charge|command|effect)"
    r"|(?:sets?|broke|beat|passe[sd]) (?:an?|the|its|his|her|their) (?:[\w-]+ ){0,3}(?:record|mark)"
)
_LASTS = (
    r"holds?|served?|serves|leads|led|heads|headed|ruled?|rules|reigned|governed|governs|chaired|chairs|managed|manages"
    r"|remained|remains|acted|owned|owns|belonged|belongs|numbered|(?<!was )(?<!were )(?<!been )held|held(?= by)"
)
_DONE = (
    r"[a-z]{2,}ed|won|lost|flew|flown|fell|struck|hit|sank|sunk|met|made|built|sent|shot|shut|sold|bought|put|set|cut"
    r"|found|fought|caught|taken|took|given|gave|brought|born|broke|broken|wrote|written|came|come|went|gone|began|begun"
    r"|blew|blown|left|seen|saw|shown|known|drawn|run|ran|rose|risen|grew|grown|laid|heard|done|woken|due"
)
_ENDS = r"resign(?:s|ed)|stepped down|stood down|left (?=(?:the )?(?:office|post))"
_BETWEEN = r"(?:(?:[a-z]+ly|not|then|first|last|also|again|still|already|now|since|never|been) )*"
_IS = rf"(?:is|are|was|were|been|has|have|had)(?! {_BETWEEN}(?:{_DONE}|{_BEGINS}|led|held|to)\b)"
_VERB = re.compile(
    rf"\b(?:(?P<state>{_BEGINS}|{_LASTS})|(?P<end>{_ENDS})"
    rf"|(?P<left>left(?= (?:in|on)\b))|(?P<is>{_IS})|(?P<event>{_DONE}))\b",
    re.IGNORECASE,
)
# what is one of these was so once: "the last contact was in 1982", but "he was flight director"
_HAPPENING = re.compile(
    r"\b(?:flight|launch|landing|docking|contact|crash|accident|battle|match|game|race|final|election|meeting|visit|win"
    r"|victory|death|birth|opening|premiere|concert|attack|strike|walk|spacewalk)\b"
    r"(?! (?:director|commander|controller|engineer|chief|head|officer))",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"[,;:]|\b(?:and|but|who|whom|which|that|when|where|while|after|before|until|as)\b", re.IGNORECASE
)


def kind_of(sentence: str, at: int) -> Kind:
    """Return what the time at a character of a sentence belongs to: a state or what begins one, an event, an end.

    The last verb before the time in its clause counts, else the first behind it, else the last of the clauses before.
    "Left in 1990" is an end only behind a state: "took office in 1984 and left in 1990".
    """
    edges = [edge.start() for edge in _CLAUSE_END.finditer(sentence)]
    start = max((edge for edge in edges if edge < at), default=0)
    end = min((edge for edge in edges if edge > at), default=len(sentence))
    before = [*_VERB.finditer(sentence, 0, at)]
    near = [verb for verb in before if verb.start() >= start]
    verb = near[-1] if near else _VERB.search(sentence, at, end) or next(iter(before[::-1]), None)
    if verb is None or verb["event"] or (verb["is"] and _HAPPENING.search(sentence, start, end)):
        return "event"
    if verb["left"]:
        return "end" if any(one["state"] or one["is"] for one in before) else "event"
    return "end" if verb["end"] else "state"
