"""Zip archives: what is refused by the table of contents alone."""

import io
import zipfile

import pytest
from made_images import heard, pictures
from PIL import Image

from diffutils.data.own import archives


def zipped(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name, pixels in zip(names, pictures(len(names), 8), strict=True):
            content = io.BytesIO()
            Image.fromarray(pixels).save(content, "PNG")
            archive.writestr(name, content.getvalue())
    return path


@pytest.mark.parametrize("name", ["../a.png", "a/../../b.png", "..\\a.png", "/a.png", "C:\\a.png"])
def test_names_that_lead_out_are_refused(tmp_path, name):
    path = zipped(tmp_path / "own.zip", [name])
    with pytest.raises(ValueError, match="leads out of it; pack the images again"):
        archives.opened("zip:own.zip", path)


@pytest.mark.parametrize("form", ["./{}/{}.png", "{}/{}.png", ".\\{}\\{}.png", "top//{}/./{}.png"])
def test_names_of_many_programs_are_the_same_images(tmp_path, form):
    names = [form.format(c, i) for c in ("cat", "dog") for i in range(8)]
    data, _, warned = heard(f"zip:{zipped(tmp_path / 'own.zip', names)}")
    assert data.classes == ("cat", "dog") and len(data.train) + len(data.heldout) == 16
    assert not warned
