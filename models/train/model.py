"""The demo family's network: the Llama block, small, with tied embeddings.

RoPE turns neighbouring pairs (2i, 2i + 1), which is what llama.cpp's `llama` architecture expects, so that no weight needs
permuting on export.
"""

import dataclasses
import math

import torch
from torch import nn
from torch.nn import functional as F

CONTEXT = 256
ROPE_BASE = 10_000.0
NORM_EPSILON = 1e-5
INIT_GAIN = 0.7  # of N(0, gain / sqrt(fan_in))


@dataclasses.dataclass(frozen=True)
class Config:
    width: int
    blocks: int
    heads: int  # of size 32: heads of 64 learn these stories worse than a model half the size
    hidden: int
    learning_rate: float
    seed: int  # a family's members share data, never their initial weights
    vocabulary: int = 3072


FAMILY = {
    "xs": Config(96, 3, 3, 256, 3e-3, 11),
    "s": Config(128, 4, 4, 352, 3e-3, 22),
    "m": Config(192, 6, 6, 512, 2e-3, 33),
    # The same texts in other tokens: for maps between models whose tokenizers differ.
    "xs1k": Config(96, 3, 3, 256, 3e-3, 44, vocabulary=1024),
}


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + NORM_EPSILON) * self.weight


def rope_tables(length, head_size):
    angles = torch.arange(length).float()[:, None] * ROPE_BASE ** (-torch.arange(0, head_size, 2).float() / head_size)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    """Rotate pairs (2i, 2i + 1) of the last dimension; x is [batch, heads, length, head size]."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        d, self.heads = config.width, config.heads
        self.attention_norm, self.feed_norm = RMSNorm(d), RMSNorm(d)
        self.q, self.k, self.v, self.o = (nn.Linear(d, d, bias=False) for _ in range(4))
        self.gate, self.up = nn.Linear(d, config.hidden, bias=False), nn.Linear(d, config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, d, bias=False)

    def forward(self, x, cos, sin, mask):
        batch, length, width = x.shape
        h = self.attention_norm(x)
        q, k, v = (f(h).view(batch, length, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        q, k = rotate(q.float(), cos, sin), rotate(k.float(), cos, sin)
        scores = q @ k.transpose(-1, -2) / math.sqrt(width / self.heads) + mask
        mixed = torch.softmax(scores.float(), dim=-1) @ v
        x = x + self.o(mixed.transpose(1, 2).reshape(batch, length, width))
        h = self.feed_norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Llama(nn.Module):
    def __init__(self, config, end_of_text):
        super().__init__()
        self.config, self.end_of_text = config, end_of_text
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm = RMSNorm(config.width)
        cos, sin = rope_tables(CONTEXT, config.width // config.heads)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self.initialise()

    def initialise(self):
        generator = torch.Generator().manual_seed(self.config.seed)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = INIT_GAIN / math.sqrt(weight.shape[1])
                if name.endswith(("o.weight", "down.weight")):
                    scale /= math.sqrt(2 * self.config.blocks)
                weight.data.normal_(0, scale, generator=generator)

    def mask(self, ids):
        """0 where a position may look, -inf elsewhere: not ahead, and not into an earlier document of the window.

        With this, a document in the middle of a training window is computed exactly as one that starts a prompt.
        """
        document = (ids == self.end_of_text).cumsum(-1)
        same = document[:, None, :, None] == document[:, None, None, :]
        causal = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).tril()
        return torch.zeros(same.shape).masked_fill(~(same & causal), float("-inf"))

    def forward(self, ids, states=None):
        """Logits [batch, length, vocabulary]; appends each block's output to `states` where a list is given."""
        x = self.embedding(ids)
        length = ids.shape[1]
        mask, cos, sin = self.mask(ids), self.cos[:length], self.sin[:length]
        for block in self.blocks:
            x = block(x, cos, sin, mask)
            if states is not None:
                states.append(x)
        return F.linear(self.norm(x), self.embedding.weight)
