"""Whether words name an event or a period, whose date could be looked up."""

import re

from retrieval.temporal.numerals import CARDINAL
from retrieval.temporal.words import pattern

_EVENTS = frozenset(
    """war wars battle siege treaty revolution revolt uprising rebellion coup mutiny crisis crash crush fire flood
    earthquake eruption famine plague pandemic storm hurricane fall death birth end ending start beginning outbreak
    opening closing closure founding launch landing merger takeover split strike armistice ceasefire truce peace
    conquest defeat victory surrender arrest trial verdict marriage wedding divorce retirement resignation departure
    arrival return exile ascent accession coronation abdication reign rule presidency premiership tenure term era age
    ages period dynasty empire republic reich interregnum restoration reformation renaissance enlightenment depression
    recession boom unification reunification independence secession partition annexation occupation liberation invasion
    evacuation withdrawal election elections referendum vote census reform reforms act law murder assassination
    shooting attack attacks bombing massacre accident disaster explosion collapse sinking wreck rescue discovery
    invention introduction abolition ban debut premiere release recording concert tour festival match game final
    tournament cup olympics season holidays visit voyage expedition flight mission mandate summit conference congress
    council synod crusade crusades schism brexit lockdown blackout blitz holocaust completion construction demolition
    rebuilding renovation relaunch bankruptcy flotation ipo sale purchase acquisition move switch transition handover
    transfer appointment promotion dismissal sacking impeachment scandal affair hearing inquiry ruling judgment deal
    agreement pact signing ratification date day moment time childhood youth adulthood apprenticeship internship
    studies schooling graduation career lifetime life middle eve aftermath wake""".split()
)
_SUFFIX = re.compile(r"\w{3,}(?:tion|sion|ments?|ance|ence|ship|hood|ism|quake|ures?|al|ings?)$")
_NO_EVENTS = frozenset(
    """station nation section question position portion fraction caption location solution equation function relation
    direction mention option version mansion pension tension dimension instrument document element moment cement
    basement department apartment parliament argument monument government regiment sediment garment comment fragment
    entrance substance distance balance appliance fence science audience residence sentence hence silence presence
    essence figure figures picture pictures structure nature culture furniture feature measure measures temperature ship
    animal animals metal metals hospital hospitals capital capitals journal journals material materials manual signal
    channel terminal canal general total local thing things king kings building buildings spring ring wing string
    something anything nothing everything being following string railing ceiling evening morning level vessel canvas
    neighbourhood neighborhood interval goal mechanism organism prism legal""".split()
)
# what one stands or comes before or after without any event
_PLACES = frozenset(
    """court courts judge judges jury tribunal magistrate magistrates bench committee parliament congress senate council
    board commission public audience crowd camera cameras mirror altar god eyes throne king queen emperor pope desk gate
    door house line letter word noun verb comma colon number name digit point page chapter queue others rest another
    notice noon midnight midday dawn dusk dark sunset sunrise bedtime breakfast lunch dinner supper meals long all work
    hours bath exercise bed school church night class""".split()
)
_PRONOUNS = frozenset(
    """him her it them me us you that this then now these those which whom what when who one each other hand
    recently""".split()
)
_LENGTH = pattern(
    rf"(?:(?:about|some|many|more than|only|just|nearly) )*(?:{CARDINAL}|many|some) (?:\w+ )?"
    r"(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|decades?|attempts|tries|rounds|miles|steps)"
)
_BARE_PART = pattern("the (?:very )?(?:end|start|beginning|middle|close)")
_HEAD_ENDS = pattern(" (?:of|in|at|on|with|by|for|from|to|between|against|over|under|into|and|or|as|that|which|when) ")
_ARTICLE = pattern("^(?:(?:the|a|an|his|her|its|their|our|my|your|this|that) )+")
_PERIODS = frozenset(
    """war wars era age ages period dynasty reign renaissance reformation enlightenment depression interregnum blitz
    crusade crusades reich restoration regency lifetime childhood youth presidency premiership tenure term rule
    season""".split()
)
_NUMERAL = re.compile(r"(?:[IVX]+|\d+)$")
_NO_PERIODS = frozenset({"long term", "short term", "medium term", "old age"})


def names_event(words: str) -> bool:
    """Tell whether the head of a noun phrase is an event or a period: `the great fire`, `his second term`."""
    head = _head(words)
    return head in _EVENTS or (head not in _NO_EVENTS and _SUFFIX.match(head) is not None) or _is_gerund(words)


def names_period(words: str) -> bool:
    """Tell whether a noun phrase is a stretch of time by its head: `the Victorian era`, `World War II`."""
    return _head(words) in _PERIODS and _ARTICLE.sub("", words.strip()).lower() not in _NO_PERIODS


def names_no_event(words: str) -> bool:
    """Tell whether words are a pronoun, or what stands before or after something in space, rank or habit."""
    if _is_gerund(words):
        return False
    if _LENGTH.fullmatch(words.strip()) or _BARE_PART.fullmatch(words.strip()):
        return True
    rest = _ARTICLE.sub("", words).strip(" '’\"")
    return not rest or rest.lower() in _PRONOUNS or words.strip().lower() in _PRONOUNS or _head(words) in _PLACES


def _is_gerund(words: str) -> bool:
    first = words.split(maxsplit=1)[0].lower() if words.strip() else ""
    return first.endswith("ing") and first not in _NO_EVENTS


def _head(words: str) -> str:
    """Return the last word of the first noun phrase, numerals aside, in lower case."""
    phrase = _HEAD_ENDS.split(_ARTICLE.sub("", words.strip()), maxsplit=1)[0].split()
    while len(phrase) > 1 and _NUMERAL.match(phrase[-1]):
        phrase.pop()
    return re.sub(r"['’]s?$", "", phrase[-1].strip(".,'’\"")).lower() if phrase else ""
