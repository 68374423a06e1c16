"""Small files that unpack to much: refused before the memory goes, with the bound."""

import gzip
import os
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest

from diffutils.data import arrays, load

MB = 2**20
LOADED = """
import resource, sys, warnings
from diffutils.data import load
warnings.simplefilter("ignore")
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
for name in sys.argv[1:]:
    try:
        load(name)
        print("loaded")
    except ValueError as error:
        print(error)
print(peak() - before)
"""


def zeros(path, member, head, size):
    """A zip archive with one member: a head, and zeros that are never all in memory."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(member, "w", force_zip64=True) as file:
            file.write(head)
            for _ in range(size // MB + 1):
                file.write(bytes(MB))


def npy_head(shape):
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def chunk(kind, content):
    crc = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + crc


def png(width, height, text=b""):
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes((3 * width + 1) * min(height, 64)))
    parts = chunk(b"IHDR", head) + text + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
def test_bombs_are_refused_with_their_bound_before_the_memory_goes(tmp_path):
    zeros(tmp_path / "many.npz", "images.npy", npy_head((arrays.MOST // 192, 8, 8, 3)), arrays.MOST)
    zeros(tmp_path / "liar.npz", "images.npy", npy_head((10**10, 8, 8, 3)), MB)
    zeros(tmp_path / "own.zip", "a.png", png(8, 8), 2**28)
    with gzip.open(tmp_path / "line.csv.gz", "wb", 1) as file:
        for _ in range(300):
            file.write(b"0," * (MB // 2))
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "wide.png").write_bytes(png(60_000, 60_000))
    text = chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(256 * MB), 1))
    (folder / "text.png").write_bytes(png(8, 8, text))
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "a.png").write_bytes(png(8, 8))
    (tmp_path / "table" / "labels.csv").write_bytes(b"a,b\n" * 600_000)
    told = {
        f"npz:{tmp_path / 'many.npz'}": "MB of numbers, more than 1,074 MB",
        f"npz:{tmp_path / 'liar.npz'}": "does not hold plain arrays of numbers that fit into",
        f"zip:{tmp_path / 'own.zip'}": "MB are more than 268 MB",
        f"csv:{tmp_path / 'line.csv.gz'}": "a row of more than 16,777,216 characters",
        f"folder:{folder}": "none of its 2 images can be read",
        f"folder:{tmp_path / 'table'}": "more than 524,288 rows",
    }
    call = [sys.executable, "-c", LOADED, *told]
    done = subprocess.run(call, capture_output=True, text=True, env=dict(os.environ), check=True)
    *lines, grown = done.stdout.splitlines()
    for line, expected in zip(lines, told.values(), strict=True):
        assert expected in line
    assert int(grown) < 500  # MB


def test_what_is_large_and_honest_is_read_and_the_bound_can_be_raised(tmp_path, monkeypatch):
    """Masks of a few shapes pack a thousandfold."""
    masks = np.zeros((2000, 64, 64), np.uint8)
    masks[:, 0, :11] = 255 * (np.arange(2000)[:, None] >> np.arange(11) & 1)
    np.savez_compressed(tmp_path / "a.npz", images=masks)
    assert len(load(f"npz:{tmp_path / 'a.npz'}", say=str).train) > 1500
    monkeypatch.setattr(arrays, "MOST", masks.nbytes)
    with pytest.raises(ValueError, match="8 MB of numbers, more than 8 MB.*arrays.MOST = "):
        load(f"npz:{tmp_path / 'a.npz'}")
    monkeypatch.setattr(arrays, "MOST", masks.nbytes + 1000)
    load(f"npz:{tmp_path / 'a.npz'}", say=str)
    (tmp_path / "a.csv").write_text(("0," * 15 + "9\n") * 4000)
    monkeypatch.setattr(arrays, "MOST", 60_000)
    with pytest.raises(ValueError, match="0 MB of numbers, more than 0 MB"):
        load(f"csv:{tmp_path / 'a.csv'}")
