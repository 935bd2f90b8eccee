"""Byte-level BPE with GPT-2's pre-tokenisation: learn the merges, encode, decode.

GPT-2 splits with the `regex` module's `\\p{L}` and `\\p{N}`; the classes below say the same with the standard `re`, where a
letter is a word character that is neither digit nor underscore.
"""

import collections
import json
import re

END_OF_TEXT = "<|endoftext|>"
SPLIT = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_alphabet():
    """GPT-2's printable stand-in for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    alphabet = {b: chr(b) for b in printable}
    alphabet.update({b: chr(256 + i) for i, b in enumerate(b for b in range(256) if b not in alphabet)})
    return alphabet


ALPHABET = byte_alphabet()
BYTE_OF = {char: byte for byte, char in ALPHABET.items()}


def learn_merges(texts, size):
    """The merges that fill a vocabulary of `size` tokens: 256 bytes, the merges, and the end-of-text token."""
    counts = collections.Counter(piece for text in texts for piece in SPLIT.findall(text))
    words = [[ALPHABET[b] for b in piece.encode()] for piece in counts]
    frequencies = list(counts.values())
    pairs, where = collections.Counter(), collections.defaultdict(set)
    for i, word in enumerate(words):
        for pair in zip(word, word[1:]):
            pairs[pair] += frequencies[i]
            where[pair].add(i)
    merges = []
    while len(merges) < size - 257:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))  # ties broken by text, so a rerun gives the same ids
        merges.append(best)
        for i in list(where[best]):
            word, frequency = words[i], frequencies[i]
            for pair in zip(word, word[1:]):
                pairs[pair] -= frequency
                where[pair].discard(i)
            words[i] = word = merge(word, best)
            for pair in zip(word, word[1:]):
                pairs[pair] += frequency
                where[pair].add(i)
        del pairs[best]
    return merges


def merge(word, pair):
    out, i = [], 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


class Tokenizer:
    """Encodes text as llama.cpp does with `tokenizer.ggml.pre = gpt-2`, except that it adds no BOS of its own accord."""

    def __init__(self, merges):
        self.merges = [tuple(m) for m in merges]
        self.tokens = [*(ALPHABET[b] for b in range(256)), *(a + b for a, b in self.merges), END_OF_TEXT]
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        self.bos = self.ids[END_OF_TEXT]
        self.ranks = {m: i for i, m in enumerate(self.merges)}
        self.cache = {}

    def encode(self, text, bos=False):
        ids = [self.bos] if bos else []
        for piece in SPLIT.findall(text):
            if piece not in self.cache:
                self.cache[piece] = self.encode_piece(piece)
            ids += self.cache[piece]
        return ids

    def encode_piece(self, piece):
        word = [ALPHABET[b] for b in piece.encode()]
        while len(word) > 1:
            best = min(zip(word, word[1:]), key=lambda pair: self.ranks.get(pair, len(self.ranks)))
            if best not in self.ranks:
                break
            word = merge(word, best)
        return [self.ids[token] for token in word]

    def decode(self, ids):
        return bytes(BYTE_OF[c] for i in ids if i != self.bos for c in self.tokens[i]).decode(errors="replace")

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"merges": [" ".join(m) for m in self.merges]}, file, ensure_ascii=False)

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls([m.split(" ") for m in json.load(file)["merges"]])
