"""Measure what a model writes from BOS alone, with string tests only.

    python3 quality.py --model xs s m --checkpoints DIR --corpus DIR --data ../data --tinystories FIT.txt

An English story, without its quotations, counts as
- `one_tense` if at most a tenth of its counted verb forms are in the other tense;
- `pronouns` if at most a tenth of its he/him/his/she/her disagree with its first "boy" or "girl", or else its first name;
- `name` if at least four of five mentions of hero names are of the first (companions and animals have names of their own).
`verbatim` is the share of sentences that stand word for word in the training text.
"""

import argparse
import json
import os
import re

import torch

import lexicon
from corpus import read_documents, story_text
from export import load_model
from model import FAMILY
from sample import sample_stories
from tokenizer import Tokenizer

TOLERANCE = 0.1  # of verb forms or pronouns; a story may quote or name somebody else
NAME_SHARE = 0.8
FRENCH = re.compile(r"\b(une?|était|est|avec|dans|il|elle|très)\b", re.I)
ENGLISH = re.compile(r"\b(an?|the|was|is|with|in|he|she|very)\b", re.I)


def split_sentences(text):
    return [s for s in re.split(r'(?<=[.!?])\s+(?=["«A-ZÀÉ])|(?<=[.!?]["»])\s+', text.strip()) if s]


def share(values):
    values = [v for v in values if v is not None]
    return round(sum(values) / len(values), 3) if values else None


def is_capitals(text):
    letters = [c for c in text if c.isalpha()]
    return sum(c.isupper() for c in letters) > 0.8 * max(1, len(letters))


def is_french(text):
    return len(FRENCH.findall(text)) > len(ENGLISH.findall(text))


def minority(a, b):
    """Share of the rarer of two counts; None where there is nothing to count."""
    return min(a, b) / (a + b) if a + b else None


def narration(text):
    return re.sub(r'"[^"]*"?', "", text)


class Counter:
    """The string tests, with the lexicon's verb forms and the generator's names."""

    def __init__(self, lexicons):
        self.past, self.present = set(lexicons["past"]["positive"]), set(lexicons["past"]["negative"])
        self.girls = set(lexicon.GIRLS + lexicon.HELDOUT_GIRLS)
        self.heroes = self.girls | set(lexicon.BOYS + lexicon.HELDOUT_BOYS)

    def tense(self, text):
        """Counts of past and present forms in the narration."""
        words = re.findall(r"[a-z]+", narration(text).lower())
        return sum(w in self.past for w in words), sum(w in self.present for w in words)

    def one_tense(self, text):
        rarer = minority(*self.tense(text))
        return None if rarer is None else rarer <= TOLERANCE

    def names(self, text):
        return [w for w in re.findall(r"[A-Z][a-z]+", text) if w in self.heroes]

    def pronouns(self, text):
        words = re.findall(r"[a-z]+", narration(text).lower())
        female = sum(w in ("she", "her", "hers", "herself") for w in words)
        male = sum(w in ("he", "him", "his", "himself") for w in words)
        names = self.names(text)
        noun = re.search(r"\b(girl|boy)\b", text)
        girl = noun.group() == "girl" if noun else names[0] in self.girls if names else None
        if girl is None or female + male == 0:
            return None
        return (male if girl else female) / (female + male) <= TOLERANCE

    def name(self, text):
        names = self.names(text)
        return names.count(names[0]) / len(names) >= NAME_SHARE if len(names) > 1 else None


def measure(stories, counter, training_sentences):
    texts = [text for text, _ in stories]
    plain = [t for t in texts if not is_french(t) and not is_capitals(t)]
    tenses = [counter.tense(t) for t in plain]
    sentences = [s for text, ended in stories for s in split_sentences(text)[:None if ended else -1]]
    return {
        "stories": len(texts),
        "ended": share([ended for _, ended in stories]),
        "one_tense": share([counter.one_tense(t) for t in plain]),
        "pronouns": share([counter.pronouns(t) for t in plain]),
        "name": share([counter.name(t) for t in plain]),
        "verbatim": share([s in training_sentences for s in sentences]),
        "french": share([is_french(t) for t in texts]),
        "capitals": share([is_capitals(t) for t in texts]),
        "past": share([a > b for a, b in tenses if a != b]),
    }


def training_sentences(corpus, tinystories):
    with open(os.path.join(corpus, "corpus.json"), encoding="utf-8") as file:
        count = json.load(file)["synthetic_stories"]
    seen = {s for i in range(count) for s in split_sentences(story_text("train", i))}
    for document in read_documents(tinystories):
        seen.update(split_sentences(document))
        seen.update(split_sentences(document.upper()))
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", choices=FAMILY, nargs="+", required=True)
    parser.add_argument("--checkpoints", required=True, help="directory of NAME.pt")
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--tinystories", required=True)
    parser.add_argument("--stories", type=int, default=150)
    parser.add_argument("--temperature", type=float, default=0.8)
    args = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = Tokenizer.load(os.path.join(args.corpus, "tokenizer.json"))
    with open(os.path.join(args.data, "lexicons.json"), encoding="utf-8") as file:
        counter = Counter(json.load(file))
    seen = training_sentences(args.corpus, args.tinystories)
    for name in args.model:
        model = load_model(name, os.path.join(args.checkpoints, f"{name}.pt"), tokenizer)
        stories = sample_stories(model, tokenizer, args.stories, temperature=args.temperature, seed=1)
        print(json.dumps({"model": name, **measure(stories, counter, seen)}), flush=True)


if __name__ == "__main__":
    main()
