"""Sample stories from a model, one token at a time with cached keys and values.

    python3 sample.py --model s --checkpoint DIR/s.pt --tokenizer DIR/tokenizer.json "Once upon a time"
"""

import argparse
import math

import torch
from torch.nn import functional as F

from export import load_model
from model import CONTEXT, FAMILY, rotate
from tokenizer import Tokenizer


def block_step(block, x, cache, cos, sin):
    """One block on one new position of each row; x is [batch, 1, width], `cache` the earlier keys and values."""
    batch, _, width = x.shape
    h = block.attention_norm(x)
    q, k, v = (f(h).view(batch, 1, block.heads, -1).transpose(1, 2) for f in (block.q, block.k, block.v))
    q, k = rotate(q, cos, sin), rotate(k, cos, sin)
    keys, values = torch.cat((cache[0], k), 2) if cache else k, torch.cat((cache[1], v), 2) if cache else v
    weights = torch.softmax(q @ keys.transpose(-1, -2) / math.sqrt(width / block.heads), dim=-1)
    x = x + block.o((weights @ values).transpose(1, 2).reshape(batch, 1, width))
    h = block.feed_norm(x)
    return x + block.down(F.silu(block.gate(h)) * block.up(h)), (keys, values)


@torch.no_grad()
def sample_ids(model, prompt, count, temperature, generator):
    """`count` continuations of the token ids `prompt`, each up to the end of its text or of the context."""
    rows = torch.tensor([prompt] * count)
    caches = [None] * len(model.blocks)
    alive = torch.ones(count, dtype=torch.bool)
    for position in range(CONTEXT):
        x = model.embedding(rows[:, position:position + 1])
        cos, sin = model.cos[position:position + 1], model.sin[position:position + 1]
        for i, block in enumerate(model.blocks):
            x, caches[i] = block_step(block, x, caches[i], cos, sin)
        if position + 1 < rows.shape[1]:
            continue
        logits = F.linear(model.norm(x[:, 0]), model.embedding.weight)
        token = torch.multinomial(torch.softmax(logits / temperature, dim=-1), 1, generator=generator)
        token[~alive] = model.end_of_text
        alive &= token[:, 0] != model.end_of_text
        if not alive.any():
            break
        rows = torch.cat((rows, token), dim=1)
    return rows.tolist()


def sample_stories(model, tokenizer, count, prompt="", temperature=0.8, seed=0):
    """`count` texts, each with whether it came to its end within the context."""
    generator = torch.Generator().manual_seed(seed)
    rows = sample_ids(model, tokenizer.encode(prompt, bos=True), count, temperature, generator)
    return [(tokenizer.decode(row), row[-1] == model.end_of_text or len(row) < CONTEXT) for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("prompt", nargs="?", default="")
    parser.add_argument("--model", choices=FAMILY, required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = Tokenizer.load(args.tokenizer)
    model = load_model(args.model, args.checkpoint, tokenizer)
    for text, _ in sample_stories(model, tokenizer, args.count, args.prompt, args.temperature, args.seed):
        print(text, end="\n\n")


if __name__ == "__main__":
    main()
