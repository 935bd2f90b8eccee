"""Train one member of the demo family on a CPU core.

    OMP_NUM_THREADS=1 python3 train.py --model xs --corpus DIR --out DIR

Kill it and start it again with the same command: it goes on from its last checkpoint, on the same batches.
"""

import argparse
import json
import math
import os
import time

import numpy
import torch
from torch.nn import functional as F

from model import CONTEXT, FAMILY, Llama
from tokenizer import Tokenizer

BATCH = 16
WARM_UP = 50
FINAL_RATE = 0.05  # of the peak, at the end of the cosine
WEIGHT_DECAY = 0.1
BETAS = (0.9, 0.95)
CLIP = 1.0
CHECKPOINT_EVERY = 100
LOG_EVERY = 20
VALIDATE_EVERY = 500
VALIDATION_WINDOWS = 96
DATA_SEED = 5


def windows(ids):
    """Consecutive windows of CONTEXT inputs and, shifted by one, their targets."""
    count = (len(ids) - 1) // CONTEXT
    inputs = ids[:count * CONTEXT].reshape(count, CONTEXT)
    targets = ids[1:count * CONTEXT + 1].reshape(count, CONTEXT)
    return inputs.astype(numpy.int64), targets.astype(numpy.int64)


def learning_rate(step, steps, peak):
    if step < WARM_UP:
        return peak * (step + 1) / WARM_UP
    progress = (step - WARM_UP) / max(1, steps - WARM_UP)
    return peak * (FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * progress)))


def batch_loss(model, inputs, targets):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(torch.from_numpy(inputs))
    return F.cross_entropy(logits.float().flatten(0, 1), torch.from_numpy(targets).flatten())


@torch.no_grad()
def validation_loss(model, path):
    inputs, targets = windows(numpy.load(path))
    inputs, targets = inputs[:VALIDATION_WINDOWS], targets[:VALIDATION_WINDOWS]
    losses = [float(batch_loss(model, inputs[i:i + BATCH], targets[i:i + BATCH])) for i in range(0, len(inputs), BATCH)]
    return sum(losses) / len(losses)


def make_optimizer(model, peak):
    matrices = [p for p in model.parameters() if p.dim() == 2]
    gains = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": gains, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=peak, betas=BETAS)


def save(path, model, optimizer, step, seconds):
    """Write beside, then rename: a kill never leaves half a checkpoint."""
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": seconds},
               path + ".part")
    os.replace(path + ".part", path)


def train(args):
    torch.set_num_threads(1)
    config = FAMILY[args.model]
    tokenizer = Tokenizer.load(os.path.join(args.corpus, "tokenizer.json"))
    model = Llama(config, tokenizer.bos)
    optimizer = make_optimizer(model, config.learning_rate)
    inputs, targets = windows(numpy.load(os.path.join(args.corpus, "train.npy")))
    order = numpy.random.default_rng(DATA_SEED).permutation(len(inputs))
    schedule = len(inputs) // BATCH
    last = min(schedule, args.steps or schedule)
    os.makedirs(args.out, exist_ok=True)
    checkpoint = os.path.join(args.out, f"{args.model}.pt")
    step, seconds = 0, 0.0
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        step, seconds = saved["step"], saved["seconds"]
    started = time.monotonic() - seconds
    log = open(os.path.join(args.out, f"{args.model}.jsonl"), "a", encoding="utf-8")

    def report(**values):
        line = json.dumps({"step": step, "seconds": round(time.monotonic() - started, 1), **values})
        print(args.model, line, flush=True)
        log.write(line + "\n")
        log.flush()

    report(model=args.model, parameters=sum(p.numel() for p in model.parameters()), steps=schedule)
    while step < last:
        rate = learning_rate(step, schedule, config.learning_rate)
        for group in optimizer.param_groups:
            group["lr"] = rate
        rows = order[step * BATCH:(step + 1) * BATCH]
        loss = batch_loss(model, inputs[rows], targets[rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        step += 1
        if step % LOG_EVERY == 0:
            report(loss=round(float(loss), 4), rate=round(rate, 6))
        if step % VALIDATE_EVERY == 0 or step == last:
            report(**{name: round(validation_loss(model, os.path.join(args.corpus, name + ".npy")), 4)
                      for name in ("val_synthetic", "val_tinystories")})
        if step % CHECKPOINT_EVERY == 0 or step == last:
            save(checkpoint, model, optimizer, step, time.monotonic() - started)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", choices=FAMILY, required=True)
    parser.add_argument("--corpus", required=True, help="directory written by corpus.py")
    parser.add_argument("--out", required=True, help="directory of checkpoints and logs")
    parser.add_argument("--steps", type=int, help="stop early, for a trial; the schedule stays that of the whole corpus")
    train(parser.parse_args())
