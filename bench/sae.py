"""The reference of bench/sae.ts: the same training step in PyTorch, float32, timed here.

    python3 bench/sae.py THREADS BATCH WIDTH FEATURES K

Says first, as JSON, what it computes with. Then each line of stdin names a number of steps and is answered by their seconds.
A TopK step as people write it: dense products, a scatter of the k largest, autograd, the decoder's parallel gradient removed, Adam, unit rows.
"""

import json
import sys
import time

import torch

threads, batch, width, features, k = (int(word) for word in sys.argv[1:6])
torch.set_num_threads(threads)
torch.manual_seed(0)
rows = torch.randn(16 * batch, width)
decoder = torch.nn.Parameter(torch.nn.functional.normalize(torch.randn(features, width), dim=-1))
encoder = torch.nn.Parameter(decoder.detach().clone())
encoder_bias = torch.nn.Parameter(torch.zeros(features))
decoder_bias = torch.nn.Parameter(torch.zeros(width))
adam = torch.optim.Adam([encoder, encoder_bias, decoder, decoder_bias], lr=1e-3)


def step():
    x = rows[torch.randint(len(rows), (batch,))]
    z = torch.addmm(encoder_bias, x - decoder_bias, encoder.T)
    top = z.topk(k, dim=-1)
    f = torch.zeros_like(z).scatter(-1, top.indices, top.values.clamp(min=0))
    loss = ((f @ decoder + decoder_bias - x) ** 2).sum(-1).mean() / width
    adam.zero_grad()
    loss.backward()
    with torch.no_grad():
        decoder.grad -= (decoder.grad * decoder).sum(-1, keepdim=True) * decoder
    adam.step()
    with torch.no_grad():
        decoder.div_(decoder.norm(dim=-1, keepdim=True))


print(json.dumps({"torch": f"PyTorch {torch.__version__}"}), flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    for _ in range(int(line)):
        step()
    print(time.perf_counter() - start, flush=True)
