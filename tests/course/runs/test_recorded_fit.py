"""A recorded training: what it leaves behind, and that kill -9 does not change the result."""

import json
import multiprocessing
import os
import random
import signal
import time
from functools import partial
from pathlib import Path

import pytest
import torch
from small_training import (
    IMAGES,
    SAID,
    SCHEDULE,
    SETTINGS,
    files,
    log,
    numbers,
    result,
    stop_after,
    tiny,
    train,
)

from diffutils import denoisers, rng
from diffutils.course.runs.recorded_fit import recorded_fit
from diffutils.data import png, to_float, to_uint8
from diffutils.denoisers import Denoiser
from diffutils.loop import constant
from diffutils.training import batch_order
from diffutils.unet import UNet
from diffutils.weights import cards, models, provenance
from diffutils.weights import state as saves


@pytest.fixture(autouse=True)
def silence():
    SAID.clear()


# ------------------------------------------------------------------- what a run leaves behind


def test_the_folder_of_a_run(tmp_path):
    records = list(train(tmp_path / "model", trdata=True))
    assert files(tmp_path / "model") == [
        *(
            f"checkpoints/step-000000{k}/{f}"
            for k in (10, 12)
            for f in (
                "ema.safetensors",
                "manifest.json",
                "optimizer.safetensors",
                "raw.safetensors",
            )
        ),
        "log.jsonl",
        "model.json",
        "model.safetensors",
        "model.txt",
        *(f"samples/step-000000{k:02}.png" for k in (4, 8, 12)),
        "trdata/first.png",
    ]
    lines = log(tmp_path / "model")
    assert [line["step"] for line in lines] == [2, 4, 6, 8, 10, 12]
    assert set(lines[0]) == {
        "step",
        "loss",
        "heldout",
        "lr",
        "grad_norm",
        "seconds",
        "images_per_second",
    }
    assert [numbers(r)[1:] for r in records] == [
        [line[k] for k in ("loss", "heldout", "lr", "grad_norm")] for line in lines
    ]
    text = (tmp_path / "model" / "model.txt").read_text()
    count = sum(p.numel() for p in tiny().parameters())
    for part in ("net.conv_in", "Conv2d", "8x3x3x3", f"{count:,}", "warmup", "starting weights"):
        assert part in text
    card = json.loads((tmp_path / "model" / "model.json").read_text())
    assert card["trained"]["steps"] == 12 and card["settings"]["lr"] == 0.01
    other = tiny(1)
    cards.load_weights(tmp_path / "model" / "model.safetensors", other.net)
    for a, b in zip(other.parameters(), records[-1].ema.parameters(), strict=True):
        assert torch.equal(a, b.half().float())


def test_samples_are_spread_over_the_run_and_come_back_bit_for_bit(tmp_path):
    drawn = {r.step: r.samples for r in train(tmp_path) if r.samples is not None}
    assert list(drawn) == [4, 8, 12]
    again = {r.step: r.samples for r in train(tmp_path) if r.samples is not None}
    assert list(again) == [4, 8, 12]
    assert all(torch.equal(drawn[k], again[k]) for k in drawn)


def test_training_images_are_kept_as_the_network_sees_them(tmp_path):
    for flip in (False, True):
        list(train(tmp_path / str(flip), flip=flip, trdata=True, steps=2))
    plain, mirrored = (
        png.read_grid(tmp_path / f / "trdata" / "first.png", (8, 3, 8, 8))
        for f in ("False", "True")
    )
    turned = [torch.equal(a, b.flip(-1)) for a, b in zip(plain, mirrored, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(plain, mirrored, strict=True)]
    assert any(turned) and any(kept) and all(a or b for a, b in zip(turned, kept, strict=True))


def brighter(x0, cond, k, slots):
    """A batch hook that draws from the step and the sample alone."""
    return x0 * (0.5 + rng.uniform(0, k, slots, 1, rng.AUGMENT)[:, :, None, None] / 2), cond


def test_training_images_are_kept_as_a_hook_leaves_them(tmp_path):
    list(train(tmp_path, augment=brighter, trdata=True, steps=2))
    seen = png.read_grid(tmp_path / "trdata" / "first.png", (8, 3, 8, 8))
    slots = torch.arange(8)
    chosen = IMAGES[batch_order(0, 0, 8, 40)]
    mirrored = rng.uniform(0, 0, slots, 1, rng.FLIP)[:, :, None, None] < 0.5
    x0 = to_float(torch.where(mirrored, chosen.flip(-1), chosen))
    assert torch.equal(seen, to_uint8(brighter(x0, None, 0, slots)[0]))


# ------------------------------------------------------------------- going on


@pytest.mark.parametrize("done", [1, 3, 5])
def test_a_stopped_run_goes_on(tmp_path, done):
    """The same records, weights, moments, log and samples; replayed steps are marked."""
    whole = list(train(tmp_path / "whole"))
    stop_after(tmp_path / "run", done)
    assert len(log(tmp_path / "run")) == done
    rest = list(train(tmp_path / "run"))
    assert [r.replayed for r in rest] == [True] * done + [False] * (6 - done)
    assert [numbers(r) for r in rest] == [numbers(r) for r in whole]
    assert result(tmp_path / "run") == result(tmp_path / "whole")
    assert SAID == [f"run: resumed after step {2 * done} of 12"]
    assert not list((tmp_path / "run").glob("earlier-*"))


def conditional():
    torch.manual_seed(0)
    net = UNet(channels=(8, 16), blocks=1, attention=(False, True), cond_channels=1)
    return Denoiser(net, denoisers.eps, SCHEDULE.t)


def test_a_conditional_run_goes_on(tmp_path):
    """Its conditions decide it: with others it starts anew; its card says what it takes."""
    cond = IMAGES[:, :1].flip(2)
    about = dict(cond=cond, heldout_cond=cond[:9], augment=brighter, draw=None)
    unet = dict(channels=[8, 16], blocks=1, attention=[False, True], cond_channels=1)
    betas = {"name": "linear", "arguments": {"T": 100, "beta_min": 1e-3, "beta_max": 0.2}}
    about["card"] = dict(name="model", unet=unet, coefficients="eps", betas=betas, size=8)
    whole = list(train(tmp_path / "whole", conditional(), **about))
    running = train(tmp_path / "run", conditional(), **about)
    for _ in range(3):
        next(running)
    running.close()
    rest = list(train(tmp_path / "run", conditional(), **about))
    assert [r.replayed for r in rest] == [True] * 3 + [False] * 3
    assert [numbers(r) for r in rest] == [numbers(r) for r in whole]
    files = [
        saves.read(saves.newest(tmp_path / n / "checkpoints"))[1]["files"] for n in ("whole", "run")
    ]
    assert files[0] == files[1]
    model = models.load_model(tmp_path / "run" / "model.safetensors")
    x, c = torch.randn(2, 3, 8, 8), torch.randn(2, 1, 8, 8)
    want = rest[-1].ema(x, 0.5, cond=c)
    torch.testing.assert_close(model.denoiser(x, 0.5, cond=c), want, atol=0.02, rtol=0.02)
    other = about | dict(cond=cond.flip(0))
    assert next(train(tmp_path / "run", conditional(), **other)).replayed is False
    assert "its settings differ: cond was (40, 1, 8, 8) torch.uint8" in SAID[-1]


def test_a_finished_run_is_not_trained_again(tmp_path):
    *_, last = train(tmp_path)
    denoiser = tiny()
    records = list(train(tmp_path, denoiser))
    assert all(r.replayed for r in records) and [r.step for r in records] == [2, 4, 6, 8, 10, 12]
    assert [r.ema is None for r in records] == [True] * 5 + [False]
    for a, b in zip(records[-1].ema.parameters(), last.ema.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not records[-1].ema.training and not any(
        p.requires_grad for p in records[-1].ema.parameters()
    )
    state, _ = saves.read(saves.newest(tmp_path / "checkpoints"))
    assert all(torch.equal(v, state["raw"][k]) for k, v in denoiser.net.state_dict().items())
    assert "all 12 steps were done before" in SAID[-1]


def test_records_after_the_checkpoint_are_written_again(tmp_path):
    """The log ran ahead of the checkpoint, and its last line is torn."""
    whole = tmp_path / "whole"
    list(train(whole))
    stop_after(tmp_path / "run", 2)
    lines = (whole / "log.jsonl").read_text().splitlines()
    (tmp_path / "run" / "log.jsonl").write_text("\n".join(lines[:4]) + '\n{"step": 10, "lo')
    list(train(tmp_path / "run"))
    assert result(tmp_path / "run") == result(whole)


def test_never_starts_anew_and_keeps_the_old(tmp_path):
    stop_after(tmp_path, 2)
    assert not any(r.replayed for r in train(tmp_path, resume="never"))
    assert "resume is 'never'" in SAID[0] and str(tmp_path / "earlier-1") in SAID[0]
    assert len(log(tmp_path / "earlier-1")) == 2
    list(train(tmp_path, resume="never"))
    assert len(log(tmp_path / "earlier-2")) == 6


@pytest.mark.parametrize(
    "changes, said",
    [
        (dict(lr=2e-2), "lr was 0.01, is 0.02"),
        (dict(steps=14), "steps was 12, is 14"),
        (dict(flip=False), "flip was True, is False"),
        (dict(optimizer=torch.optim.Adam), "optimizer was AdamW, is Adam"),
        (dict(clip=0.5), "clip was 1.0, is 0.5"),
        (dict(seed=1), "seed was 0, is 1"),
        (dict(images=IMAGES.flip(0)), "images was "),
        (dict(denoiser=tiny(1)), "starting weights was "),
        (
            dict(denoiser=Denoiser(tiny().net, denoisers.v, SCHEDULE.t)),
            "coefficients was eps, is v",
        ),
        (dict(denoiser=Denoiser(tiny().net, denoisers.eps, torch.log)), "c_noise was "),
        (dict(distance=lambda e: e.abs() ** 1.5), "distance was square, is <lambda>"),
    ],
)
def test_other_settings_do_not_resume_and_say_so(tmp_path, changes, said):
    stop_after(tmp_path, 1)
    assert next(train(tmp_path, **changes)).replayed is False
    assert "its settings differ" in SAID[0] and said in SAID[0]
    assert saves.steps(tmp_path / "earlier-1" / "checkpoints")


def test_a_function_of_the_same_name_with_another_body_does_not_resume(tmp_path):
    def error(e):
        return e.square()

    def changed():
        def error(e):
            return e.abs()

        return error

    stop_after(tmp_path, 1, distance=error)
    other = changed()
    other.__qualname__ = error.__qualname__
    assert next(train(tmp_path, distance=other)).replayed is False


def fading(to):
    """A learning-rate factor that keeps its one number in a closure."""

    def factor(step, steps):
        return to

    return factor


def test_a_changed_number_in_a_closure_does_not_resume(tmp_path):
    stop_after(tmp_path, 2, decay=fading(1.0))
    assert next(train(tmp_path, decay=fading(1.0))).replayed is True
    assert next(train(tmp_path, decay=fading(0.1))).replayed is False
    assert "decay was fading.<locals>.factor" in SAID[-1]


def test_other_code_resumes_with_a_word(tmp_path, monkeypatch):
    stop_after(tmp_path, 1)
    monkeypatch.setattr("diffutils.course.runs.fingerprint.training_code", lambda: "0123")
    assert next(train(tmp_path)).replayed
    assert "not bit for bit" in SAID[-1] and "is 0123" in SAID[-1]


# ------------------------------------------------------------------- weights


def test_weights_beyond_float16_are_kept_in_float32(tmp_path):
    denoiser = tiny()
    denoiser.net.conv_in.bias.data[0] = 1e5  # float16 ends at 65,504
    *_, last = train(tmp_path / "model", denoiser, steps=2, lr=0.0)
    assert last.step == 2 and saves.newest(tmp_path / "model" / "checkpoints")
    other = tiny(1)
    cards.load_weights(tmp_path / "model" / "model.safetensors", other.net)
    for a, b in zip(other.parameters(), last.ema.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_checkpoint_comes_before_the_weights(tmp_path, monkeypatch):
    """Weights that cannot be written cost no step: the next start has only them to write."""

    def full(*_):
        raise OSError("disk full")

    with monkeypatch.context() as m:
        m.setattr(cards, "save_weights", full)
        with pytest.raises(OSError, match="disk full"):
            list(train(tmp_path / "model", steps=2))
    (record,) = train(tmp_path / "model", steps=2)
    assert record.replayed and (tmp_path / "model" / "model.safetensors").is_file()


def test_a_number_that_is_not_finite_is_null_in_every_file(tmp_path):
    """A clip of infinity is a setting like any other; JSON has no word for it, nor for nan."""
    for replayed in (False, True):
        assert [r.replayed for r in train(tmp_path / "model", steps=2, clip=float("inf"))] == [
            replayed
        ]
    for path in [*(tmp_path / "model").rglob("*.json"), tmp_path / "model" / "log.jsonl"]:
        assert "Infinity" not in path.read_text() and "NaN" not in path.read_text()


@pytest.mark.parametrize("resume", ["Auto", True, None])
def test_unknown_resume(tmp_path, resume):
    with pytest.raises(ValueError, match="choose one of auto, never"):
        next(train(tmp_path, resume=resume))
    assert list(tmp_path.iterdir()) == []


def test_what_makes_no_training_leaves_nothing(tmp_path):
    denoiser = tiny()
    for wrong in (
        (denoiser.net, IMAGES, SCHEDULE),
        (denoiser, [1], SCHEDULE),
        (denoiser, IMAGES.float(), SCHEDULE),
        (denoiser, IMAGES, 5),
    ):
        with pytest.raises(ValueError, match="expected a|must be uint8"):
            next(recorded_fit(tmp_path / "model", *wrong, **SETTINGS))
    with pytest.raises(ValueError, match="expected the name of a file, without slash"):
        next(train(tmp_path / "model", card={"name": "../model"}))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_does_not_say_whose_it_is_is_set_aside(tmp_path):
    stop_after(tmp_path / "model", 3)
    for path in saves.steps(tmp_path / "model" / "checkpoints"):
        state, _ = saves.read(path)
        saves.save(path.parent, state, {})
    list(train(tmp_path / "model"))
    assert (tmp_path / "model" / "earlier-1" / "checkpoints").is_dir()


# ------------------------------------------------------------------- NaN


class Breaks(UNet):
    """Its output is NaN from call `at` on."""

    at, calls = 0, 0

    def forward(self, *inputs):
        self.calls += self.training
        return super().forward(*inputs) * (float("nan") if self.calls > self.at else 1.0)


@pytest.mark.parametrize("at, good", [(7, "step-00000006"), (1, None)])
@pytest.mark.fault("loss that is NaN")
def test_nan_stops_the_run_and_names_the_last_good_checkpoint(tmp_path, at, good):
    denoiser = tiny()
    denoiser.net.__class__ = Breaks
    denoiser.net.at = at
    said = f"the last good checkpoint is .*{good}" if good else "there is no checkpoint yet"
    with pytest.raises(FloatingPointError, match=rf"not finite since step {at}; lower lr.*{said}"):
        list(train(tmp_path, denoiser))
    assert [p.name for p in saves.steps(tmp_path / "checkpoints")][:1] == ([good] if good else [])
    assert [line["step"] for line in log(tmp_path)] == [2, 4, 6][: at // 2]


# ------------------------------------------------------------------- kill -9

KILLED = SETTINGS | dict(steps=40, log_every=1, draws=4)
KILLED_BY = partial(pytest.mark.fault, "kill -9 inside training")
ONCE = dict(save_every=1e6)  # one checkpoint, at the end: what an uninterrupted run needs


def child(folder, slow, changes):
    """A training process; slow: seconds that every fsync takes, so that a write can be hit."""
    real = os.fsync
    if slow:
        os.fsync = lambda handle: (time.sleep(slow), real(handle))
    torch.set_num_threads(1)
    with open(f"{folder}.beat-{os.getpid()}", "w") as beat:
        for record in train(folder, **KILLED | changes):
            if not record.replayed:
                beat.write(f"{record.step}\n")
                beat.flush()


@pytest.fixture(scope="module")
def start():
    """Start `child` in a process of its own; torch is imported once, in the server they fork from.

    A child that still runs when the tests end is killed.
    """
    if os.name == "nt":
        pytest.skip("needs SIGKILL")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["diffutils.course.runs.recorded_fit", "accelerate", "PIL.Image"]
    )
    running = []

    def run(folder, slow=0.0, **changes):
        process = context.Process(target=child, args=(folder, slow, changes))
        process.start()
        running.append(process)
        return process

    yield run
    for process in running:
        if process.is_alive():
            process.kill()


@pytest.fixture(scope="module")
def whole(start, tmp_path_factory):
    """The result of a run that nobody interrupts."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "whole"
    finish(start(folder, **ONCE))
    return result(folder)


def written(folder):
    """Whole lines of the log; the last one may be torn."""
    return (folder / "log.jsonl").read_bytes().count(b"\n")


def finish(process):
    process.join(900)
    assert process.exitcode == 0


def trained(folder, process):
    """Steps that this very process has trained and recorded so far."""
    beat = Path(f"{folder}.beat-{process.pid}")
    return [int(step) for step in beat.read_text().split("\n")[:-1]] if beat.exists() else []


def wait_until(true, process):
    end = time.monotonic() + 600
    while not true():
        assert time.monotonic() < end, "the child does nothing"
        assert process.is_alive(), f"the child ended with {process.exitcode}"
        time.sleep(0.001)


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL  # it lived until then: the kill ended it


def survive_kills(start, folder, kills, seed, **changes):
    """Kill a training `kills` times at random moments, then let it end."""
    moments, at, steps = random.Random(seed), [], (KILLED | changes)["steps"]
    for _ in range(kills):
        process, more = start(folder, **changes), moments.randint(1, 2)
        wait_until(lambda p=process, more=more: len(trained(folder, p)) >= more, process)
        time.sleep(moments.uniform(0, 0.04))
        kill(process)
        at.append(trained(folder, process)[-1])
        assert written(folder) < steps  # inside training: some steps were done, and not all
    finish(start(folder, **changes, **ONCE))
    assert at == sorted(at)


@pytest.mark.fault("kill -9 inside training", 3)
def test_three_kills_do_not_change_the_result(start, whole, tmp_path):
    survive_kills(start, tmp_path / "killed", 3, seed=0)
    assert result(tmp_path / "killed") == whole
    assert [line["step"] for line in log(tmp_path / "killed")] == list(range(1, 41))


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(dict(steps=200), marks=KILLED_BY(20)),
        pytest.param(dict(steps=60, bf16=True, optimizer=torch.optim.Adam), marks=KILLED_BY(5)),
        pytest.param(dict(steps=60, ema=0.0, decay=constant), marks=KILLED_BY(5)),
    ],
)
def test_many_kills_do_not_change_the_result(start, tmp_path, changes):
    """20 kills of one run; 5 each of runs in bfloat16 with Adam, and without EMA."""
    finish(start(tmp_path / "whole", **changes, **ONCE))
    kills = 20 if changes["steps"] == 200 else 5
    survive_kills(start, tmp_path / "killed", kills, 1, **changes)
    assert result(tmp_path / "killed") == result(tmp_path / "whole")


def survive_kills_in_a_write(start, folder, kills, seed):
    """Kill while a checkpoint is being written, `kills` times; then let the run end."""
    moments, landed, attempts = random.Random(seed), 0, 0
    store = folder / "checkpoints"
    while landed < kills:
        attempts += 1
        assert attempts < 10 * kills, "the kills miss the writes"
        process = start(folder, slow=0.04)
        wait_until(lambda p=process: trained(folder, p), process)
        wait_until(lambda: list(store.glob(".step-*.diffutils.part")), process)
        time.sleep(moments.uniform(0, 0.15))
        kill(process)
        parts = [p.name for p in store.glob(".step-*.diffutils.part")]
        landed += bool(parts)  # half a checkpoint is left: the kill hit the write
        assert written(folder) < KILLED["steps"]
    finish(start(folder, **ONCE))
    assert not list(store.glob(".*"))


@pytest.mark.fault("kill -9 inside the write of a checkpoint")
def test_a_kill_inside_a_write_leaves_the_older_checkpoint(start, whole, tmp_path):
    survive_kills_in_a_write(start, tmp_path / "killed", 1, seed=0)
    assert result(tmp_path / "killed") == whole


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.fault("kill -9 inside the write of a checkpoint", 6)
def test_six_kills_inside_writes(start, whole, tmp_path):
    survive_kills_in_a_write(start, tmp_path / "killed", 6, seed=1)
    assert result(tmp_path / "killed") == whole


def test_a_resume_on_another_processor_says_that_bits_differ(tmp_path, monkeypatch):
    """Also where its rounding reaches the settings, so that the training starts anew."""
    monkeypatch.setattr(provenance, "processor", lambda: "one")
    stop_after(tmp_path / "run", 3)
    SAID.clear()
    monkeypatch.setattr(provenance, "processor", lambda: "another")
    stop_after(tmp_path / "run", 4)
    since = "since processor was one, is another"
    assert SAID[1].endswith(f"not bit for bit what it would have been, {since}")
    monkeypatch.setattr(provenance, "processor", lambda: "a third")
    next(train(tmp_path / "run", tiny(1)))
    since = "since processor was another, is a third"
    assert f"not bit for bit what they were, {since}" in SAID[-1]


def test_a_manifest_without_the_processor_is_no_false_alarm(tmp_path, monkeypatch):
    """As an earlier version wrote it."""
    monkeypatch.setattr(provenance, "processor", lambda: "one")
    real = saves.save

    def older(store, state, about):
        about["versions"].pop("processor", None)
        return real(store, state, about)

    with monkeypatch.context() as m:
        m.setattr(saves, "save", older)
        stop_after(tmp_path / "run", 3)
    SAID.clear()
    stop_after(tmp_path / "run", 4)
    assert SAID == ["run: resumed after step 6 of 12"]
