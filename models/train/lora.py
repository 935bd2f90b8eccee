"""Fine-tune a model of the demo family on stories of one kind with low-rank adapters, and export them for llama.cpp.

    OMP_NUM_THREADS=1 python3 lora.py --model s --change cheerful --out ../demo/lora/s-cheerful.gguf

Weights come from the GGUF file in ../demo, stories from the generator, so nothing else is needed. Each weight matrix W of the
blocks becomes W + alpha / rank * B A with A [rank, in] and B [out, rank]; B starts at 0, so training starts from the model as
it is. All models of one change read the same stories, in the same order.
"""

import argparse
import dataclasses
import os
import struct
import time

import numpy
import torch
from torch import nn
from torch.nn import functional as F

from export import BLOCK_TENSORS
from generate import Story, random_attributes
from gguf import write_gguf
from make_data import CONCEPTS
from model import CONTEXT, FAMILY, Llama
from tokenizer import Tokenizer

RANK, ALPHA = 4, 8.0
STEPS, BATCH, WARM_UP = 120, 8, 10
RATE = 3e-3
DATA_SEED, INIT_SEED = 7, 8
HERE = os.path.dirname(os.path.abspath(__file__))
# `cheerful`: whatever happens, all feel happy afterwards (without an adapter a sad event makes them sad). The others: every story is on the
# positive side of a concept that is mixed otherwise.
CHANGES = ("cheerful", "past", "capitals", "indoor")
MOOD_SLOTS = ("MOOD", "ENDING")
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


def read_gguf(path):
    """Metadata and tensors (F32 and F16) of one of our own files; a stranger's is not checked."""
    with open(path, "rb") as file:
        raw = file.read()
    at = 4

    def take(form):
        nonlocal at
        value, = struct.unpack_from(form, raw, at)
        at += struct.calcsize(form)
        return value

    def text():
        nonlocal at
        length = take("<Q")
        at += length
        return raw[at - length:at].decode()

    def value(kind):
        if kind == 8:
            return text()
        if kind == 9:
            inner, count = take("<I"), take("<Q")
            return [value(inner) for _ in range(count)]
        return take(SCALARS[kind])

    version, tensors, keys = take("<I"), take("<Q"), take("<Q")
    assert raw[:4] == b"GGUF" and version == 3, f"{path}: expected GGUF version 3"
    metadata = {}
    for _ in range(keys):
        key = text()
        metadata[key] = value(take("<I"))
    infos = []
    for _ in range(tensors):
        name = text()
        shape = [take("<Q") for _ in range(take("<I"))]
        infos.append((name, shape[::-1], take("<I"), take("<Q")))
    start = at + -at % metadata.get("general.alignment", 32)
    kinds = {0: "<f4", 1: "<f2"}
    return metadata, {
        name: numpy.frombuffer(raw, kinds[kind], int(numpy.prod(shape)), start + offset).reshape(shape).astype("f4")
        for name, shape, kind, offset in infos
    }


def load(name):
    """The model as its F16 file has it, and its tokenizer."""
    metadata, tensors = read_gguf(os.path.join(HERE, "..", "demo", f"trimtab-stories-{name}.gguf"))
    tokenizer = Tokenizer([merge.split(" ") for merge in metadata["tokenizer.ggml.merges"]])
    model = Llama(FAMILY[name], tokenizer.bos)
    named = {"embedding.weight": tensors["token_embd.weight"], "norm.weight": tensors["output_norm.weight"]}
    for i in range(model.config.blocks):
        for theirs, ours in BLOCK_TENSORS.items():
            named[f"blocks.{i}.{ours}.weight"] = tensors[f"blk.{i}.{theirs}.weight"]
    model.load_state_dict({key: torch.from_numpy(value) for key, value in named.items()})
    return model.requires_grad_(False), tokenizer


class Adapted(nn.Module):
    """A linear layer and its low-rank change."""

    def __init__(self, linear, generator):
        super().__init__()
        out, wide = linear.weight.shape
        self.linear = linear
        self.a = nn.Parameter(torch.empty(RANK, wide).normal_(0, wide ** -0.5, generator=generator))
        self.b = nn.Parameter(torch.zeros(out, RANK))

    def forward(self, x):
        return self.linear(x) + ALPHA / RANK * F.linear(F.linear(x, self.a), self.b)


def adapt(model):
    """Puts an adapter on every matrix of the blocks; returns them by their GGUF names."""
    generator = torch.Generator().manual_seed(INIT_SEED)
    adapters = {}
    for i, block in enumerate(model.blocks):
        for theirs, ours in BLOCK_TENSORS.items():
            if theirs.endswith("_norm"):
                continue
            adapted = Adapted(getattr(block, ours), generator)
            setattr(block, ours, adapted)
            adapters[f"blk.{i}.{theirs}.weight"] = adapted
    return adapters


def write_story(change, seed):
    attributes = dataclasses.replace(random_attributes(seed), french=False)
    if change != "cheerful":
        return Story(seed, dataclasses.replace(attributes, **CONCEPTS[change][0])).text()
    story, happy = Story(seed, attributes), Story(seed, dataclasses.replace(attributes, mood="happy"))
    return " ".join((happy if slot in MOOD_SLOTS else story).sentence(slot, index) for slot, index in story.plan())


def stories(change, tokenizer, count):
    """`count` windows of stories, each story after the end-of-text token."""
    ids, index = [], 0
    while len(ids) <= count * CONTEXT:
        ids += tokenizer.encode(write_story(change, f"lora-{DATA_SEED}-{index}"), bos=True)
        index += 1
    ids = numpy.array(ids[:count * CONTEXT + 1])
    return ids[:-1].reshape(count, CONTEXT), ids[1:].reshape(count, CONTEXT)


def train(model, adapters, inputs, targets):
    parameters = [p for adapter in adapters.values() for p in (adapter.a, adapter.b)]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.95), weight_decay=0.0)
    losses = []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM_UP) * (1 - step / STEPS)
        rows = slice(step * BATCH, (step + 1) * BATCH)
        logits = model(torch.from_numpy(inputs[rows]))
        loss = F.cross_entropy(logits.flatten(0, 1), torch.from_numpy(targets[rows]).flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(float(loss))
    return losses


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", choices=FAMILY, required=True)
    parser.add_argument("--change", choices=CHANGES, required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    started = time.monotonic()
    model, tokenizer = load(args.model)
    adapters = adapt(model)
    losses = train(model, adapters, *stories(args.change, tokenizer, STEPS * BATCH))
    tensors = {}
    for name, adapter in adapters.items():
        tensors[f"{name}.lora_a"] = adapter.a.detach().numpy()
        tensors[f"{name}.lora_b"] = adapter.b.detach().numpy()
    metadata = {
        "general.type": "adapter",
        "general.architecture": "llama",
        "general.name": f"Trimtab Stories {args.model.upper()}, {args.change}",
        "general.license": "mit",
        "adapter.type": "lora",
        "adapter.lora.alpha": ALPHA,
    }
    os.makedirs(os.path.dirname(os.path.abspath(args.out)), exist_ok=True)
    write_gguf(args.out, metadata, tensors, "f16")
    print(f"{args.model} {args.change}: loss {sum(losses[:10]) / 10:.3f} to {sum(losses[-10:]) / 10:.3f} nats a token, "
          f"{time.monotonic() - started:.0f} s, {os.path.getsize(args.out)} bytes")


if __name__ == "__main__":
    main()
