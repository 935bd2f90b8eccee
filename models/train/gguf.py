"""Write GGUF version 3 with numpy: metadata, then tensors in F32, F16 or Q8_0."""

import struct

import numpy

MAGIC, VERSION, ALIGNMENT = b"GGUF", 3, 32
U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9  # metadata value types
TENSOR_TYPES = {"f32": 0, "f16": 1, "q8_0": 8}
FILE_TYPES = {"f32": 0, "f16": 1, "q8_0": 7}
Q8_BLOCK = 32


def pack_string(text):
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def pack_value(value):
    """Type tag and bytes of a str, bool, int, float, list of str or list of int."""
    if isinstance(value, bool):
        return struct.pack("<I?", BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", U32, value)
    if isinstance(value, float):
        return struct.pack("<If", F32, value)
    if isinstance(value, str):
        return struct.pack("<I", STRING) + pack_string(value)
    if isinstance(value[0], str):
        return struct.pack("<IIQ", ARRAY, STRING, len(value)) + b"".join(map(pack_string, value))
    return struct.pack("<IIQ", ARRAY, I32, len(value)) + numpy.array(value, dtype="<i4").tobytes()


def quantize_q8_0(rows):
    """Blocks of 32 along the last dimension: an F16 scale, then 32 signed bytes."""
    blocks = rows.astype(numpy.float32).reshape(-1, Q8_BLOCK)
    scale = numpy.abs(blocks).max(axis=1, keepdims=True) / 127
    inverse = numpy.divide(1, scale, out=numpy.zeros_like(scale), where=scale > 0)
    scaled = blocks * inverse
    out = numpy.empty(len(blocks), dtype=[("d", "<f2"), ("q", "i1", Q8_BLOCK)])
    out["d"] = scale[:, 0]
    out["q"] = numpy.copysign(numpy.floor(numpy.abs(scaled) + 0.5), scaled)  # half away from zero, as llama.cpp rounds
    return out.tobytes()


def encode_tensor(array, precision):
    """Bytes and GGUF type; vectors (the norms' gains) stay F32, which llama.cpp requires."""
    if array.ndim == 1 or precision == "f32":
        return array.astype("<f4").tobytes(), TENSOR_TYPES["f32"]
    if precision == "f16":
        return array.astype("<f2").tobytes(), TENSOR_TYPES["f16"]
    return quantize_q8_0(array), TENSOR_TYPES["q8_0"]


def pad(size):
    return -size % ALIGNMENT


def write_gguf(path, metadata, tensors, precision):
    """`tensors` maps GGUF names to numpy arrays; GGUF lists dimensions fastest first, numpy slowest first."""
    metadata = {**metadata, "general.file_type": FILE_TYPES[precision], "general.alignment": ALIGNMENT}
    if precision == "q8_0":
        metadata["general.quantization_version"] = 2
    head = MAGIC + struct.pack("<IQQ", VERSION, len(tensors), len(metadata))
    for key, value in metadata.items():
        head += pack_string(key) + pack_value(value)
    body = b""
    for name, array in tensors.items():
        raw, kind = encode_tensor(array, precision)
        head += pack_string(name) + struct.pack("<I", array.ndim)
        head += struct.pack(f"<{array.ndim}Q", *reversed(array.shape)) + struct.pack("<IQ", kind, len(body))
        body += raw + bytes(pad(len(raw)))
    with open(path, "wb") as file:
        file.write(head + bytes(pad(len(head))) + body)
