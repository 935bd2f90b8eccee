"""Write models/data: what the demo, the examples and the tests read. Nothing in it occurred in training.

    python3 make_data.py --tokenizer DIR/tokenizer.json --out ../data
"""

import argparse
import dataclasses
import gzip
import itertools
import json
import os
import random
import re

import lexicon
from generate import BANKS, Story, random_attributes
from item_templates import BOYS, GIRLS, TEMPLATES
from tokenizer import Tokenizer

CORPUS_TOKENS = 120_000  # 40 rows for each of the 3000 token ids, 600 for each source dimension of the largest model
PAIRS, ITEMS, PROMPTS = 160, 120, 40
# What differs, positive first, and the slots in which it shows.
CONCEPTS = {
    "french": ({"french": True}, {"french": False}, ("OPENING", "SETTING", "FIND", "BODY")),
    "capitals": ({"capitals": True}, {"capitals": False}, ("OPENING", "HABIT", "SETTING", "BODY")),
    "past": ({"past": True}, {"past": False}, ("OPENING", "SETTING", "FIND", "BODY")),
    "happy": ({"mood": "happy"}, {"mood": "sad"}, ("EVENT", "MOOD", "ENDING")),
    "dog": ({"animal": "dog"}, {"animal": "cat"}, ("ANIMAL", "BODY")),
    "indoor": ({"place": "in"}, {"place": "out"}, ("SETTING", "FIND", "BODY")),
}


def write_jsonl(path, rows):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_corpus(path, tokenizer):
    """The training mixture of the generator, from seeds of its own; gzip without a time stamp, so that bytes repeat."""
    lines, total = [], 0
    while total < CORPUS_TOKENS:
        seed = f"corpus-{len(lines)}"
        text = Story(seed, random_attributes(seed)).text()
        total += len(tokenizer.encode(text))
        lines.append(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    with open(path, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0) as file:
        file.write("".join(lines).encode())
    return len(lines), total


def make_pair(concept, index):
    """Two excerpts of one story, in held-out patterns, that differ in one attribute.

    Only sentences that show the attribute are kept: states pooled over sentences that do not say it would blur the
    vector. None where fewer than two do.
    """
    positive, negative, slots = CONCEPTS[concept]
    seed = f"pair-{concept}-{index}"
    base = dataclasses.replace(random_attributes(seed), french=False, capitals=False)
    rng = random.Random(f"{seed}/excerpt")
    plan = [slot for slot in Story(seed, base).plan() if slot[0] in slots]
    stories = [Story(seed, dataclasses.replace(base, **change), split="heldout") for change in (positive, negative)]
    sentences = [[story.sentence(slot, i) for story in stories] for slot, i in plan]
    differing = [pair for pair in sentences if pair[0] != pair[1]][:rng.randint(2, 5)]
    if len(differing) < 2:
        return None
    return {side: " ".join(texts) for side, texts in zip(("positive", "negative"), zip(*differing))}


def make_pairs(concept):
    """The first PAIRS distinct pairs."""
    rows = []
    for index in itertools.count():
        row = make_pair(concept, index)
        if row and row not in rows:
            rows.append(row)
        if len(rows) == PAIRS:
            return rows


def item_words(rng):
    girl = rng.random() < 0.5
    names = GIRLS if girl else BOYS
    thing, _, _ = rng.choice(lexicon.THINGS)
    words = {
        "n": rng.choice(names), "f": rng.choice(BOYS if girl else GIRLS), "boy": "girl" if girl else "boy",
        "he": "she" if girl else "he", "him": "her" if girl else "him", "his": "her" if girl else "his",
        "colour": rng.choice(lexicon.COLOURS)[0], "thing": thing, "place": rng.choice(("park", "library", "farm", "shop")),
        "chose": rng.choice([french for _, french, gender in lexicon.THINGS if gender == "f"]),
    }
    words.update({"He": words["he"].capitalize(), "His": words["his"].capitalize()})
    words.update({key.upper(): value.upper() for key, value in list(words.items()) if key.islower()})
    return words


def make_items(concept, tokenizer):
    """Every template in turn with fresh words, until ITEMS distinct rows whose prompts end at a token boundary."""
    templates = [line.strip().split("|") for line in TEMPLATES[concept].strip().split("\n")]
    rows = []
    for index in itertools.count():
        template = templates[index % len(templates)]
        words = item_words(random.Random(f"item-{concept}-{index}"))
        prompt, positive, negative = (part.format(**words) for part in template)
        prompt, positive, negative = (re.sub(r"\b([aA]) (?=[aeiouAEIOU])", articled, part)
                                      for part in (prompt, positive, negative))
        row = {"prompt": prompt, "positive": positive, "negative": negative}
        check_boundary(row, tokenizer)
        if row not in rows:
            rows.append(row)
        if len(rows) == ITEMS:
            return rows


def articled(match):
    follows_capital = match.string[match.end():match.end() + 2].isupper()
    return match.group(1) + ("N " if follows_capital else "n ")


def check_boundary(row, tokenizer):
    ids = tokenizer.encode(row["prompt"])
    for side in ("positive", "negative"):
        whole = tokenizer.encode(row["prompt"] + row[side])
        if whole[:len(ids)] != ids or len(whole) == len(ids):
            raise ValueError(f"the prompt's tokens do not begin the whole text's: {row}")


def make_prompts():
    """Open beginnings in held-out names: some in the past, some in the present, some without a verb."""
    rng = random.Random("prompts")
    beginnings = [
        "Once upon a time, there was a little {boy} named {n}. One day, {n} went to the {place} with {his} mom.",
        "One day, a {boy} named {n} walked to the {place}. {He} saw {his} friend there.",
        "{n} was a little {boy}. {He} liked to play at the {place}.",
        "{n} is a little {boy} with a {colour} {thing}.",
        "One day, a {boy} named {n} goes to the {place}.",
        "Once upon a time, a {boy} named {n}",
        "{n} and {f}",
        "The {colour} {thing}",
    ]
    rows = []
    while len(rows) < PROMPTS:
        text = beginnings[len(rows) % len(beginnings)].format(**item_words(rng))
        row = {"prompt": re.sub(r"\b([aA]) (?=[aeiou])", r"\1n ", text)}
        if row not in rows:
            rows.append(row)
    return rows


def verb_forms():
    """Unambiguous singular forms of the generator's verbs: the past ones and the present ones."""
    source = json.dumps([BANKS[False]])
    verbs = {"smile", "cry", "laugh"} | set(re.findall(r"<\+?(\w+)[ >]", source))
    verbs |= {option.split(" ")[0] for key in ("act", "act2") for option in BANKS[False][1][key]}
    past, present = (sorted({lexicon.conjugate(v, is_past) for v in verbs if v.isalpha()}) for is_past in (True, False))
    nouns = {"shows", "plans", "drops", "steps", "spots", "shells", "boxes", "leaves", "smiles", "looks", "trips", "hands", "can"}
    same = set(past) & set(verbs) | lexicon.UNCHANGED_PAST | set(present) & set(verbs)
    return ["were"] + [w for w in past if w not in same], ["are"] + [w for w in present if w not in same | nouns]


def make_lexicons():
    """Words to count in generated text. Words are matched whole and in any case; a regex stands for itself."""
    past, present = verb_forms()
    return {
        "french": {
            "positive": "un une le la les de du des et est était avec dans sur qui il elle à très petit petite fille garçon".split(),
            "negative": "a an the of and is was with in on who he she to very little girl boy".split(),
        },
        "capitals": {"positive_regex": r"\b[A-Z]{2,}\b", "negative_regex": r"\b[A-Za-z]*[a-z]+\b"},
        "past": {"positive": past, "negative": present},
        "happy": {
            "positive": """happy happily smile smiles smiled laugh laughs laughed glad joy proud cheerful giggle giggles giggled
                cheer cheers cheered wonderful perfect great""".split(),
            "negative": """sad sadly cry cries cried tear tears sob sobs sobbed weep weeps wept sigh sighs sighed frown frowns
                frowned lonely unhappy upset terrible gloomy bad""".split(),
        },
        "dog": {
            "positive": "dog dogs bark barks barked woof woofs woofed puppy wag wags wagged".split(),
            "negative": "cat cats meow meows meowed purr purrs purred kitten".split(),
        },
        "indoor": {
            "positive": """kitchen library shop attic classroom bedroom playroom living museum basement bakery room table sofa bed
                rug door window shelf lamp stairs chair chairs stove curtain carpet upstairs""".split(),
            "negative": """garden park zoo forest playground beach farm field lake yard river hill tree trees bush fence grass
                gate pond sand rock path bridge stream hedge mud sun moon sky""".split(),
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    tokenizer = Tokenizer.load(args.tokenizer)
    for folder in ("pairs", "items"):
        os.makedirs(os.path.join(args.out, folder), exist_ok=True)
    stories, tokens = write_corpus(os.path.join(args.out, "corpus.jsonl.gz"), tokenizer)
    for concept in CONCEPTS:
        write_jsonl(os.path.join(args.out, "pairs", f"{concept}.jsonl"), make_pairs(concept))
        write_jsonl(os.path.join(args.out, "items", f"{concept}.jsonl"), make_items(concept, tokenizer))
    write_jsonl(os.path.join(args.out, "prompts.jsonl"), make_prompts())
    with open(os.path.join(args.out, "lexicons.json"), "w", encoding="utf-8", newline="\n") as file:
        json.dump(make_lexicons(), file, ensure_ascii=False, indent=1)
        file.write("\n")
    print(f"{stories} stories of {tokens} tokens; {PAIRS} pairs and {ITEMS} items for each of {len(CONCEPTS)} concepts")


if __name__ == "__main__":
    main()
