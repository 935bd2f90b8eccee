"""Write what the engine's tests compare with: token ids and PyTorch's logits, and the XS model in F32.

    python3 fixture.py --checkpoint DIR/xs.pt --tokenizer DIR/tokenizer.json --out ../../test/fixtures
"""

import argparse
import json
import os

import torch

from export import gguf_metadata, gguf_tensors, load_model
from generate import Attributes, Story
from gguf import write_gguf
from tokenizer import Tokenizer

DIGITS = 7  # significant, about float32's own
LOGIT_TEXTS = 12  # the first so many texts carry logits: 12 vocabularies are about 400 kB of JSON

STORY_ATTRIBUTES = [
    Attributes(), Attributes(past=False, mood="sad", place="out"), Attributes(capitals=True), Attributes(french=True),
    Attributes(french=True, past=False, animal="cat"), Attributes(animal="cat", dialogue=False),
]
AWKWARD_TEXTS = [
    "", "a", " two  spaces and\ttabs\n\n\nand lines \n", "don't we'll I'm it's they've he'd you're 'quoted'",
    "3.14 + 2 = 5.14; 12345 and 1st", "naïve café «À l'école» œuf", "日本語 and emoji 😀, ½ x² Ⅷ", "hello_world __init__ a_b",
    "THE END?!... (yes) [no] {maybe} <b>", "<|endoftext|>Once",
]


def texts():
    """Some excerpts of held-out stories in each look, then texts that try the tokenizer."""
    stories = [Story(f"fixture-{i}", a, "heldout").sentences() for i, a in enumerate(STORY_ATTRIBUTES)]
    excerpts = [" ".join(s[:2]) for s in stories] + [" ".join(s[1:5]) for s in stories]
    return excerpts + AWKWARD_TEXTS


def encode_special(tokenizer, text):
    """Ids with BOS, the end-of-text marker parsed as one token."""
    first, *rest = text.split("<|endoftext|>")
    ids = tokenizer.encode(first, bos=True)
    for part in rest:
        ids += tokenizer.encode(part, bos=True)
    return ids


def rounded(values):
    return [float(f"{v:.{DIGITS}g}") for v in values]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = Tokenizer.load(args.tokenizer)
    model = load_model("xs", args.checkpoint, tokenizer)
    cases = []
    for index, text in enumerate(texts()):
        case = {"text": text, "ids": encode_special(tokenizer, text)}
        if index < LOGIT_TEXTS:
            with torch.no_grad():
                logits = model(torch.tensor([case["ids"]]))[0]
            case["top"] = logits.argmax(-1).tolist()
            case["lastLogits"] = rounded(logits[-1].tolist())
        cases.append(case)
    write_gguf(os.path.join(args.out, "trimtab-stories-xs-f32.gguf"), gguf_metadata("xs", tokenizer), gguf_tensors(model), "f32")
    with open(os.path.join(args.out, "demo-logits.json"), "w", encoding="utf-8", newline="\n") as file:
        json.dump({
            "about": "PyTorch float32 on the XS demo model: `ids` begin with BOS (special tokens parsed); `top` is the most "
                     "likely next token after each position; `lastLogits` are the logits after the last one.",
            "model": "trimtab-stories-xs", "cases": cases,
        }, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
