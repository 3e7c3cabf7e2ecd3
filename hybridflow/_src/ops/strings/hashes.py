"""Hashes of strings that TensorFlow's ops use: strings of one length are hashed together.

- `fingerprints`: FarmHash's Fingerprint64 (https://github.com/google/farmhash, `farmhashna`).
- `long_fingerprints`: its Fingerprint128 (`farmhashcc`), which is CityHash128.
- `keyed`: SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012).
- `murmur`: MurmurHash64A (Appleby, public domain) with the seed of TensorFlow's `Hash64`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Words = np.ndarray

_K0 = np.uint64(0xC3A5C85C97CB3127)
_K1 = np.uint64(0xB492B66FBE98F273)
_K2 = np.uint64(0x9AE16A3B2F90404F)
_ALL = 0xFFFFFFFFFFFFFFFF


class _Group:
    """The bytes of strings that have one length, `[n, length]`."""

    def __init__(self, items: Sequence[bytes], length: int) -> None:
        self.length = length
        self.bytes = np.frombuffer(b"".join(items), np.uint8).reshape(len(items), length)

    def word(self, at: int, size: int = 8) -> Words:
        """The number in so many bytes from a place on, of each string."""
        part = np.zeros((len(self.bytes), 8), np.uint8)
        part[:, :size] = self.bytes[:, at : at + size]
        return part.view("<u8")[:, 0].astype(np.uint64)

    def byte(self, at: int) -> Words:
        return self.bytes[:, at].astype(np.uint64)


def _by_length(
    items: Sequence[bytes], function: Callable[[_Group], Words], shape: tuple[int, ...] = ()
) -> Words:
    """What a function gives for strings, called for those of each length together.

    Args:
      shape: of what it gives for one.
    """
    lengths = np.fromiter(map(len, items), np.intp, len(items))
    found = np.empty((len(items), *shape), np.uint64)
    with np.errstate(over="ignore"):
        for length in np.unique(lengths):
            places = np.flatnonzero(lengths == length)
            group = [items[i] for i in places.tolist()]
            found[places] = function(_Group(group, int(length)))
    return found


def _number(value: int) -> Any:
    return np.uint64(value & _ALL)


def _rotated(value: Words, bits: int) -> Words:
    """Rotated to the right."""
    return (value >> np.uint64(bits)) | (value << np.uint64(64 - bits))


def _mixed(value: Words) -> Words:
    return value ^ (value >> np.uint64(47))


# -- FarmHash --------------------------------------------------------------------------------------


def fingerprints(items: Sequence[bytes]) -> Words:
    """The 64-bit fingerprint of each string, as uint64 `[n]`."""
    return _by_length(items, _fingerprint)


def _of_two(u: Words, v: Words, factor: Any) -> Words:
    a = _mixed((u ^ v) * factor)
    return _mixed((v ^ a) * factor) * factor


def _fingerprint(s: _Group) -> Words:
    if s.length <= 16:
        return _up_to_16(s)
    if s.length <= 32:
        return _up_to_32(s)
    return _up_to_64(s) if s.length <= 64 else _longer(s)


def _up_to_16(s: _Group) -> Words:
    n = s.length
    factor = _number(int(_K2) + 2 * n)
    if n >= 8:
        a, b = s.word(0) + _K2, s.word(n - 8)
        c, d = _rotated(b, 37) * factor + a, (_rotated(a, 25) + b) * factor
        return _of_two(c, d, factor)
    if n >= 4:
        first = (s.word(0, 4) << np.uint64(3)) + np.uint64(n)
        return _of_two(first, s.word(n - 4, 4), factor)
    if n:
        y = s.byte(0) + (s.byte(n >> 1) << np.uint64(8))
        z = np.uint64(n) + (s.byte(n - 1) << np.uint64(2))
        return _mixed(y * _K2 ^ z * _K0) * _K2
    return np.full(len(s.bytes), _K2)


def _up_to_32(s: _Group) -> Words:
    n = s.length
    factor = _number(int(_K2) + 2 * n)
    a, b = s.word(0) * _K1, s.word(8)
    c, d = s.word(n - 8) * factor, s.word(n - 16) * _K2
    first = _rotated(a + b, 43) + _rotated(c, 30) + d
    return _of_two(first, a + _rotated(b + _K2, 18) + c, factor)


def _up_to_64(s: _Group) -> Words:
    n = s.length
    factor = _number(int(_K2) + 2 * n)
    a, b = s.word(0) * _K2, s.word(8)
    c, d = s.word(n - 8) * factor, s.word(n - 16) * _K2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    z = _of_two(y, a + _rotated(b + _K2, 18) + c, factor)
    e, f = s.word(16) * factor, s.word(24)
    g, h = (y + s.word(n - 32)) * factor, (z + s.word(n - 24)) * factor
    first = _rotated(e + f, 43) + _rotated(g, 30) + h
    return _of_two(first, e + _rotated(f + a, 18) + g, factor)


def _of_32(s: _Group, at: int, a: Words, b: Words) -> tuple[Words, Words]:
    """Two words of 32 bytes and two seeds."""
    last = s.word(at + 24)
    a = a + s.word(at)
    b = _rotated(b + a + last, 21)
    c = a
    a = a + s.word(at + 8) + s.word(at + 16)
    return a + last, b + _rotated(a, 44) + c


class _State:
    """What blocks of 64 bytes are mixed into."""

    def __init__(self, s: _Group) -> None:
        zeros = np.zeros(len(s.bytes), np.uint64)
        y = _number(81 * int(_K1) + 113)
        self.x: Words = s.word(0) + _number(81 * int(_K2))
        self.y: Words = zeros + y
        self.z: Words = zeros + _mixed(y * _K2 + np.uint64(113)) * _K2
        self.v, self.w = (zeros, zeros), (zeros, zeros)

    def add(self, s: _Group, at: int, factor: Any, nine: Any) -> None:
        """Mixes 64 bytes in."""
        (v0, v1), (w0, w1) = self.v, self.w
        x = _rotated(self.x + self.y + v0 + s.word(at + 8), 37) * factor
        y = _rotated(self.y + v1 + s.word(at + 48), 42) * factor
        x = x ^ (w1 * nine)
        y = y + v0 * nine + s.word(at + 40)
        z = _rotated(self.z + w0, 33) * factor
        self.v = _of_32(s, at, v1 * factor, x + w0)
        self.w = _of_32(s, at + 32, z + w1, y + s.word(at + 16))
        self.x, self.y, self.z = z, y, x


def _longer(s: _Group) -> Words:
    rest = (s.length - 1) % 64
    end = s.length - 1 - rest
    state = _State(s)
    for at in range(0, end, 64):
        state.add(s, at, _K1, np.uint64(1))
    last: Words = state.z & np.uint64(0xFF)
    factor = _K1 + (last << np.uint64(1))
    w0 = state.w[0] + np.uint64(rest)
    v0 = state.v[0] + w0
    state.v, state.w = (v0, state.v[1]), (w0 + v0, state.w[1])
    state.add(s, end + rest - 63, factor, np.uint64(9))
    first = _of_two(state.v[0], state.w[0], factor) + _mixed(state.y) * _K0 + state.z
    return _of_two(first, _of_two(state.v[1], state.w[1], factor) + state.x, factor)


def long_fingerprints(items: Sequence[bytes]) -> Words:
    """The 128-bit fingerprint of each string, as uint64 `[n, 2]`: the low and the high half."""
    return _by_length(items, _long_fingerprint, (2,))


def _long_fingerprint(s: _Group) -> Words:
    zeros = np.zeros(len(s.bytes), np.uint64)
    start, seed = 0, (zeros + _K0, zeros + _K1)
    if s.length >= 16:
        start, seed = 16, (s.word(0), s.word(8) + _K0)
    rest = s.length - start
    found = _few_with_seed(s, start, *seed) if rest < 128 else _many_with_seed(s, start, *seed)
    return np.stack(found, axis=1)


def _seeded(u: Words, v: Words) -> Words:
    """Two words as one, with the factor of CityHash."""
    return _of_two(u, v, np.uint64(0x9DDFEA08EB382D69))


def _few_with_seed(s: _Group, start: int, a: Words, b: Words) -> tuple[Words, Words]:
    """The fingerprint of less than 128 bytes, from a place on."""
    n = s.length - start
    if n <= 16:
        a = _mixed(a * _K1) * _K1
        c = b * _K1 + _up_to_16(_Group(list(map(bytes, s.bytes[:, start:])), n))
        d = _mixed(a + (s.word(start) if n >= 8 else c))
    else:
        c = _seeded(s.word(s.length - 8) + _K1, a)
        d = _seeded(b + np.uint64(n), c + s.word(s.length - 16))
        a = a + d
        for at in range(start, s.length - 16, 16):
            a = (a ^ (_mixed(s.word(at) * _K1) * _K1)) * _K1
            b = b ^ a
            c = (c ^ (_mixed(s.word(at + 8) * _K1) * _K1)) * _K1
            d = d ^ c
    a, b = _seeded(a, c), _seeded(d, b)
    return a ^ b, _seeded(b, a)


def _many_with_seed(s: _Group, start: int, x: Words, y: Words) -> tuple[Words, Words]:
    """The fingerprint of 128 bytes and more, from a place on."""
    n = s.length - start
    z = np.zeros(len(s.bytes), np.uint64) + _number(n * int(_K1))
    v0 = _rotated(y ^ _K1, 49) * _K1 + s.word(start)
    v1 = _rotated(v0, 42) * _K1 + s.word(start + 8)
    w0 = _rotated(y + z, 35) * _K1 + x
    w1 = _rotated(x + s.word(start + 88), 53) * _K1
    at = start
    while s.length - at >= 128:
        for _ in range(2):
            x = _rotated(x + y + v0 + s.word(at + 8), 37) * _K1
            y = _rotated(y + v1 + s.word(at + 48), 42) * _K1
            x = x ^ w1
            y = y + v0 + s.word(at + 40)
            z = _rotated(z + w0, 33) * _K1
            v0, v1 = _of_32(s, at, v1 * _K1, x + w0)
            w0, w1 = _of_32(s, at + 32, z + w1, y + s.word(at + 16))
            z, x = x, z
            at += 64
    x = x + _rotated(v0 + z, 49) * _K0
    y = y * _K0 + _rotated(w1, 37)
    z = z * _K0 + _rotated(w0, 27)
    w0 = w0 * np.uint64(9)
    v0 = v0 * _K0
    for done in range(32, s.length - at + 32, 32):
        y = _rotated(x + y, 42) * _K0 + v1
        w0 = w0 + s.word(s.length - done + 16)
        x = x * _K0 + w0
        z = z + w1 + s.word(s.length - done)
        w1 = w1 + v0
        v0, v1 = _of_32(s, s.length - done, v0 + z, v1)
        v0 = v0 * _K0
    x, y = _seeded(x, v0), _seeded(y + z, w0)
    return _seeded(x + v1, w1) + y, _seeded(x + w1, y + v1)


# -- SipHash ---------------------------------------------------------------------------------------


def keyed(items: Sequence[bytes], key: tuple[int, int]) -> Words:
    """SipHash-2-4 of each string under a key of two 64-bit numbers."""
    return _by_length(items, lambda s: _sip(s, key))


def _left(value: Words, bits: int) -> Words:
    return _rotated(value, 64 - bits)


def _sip_rounds(v: list[Words], count: int) -> None:
    for _ in range(count):
        v[0] = v[0] + v[1]
        v[2] = v[2] + v[3]
        v[1] = _left(v[1], 13) ^ v[0]
        v[3] = _left(v[3], 16) ^ v[2]
        v[0] = _left(v[0], 32)
        v[2] = v[2] + v[1]
        v[0] = v[0] + v[3]
        v[1] = _left(v[1], 17) ^ v[2]
        v[3] = _left(v[3], 21) ^ v[0]
        v[2] = _left(v[2], 32)


def _sip(s: _Group, key: tuple[int, int]) -> Words:
    zeros = np.zeros(len(s.bytes), np.uint64)
    starts = (
        key[0] ^ 0x736F6D6570736575,
        key[1] ^ 0x646F72616E646F6D,
        key[0] ^ 0x6C7967656E657261,
        key[1] ^ 0x7465646279746573,
    )
    v = [zeros + _number(start) for start in starts]
    whole = s.length - s.length % 8
    words = [s.word(at) for at in range(0, whole, 8)]
    length = np.uint64((s.length & 0xFF) << 56)
    words.append(s.word(whole, s.length - whole) | length)
    for word in words:
        v[3] = v[3] ^ word
        _sip_rounds(v, 2)
        v[0] = v[0] ^ word
    v[2] = v[2] ^ np.uint64(0xFF)
    _sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


# -- MurmurHash ------------------------------------------------------------------------------------

_M = np.uint64(0xC6A4A7935BD1E995)
_SEED = 0xDECAFCAFFE


def murmur(items: Sequence[bytes]) -> Words:
    """MurmurHash64A of each string, by the oldest of TensorFlow's hashing ops."""
    return _by_length(items, _murmur)


def _murmur(s: _Group) -> Words:
    h = np.zeros(len(s.bytes), np.uint64) + _number(_SEED ^ (s.length * int(_M) & _ALL))
    whole = s.length - s.length % 8
    for at in range(0, whole, 8):
        h = (h ^ _mixed(s.word(at) * _M) * _M) * _M
    if whole < s.length:
        h = (h ^ s.word(whole, s.length - whole)) * _M
    return _mixed(_mixed(h) * _M)
