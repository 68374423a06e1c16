"""What an earlier process left of a training: damaged, deleted, of other settings."""

import json
import shutil
from pathlib import Path

import pytest
from small_training import SAID, files, log, numbers, result, stop_after, train

from diffutils.weights import cards
from diffutils.weights import state as saves


@pytest.fixture(autouse=True)
def silence():
    SAID.clear()


def test_a_run_without_a_checkpoint_starts_from_step_0(tmp_path):
    stop_after(tmp_path, 2, save_every=1e6)
    assert [r.replayed for r in train(tmp_path)] == [False] * 6
    assert [line["step"] for line in log(tmp_path)] == [2, 4, 6, 8, 10, 12]


def test_a_damaged_newest_checkpoint_costs_only_its_steps(tmp_path):
    list(train(tmp_path / "whole"))
    stop_after(tmp_path / "run", 4)
    file = tmp_path / "run" / "checkpoints" / "step-00000008" / "raw.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="step-00000008 is damaged and skipped"):
        rest = list(train(tmp_path / "run"))
    assert [r.replayed for r in rest] == [True] * 3 + [False] * 3
    assert result(tmp_path / "run") == result(tmp_path / "whole")


def test_without_a_whole_checkpoint_everything_is_set_aside(tmp_path):
    stop_after(tmp_path, 2)
    for path in saves.steps(tmp_path / "checkpoints"):
        (path / "manifest.json").unlink()
    with pytest.warns(UserWarning, match="damaged"):
        assert not any(r.replayed for r in train(tmp_path))
    assert "no checkpoint is whole" in SAID[0]


def test_a_kill_while_the_old_run_is_set_aside_loses_nothing(tmp_path, monkeypatch):
    stop_after(tmp_path, 2)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    real, renamed = Path.rename, []

    def rename(path, target):
        renamed.append(path)
        if len(renamed) == 3:
            raise KeyboardInterrupt  # as a kill between two renames
        return real(path, target)

    with monkeypatch.context() as m:
        m.setattr(Path, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            next(train(tmp_path, lr=2e-2))
    assert next(train(tmp_path, lr=2e-2)).replayed is False
    aside = tmp_path / "earlier-1"
    assert {name: (aside / name).read_bytes() for name in files(aside)} == before


@pytest.mark.parametrize("content", [b"no picture", b"", None], ids=["text", "empty", "cut"])
def test_a_damaged_picture_costs_only_itself(tmp_path, content):
    whole = list(train(tmp_path))
    picture = tmp_path / "samples" / "step-00000004.png"
    picture.write_bytes(picture.read_bytes()[:-60] if content is None else content)
    with pytest.warns(UserWarning, match="step-00000004.png is damaged"):
        again = list(train(tmp_path))
    assert [numbers(r) for r in again] == [numbers(r) for r in whole]
    assert [r.step for r in again if r.samples is not None] == [8, 12]


@pytest.mark.parametrize("damage", [b"garbage}", b"\xff\xfe", b"5", b'{"step": 4}', b""])
def test_a_damaged_line_of_the_log_costs_only_itself(tmp_path, damage):
    whole = list(train(tmp_path))
    path = tmp_path / "log.jsonl"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], damage, *lines[2:]]))
    with pytest.warns(UserWarning, match="line 2 of .*log.jsonl is damaged"):
        again = list(train(tmp_path))
    assert [numbers(r) for r in again] == [numbers(r) for r in whole if r.step != 4]
    assert [line["step"] for line in log(tmp_path)] == [2, 6, 8, 10, 12]


def test_half_a_picture_of_a_killed_process_is_removed(tmp_path):
    stop_after(tmp_path, 3)
    (tmp_path / "samples" / ".step-00000008.png.ab12cd.diffutils.part").write_bytes(b"half")
    list(train(tmp_path))
    assert [p.name for p in sorted((tmp_path / "samples").iterdir())] == [
        f"step-000000{k:02}.png" for k in (4, 8, 12)
    ]


def test_missing_weights_of_a_finished_run_are_written_again(tmp_path):
    """Also under another name, with another card, and after a kill that left older ones."""
    list(train(tmp_path, card={"name": "a", "size": 8}))
    weights, card = tmp_path / "a.safetensors", tmp_path / "a.json"
    content, about = weights.read_bytes(), json.loads(card.read_text())
    weights.unlink()
    card.unlink()
    list(train(tmp_path, card={"name": "a", "size": 8}))
    assert weights.read_bytes() == content
    assert json.loads(card.read_text())["trained"]["steps"] == 12
    card.write_text(json.dumps(about | {"trained": about["trained"] | {"steps": 10}}))
    weights.write_bytes(b"older")
    list(train(tmp_path, card={"name": "a", "size": 8}))
    assert weights.read_bytes() == content and json.loads(card.read_text()) == about
    list(train(tmp_path, card={"name": "b", "size": (8, 8)}))
    assert (tmp_path / "b.safetensors").read_bytes() == content
    assert json.loads((tmp_path / "b.json").read_text())["size"] == [8, 8]


def test_weights_that_are_current_keep_what_was_measured(tmp_path):
    list(train(tmp_path, card={"name": "a", "size": (8, 8)}))
    card = tmp_path / "a.json"
    cards.write_card(card, cards.read_card(card) | {"metrics": {"N": 5}})
    list(train(tmp_path, card={"name": "a", "size": (8, 8)}))
    assert json.loads(card.read_text())["metrics"] == {"N": 5}


def broken(content: bytes) -> dict[str, bytes | None]:
    """Ways in which a file is no more what it was; None: it is gone."""
    half = len(content) // 2
    flipped = bytes([*content[: half + 99], content[half + 99] ^ 4, *content[half + 100 :]])
    return {
        "cut": content[:half],
        "empty": b"",
        "zeros": bytes(len(content)),
        "bit": flipped,
        "longer": content + b"x",
        "gone": None,
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A training that ran to its end, to be copied."""
    folder = tmp_path_factory.mktemp("finished") / "model"
    list(train(folder))
    return folder


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_weights_and_card_of_a_finished_run_are_mended(tmp_path, finished, name):
    whole = {n: (finished / n).read_bytes() for n in ("model.safetensors", "model.json")}
    folder = shutil.copytree(finished, tmp_path / "model")
    for how, content in broken(whole[name]).items():
        (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
        SAID.clear()
        assert all(r.replayed for r in train(folder)), how
        assert {n: (folder / n).read_bytes() for n in whole} == whole, how
        assert "model.safetensors and its card are not those of step-00000012" in SAID[-1], how
    list(train(folder))
    assert "all 12 steps were done before" in SAID[-1]


def test_mended_weights_keep_what_was_measured(tmp_path):
    list(train(tmp_path, card={"name": "a"}))
    weights, card = tmp_path / "a.safetensors", tmp_path / "a.json"
    content = weights.read_bytes()
    cards.write_card(card, cards.read_card(card) | {"metrics": {"N": 5}})
    weights.write_bytes(b"")
    list(train(tmp_path, card={"name": "a"}))
    assert weights.read_bytes() == content
    assert json.loads(card.read_text())["metrics"] == {"N": 5}


@pytest.mark.parametrize(
    "line, step", [(2, 14), (2, 8), (4, 2), (4, 3), (2, 1000), (1, 6), (1, -2)]
)
def test_a_wrong_step_in_the_log_is_mended(tmp_path, finished, line, step):
    """Bigger or smaller than its neighbours', odd, beyond the end; the file before is kept."""
    folder = shutil.copytree(finished, tmp_path / "model")
    before = (folder / "log.jsonl").read_bytes()
    damaged = before.replace(b'"step": %d,' % (2 * line), b'"step": %d,' % step)
    (folder / "log.jsonl").write_bytes(damaged)
    with pytest.warns(
        UserWarning, match=f"line {line} of .*log.jsonl is damaged and mended"
    ) as said:
        assert [r.step for r in train(folder)] == [2, 4, 6, 8, 10, 12]
    assert len(said) == 1 and "earlier-1/log.jsonl" in str(said[0].message)
    assert (folder / "log.jsonl").read_bytes() == before
    assert (folder / "earlier-1" / "log.jsonl").read_bytes() == damaged


def test_steps_that_their_neighbours_do_not_tell_are_left_out(tmp_path, finished):
    """Two in a row, and one where an earlier start left a gap; nothing after them is lost."""
    folder = shutil.copytree(finished, tmp_path / "model")
    lines = (folder / "log.jsonl").read_bytes().splitlines(keepends=True)
    lines[1:3] = [line.replace(b'"step": ', b'"step": 99') for line in lines[1:3]]
    (folder / "log.jsonl").write_bytes(b"".join(lines))
    with pytest.warns(UserWarning, match="line 3 of .*left out"):
        assert [r.step for r in train(folder)] == [2, 8, 10, 12]
    lines[1:4] = [lines[3].replace(b'"step": 8', b'"step": 80')]
    (folder / "log.jsonl").write_bytes(b"".join(lines))
    with pytest.warns(UserWarning, match="line 2 of .*left out"):
        assert [r.step for r in train(folder)] == [2, 10, 12]


@pytest.mark.parametrize(
    "entry",
    ['"loss": "low"', '"loss": true', '"lr": NaN', '"samples": "12"', '"lr": ' + "[" * 100_000],
    ids=lambda entry: entry[:15],
)
def test_a_line_of_wrong_types_costs_only_itself(tmp_path, finished, entry):
    folder = shutil.copytree(finished, tmp_path / "model")
    path = folder / "log.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = lines[1][:-1] + f", {entry}" + "}"
    path.write_text("\n".join([*lines, ""]))
    with pytest.warns(UserWarning, match="line 2 of .*log.jsonl is damaged"):
        assert [r.step for r in train(folder)] == [2, 6, 8, 10, 12]


@pytest.mark.parametrize("left", ["log.jsonl", "samples", "model.txt", "trdata", "a.safetensors"])
def test_nothing_of_an_earlier_training_is_overwritten(tmp_path, left):
    """Also where checkpoints/, or all but one thing, was deleted to save space."""
    list(train(tmp_path, card={"name": "a"}, trdata=True))
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    for path in tmp_path.iterdir():
        if path.name != left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert next(train(tmp_path, card={"name": "a"}, lr=2e-2)).replayed is False
    aside = tmp_path / "earlier-1"
    kept = {name: (aside / name).read_bytes() for name in files(aside)}
    assert kept == {k: v for k, v in before.items() if k.startswith(left)} and kept
    assert str(aside) in SAID[-1]


def test_weights_whose_checkpoints_are_gone_are_kept(tmp_path):
    """Of the very same training as well: it is trained again, beside them."""
    list(train(tmp_path, card={"name": "a"}))
    before = {n: (tmp_path / n).read_bytes() for n in ("a.safetensors", "a.json", "log.jsonl")}
    shutil.rmtree(tmp_path / "checkpoints")
    assert not any(r.replayed for r in train(tmp_path, card={"name": "a"}))
    assert {n: (tmp_path / "earlier-1" / n).read_bytes() for n in before} == before
    assert (tmp_path / "a.safetensors").read_bytes() == before["a.safetensors"]


def test_a_killed_beginning_leaves_nothing_behind(tmp_path):
    """Before its first checkpoint: the same training begins again, another one keeps it."""
    for _ in range(2):
        stop_after(tmp_path, 2, save_every=1e6)
    assert not list(tmp_path.glob("earlier-*"))
    stop_after(tmp_path, 2, save_every=1e6, lr=2e-2)
    assert len(log(tmp_path / "earlier-1")) == 2
