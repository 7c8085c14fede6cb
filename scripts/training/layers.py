"""Decoder layers of Qwen3 and Llama in PyTorch, for a target that sees what is before it and for drafters that see a
context.

Keys and values of earlier rows come from outside, so the same layer serves packed training windows, a cache, and the
context of a drafter. Tensors are named as in published checkpoints.
"""

import dataclasses
import math

import torch
from torch import nn
from torch.nn import functional


@dataclasses.dataclass(frozen=True)
class Shape:
    vocabulary: int
    width: int = 192
    layers: int = 6
    heads: int = 6
    kv_heads: int = 2
    head_dim: int = 32
    inner: int = 512
    theta: float = 10000.0
    epsilon: float = 1e-6
    positions: int = 1024
    head_norms: bool = True  # of queries and keys: Qwen3 has them, Llama has not


class Norm(nn.Module):
    def __init__(self, width, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x):
        return functional.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), self.epsilon)


def rotation(shape, positions):
    """(cosine, sine), each (batch, 1, rows, head_dim), of positions (batch, rows)."""
    pairs = torch.arange(0, shape.head_dim, 2, dtype=torch.float32)
    angles = positions.float().unsqueeze(-1) * shape.theta ** (-pairs / shape.head_dim)
    angles = torch.cat([angles, angles], dim=-1).unsqueeze(1)
    return angles.cos(), angles.sin()


def rotate(x, by):
    cosine, sine = (t.to(x.dtype) for t in by)
    half = x.shape[-1] // 2
    turned = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
    return x * cosine + turned * sine


class Attention(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.q_proj = nn.Linear(shape.width, shape.heads * shape.head_dim, bias=False)
        self.k_proj = nn.Linear(shape.width, shape.kv_heads * shape.head_dim, bias=False)
        self.v_proj = nn.Linear(shape.width, shape.kv_heads * shape.head_dim, bias=False)
        self.o_proj = nn.Linear(shape.heads * shape.head_dim, shape.width, bias=False)
        norm = (lambda: Norm(shape.head_dim, shape.epsilon)) if shape.head_norms else nn.Identity
        self.q_norm, self.k_norm = norm(), norm()

    def split(self, x):
        return x.unflatten(-1, (-1, self.shape.head_dim)).transpose(1, 2)

    def keys_values(self, x, by):
        """(batch, kv_heads, rows, head_dim) each."""
        return rotate(self.k_norm(self.split(self.k_proj(x))), by), self.split(self.v_proj(x))

    def forward(self, x, by, mask, keys, values):
        """mask: (batch, 1, rows, keys), true where a row sees a key."""
        queries = rotate(self.q_norm(self.split(self.q_proj(x))), by)
        repeat = self.shape.heads // self.shape.kv_heads
        keys, values = (t.to(queries.dtype).repeat_interleave(repeat, dim=1) for t in (keys, values))
        out = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        return self.o_proj(out.transpose(1, 2).flatten(2))


class Mlp(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.inner, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.inner, bias=False)
        self.down_proj = nn.Linear(shape.inner, shape.width, bias=False)

    def forward(self, x):
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = Mlp(shape)
        self.input_layernorm = Norm(shape.width, shape.epsilon)
        self.post_attention_layernorm = Norm(shape.width, shape.epsilon)

    def forward(self, x, by, mask, gather):
        """gather(keys, values) gives all keys and values that the rows may see, these among them."""
        normed = self.input_layernorm(x)
        keys, values = gather(*self.self_attn.keys_values(normed, by))
        x = x + self.self_attn(normed, by, mask, keys, values)
        return x + self.mlp(self.post_attention_layernorm(x))


def initialise(module, layers, generator):
    """Normal weights; what is added to the residual stream is smaller in deeper stacks."""
    for name, weight in module.named_parameters():
        if name.endswith("bias"):
            weight.data.zero_()
        if weight.dim() < 2:
            continue
        deviation = 0.02 if "embed" in name or "markov" in name else weight.shape[1] ** -0.5 * 0.7
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            deviation /= (2 * layers) ** 0.5
        with torch.no_grad():
            weight.copy_(torch.randn(weight.shape, generator=generator) * deviation)


class Optimiser:
    """Muon for matrices inside the layers, AdamW for the rest; a linear warm-up and a cosine to a hundredth.

    others: names of matrices that are Muon's too."""

    def __init__(self, module, rate, steps, warm_up=0.04, others=()):
        named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        inside = [p for name, p in named if p.dim() == 2 and ("layers." in name or name in others)]
        other = [p for name, p in named if not (p.dim() == 2 and ("layers." in name or name in others))]
        self.parameters = inside + other
        self.parts = [
            torch.optim.Muon(inside, lr=rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(other, lr=rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
        ]
        self.rate, self.steps, self.warm_up, self.done = rate, steps, warm_up, 0

    def step(self, loss, combine=None):
        """combine(parameters): what makes of this process's gradients those of all processes; none: there is one."""
        begun = min(1.0, (self.done + 1) / (self.warm_up * self.steps))
        rate = self.rate * begun * (0.01 + 0.99 * 0.5 * (1 + math.cos(self.done / self.steps * math.pi)))
        self.done += 1
        loss.backward()
        if combine:
            combine(self.parameters)
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate
            part.step()
            part.zero_grad(set_to_none=True)
