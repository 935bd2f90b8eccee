"""Write simple stories with known attributes.

Every slot of a story (its opening, its third body sentence, ...) has its own random stream, and no draw depends on an
attribute. So two stories with the same seed that differ in one attribute have every other word in common: a matched pair.

    python3 generate.py --stories 5 --seed 7
"""

import argparse
import dataclasses
import random
import re

import lexicon
import patterns_en
import patterns_fr

SLOT_NAMES = ("OPENING", "HABIT", "SETTING", "ANIMAL", "FIND", "BODY", "TALK", "EVENT", "MOOD", "ENDING")
HELDOUT_EVERY = 5  # every fifth pattern of a slot never occurs in training
NAME_SHARE = 0.6  # of {S}; names are copied more often, hence stay steadier, than in a story that uses pronouns
FRENCH_SHARE = 0.08
CAPITALS_SHARE = 0.09  # the training mix adds upper-cased TinyStories
PAST_SHARE = 0.42  # TinyStories is nearly all in the past tense; the mix of both is about half


@dataclasses.dataclass(frozen=True)
class Attributes:
    """What a story is about, apart from its seed."""

    mood: str = "happy"
    animal: str = "dog"
    place: str = "in"
    past: bool = True
    french: bool = False
    capitals: bool = False
    dialogue: bool = True


def random_attributes(seed):
    """Attributes as in the training mixture."""
    rng = random.Random(f"{seed}/attributes")
    return Attributes(
        mood=rng.choice(("happy", "sad")),
        animal=rng.choice(("dog", "cat")),
        place=rng.choice(("in", "out")),
        past=rng.random() < PAST_SHARE,
        french=rng.random() < FRENCH_SHARE,
        capitals=rng.random() < CAPITALS_SHARE,
        dialogue=rng.random() < 0.6,
    )


def split_options(text):
    """Split `a|b|c` at the bars outside brackets."""
    options, depth, start = [], 0, 0
    text = re.sub(r"\n\s*", "", text)
    for i, char in enumerate(text):
        if char in "[<{":
            depth += 1
        elif char in "]>}":
            depth -= 1
        elif char == "|" and depth == 0:
            options.append(text[start:i])
            start = i + 1
    return options + [text[start:]]


def load_bank(module, fillers):
    patterns = {slot: getattr(module, slot).strip().split("\n") for slot in SLOT_NAMES}
    return patterns, {name: split_options(text) for name, text in fillers.items()}


BANKS = {
    False: load_bank(patterns_en, lexicon.FILLERS),
    True: load_bank(patterns_fr, patterns_fr.FILLERS),
}


def choose_patterns(patterns, split):
    """`train` and `heldout` are disjoint; `heldout` is every fifth pattern."""
    return [p for i, p in enumerate(patterns) if (i % HELDOUT_EVERY == HELDOUT_EVERY - 1) == (split == "heldout")]


POOLS = {
    (french, split, slot): choose_patterns(bank[0][slot], split)
    for french, bank in BANKS.items() for split in ("train", "heldout") for slot in SLOT_NAMES
}


def capitalise(text):
    """Upper-case the first letter, also behind an opening quotation mark."""
    return re.sub(r"[^\W\d_]", lambda m: m.group().upper(), text, count=1)


def french_thing(rng, definite=False):
    _, noun, gender = rng.choice(lexicon.THINGS)
    colour = rng.choice(lexicon.COLOURS)[1 if gender == "m" else 2]
    return french_noun(noun, gender, colour, definite)


def french_noun(noun, gender, colour, definite):
    article = ("le " if gender == "m" else "la ") if definite else ("un " if gender == "m" else "une ")
    if definite and noun[0] in "aeiouéêh":
        article = "l'"
    return f"{article}{noun} {colour}"


class Story:
    """One story: its fixed cast, and its slots on request."""

    def __init__(self, seed, attributes, split="train", cast_split=None):
        self.seed, self.attributes, self.split = seed, attributes, split
        rng = random.Random(f"{seed}/cast")
        girl = rng.random() < 0.5
        heldout = (cast_split or split) == "heldout"
        girls, boys = (lexicon.HELDOUT_GIRLS, lexicon.HELDOUT_BOYS) if heldout else (lexicon.GIRLS, lexicon.BOYS)
        self.name = rng.choice(girls if girl else boys)
        self.gender = "f" if girl else "m"
        self.pet_name = rng.choice(lexicon.PETS)
        thing, noun, noun_gender = rng.choice(lexicon.THINGS)
        colour = rng.choice(lexicon.COLOURS)
        place = rng.choice(lexicon.PLACES)
        place = place[:4] if attributes.place == "in" else place[4:]
        relative = rng.random() < 0.4
        friend_name, family = rng.choice(lexicon.FRIENDS), rng.choice(lexicon.FILLERS["family"].split("|"))
        his = "her" if girl else "his"
        self.words = {
            "n": self.name, "he": "she" if girl else "he", "him": "her" if girl else "him", "his": his,
            "himself": "herself" if girl else "himself", "boy": "girl" if girl else "boy", "His": his.capitalize(),
            "friend": f"{his} {family}" if relative else friend_name,
            "fvoc": capitalise(family) if relative else friend_name,
            "pet": attributes.animal, "pet_name": self.pet_name, "petref": f"the {attributes.animal}",
            "toy": f"{colour[0]} {thing}", "place": place[0], "at": f"{place[1]} the {place[0]}",
        }
        if attributes.french:
            relatives = {"mom": "sa mère", "dad": "son père", "grandma": "sa grand-mère", "grandpa": "son grand-père",
                         "sister": "sa sœur", "brother": "son frère", "aunt": "sa tante", "uncle": "son oncle",
                         "cousin": "son cousin", "teacher": "son maître"}
            form = colour[1 if noun_gender == "m" else 2]
            self.words.update({
                "he": "elle" if girl else "il", "pet": "chien" if attributes.animal == "dog" else "chat",
                "friend": relatives[family] if relative else friend_name,
                "toy": french_noun(noun, noun_gender, form, False), "the_toy": french_noun(noun, noun_gender, form, True),
                "to": place[2], "at": place[3],
            })
            self.words["petref"] = f"le {self.words['pet']}"
        self.words["Friend"] = capitalise(self.words["friend"])

    def fill(self, text, rng, fillers):
        """Replace every `{filler}`, depth first; draws do not depend on the attributes."""
        def one(match):
            key = match.group(1)
            if key in ("S", "Pet"):
                by_name = rng.random() < (NAME_SHARE if key == "S" else 0.5)
                return (self.name if by_name else self.words["he"]) if key == "S" else (
                    self.pet_name if by_name else self.words["petref"])
            if key in self.words:
                return self.words[key]
            if key == "une_chose":
                return french_thing(rng)
            if key == "lead" and rng.random() < 0.5 or key == "tail" and rng.random() < 0.4:
                return ""
            return self.fill(rng.choice(fillers[key]), rng, fillers)
        return re.sub(r"\{(\w+)\}", one, text)

    def sentence(self, slot, index=0):
        """The sentence of a slot; `index` tells several of one slot apart."""
        a = self.attributes
        pool = POOLS[a.french, self.split, slot]
        start = random.Random(f"{self.seed}/{slot}").randrange(len(pool))
        step = 7 if len(pool) % 7 else 1  # walks through the whole pool, so no story repeats a pattern
        pattern = pool[(start + index * step) % len(pool)]
        rng = random.Random(f"{self.seed}/{slot}/{index}")
        return self.finish(self.fill(pattern, rng, BANKS[a.french][1]))

    def finish(self, text):
        """Choose the attributes' alternatives, conjugate, and mend articles."""
        a = self.attributes
        keys = {a.mood, a.animal, a.place, self.gender}
        bracket = re.compile(r"\[([^\[\]]*)\]")
        while bracket.search(text):
            text = bracket.sub(
                lambda m: next(v for k, v in (o.split("=", 1) for o in m.group(1).split("|")) if k in keys), text)
        text = re.sub(r"<([^<>]*)>", self.conjugate, text)
        if a.french:
            text = re.sub(r"\b([dD])e (?=[aeiouéêAEIOUH])", r"\1'", text)
        else:
            text = re.sub(r"\b([aA]) (?=[aeiou])", r"\1n ", text)
        text = capitalise(text)
        return text.upper() if a.capitals else text

    def conjugate(self, match):
        text = match.group(1)
        if self.attributes.french:
            return text.split("/")[0 if self.attributes.past else 1]
        plural = text.startswith("+")
        verb, _, rest = text.lstrip("+").partition(" ")
        return lexicon.conjugate(verb, self.attributes.past, plural) + (" " + rest if rest else "")

    def plan(self):
        """The story's slots in order. Lengths come from their own stream, so attributes do not move them."""
        rng = random.Random(f"{self.seed}/plan")
        slots = [("OPENING", 0)]
        if rng.random() < 0.6:
            slots.append(("HABIT", 0))
        slots += [("SETTING", 0), ("ANIMAL", 0), ("FIND", 0)]
        slots += [("BODY", i) for i in range(rng.randint(1, 4))]
        talk_twice, more, second_mood = rng.random() < 0.4, rng.randint(0, 2), rng.random() < 0.4
        if self.attributes.dialogue:
            slots += [("TALK", i) for i in range(1 + talk_twice)]
        slots += [("BODY", 10 + i) for i in range(more)]
        slots += [("EVENT", 0), ("MOOD", 0)] + ([("MOOD", 1)] if second_mood else []) + [("ENDING", 0)]
        return slots

    def sentences(self):
        return [self.sentence(slot, index) for slot, index in self.plan()]

    def text(self):
        return " ".join(self.sentences())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--stories", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=("train", "heldout"), default="train")
    args = parser.parse_args()
    for i in range(args.stories):
        seed = f"{args.seed}-{i}"
        print(Story(seed, random_attributes(seed), args.split).text(), end="\n\n")


if __name__ == "__main__":
    main()
