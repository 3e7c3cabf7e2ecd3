"""Serialized `Example`s that are written plainly, as all writers do it: their values, natively.

Plainly means: no field twice, keys before values, numbers packed. Whatever else there is makes the
kernel give a status, and another parser has to say what it means.
"""

from __future__ import annotations

import textwrap

from hybridflow._src.kernels.alone import Alone
from hybridflow._src.kernels.kernel import Kernel

# The tags of the lists of a `Feature`, by the kind of their dtype.
TAGS = {"O": 0x0A, "f": 0x12, "i": 0x1A}

# Steps over a tag and the length behind it; `size` bytes follow from `at` on.
_FIELD = """
if at >= {limit} or i64(load_u8(data, at, 0)) != {tag}:
    return 1
at += 1
size = 0
shift = 0
more = 1
while more == 1:
    if at >= {limit} or shift > 28:
        return 1
    byte = i64(load_u8(data, at, 0))
    at += 1
    size |= (byte & 127) << shift
    shift += 7
    more = byte >> 7
if size > {limit} - at:
    return 1
"""


def _field(depth: int, limit: str, tag: str, is_last: bool = True) -> str:
    text = _FIELD.format(limit=limit, tag=tag)
    if is_last:
        text += f"if at + size != {limit}:\n    return 1\n"
    return textwrap.indent(text, " " * 4 * depth).strip()


# Words: how many examples; all of them, and where each begins; how many features; their keys, and
# where each begins; the tags of their lists; how many values each has; where values go; memory for
# a flag for each. Values are float32, int64, or where a string begins and its length, int64.
KERNEL = Kernel(
    f"""
def kernel(a):
    data = word(a, 1)
    begins = word(a, 2)
    count = word(a, 3)
    keys = word(a, 4)
    key_begins = word(a, 5)
    seen = word(a, 9)
    for example in range(word(a, 0)):
        at = load_i64(begins, example, 1)
        end = load_i64(begins, example + 1, 1)
        for k in range(count):
            store_i64(seen, k, 2, 0)
        found = 0
        {_field(2, "end", "10")}
        while at < end:
            {_field(3, "end", "10", is_last=False)}
            entry = at + size
            {_field(3, "entry", "10", is_last=False)}
            which = -1
            for k in range(count):
                first = load_i64(key_begins, k, 3)
                if load_i64(key_begins, k + 1, 3) - first == size:
                    same = 1
                    for i in range(size):
                        if load_u8(data, at + i, 0) != load_u8(keys, first + i, 4):
                            same = 0
                    if same == 1:
                        which = k
            at += size
            if which >= 0:
                if load_i64(seen, which, 2) != 0:
                    return 1
                store_i64(seen, which, 2, 1)
                found += 1
                tag = load_i64(word(a, 6), which, 5)
                number = load_i64(word(a, 7), which, 6)
                to = load_i64(word(a, 8), which, 7)
                {_field(4, "entry", "18")}
                {_field(4, "entry", "tag")}
                {_field(4, "entry", "10")}
                if tag == 18:
                    if size != 4 * number:
                        return 1
                    for i in range(size):
                        store_u8(to, example * size + i, 8, load_u8(data, at + i, 0))
                elif tag == 26:
                    for i in range(number):
                        value = i64(0)
                        shift = 0
                        more = 1
                        while more == 1:
                            if at >= entry or shift > 63:
                                return 1
                            byte = i64(load_u8(data, at, 0))
                            at += 1
                            value |= i64(byte & 127) << i64(shift)
                            shift += 7
                            more = byte >> 7
                        store_i64(to, example * number + i, 8, value)
                    if at != entry:
                        return 1
                else:
                    store_i64(to, 2 * example, 8, at)
                    store_i64(to, 2 * example + 1, 8, size)
            at = entry
        if found != count:
            return 1
    return 0
""",
    "examples",
)
# Measured in features.
PARSE = Alone(KERNEL, worth=4096)
