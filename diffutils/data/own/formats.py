"""What an image file may be, whoever wrote it: a fixed list, whatever its name says.

Left out is what starts a program (EPS), opens any other format (IPTC), unpacks without bound (FITS)
or is no picture.
"""

from collections.abc import Iterable
from pathlib import Path

from PIL import Image

Image.init()
# The content of a file decides, in this order: common ones first, those known by less bytes last.
KNOWN = """PNG JPEG GIF BMP TIFF WEBP AVIF JPEG2000 PPM QOI ICO CUR DIB DDS PSD SGI SUN PCX DCX BLP
    FLI FTEX GBR ICNS IM MSP PCD PIXAR XBM XPM TGA"""
FORMATS = tuple(name for name in KNOWN.split() if name in Image.OPEN)  # older Pillows lack some
SUFFIXES = {suffix for suffix, name in Image.EXTENSION.items() if name in (*FORMATS, "MPO")}
NARROW = (".png", ".jpg", ".jpeg")  # of these none has 32 bits, which a whole set is asked for


def may_be_wide(files: Iterable[str | Path]) -> list:
    """The files that may hold numbers of 32 bits, to judge what is black and white in them."""
    return [file for file in files if not str(file).lower().endswith(NARROW)]
