"""Pictures as small as they can be, each another one by its size."""

from __future__ import annotations

import struct
import zlib


def png(width: int = 3, height: int = 2) -> bytes:
    """A real one: a browser shows it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = b"".join(b"\0" + b"\xc8\x50\x28" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def gif(width: int = 3, height: int = 2) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def jpeg(width: int = 3, height: int = 2) -> bytes:
    """Its head, after a comment, up to the frame header."""
    frame = struct.pack(">HBHHB", 8, 8, height, width, 1)
    return b"\xff\xd8\xff\xe0" + struct.pack(">H", 4) + b"ab" + b"\xff\xff\xc2" + frame + b"\0" * 8


def webp(width: int = 3, height: int = 2) -> bytes:
    """Lossless, its head."""
    bits = (width - 1) | (height - 1) << 14
    chunk = b"VP8L" + struct.pack("<I", 9) + b"\x2f" + bits.to_bytes(4, "little") + b"\0" * 4
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
