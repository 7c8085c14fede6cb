"""DSpark and DFlash drafters on the target's hidden states, and their training (DSpark paper, section 3.1).

Both are trained side by side on the same windows, so that the target computes these once.
"""

import time

import torch
from layers import Layer, Norm, Optimiser, initialise, rotation
from target import batches, causal_mask
from torch import nn
from torch.nn import functional

GAMMA = 7
RATE = 2e-3
BATCH = 8  # windows
ANCHORS = 40  # of a window
MASK_TOKEN = 1


class MarkovHead(nn.Module):
    def __init__(self, vocabulary, drafted, rank):
        super().__init__()
        self.markov_w1 = nn.Embedding(vocabulary, rank)
        self.markov_w2 = nn.Linear(rank, drafted, bias=False)


class ConfidenceHead(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.proj = nn.Linear(width, 1)


class Drafter(nn.Module):
    """rank 0: DFlash, without heads. layer_ids: the target's, i is the output of its layer i.

    draft_ids: ascending tokens of the target, the only ones that are drafted; none: all are."""

    def __init__(self, shape, layer_ids, rank, draft_ids=None, gamma=GAMMA, mask_token=MASK_TOKEN):
        super().__init__()
        self.gamma, self.mask_token = gamma, mask_token
        self.shape, self.layer_ids, self.rank, self.draft_ids = shape, tuple(layer_ids), rank, draft_ids
        drafted = shape.vocabulary if draft_ids is None else len(draft_ids)
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width, shape.epsilon)
        self.fc = nn.Linear(len(layer_ids) * shape.width, shape.width, bias=False)
        self.hidden_norm = Norm(shape.width, shape.epsilon)
        self.lm_head = nn.Linear(shape.width, drafted, bias=False)
        if rank:
            self.markov_head = MarkovHead(shape.vocabulary, drafted, rank)
            self.confidence_head = ConfidenceHead(shape.width + rank)

    def share(self, embedding):
        """The target's embedding, also as its LM head; neither is trained."""
        head = embedding if self.draft_ids is None else embedding[self.draft_ids]
        for weight, values in ((self.embed_tokens.weight, embedding), (self.lm_head.weight, head)):
            weight.data.copy_(values)
            weight.requires_grad_(False)

    def context(self, features, positions):
        """Keys and values of each layer for the text before a block; no input norm here."""
        vectors = self.hidden_norm(self.fc(features))
        by = rotation(self.shape, positions)
        return [layer.self_attn.keys_values(vectors, by) for layer in self.layers]

    def blocks(self, anchors, starts, context, mask):
        """Hidden states (batch, blocks, γ, width) of blocks that begin with anchors (batch, blocks) at starts.

        mask: (batch, blocks · γ, context rows): what of the context a row sees."""
        batch, count = anchors.shape
        gamma = self.gamma
        tokens = torch.full((batch, count, gamma), self.mask_token)
        tokens[:, :, 0] = anchors
        positions = (starts.unsqueeze(-1) + torch.arange(gamma)).flatten(1)
        own = torch.block_diag(*[torch.ones(gamma, gamma, dtype=torch.bool)] * count)
        seen = torch.cat([mask, own.expand(batch, -1, -1)], dim=-1).unsqueeze(1)
        by = rotation(self.shape, positions)
        x = self.embed_tokens(tokens.flatten(1))
        for layer, (keys, values) in zip(self.layers, context, strict=True):
            x = layer(x, by, seen, lambda k, v, ks=keys, vs=values: (torch.cat([ks, k], 2), torch.cat([vs, v], 2)))
        return self.norm(x).unflatten(1, (count, gamma))

    def logits(self, hidden, before):
        """Of rows whose predecessors are known. hidden: (..., width), before: (...)."""
        base = self.lm_head(hidden)
        if self.rank:
            base = base + self.markov_head.markov_w2(self.markov_head.markov_w1(before))
        return base.float()

    def confidence_logits(self, hidden, before):
        features = torch.cat([hidden.float(), self.markov_head.markov_w1(before).float()], dim=-1)
        return functional.linear(features, self.confidence_head.proj.weight, self.confidence_head.proj.bias)[..., 0]


def draw_anchors(documents, generator, allowed=None):
    """Positions (batch, ANCHORS) that a token of the same text follows, in any order, some perhaps twice.

    allowed: (batch, rows), where anchors may stand; none: everywhere."""
    follows = torch.zeros(documents.shape)
    follows[:, 1:-1] = ((documents[:, 2:] == documents[:, 1:-1]) & (documents[:, 1:-1] >= 0)).float()
    follows[:, 1:-1] *= documents[:, :-2] == documents[:, 1:-1]  # a context of one token at least
    if allowed is not None:
        follows *= allowed
    return torch.multinomial(follows, ANCHORS, replacement=True, generator=generator)


def losses(drafter, tokens, documents, anchors, features, target_probabilities):
    """target_probabilities(batch, rows): p_t of what follows these rows, over the tokens that are drafted.

    0.1 · CE + 0.9 · ‖p_d - p_t‖₁ + 1.0 · BCE(c, c*), weighted by position; and the mean c* by position."""
    rows, gamma = torch.arange(tokens.shape[1]), drafter.gamma
    with torch.autocast("cpu", torch.bfloat16):
        context = drafter.context(features, rows.unsqueeze(0))
        of_anchor = documents.gather(1, anchors)
        seen = (documents.unsqueeze(1) == of_anchor.unsqueeze(2)) & (rows < anchors.unsqueeze(2))
        mask = seen.repeat_interleave(gamma, dim=1)
        hidden = drafter.blocks(tokens.gather(1, anchors), anchors, context, mask)
        at = anchors.unsqueeze(-1) + torch.arange(gamma)  # the row whose follower is drafted
        inside = at.clamp(max=tokens.shape[1] - 2)
        before, drawn, own = (
            t.gather(1, index.flatten(1)).view_as(at)
            for t, index in ((tokens, inside), (tokens, inside + 1), (documents, inside + 1))
        )
        valid = (own == of_anchor.unsqueeze(-1)) & (at == inside)
        logits = drafter.logits(hidden, before)
    batch = torch.arange(tokens.shape[0]).view(-1, 1, 1)
    p_t = target_probabilities(batch, inside)
    log_p_d = logits.log_softmax(-1)
    distance = (log_p_d.exp() - p_t).abs().sum(-1)
    if drafter.draft_ids is None:
        log_drawn = log_p_d.gather(-1, drawn.unsqueeze(-1))[..., 0]
    else:  # tokens that are never drafted are all of their share in the distance, and nothing to learn
        distance = distance + (1 - p_t.sum(-1)).clamp(min=0)
        place = torch.searchsorted(drafter.draft_ids, drawn).clamp(max=len(drafter.draft_ids) - 1)
        known = drafter.draft_ids[place] == drawn
        log_drawn = log_p_d.gather(-1, place.unsqueeze(-1))[..., 0] * known
    loss = 0.9 * distance - 0.1 * log_drawn
    accepted = (1 - 0.5 * distance).detach().clamp(0, 1)
    if drafter.rank:
        confidence = drafter.confidence_logits(hidden, before)
        loss = loss + functional.binary_cross_entropy_with_logits(confidence, accepted, reduction="none")
    weight = valid * torch.exp(-torch.arange(gamma) / gamma)  # γ_w is γ, as in the paper
    return (loss * weight).sum() / weight.sum(), (accepted * valid).sum((0, 1)) / valid.sum((0, 1))


def train_drafters(target, drafters, windows, steps, seed, report):
    """drafters: by name; all see the same windows and anchors."""
    generator = torch.Generator().manual_seed(seed)
    target.requires_grad_(False)
    trained = []
    for drafter in drafters.values():
        initialise(drafter, drafter.shape.layers, generator)
        drafter.share(target.model.embed_tokens.weight)
        trained.append(Optimiser(drafter, RATE, steps))
    kept = next(iter(drafters.values())).layer_ids
    positions = torch.arange(windows.tokens.shape[1]).unsqueeze(0)
    begun = time.monotonic()
    for step, (tokens, documents) in enumerate(batches(windows, BATCH, steps, generator), 1):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            logits, features = target(tokens, positions, causal_mask(documents), kept)
        anchors = draw_anchors(documents, generator)

        def distributions(batch, rows, logits=logits):
            return logits[batch, rows].softmax(-1)

        accepted = {}
        for (name, drafter), optimiser in zip(drafters.items(), trained, strict=True):
            loss, accepted[name] = losses(drafter, tokens, documents, anchors, features, distributions)
            optimiser.step(loss)
        if step % 50 == 0 or step == steps:
            shares = "; ".join(f"{n} {' '.join(f'{a:.2f}' for a in s.tolist())}" for n, s in accepted.items())
            report(f"drafters {step}/{steps}: c* {shares}, {time.monotonic() - begun:.0f} s")
