"""PNG files (W3C, Portable Network Graphics).

Chunks are read here, checked, and only what an image needs is handed to Pillow, which undoes the
filters. Palettes, transparency and depths are worked out here as libpng does it for TensorFlow.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import NamedTuple

import numpy as np

from hybridflow._src.formats.images import pillow

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Deflate makes at most so many bytes of one.
_MOST_INFLATED = 1032
_GRAY, _COLORS, _PALETTE, _GRAY_ALPHA, _COLORS_ALPHA = 0, 2, 3, 4, 6
_SAMPLES = {_GRAY: 1, _COLORS: 3, _PALETTE: 1, _GRAY_ALPHA: 2, _COLORS_ALPHA: 4}
_DEPTHS = {
    _GRAY: (1, 2, 4, 8, 16),
    _COLORS: (8, 16),
    _PALETTE: (1, 2, 4, 8),
    _GRAY_ALPHA: (8, 16),
    _COLORS_ALPHA: (8, 16),
}
# First column and row of the seven passes of an interlaced image, and their steps.
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
# Red, green and blue of gray (ITU-R BT.601), in units of 2 ** -15, as libpng has them.
_LUMA = np.array([9797, 19234, 3737], np.int64)


class Header(NamedTuple):
    """What the first chunk says."""

    width: int
    height: int
    depth: int
    kind: int
    interlaced: bool

    @property
    def samples(self) -> int:
        """How many numbers a pixel has."""
        return _SAMPLES[self.kind]

    def inflated(self) -> int:
        """How many bytes all rows have, each with its filter in front."""
        bits = self.depth * self.samples
        if not self.interlaced:
            return self.height * (1 + (self.width * bits + 7) // 8)
        total = 0
        for left, top, across, down in _PASSES:
            columns = -(-(self.width - left) // across)
            rows = -(-(self.height - top) // down)
            if columns > 0 and rows > 0:
                total += rows * (1 + (columns * bits + 7) // 8)
        return total


class _Parts(NamedTuple):
    header: Header
    palette: bytes
    transparency: bytes | None
    rows: bytes


# -- reading ---------------------------------------------------------------------------------------


def decode(data: bytes, channels: int = 0, bits: int = 8) -> np.ndarray:
    """The pixels of a file.

    Args:
      data: the file.
      channels: 1 (gray), 2 (gray and alpha), 3 (RGB) or 4 (RGBA); 0: as many as the file has
        numbers for each pixel, which for a palette is one.
      bits: 8 or 16 for each number. Those of a file with fewer bits are repeated.

    Returns: `[height, width, channels]`, uint8 or uint16.

    Raises:
      ValueError: for bytes that are no such file. ImportError: without Pillow.
    """
    parts = _parts(data)
    header = parts.header
    pixels = _samples(data, parts)
    channels = channels or header.samples
    wanted = channels in (2, 4)
    alpha: np.ndarray | None = None
    if header.kind in (_GRAY_ALPHA, _COLORS_ALPHA):
        alpha, pixels = pixels[..., -1:], pixels[..., :-1]
    elif wanted:
        alpha = _transparency(parts, pixels)
    if header.kind == _PALETTE:
        colors = np.zeros((256, 3), np.uint8)
        given = np.frombuffer(parts.palette, np.uint8).reshape(-1, 3)
        colors[: len(given)] = given
        pixels = colors[pixels[..., 0]]
    elif header.depth < 8:
        pixels = pixels * np.uint8(255 // ((1 << header.depth) - 1))
    pixels = _gray(pixels) if channels < 3 else np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    if bits == 8 and header.depth == 16:
        pixels = (pixels >> 8).astype(np.uint8)
        alpha = None if alpha is None else (alpha >> 8).astype(np.uint8)
    if wanted and alpha is not None:
        pixels = np.concatenate([pixels, alpha.astype(pixels.dtype, copy=False)], axis=2)
    if bits == 16 and pixels.dtype == np.uint8:
        pixels = pixels * np.uint16(257)
    return np.array(pixels, order="C")


def _gray(pixels: np.ndarray) -> np.ndarray:
    if pixels.shape[2] == 1:
        return pixels
    gray = ((pixels @ _LUMA) >> 15).astype(pixels.dtype)
    is_gray = (pixels == pixels[..., :1]).all(axis=2)
    return np.where(is_gray, pixels[..., 0], gray)[..., None]


def _transparency(parts: _Parts, pixels: np.ndarray) -> np.ndarray:
    """How opaque pixels are where a chunk says so, else wholly."""
    header, chunk = parts.header, parts.transparency
    full = (1 << max(header.depth, 8)) - 1
    kind = np.uint16 if header.depth == 16 else np.uint8
    if chunk is None:
        return np.full((*pixels.shape[:2], 1), full, kind)
    if header.kind == _PALETTE:
        opaque = np.full(256, 255, np.uint8)
        given = np.frombuffer(chunk[:256], np.uint8)
        opaque[: len(given)] = given
        return opaque[pixels]
    key = np.frombuffer(chunk[: 2 * header.samples], ">u2")
    is_key = (pixels == key).all(axis=2, keepdims=True)
    return np.where(is_key, 0, full).astype(kind)


def _parts(data: bytes) -> _Parts:
    """The chunks that matter, checked."""
    if data[:8] != SIGNATURE:
        raise pillow.invalid("PNG", data, "another signature")
    header: Header | None = None
    palette, transparency, packed, at = b"", None, [], 8
    ended = False
    while not ended:
        if at + 12 > len(data):
            raise pillow.invalid("PNG", data, "it is truncated")
        length, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + 8 + length]
        if at + 12 + length > len(data):
            raise pillow.invalid("PNG", data, "it is truncated")
        # The second letter is small in chunks that one may leave out.
        if not kind[0] & 32:
            (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
            if checksum != zlib.crc32(kind + content):
                raise pillow.invalid("PNG", data, f"a wrong checksum of {kind!r}")
        if header is None:
            if kind != b"IHDR":
                raise pillow.invalid("PNG", data, "no header")
            header = _header(data, content)
        elif kind == b"PLTE":
            palette = content
        elif kind == b"tRNS":
            transparency = content
        elif kind == b"IDAT":
            packed.append(content)
        elif kind == b"IEND":
            ended = True
        elif not kind[0] & 32:
            raise pillow.invalid("PNG", data, f"a chunk {kind!r}")
        at += 12 + length
    assert header is not None
    if header.kind == _PALETTE and not (0 < len(palette) <= 768 and len(palette) % 3 == 0):
        raise pillow.invalid("PNG", data, "no palette")
    # What does not fit is left out, as libpng does.
    if header.kind in (_GRAY, _COLORS) and len(transparency or b"") < 2 * header.samples:
        transparency = None
    return _Parts(header, palette, transparency, _rows(data, header, packed))


def _header(data: bytes, content: bytes) -> Header:
    if len(content) != 13:
        raise pillow.invalid("PNG", data, "a header of another length")
    width, height, depth, kind, packing, filters, interlaced = struct.unpack(">IIBBBBB", content)
    if depth not in _DEPTHS.get(kind, ()) or packing or filters or interlaced > 1:
        raise pillow.invalid("PNG", data, "a header that means nothing")
    if max(width, height) >= 1 << 27:
        raise ValueError(f"PNG size too large: {width} by {height}")
    header = Header(width, height, depth, kind, bool(interlaced))
    pillow.check_sizes("PNG", data, width, height, pillow.MOST_PIXELS)
    if header.inflated() > _MOST_INFLATED * len(data):
        raise pillow.invalid("PNG", data, f"too short for {width} by {height} pixels")
    return header


def _rows(data: bytes, header: Header, packed: list[bytes]) -> bytes:
    """The rows with their filters; as many bytes as there must be."""
    size = header.inflated()
    try:
        rows = zlib.decompressobj().decompress(b"".join(packed), size)
    except zlib.error as error:
        raise pillow.invalid("PNG", data, str(error)) from error
    if len(rows) < size:
        raise pillow.invalid("PNG", data, "not all of its rows are there")
    return rows


def _samples(data: bytes, parts: _Parts) -> np.ndarray:
    """The numbers of each pixel as they are in the file: `[height, width, samples]`."""
    header = parts.header
    if header.depth == 16:
        return _wide_samples(data, parts)
    count = header.samples
    pixels = _by_pillow(data, parts, None).reshape(header.height, header.width, count)
    if header.depth < 8:
        # Pillow spreads them over a byte.
        pixels = pixels // np.uint8(255 // ((1 << header.depth) - 1))
    return pixels


def _wide_samples(data: bytes, parts: _Parts) -> np.ndarray:
    """Samples of 16 bits: of gray and alpha their bytes as samples; of colors, which Pillow has
    only as bytes, once the high ones and once the low ones.
    """
    header = parts.header
    shape = (header.height, header.width, header.samples)
    if header.samples < 3:
        both = _by_pillow(data, parts, _MODES[2 * header.samples])
        return both.reshape(*shape[:2], -1).view(">u2").astype(np.uint16).reshape(shape)
    mode = _MODES[header.samples]
    high, low = (_by_pillow(data, parts, f"{mode};16{end}") for end in "BL")
    return ((high.astype(np.uint16) << 8) | low).reshape(shape)


def _by_pillow(data: bytes, parts: _Parts, layout: str | None) -> np.ndarray:
    """The bytes that Pillow makes of rows: as their header says, or read as a layout of its own."""
    header = parts.header
    # A palette's numbers are read like gray: what they mean is found afterwards.
    kind = _GRAY if header.kind == _PALETTE else header.kind
    content = struct.pack(
        ">IIBBBBB", header.width, header.height, header.depth, kind, 0, 0, int(header.interlaced)
    )
    # Pillow does not say when rows are missing, so they were inflated; stored as they are they go
    # through it at once.
    body = zlib.compress(parts.rows, 0)
    file = b"".join((SIGNATURE, _chunk(b"IHDR", content), _chunk(b"IDAT", body), _END))
    plugin = pillow.module("PngImagePlugin")
    image = pillow.refusing("PNG", data, plugin.PngImageFile, io.BytesIO(file))
    if layout is not None:
        ((codec, extents, offset, _),) = image.tile
        image._mode = layout.split(";")[0]
        image.tile = [(codec, extents, offset, layout)]
    pillow.refusing("PNG", data, image.load)
    if image.mode == "1":
        image = image.convert("L")
    return np.frombuffer(image.tobytes(), np.uint8)


# -- writing ---------------------------------------------------------------------------------------


def encode(pixels: np.ndarray, compression: int = -1) -> bytes:
    """A file.

    Args:
      pixels: uint8 or uint16 `[height, width, channels]`: gray, gray and alpha, RGB or RGBA.
      compression: from 0 (none) to 9; -1: as usual.

    Raises:
      ImportError: without Pillow.
    """
    height, width, channels = pixels.shape
    if pixels.dtype == np.uint8:
        image = pillow.module().frombytes(_MODES[channels], (width, height), pixels.tobytes())
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=compression)
        return file.getvalue()
    # Pillow writes no colors of 16 bits.
    rows = _filtered(pixels.astype(">u2").view(np.uint8).reshape(height, width, 2 * channels))
    kind = {1: _GRAY, 2: _GRAY_ALPHA, 3: _COLORS, 4: _COLORS_ALPHA}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    body = zlib.compress(rows.tobytes(), compression)
    return b"".join((SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", body), _END))


def _filtered(x: np.ndarray) -> np.ndarray:
    """Rows of bytes `[height, width, bytes a pixel]`, each by the filter that makes it smallest.

    Section 9 of the standard: what is left of a byte when one knows those on the left (a), above
    (b), and above on the left (c); and section 12.8 for the choice.
    """
    height = len(x)
    around = np.pad(x.astype(np.int16), [(1, 0), (1, 0), (0, 0)])
    a, b, c = around[1:, :-1], around[:-1, 1:], around[:-1, :-1]
    near = np.abs(np.stack([b - c, a - c, a + b - 2 * c]))
    is_a = (near[0] <= near[1]) & (near[0] <= near[2])
    paeth = np.where(is_a, a, np.where(near[1] <= near[2], b, c))
    zero = np.zeros_like(a)
    guesses = np.stack([zero, a, b, (a + b) >> 1, paeth]).astype(np.uint8)
    left = (x - guesses).reshape(5, height, -1)
    best = np.abs(left.view(np.int8).astype(np.int16)).sum(axis=2).argmin(axis=0)
    chosen = left[best, np.arange(height)]
    return np.concatenate([best.astype(np.uint8)[:, None], chosen], axis=1)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


_END = _chunk(b"IEND", b"")
