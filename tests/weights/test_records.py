"""A record is a JSON object with the fields it must have, or a sentence that names its file."""

import pytest

from diffutils.weights import records

FIELDS = {"seconds": (int, float), "headline": (str, type(None))}


def test_a_record_comes_as_it_was_written(tmp_path):
    path = tmp_path / "run.json"
    path.write_text('{"seconds": 1.5, "headline": null, "more": [1]}')
    found = records.read(path, FIELDS, "run it again")
    assert found == {"seconds": 1.5, "headline": None, "more": [1]}


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "Expecting value"),
        ("[]", "not list"),
        ("[" * 100_000, "nested too deep"),
        ('{"seconds": 1}', "'headline' is missing"),
        ('{"seconds": true, "headline": null}', "'seconds' is True"),
        ('{"seconds": "1", "headline": null}', "'seconds' is '1'"),
        ('{"seconds": NaN, "headline": null}', "not finite"),
        ('{"seconds": 1, "headline": null, "more": [Infinity]}', "not finite"),
        ('{"seconds": 1, "headline": null, "seconds": 2}', "stands there twice"),
        ('{"seconds": 1, "headline": null, "more": {"a": 1, "a": 1}}', "stands there twice"),
        ('{"seconds": 1, "headline": null, "more": ' + "[" * 100 + "]" * 100 + "}", "too deep"),
        ('{"seconds": 1' + "0" * 400 + ', "headline": null}', "is too large"),
    ],
)
def test_a_damaged_record_is_named_with_its_cure(tmp_path, text, words):
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="run it again") as error:
        records.read(path, FIELDS, "run it again")
    assert words in str(error.value) and str(path) in str(error.value)


def test_a_file_beyond_the_bound_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MOST", 10)
    (tmp_path / "run.json").write_text('{"seconds": 12345}')
    with pytest.raises(ValueError, match="18 bytes, more than 10"):
        records.read(tmp_path / "run.json", {}, "run it again")
