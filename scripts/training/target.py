"""The target: a small Qwen3 with tied embeddings, and its training on packed texts."""

import time

import torch
from layers import Layer, Norm, Optimiser, initialise, rotation
from torch import nn
from torch.nn import functional

RATE = 3e-3
BATCH = 12  # windows


class Stack(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width, shape.epsilon)


class Target(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.model = Stack(shape)

    def forward(self, tokens, positions, mask, kept=(), gather=None):
        """Logits (batch, rows, vocabulary), and of the kept layers' outputs (batch, rows, kept · width).

        gather(layer, keys, values): where keys and values of earlier rows are; none if all rows are here."""
        x = self.model.embed_tokens(tokens)
        by = rotation(self.shape, positions)
        outputs = {-1: x}
        for index, layer in enumerate(self.model.layers):
            here = (lambda k, v, i=index: gather(i, k, v)) if gather else (lambda k, v: (k, v))
            x = layer(x, by, mask, here)
            outputs[index] = x
        x = self.model.norm(x)
        features = torch.cat([outputs[index].float() for index in kept], dim=-1) if kept else None
        return functional.linear(x, self.model.embed_tokens.weight).float(), features


def causal_mask(documents):
    """Rows see what is before them in their own text. documents: (batch, rows); -1 is padding."""
    rows = documents.shape[1]
    same = documents.unsqueeze(2) == documents.unsqueeze(1)
    return (same & torch.ones(rows, rows, dtype=torch.bool).tril()).unsqueeze(1)


def next_tokens(tokens, documents):
    """What follows each row in its text; -100 at its end and in padding."""
    following = torch.full_like(tokens, -100)
    inside = (documents[:, 1:] == documents[:, :-1]) & (documents[:, 1:] >= 0)
    following[:, :-1] = torch.where(inside, tokens[:, 1:], -100)
    return following


def batches(windows, size, steps, generator):
    """Windows in an order drawn anew each time that all were seen."""
    order = torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        if len(order) < size:
            order = torch.cat([order, torch.randperm(len(windows.tokens), generator=generator)])
        yield windows.tokens[order[:size]].long(), windows.documents[order[:size]].long()
        order = order[size:]


def train_target(shape, windows, steps, seed, report):
    generator = torch.Generator().manual_seed(seed)
    target = Target(shape)
    initialise(target, shape.layers, generator)
    optimiser = Optimiser(target, RATE, steps)
    positions = torch.arange(windows.tokens.shape[1]).unsqueeze(0)
    begun, total = time.monotonic(), 0.0
    for step, (tokens, documents) in enumerate(batches(windows, BATCH, steps, generator), 1):
        with torch.autocast("cpu", torch.bfloat16):
            logits, _ = target(tokens, positions, causal_mask(documents))
        loss = functional.cross_entropy(logits.flatten(0, 1), next_tokens(tokens, documents).flatten())
        optimiser.step(loss)
        total += loss.item()
        if step % 100 == 0 or step == steps:
            report(f"target {step}/{steps}: loss {total / (step % 100 or 100):.4f}, {time.monotonic() - begun:.0f} s")
            total = 0.0
    return target
