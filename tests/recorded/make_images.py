"""Makes the files in `images`: `python -m tests.recorded.make_images`; it needs Pillow.

Small ones, of each kind that decoders tell apart; PNG as libpng's own test suite does: by hand.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parent / "images"
RNG = np.random.default_rng(0)
SIZES = 7, 5
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(depth: int, kind: int, transparent: bytes | None = None, interlaced: bool = False) -> bytes:
    """A PNG file of random pixels."""
    width, height = SIZES
    bits = depth * SAMPLES[kind]
    rows = b""
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)]
        passes += [(0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    for left, top, across, down in passes:
        columns, lines = -(-(width - left) // across), -(-(height - top) // down)
        for _ in range(max(lines, 0) if columns > 0 else 0):
            rows += bytes([int(RNG.integers(0, 5))]) + RNG.bytes((columns * bits + 7) // 8)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header)]
    if kind == 3:
        parts.append(chunk(b"PLTE", RNG.bytes(3 << depth)))
    if transparent is not None:
        parts.append(chunk(b"tRNS", transparent))
    parts += [chunk(b"tEXt", b"Title\0image"), chunk(b"IDAT", zlib.compress(rows))]
    return b"".join([*parts, chunk(b"IEND", b"")])


def smooth(channels: int) -> np.ndarray:
    """Pixels that JPEG keeps."""
    y, x = np.mgrid[:21, :34]
    waves = [np.sin(x / (4 + c)) + np.cos(y / (3 + c)) for c in range(channels)]
    return np.uint8(np.stack(waves, axis=2) * 60 + 128)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """A file by Pillow."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def files() -> dict[str, bytes]:
    """All of them by name."""
    found = {}
    for kind, depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8))):
        for depth in depths:
            found[f"{kind}_{depth}.png"] = png(depth, kind)
            found[f"{kind}_{depth}_interlaced.png"] = png(depth, kind, interlaced=True)
    for kind in (4, 6):
        for depth in (8, 16):
            found[f"{kind}_{depth}.png"] = png(depth, kind)
    found["0_2_transparent.png"] = png(2, 0, struct.pack(">H", 1))
    found["2_8_transparent.png"] = png(8, 2, struct.pack(">HHH", 1, 2, 3))
    found["3_4_transparent.png"] = png(4, 3, bytes(range(0, 150, 15)))
    colors, gray = Image.fromarray(smooth(3)), Image.fromarray(smooth(1)[..., 0])
    for name, image, options in (
        ("gray", gray, {}),
        ("full", colors, {"subsampling": 0, "quality": 95}),
        ("half", colors, {"subsampling": 2, "quality": 90}),
        ("progressive", colors, {"progressive": True, "quality": 95}),
        ("inks", colors.convert("CMYK"), {"quality": 95}),
    ):
        found[f"{name}.jpg"] = saved(image, "JPEG", **options)
    found["truncated.jpg"] = found["half.jpg"][:-200]
    # No pixel is what it was before: a writer leaves those out.
    frames = [colors, Image.fromarray(255 - smooth(3)), colors]
    palettes = [frame.quantize(16) for frame in frames]
    found["one.gif"] = saved(palettes[0], "GIF")
    found["three.gif"] = saved(palettes[0], "GIF", save_all=True, append_images=palettes[1:])
    for mode in ("L", "RGB", "RGBA"):
        found[f"{mode.lower()}.bmp"] = saved(colors.convert(mode), "BMP")
    return found


def main() -> None:
    """Writes them."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
