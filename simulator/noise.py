"""Randomness addressed by counter: the value at a step is the same whoever asks, whenever, in whatever order."""

import hashlib

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
StepArray = npt.NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 1.0 / (1 << 53)
_WORD = (1 << 64) - 1


def key_of(*parts: object) -> int:
    """A 64-bit key from names and numbers, the same on every machine and run."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def uniform(keys: npt.NDArray[np.uint64], steps: StepArray) -> FloatArray:
    """Uniform values in [0, 1) at `steps` of the streams `keys` (broadcast against each other): splitmix64."""
    with np.errstate(over="ignore"):
        x = keys + steps.astype(np.uint64) * _GOLDEN
        x = (x ^ (x >> np.uint64(30))) * _MIX_1
        x = (x ^ (x >> np.uint64(27))) * _MIX_2
        x ^= x >> np.uint64(31)
    result: FloatArray = (x >> np.uint64(11)).astype(np.float64) * _TO_UNIT
    return result


def uniform_at(key: int, step: int) -> float:
    """`uniform` for one key and step, without the cost of an array."""
    x = (key + step * int(_GOLDEN)) & _WORD
    x = ((x ^ (x >> 30)) * int(_MIX_1)) & _WORD
    x = ((x ^ (x >> 27)) * int(_MIX_2)) & _WORD
    return ((x ^ (x >> 31)) >> 11) * _TO_UNIT
