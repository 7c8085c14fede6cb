"""Many replies at temperature 1 in PyTorch: by the target alone, or with a drafter by exact speculative sampling.

The second implementation of what the executor does; it also writes the rounds that confidences are calibrated on.
"""

import dataclasses

import torch
from drafters import GAMMA
from vocabulary import END_TOKEN


@dataclasses.dataclass
class Round:
    request: int
    number: int
    anchor_position: int
    drafted: int  # an accepted end of the text ends the block too
    accepted: int
    cut: bool  # by the reply's end
    confidence: list
    acceptance: list


class Cache:
    """Keys and values by position; what is behind a request's text is written over before it is seen."""

    def __init__(self, layers, batch, shape, length):
        size = (layers, 2, batch, shape.kv_heads, length, shape.head_dim)
        self.rows = torch.zeros(size)
        self.batch = torch.arange(batch).unsqueeze(1)

    def store(self, layer, keys, values, positions):
        for kind, fresh in enumerate((keys, values)):
            self.rows[layer, kind][self.batch, :, positions] = fresh.float().transpose(1, 2)

    def layer(self, layer, length):
        """Keys and values of the first positions."""
        return self.rows[layer, 0, :, :, :length], self.rows[layer, 1, :, :, :length]


class Serving:
    def __init__(self, target, prompts, most, drafter=None, seed=0):
        """prompts: lists of tokens. most: tokens of a reply."""
        self.target, self.drafter, self.most = target, drafter, most
        self.generator = torch.Generator().manual_seed(seed)
        self.texts = [list(prompt) for prompt in prompts]
        self.begun = [len(prompt) for prompt in prompts]
        self.rounds, self.counts = [], [0] * len(prompts)
        self.length = max(self.begun) + most + GAMMA + 2
        self.kept = drafter.layer_ids if drafter else ()
        self.cache = Cache(target.shape.layers, len(prompts), target.shape, self.length)
        if drafter:
            self.context = Cache(drafter.shape.layers, len(prompts), drafter.shape, self.length)
        self.ended = [False] * len(prompts)

    def draw(self, probabilities):
        flat = probabilities.flatten(0, -2)
        return torch.multinomial(flat, 1, generator=self.generator).view(probabilities.shape[:-1])

    def verify(self, tokens, positions):
        """The target's distributions behind each row; its layers' outputs become context of the drafter."""

        def gather(layer, keys, values):
            self.cache.store(layer, keys, values, positions)
            return self.cache.layer(layer, seen)

        seen = int(positions.max()) + 1
        mask = (torch.arange(seen) <= positions.unsqueeze(-1)).unsqueeze(1)
        logits, features = self.target(tokens, positions, mask, self.kept, gather)
        if self.drafter:
            for layer, (keys, values) in enumerate(self.drafter.context(features, positions)):
                self.context.store(layer, keys, values, positions)
        return logits.softmax(-1)

    def prefill(self):
        rows = max(self.begun)
        tokens = torch.tensor([text + [END_TOKEN] * (rows - len(text)) for text in self.texts])
        positions = torch.arange(rows).expand(len(self.texts), -1)
        last = torch.tensor(self.begun) - 1
        p_t = self.verify(tokens, positions)[torch.arange(len(self.texts)), last]
        for request, token in enumerate(self.draw(p_t).tolist()):
            self.commit(request, [token])

    def commit(self, request, tokens):
        """Appends up to the reply's end; whether that cut something."""
        room = self.most - (len(self.texts[request]) - self.begun[request])
        kept = tokens[:room]
        if END_TOKEN in kept:
            kept = kept[: kept.index(END_TOKEN) + 1]
        self.texts[request] += kept
        self.ended[request] = END_TOKEN in kept or len(self.texts[request]) - self.begun[request] >= self.most
        return len(kept) < len(tokens)

    def draft(self, anchors, starts):
        """Tokens, their distributions, and confidences, (batch, γ) each."""
        length = int(starts.max())
        mask = (torch.arange(length) < starts.unsqueeze(-1)).unsqueeze(1).expand(-1, GAMMA, -1)
        context = [self.context.layer(layer, length) for layer in range(self.drafter.shape.layers)]
        hidden = self.drafter.blocks(anchors.unsqueeze(1), starts.unsqueeze(1), context, mask)[:, 0]
        before, tokens, distributions, confidences = anchors, [], [], []
        for k in range(GAMMA):
            if self.drafter.rank:
                confidences.append(self.drafter.confidence_logits(hidden[:, k], before).sigmoid())
            distributions.append(self.drafter.logits(hidden[:, k], before).softmax(-1))
            before = self.draw(distributions[-1])
            tokens.append(before)
        confidences = confidences or [torch.full(anchors.shape, 0.5)] * GAMMA
        return torch.stack(tokens, 1), torch.stack(distributions, 1), torch.stack(confidences, 1)

    def step(self):
        anchors = torch.tensor([text[-1] for text in self.texts])
        starts = torch.tensor([len(text) - 1 for text in self.texts])
        if not self.drafter:
            p_t = self.verify(anchors.unsqueeze(1), starts.unsqueeze(1))[:, 0]
            for request, token in enumerate(self.draw(p_t).tolist()):
                if not self.ended[request]:
                    self.commit(request, [token])
            return
        tokens, p_d, confidence = self.draft(anchors, starts)
        positions = starts.unsqueeze(1) + torch.arange(GAMMA + 1)
        p_t = self.verify(torch.cat([anchors.unsqueeze(1), tokens], 1), positions)
        of_drafts = p_t[:, :GAMMA]
        ratio = (of_drafts / p_d).gather(-1, tokens.unsqueeze(-1))[..., 0]
        chance = torch.rand(ratio.shape, generator=self.generator)
        accepted = (chance < ratio).long().cumprod(1).sum(1)
        residual = torch.cat([(of_drafts - p_d).clamp(min=0), p_t[:, GAMMA:]], 1)
        last = self.draw(residual[torch.arange(len(accepted)), accepted].clamp(min=1e-30))
        shares = 1 - 0.5 * (of_drafts - p_d).abs().sum(-1)
        for request in range(len(self.texts)):
            if not self.ended[request]:
                self.finish_round(request, tokens, accepted, last, confidence, shares)

    def finish_round(self, request, tokens, accepted, last, confidence, shares):
        kept = int(accepted[request])
        drafts = tokens[request, :kept].tolist()
        anchor = len(self.texts[request]) - 1
        cut = self.commit(request, [*drafts, int(last[request])])
        drafted = GAMMA
        if END_TOKEN in drafts:
            drafted = kept = drafts.index(END_TOKEN) + 1
        number = self.counts[request]
        self.counts[request] += 1
        of = confidence[request, :drafted].tolist(), shares[request, :drafted].tolist()
        self.rounds.append(Round(request, number, anchor, drafted, kept, cut, *of))

    @torch.no_grad()
    def run(self):
        self.prefill()
        while not all(self.ended):
            self.step()
        return self


def accepted_length(rounds):
    """τ over rounds that no end cut."""
    whole = [r.accepted + 1 for r in rounds if not r.cut]
    return sum(whole) / len(whole)
