"""The target's own replies at temperature 1, with what a drafter is trained on: the outputs of the layers that it
reads, and of the last one, at every position. Weights and caches in BF16, the residual stream in F32.

A batch of requests is at one position throughout: shorter prompts begin to reply while longer ones are still read.
Each batch is a file, so a run that was stopped goes on behind the last one.
"""

import hashlib
import multiprocessing
import random
from concurrent.futures import ProcessPoolExecutor, as_completed

import torch
from checkpoints import load_target
from layers import rotate, rotation
from safetensors.torch import load_file, save_file
from smollm2_prompts import DOMAINS, prompts
from torch.nn import functional

END = 2  # <|im_end|>
REPLY = 192  # tokens at most, <|im_end|> included
PROMPTS = 600  # of each domain, of which the first ones in an order drawn once are answered
BATCH = 128  # requests at once
PROCESSES = 2
LEAST_LEAVING = 0.15  # share of a batch that has ended before it is made smaller


class Sampler:
    """One batch at one position. kept: the layers whose outputs are features."""

    def __init__(self, target, kept, generator):
        self.target, self.kept, self.generator = target, kept, generator
        self.shape = target.shape
        self.head = target.model.embed_tokens.weight.bfloat16()
        for layer in target.model.layers:
            for linear in (*layer.self_attn.children(), *layer.mlp.children()):
                linear.bfloat16()

    def begin(self, batch, length):
        size = (self.shape.layers, batch, self.shape.kv_heads, length, self.shape.head_dim)
        self.keys, self.values = (torch.empty(size, dtype=torch.bfloat16) for _ in range(2))
        self.position = 0

    def select(self, rows):
        """Keeps these requests; an expanded beginning is one row for all."""
        self.keys, self.values = self.keys[:, rows], self.values[:, rows]

    def attention(self, part, x, index, by):
        """x: (batch, rows, width) behind the norm, of the positions that begin at self.position."""
        end = self.position + x.shape[1]
        keys, values = part.keys_values(x, by)
        self.keys[index, :, :, self.position : end] = keys
        self.values[index, :, :, self.position : end] = values
        keys, values = (cache[index, :, :, :end] for cache in (self.keys, self.values))
        queries = rotate(part.split(part.q_proj(x)), by)  # (batch, heads, rows, head_dim)
        if x.shape[1] == 1:  # the heads that share keys are rows of one product
            out = functional.scaled_dot_product_attention(
                queries.unflatten(1, (keys.shape[1], -1)).squeeze(3), keys, values
            )
            return part.o_proj(out.flatten(1, 2).unsqueeze(1).flatten(2))
        repeat = self.shape.heads // self.shape.kv_heads
        mask = torch.arange(end) <= torch.arange(self.position, end).unsqueeze(1)
        keys, values = (t.repeat_interleave(repeat, dim=1) for t in (keys, values))
        out = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        return part.o_proj(out.transpose(1, 2).flatten(2))

    def forward(self, tokens):
        """Features (batch, rows, kept · width), and what the LM head sees (batch, rows, width)."""
        positions = torch.arange(self.position, self.position + tokens.shape[1]).unsqueeze(0)
        by = rotation(self.shape, positions)
        x, kept = self.target.model.embed_tokens(tokens).float(), {}
        for index, layer in enumerate(self.target.model.layers):
            x = x + self.attention(layer.self_attn, layer.input_layernorm(x).bfloat16(), index, by)
            x = x + layer.mlp(layer.post_attention_layernorm(x).bfloat16())
            kept[index] = x
        self.position += tokens.shape[1]
        return torch.cat([kept[i] for i in self.kept], dim=-1).bfloat16(), self.target.model.norm(x).bfloat16()

    def draw(self, last):
        """Tokens (batch,), and the logarithm of the softmax's sum. last: (batch, width)."""
        logits = functional.linear(last, self.head).float()
        sums = logits.logsumexp(-1)
        below = (logits - sums.unsqueeze(-1)).exp_().cumsum(-1)
        chance = torch.rand(len(last), 1, generator=self.generator) * below[:, -1:]
        return torch.searchsorted(below, chance, right=True)[:, 0].clamp(max=logits.shape[-1] - 1), sums


def sample_batch(sampler, texts):
    """Flat rows of all texts: tokens, whether a row is of a reply, features, last outputs, softmax sums' logarithms.

    texts: prompts as tokens. The last row of a text has no outputs: nothing that is trained on reads them."""
    begun = torch.tensor([len(text) for text in texts])
    length, least, most = int(begun.max()) + REPLY, int(begun.min()), int(begun.max())
    shared = next(i for i in range(least) if len({text[i] for text in texts}) > 1)
    given = torch.tensor([text + [END] * (most - len(text)) for text in texts])
    width = sampler.shape.width
    features = torch.zeros(len(texts), length, len(sampler.kept) * width, dtype=torch.bfloat16)
    last = torch.zeros(len(texts), length, width, dtype=torch.bfloat16)
    sums = torch.zeros(len(texts), length)
    tokens = torch.full((len(texts), length), END)
    tokens[:, :most] = given
    ends = begun + REPLY
    sampler.begin(1, length)
    features[:, :shared], last[:, :shared] = sampler.forward(given[:1, :shared])
    sampler.select(torch.zeros(len(texts), dtype=torch.long))
    alive = torch.arange(len(texts))
    fresh = given[:, shared:least]
    while True:
        at = slice(sampler.position, sampler.position + fresh.shape[1])
        features[alive, at], last[alive, at] = sampler.forward(fresh)
        now = sampler.position  # what is drawn stands here
        drawn, total = sampler.draw(last[alive, now - 1])
        sums[alive, now - 1] = total
        replying = now >= begun[alive]
        if now < length:
            tokens[alive, now] = torch.where(replying & (now < ends[alive]), drawn, tokens[alive, now])
        ended = replying & ((drawn == END) | (now + 1 >= ends[alive]))
        ends[alive[ended]] = ends[alive[ended]].clamp(max=now + 1)
        over = now + 1 >= ends[alive]
        if over.all():
            break
        if over.float().mean() >= LEAST_LEAVING:
            sampler.select(~over)
            alive = alive[~over]
        fresh = tokens[alive, now].unsqueeze(1)
    inside = torch.arange(length) < ends.unsqueeze(1)
    reply = torch.arange(length) >= begun.unsqueeze(1)
    return {
        "tokens": tokens[inside].int(),
        "reply": reply[inside].to(torch.uint8),
        "features": features[inside],
        "last": last[inside],
        "sums": sums[inside],
        "lengths": ends.int(),
    }


class Rows:
    """The rows of all files by number; what is large stays in the files, which processes share in memory."""

    def __init__(self, paths):
        self.parts = [load_file(path) for path in paths]
        small = ("tokens", "reply", "sums", "lengths")
        self.tokens, self.reply, self.sums, self.lengths = (torch.cat([part[n] for part in self.parts]) for n in small)
        self.begin = torch.tensor([0, *(len(part["tokens"]) for part in self.parts)]).cumsum(0)

    def gather(self, name, numbers):
        """Of `features` or `last`, the rows of these numbers."""
        flat = numbers.flatten().contiguous()
        out = torch.empty(len(flat), self.parts[0][name].shape[1], dtype=self.parts[0][name].dtype)
        part = torch.searchsorted(self.begin, flat, right=True) - 1
        for index in part.unique().tolist():
            of = part == index
            out[of] = self.parts[index][name][flat[of] - self.begin[index]]
        return out.view(*numbers.shape, -1)


def write_batch(model, kept, batch, seed, path):
    """In a process of its own, one thread each: two threads would wait for one another at every small product."""
    torch.set_num_threads(1)
    sampler = Sampler(load_target(model), kept, torch.Generator().manual_seed(seed))
    with torch.inference_mode():
        rows = sample_batch(sampler, batch)
    save_file(rows, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)


def sample(model, tokenizer, kept, count, seed, folder, report):
    """Files with `count` replies, of all domains; those that lie in the folder already are not written again."""
    texts = [text.prompt for domain in DOMAINS for text in prompts(domain, PROMPTS, seed)]
    random.Random(seed).shuffle(texts)
    texts = texts[:count]
    encoded = [each.ids for each in tokenizer.encode_batch(texts, add_special_tokens=False)]
    folder.mkdir(parents=True, exist_ok=True)
    paths, jobs = [], []
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        for first in range(0, len(encoded), BATCH):
            batch = sorted(encoded[first : first + BATCH], key=len)
            of = hashlib.sha256(repr((batch, kept, REPLY, seed)).encode()).hexdigest()[:16]
            paths.append(folder / f"{of}.safetensors")
            if not paths[-1].is_file():
                jobs.append(pool.submit(write_batch, model, kept, batch, seed + first, paths[-1]))
        report(f"{len(encoded)} prompts in {len(paths)} batches, {len(paths) - len(jobs)} of them sampled before")
        for done, job in enumerate(as_completed(jobs), 1):
            job.result()
            report(f"sampled {done}/{len(jobs)} batches")
    return paths
