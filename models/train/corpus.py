"""Build the training corpus: fresh synthetic stories, TinyStories, and some of these in capitals, as one array of token ids.

    python3 corpus.py --tinystories FIT.txt --tinystories-val VAL.txt --tokens 10000000 --out DIR

writes DIR/tokenizer.json, DIR/train.npy (uint16), DIR/val_synthetic.npy, DIR/val_tinystories.npy and DIR/corpus.json.
"""

import argparse
import json
import os
import random

import numpy

from generate import Story, random_attributes
from tokenizer import END_OF_TEXT, Tokenizer, learn_merges

VOCABULARY = 3072  # unless --vocabulary says otherwise
TINYSTORIES_SHARE = 0.20  # of tokens; also keeps the TinyStories file at under 6 passes
CAPITALS_SHARE = 0.02  # of tokens: TinyStories in capitals, so that capitals are not only the generator's
TOKENIZER_STORIES = 12_000
VALIDATION_STORIES = 400


def story_text(kind, index):
    seed = f"{kind}-{index}"
    return Story(seed, random_attributes(seed)).text()


def read_documents(path):
    with open(path, encoding="utf-8") as file:
        return [d.strip() for d in file.read().split(END_OF_TEXT) if d.strip()]


def encode_documents(texts, tokenizer):
    return [numpy.array(tokenizer.encode(text, bos=True), dtype=numpy.uint16) for text in texts]


def take_tokens(documents, budget, rng):
    """Documents in shuffled passes until `budget` tokens are reached."""
    taken, total = [], 0
    while total < budget:
        for document in rng.sample(documents, len(documents)):
            if total >= budget:
                break
            taken.append(document)
            total += len(document)
    return taken


def build(args):
    rng = random.Random("corpus")
    fit = read_documents(args.tinystories)
    tokenizer = Tokenizer(learn_merges(
        [story_text("train", i) for i in range(TOKENIZER_STORIES)] + fit + [d.upper() for d in fit[:400]], args.vocabulary))
    os.makedirs(args.out, exist_ok=True)
    tokenizer.save(os.path.join(args.out, "tokenizer.json"))
    tiny = take_tokens(encode_documents(fit, tokenizer), TINYSTORIES_SHARE * args.tokens, rng)
    capitals = take_tokens(encode_documents([d.upper() for d in fit], tokenizer), CAPITALS_SHARE * args.tokens, rng)
    budget = args.tokens - sum(map(len, tiny)) - sum(map(len, capitals))
    synthetic, total = [], 0
    while total < budget:
        synthetic.append(numpy.array(tokenizer.encode(story_text("train", len(synthetic)), bos=True), dtype=numpy.uint16))
        total += len(synthetic[-1])
    documents = synthetic + tiny + capitals
    rng.shuffle(documents)
    numpy.save(os.path.join(args.out, "train.npy"), numpy.concatenate(documents))
    validation = {
        "val_synthetic": [story_text("validation", i) for i in range(VALIDATION_STORIES)],
        "val_tinystories": read_documents(args.tinystories_val),
    }
    for name, texts in validation.items():
        numpy.save(os.path.join(args.out, name + ".npy"), numpy.concatenate(encode_documents(texts, tokenizer)))
    summary = {
        "tokens": int(sum(map(len, documents))), "synthetic_stories": len(synthetic), "synthetic_tokens": int(total),
        "tinystories_tokens": int(sum(map(len, tiny))), "capitals_tokens": int(sum(map(len, capitals))),
        "tinystories_passes": round(sum(map(len, tiny)) / sum(map(len, encode_documents(fit, tokenizer))), 2),
    }
    with open(os.path.join(args.out, "corpus.json"), "w", encoding="utf-8") as file:
        json.dump(summary, file, indent=1)
    print(json.dumps(summary))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tinystories", required=True)
    parser.add_argument("--tinystories-val", required=True)
    parser.add_argument("--tokens", type=int, default=10_000_000)
    parser.add_argument("--vocabulary", type=int, default=VOCABULARY, help="tokens of the tokenizer that is learnt first")
    parser.add_argument("--out", required=True)
    build(parser.parse_args())
