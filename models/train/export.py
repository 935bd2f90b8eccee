"""Export a checkpoint as GGUF for llama.cpp.

    python3 export.py --model xs --checkpoint DIR/xs.pt --tokenizer DIR/tokenizer.json --out trimtab-stories-xs.gguf
"""

import argparse

import torch

from gguf import write_gguf
from model import CONTEXT, FAMILY, NORM_EPSILON, ROPE_BASE, Llama
from tokenizer import Tokenizer

NORMAL, CONTROL = 1, 3  # llama.cpp's token types
BLOCK_TENSORS = {
    "attn_norm": "attention_norm", "attn_q": "q", "attn_k": "k", "attn_v": "v", "attn_output": "o",
    "ffn_norm": "feed_norm", "ffn_gate": "gate", "ffn_up": "up", "ffn_down": "down",
}


def load_model(name, checkpoint, tokenizer):
    model = Llama(FAMILY[name], tokenizer.bos)
    model.load_state_dict(torch.load(checkpoint, map_location="cpu")["model"])
    return model.eval()


def gguf_metadata(name, tokenizer):
    config = FAMILY[name]
    head_size = config.width // config.heads
    return {
        "general.architecture": "llama",
        "general.name": f"Trimtab Stories {name.upper()}",
        "general.author": "Trimtab",
        "general.license": "mit",
        "general.description": "A tiny model of simple stories with known attributes (mood, animal, place, tense, French, "
                               "capitals), for demonstrating and testing steering vectors. Not for any other use.",
        "general.languages": ["en", "fr"],
        "llama.context_length": CONTEXT,
        "llama.embedding_length": config.width,
        "llama.block_count": config.blocks,
        "llama.feed_forward_length": config.hidden,
        "llama.attention.head_count": config.heads,
        "llama.attention.head_count_kv": config.heads,
        "llama.attention.layer_norm_rms_epsilon": NORM_EPSILON,
        "llama.rope.dimension_count": head_size,
        "llama.rope.freq_base": ROPE_BASE,
        "llama.vocab_size": config.vocabulary,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokenizer.tokens,
        "tokenizer.ggml.token_type": [CONTROL if i == tokenizer.bos else NORMAL for i in range(len(tokenizer.tokens))],
        "tokenizer.ggml.merges": [" ".join(m) for m in tokenizer.merges],
        "tokenizer.ggml.bos_token_id": tokenizer.bos,
        "tokenizer.ggml.eos_token_id": tokenizer.bos,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": False,
    }


def gguf_tensors(model):
    """The output projection is the embedding: llama.cpp uses `token_embd` where `output` is absent."""
    weights = {name: weight.detach().numpy() for name, weight in model.named_parameters()}
    tensors = {"token_embd.weight": weights["embedding.weight"]}
    for i in range(model.config.blocks):
        for theirs, ours in BLOCK_TENSORS.items():
            tensors[f"blk.{i}.{theirs}.weight"] = weights[f"blocks.{i}.{ours}.weight"]
    tensors["output_norm.weight"] = weights["norm.weight"]
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", choices=FAMILY, required=True)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--precision", choices=("f32", "f16", "q8_0"), default="f16")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    tokenizer = Tokenizer.load(args.tokenizer)
    model = load_model(args.model, args.checkpoint, tokenizer)
    write_gguf(args.out, gguf_metadata(args.model, tokenizer), gguf_tensors(model), args.precision)


if __name__ == "__main__":
    main()
