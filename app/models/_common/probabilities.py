"""What a causal model gives to tokens: to choices at the first place of its turn, and to text that is there."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from app.core.types import Prompt
from app.models._common.causal_model import CausalModel
from app.models._common.prompt_reader import Batch, Job, PromptReader


def first_tokens(
    model: CausalModel, reader: PromptReader, prompts: Sequence[Prompt], choices: Sequence[str]
) -> NDArray[np.float32]:
    """Return natural logs, shape (prompts, choices): of the tokens that say a choice the likeliest counts.

    Raises:
        ModelError: a choice is no single token, or a prompt does not fit the context.
    """
    ids = [model.tokens.choice(choice) for choice in choices]
    starts = np.cumsum([0, *(len(group) for group in ids[:-1])])
    columns = torch.tensor([one for group in ids for one in group], dtype=torch.int64, device=model.device)
    scores = np.full((len(prompts), len(choices)), -np.inf, dtype=np.float32)

    def visit(batch: Batch) -> None:
        last = [len(row.tail) - 1 for row in batch.rows]
        hidden = batch.hidden[range(len(last)), last]
        found = model.logprobs(hidden, columns.expand(len(last), -1))
        scores[batch.places] = np.maximum.reduceat(found, starts, axis=1)

    if prompts and choices:
        tokens = model.tokens.tokenise([model.tokens.render(prompt) for prompt in prompts])
        jobs = [
            Job(prompt=prompt, ids=own.ids, known=len(own.ids) - 1, keep=len(own.ids))
            for prompt, own in zip(prompts, tokens, strict=True)
        ]
        reader.read(jobs, visit)
    return scores


def likelihoods(
    model: CausalModel, reader: PromptReader, prompts: Sequence[Prompt], continuations: Sequence[str]
) -> list[NDArray[np.float32]]:
    """Return natural logs of each continuation's tokens given its prompt; no text, no tokens.

    Prompt and continuation are tokenised together, as the model reads them: a token that lies across the boundary is
    one of the continuation's.

    Raises:
        ModelError: prompt and continuation do not fit the context.
    """
    prompted = [model.tokens.render(prompt) for prompt in prompts]
    texts = [one.followed_by(text) for one, text in zip(prompted, continuations, strict=True)]
    tokens = model.tokens.tokenise(texts)
    firsts = [own.beyond(len(one.text)) for one, own in zip(prompted, tokens, strict=True)]
    found = [np.empty(0, dtype=np.float32) for _ in prompts]
    asked = [place for place, own in enumerate(tokens) if firsts[place] < len(own.ids)]
    jobs = [
        Job(prompt=prompts[place], ids=tokens[place].ids, known=firsts[place] - 1, keep=firsts[place])
        for place in asked
    ]

    def visit(batch: Batch) -> None:
        places = [asked[place] for place in batch.places]
        pairs = list(zip(places, batch.rows, strict=True))
        # The token before another one tells its probability.
        hidden = [
            batch.hidden[number, firsts[place] - 1 - row.prefix.length : len(row.tail) - 1]
            for number, (place, row) in enumerate(pairs)
        ]
        targets = torch.from_numpy(np.concatenate([row.ids[firsts[place] :] for place, row in pairs]))
        told = model.logprobs(torch.cat(hidden), targets.unsqueeze(1).to(model.device))[:, 0]
        cuts = np.cumsum([len(part) for part in hidden])[:-1]
        for place, own in zip(places, np.split(told, cuts), strict=True):
            found[place] = own

    reader.read(jobs, visit)
    return found
