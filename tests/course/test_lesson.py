"""The lesson object, and what it writes."""

import json
from types import SimpleNamespace

import pytest
import torch
from made_images import images, write

import diffutils as du
from diffutils.course.runs.recorded_fit import progress_line
from diffutils.course.workbook import progress

OWN = {"profile": "smoke", "run_dir": "run"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_lesson_says_what_it_will_do_in_one_line(capsys):
    lesson = du.lesson("02", seed="3", overrides={"steps": "7"}, **OWN)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    for part in ("lesson 02", "smoke", "sprites", "seed 3", lesson.device.type, "run", "steps=7"):
        assert part in said
    assert lesson.seed == 3
    assert lesson.budget.steps == 7


def test_run_directories(tmp_path, monkeypatch):
    assert du.lesson("01", **OWN).dir == tmp_path / "run"
    default = du.lesson("01", profile="smoke").dir
    assert default.is_relative_to(tmp_path / "runs")
    assert default.is_dir()
    monkeypatch.setenv("DIFFUTILS_RUN_DIR", str(tmp_path / "given"))
    assert du.lesson("01", profile="smoke").dir == tmp_path / "given" / "01"


def test_finish_writes_the_whole_record(tmp_path, capsys):
    lesson = du.lesson("02", overrides={"steps": 5}, **OWN)
    lesson.headline("Fréchet distance", 1.25)
    lesson.metric("broken", float("nan"))
    lesson.claim("L1 | MSE", published="yes", measured=0.123456, protocol="a < b", N=5, seeds=3)
    lesson.claim("a GPU result")
    lesson.finish()
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["budget"]["steps"] == 5
    assert record["parameters"] == {"profile": "smoke", "dataset": "sprites", "seed": 0}
    assert record["metrics"] == {"Fréchet distance": 1.25, "broken": "nan"}
    assert record["headline"] == "Fréchet distance"
    assert record["versions"]["torch"]
    assert record["peak_memory_mb"] > 50
    assert record["seconds"] >= 0
    assert [c["measured"] for c in record["claims"]] == ["0.123", "not run"]
    assert [c["protocol"] for c in record["claims"]] == [["a < b"], []]
    printed = capsys.readouterr().out
    assert "| L1 \\| MSE | yes | 0.123 | - | 5 | 3 |" in printed
    assert "<li><b>L1 | MSE</b> a &lt; b</li>" in printed
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["run.json"]


def test_the_last_line_and_the_record_say_what_is_solved(tmp_path, monkeypatch, capsys):
    """Of this lesson's exercises, in this process: these tests are no student."""
    verdicts = {"1.1": "right", "2.1": "right", "2.2": "wrong", "2.3": "not attempted"}
    monkeypatch.setattr(progress, "noted", {})
    monkeypatch.setattr("diffutils.course.lesson.noted", progress.noted)
    for id, status in verdicts.items():
        progress.note(id, status, "slip" if status == "wrong" else None)
    lesson = du.lesson("02", **OWN)
    lesson.finish()
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "exercises: 1 of 6 solved here; du.progress() shows all lessons"
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["exercises"] == {
        "2.1": {"status": "right", "mistake": None, "tries": 1},
        "2.2": {"status": "wrong", "mistake": "slip", "tries": 1},
        "2.3": {"status": "not attempted", "mistake": None, "tries": 0},
    }


def test_claims_keep_their_fields(tmp_path):
    """Verdict, why and protocol stay apart in run.json; what nobody can read is refused."""
    lesson = du.lesson("02", **OWN)
    fields = {"verdict": "nearer", "why": "no GPU", "protocol": ["one", "two"]}
    lesson.claim("name", N=5, **fields)
    with pytest.raises(ValueError, match="measured of the claim 'long' has 200 characters"):
        lesson.claim("long", measured="x" * 200)
    lesson.finish()
    (made,) = json.loads((tmp_path / "run" / "run.json").read_text())["claims"]
    assert made == fields | {"claim": "name", "published": "-", "measured": "not run", "N": "5",
                             "seeds": "-"}  # fmt: skip


@pytest.mark.fault("name or parameter with a shell or path trick", 3)
def test_a_name_that_leads_out_of_the_run_directory_is_refused():
    lesson = du.lesson("02", **OWN)
    images = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    for call in (
        lambda: lesson.figure("../../out.png"),
        lambda: lesson.images("a/../../../out", images),
        lambda: next(lesson.train("../out", torch.nn.Linear(1, 1), None, steps=1)),
        lambda: next(lesson.train("/out", torch.nn.Linear(1, 1), None, steps=1)),
    ):
        with pytest.raises(ValueError, match="leads out of the run directory; give a plain name"):
            call()
    assert lesson.figure("a.png") == lesson.dir / "figures" / "a.png"


def test_a_terminal_that_takes_no_line_stops_no_training(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DIFFUTILS_PROGRESS", "/dev/full")
    du.lesson("02", **OWN).progress("step 1")
    assert "step 1" in capsys.readouterr().out


def test_progress_is_printed_and_reaches_the_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DIFFUTILS_PROGRESS", str(tmp_path / "progress"))
    lesson = du.lesson("02", **OWN)
    for step, heldout in ((1, None), (2, 0.25)):
        record = SimpleNamespace(step=step, loss=0.5, heldout=heldout, images_per_second=10.0)
        record.seconds = 200.0 * step
        lesson.progress(progress_line("model", record, 2))
    lines = (tmp_path / "progress").read_text().splitlines()
    assert lines[0] == "model: step 1/2 · loss 0.5000 · 10 images/s · 3 min left"
    assert "held-out 0.2500" in lines[1] and lines[1].endswith(" · done")
    printed = capsys.readouterr().out
    assert all(line in printed for line in lines)


def test_a_lesson_trains_in_its_directory_and_goes_on(tmp_path, capsys):
    """Progress lines for what is trained, none for what is replayed; the lesson's own seed."""
    import torch

    from diffutils import denoisers, schedules
    from diffutils.unet import UNet

    schedule = schedules.Discrete(schedules.linear_betas(100, 1e-3, 0.2))
    images = torch.zeros(10, 3, 4, 4, dtype=torch.uint8)

    def train(**changes):
        lesson = du.lesson("02", seed=7, **OWN, **changes)
        torch.manual_seed(0)
        net = UNet(channels=(8,), blocks=1, attention=(False,))
        denoiser = du.Denoiser(net, denoisers.eps, schedule.t)
        capsys.readouterr()
        records = lesson.train("toy", denoiser, images, schedule, steps=4, batch=2, log_every=2)
        replayed = [r.replayed for r in records]
        path = lesson.images("drawn", images)
        assert len(list(path.iterdir())) == 10 and path == tmp_path / "run" / "images" / "drawn"
        lesson.finish()
        return replayed, capsys.readouterr().out

    replayed, said = train()
    assert replayed == [False, False] and "toy: step 4/4" in said
    assert "seed" in (tmp_path / "run" / "toy" / "model.txt").read_text()
    assert json.loads((tmp_path / "run" / "toy" / "toy.json").read_text())["settings"]["seed"] == 7
    replayed, said = train()
    assert replayed == [True, True] and "step 4/4" not in said
    assert "toy: all 4 steps were done before" in said
    assert train(resume="never")[0] == [False, False]


def test_a_lesson_trains_with_a_loss_of_its_own(tmp_path, capsys):
    """As `optimise`: kept and resumed in the lesson's directory, another loss starts anew."""
    import torch

    def towards(target):
        def loss(net, k, slots):
            return (net.weight - target).square().mean().expand(len(slots))

        return loss

    def train(target=0.0, **changes):
        torch.manual_seed(0)
        net = torch.nn.Linear(2, 2)
        lesson = du.lesson("02", seed=7, **OWN, **changes)
        capsys.readouterr()
        settings = dict(steps=4, batch=2, log_every=2, lr=0.1, warmup=0)
        records = list(lesson.train("prior", net, towards(target), **settings))
        lesson.finish()
        return records, capsys.readouterr().out

    first, said = train()
    assert [r.replayed for r in first] == [False, False] and "prior: step 4/4" in said
    assert first[1].loss < first[0].loss
    again, said = train()
    assert [r.replayed for r in again] == [True, True] and "prior: step 4/4" not in said
    assert [r.loss for r in again] == [r.loss for r in first]
    assert torch.equal(again[-1].ema.weight, first[-1].ema.weight)
    assert (tmp_path / "run" / "prior" / "prior.safetensors").exists()
    assert train(resume="never")[0][0].replayed is False
    other, said = train(target=1.0)
    assert other[0].replayed is False and "prior: starts from step 0 (its settings differ" in said
    assert "<locals>.towards.<locals>.loss" in said


@pytest.mark.parametrize("number", ["03", "04"])
def test_what_a_lesson_could_not_measure_is_refused_when_it_is_opened(number, tmp_path):
    write(tmp_path / "own" / "train", images(40))
    write(tmp_path / "own" / "test", images(1, seed=1))
    for _ in range(2):  # the directory is free again
        with pytest.raises(ValueError, match="40 training and 1 held-out .* 4 are needed"):
            du.lesson(number, dataset="folder:own", **OWN)
    assert not (tmp_path / "run" / ".owner").exists()
    assert du.lesson("02", dataset="folder:own", **OWN).dataset == f"folder:{tmp_path / 'own'}"


def test_what_was_loaded_at_the_door_is_not_loaded_again(tmp_path, monkeypatch):
    from diffutils.course.experiments import described

    write(tmp_path / "own", images(20))
    lesson = du.lesson("02", dataset="folder:own", **OWN)
    calls, load = [], described.load
    monkeypatch.setattr(described, "load", lambda *a, **k: calls.append(a) or load(*a, **k))
    first = described.load_for(lesson.dataset, lesson.budget, 0)
    assert not calls
    again = described.load_for(lesson.dataset, lesson.budget, 0)
    assert len(calls) == 1 and bool((first.train == again.train).all())
    du.lesson("02", dataset="folder:own", **OWN)
    calls.clear()
    (tmp_path / "own" / "0000.png").unlink()  # between the door and the first use
    described.load_for(lesson.dataset, lesson.budget, 0)
    assert len(calls) == 1


def test_the_record_says_what_reached_the_run_from_outside(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "fp16")
    lesson = du.lesson("01", **OWN)
    lesson.headline("a\n<b>", 1 / 3)
    with pytest.raises(ValueError, match="the metric 'b' is 'many', expected a number"):
        lesson.metric("b", "many")
    with pytest.raises(ValueError, match="the metric 'c' is 10+, expected a number"):
        lesson.metric("c", 10**400)
    lesson.claim("a\n|", why="\x1b[2Jx", protocol="a\nb")
    record = lesson.record()
    assert record["environment"]["ACCELERATE_MIXED_PRECISION"] == "fp16"
    assert record["headline"] == "a <b>" and record["metrics"] == {"a <b>": 0.333333}
    assert (record["claims"][0]["why"], record["claims"][0]["protocol"]) == ("[2Jx", ["a b"])
    with pytest.raises(ValueError, match="protocol is 3, expected a sentence"):
        lesson.claim("a", protocol=3)


@pytest.mark.fault("disk full")
def test_a_disk_without_room_is_named_before_the_training(tmp_path, monkeypatch):
    import torch

    lesson = du.lesson("02", **OWN)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(OSError, match="writes about .* GB into .*run.* make room, or choose"):
        next(lesson.train("a", torch.nn.Linear(2, 2), lambda *_: None, steps=1))
