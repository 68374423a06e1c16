"""Checkpoints: a state comes back bit for bit, damage is seen, memory layouts are kept."""

import hashlib
import json
import os
import re
import shutil

import pytest
import torch

from diffutils import denoisers, schedules, training
from diffutils.denoisers import Denoiser
from diffutils.unet import UNet
from diffutils.weights import state as saves

SCHEDULE = schedules.Discrete(schedules.linear_betas(100, 1e-3, 0.2))
SETTINGS = dict(steps=12, batch=8, lr=1e-2, warmup=2, log_every=3, flip=True, label_dropout=0.2)


def tiny():
    torch.manual_seed(0)
    net = UNet(channels=(8, 16), blocks=1, attention=(False, True), classes=3)
    return Denoiser(net, denoisers.eps, SCHEDULE.t)


def data():
    images = torch.randint(
        0, 256, (40, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    return dict(
        images=images,
        schedule=SCHEDULE,
        labels=torch.arange(40) % 3,
        heldout=images[:9],
        heldout_labels=torch.arange(9) % 3,
    )


def numbers(record):
    return [record.step, record.loss, record.heldout, record.lr, record.grad_norm]


def same(one, other):
    assert set(one) == set(other)
    for k in one:
        assert one[k].dtype == other[k].dtype and torch.equal(one[k], other[k]), k


def state_of(records):
    *_, last = records
    return last.state()


# ------------------------------------------------------------------- fit goes on from a state


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.Adam])
@pytest.mark.parametrize("bf16", [False, True])
def test_a_run_that_stopped_ends_as_one_that_did_not(tmp_path, optimizer, bf16):
    """Records, weights, their average and the moments: equal bits, through a file on disk."""
    settings = SETTINGS | data() | dict(optimizer=optimizer, bf16=bf16)
    whole = list(training.fit(tiny(), **settings))
    stopped = training.fit(tiny(), **settings)
    first = [next(stopped), next(stopped)]
    path = saves.save(tmp_path, first[-1].state(), {})
    stopped.close()
    state, _ = saves.read(path)
    rest = list(training.fit(tiny(), **settings, state=state))
    assert [numbers(r) for r in whole] == [numbers(r) for r in first + rest]
    assert rest[0].seconds > state["seconds"] > 0
    for group in saves.GROUPS:
        same(whole[-1].state()[group], rest[-1].state()[group])


def test_a_state_is_a_copy():
    records = training.fit(tiny(), **SETTINGS, **data())
    state = next(records).state()
    kept = {g: {k: v.clone() for k, v in state[g].items()} for g in saves.GROUPS}
    next(records)
    for group in saves.GROUPS:
        same(state[group], kept[group])
    assert state["step"] == 3


def test_a_finished_state_leaves_nothing_to_do():
    state = state_of(training.fit(tiny(), **SETTINGS, **data()))
    denoiser = tiny()
    assert list(training.fit(denoiser, **SETTINGS, **data(), state=state)) == []
    same(dict(denoiser.net.state_dict()), state["raw"])
    assert not denoiser.training


# ------------------------------------------------------------------- the trap of layouts


def optimizer_after(lay_out):
    """A channels_last convolution under fused Adam, its moments stored, `lay_out`, one more step.

    Returns the moments, row by row, and the weights after that step.
    """
    torch.manual_seed(0)
    net = torch.nn.Conv2d(4, 6, 3).to(memory_format=torch.channels_last)
    opt = torch.optim.Adam(net.parameters(), lr=0.1, fused=True)

    def step(k):
        torch.manual_seed(k)
        for p in net.parameters():
            p.grad = torch.randn_like(p)
        opt.step()

    step(1)
    state = saves.snapshot(1, 0.0, net, net, opt)
    for group in saves.GROUPS:  # as a file gives them back
        state[group] = {k: v.contiguous() for k, v in state[group].items()}
    opt = torch.optim.Adam(net.parameters(), lr=0.1, fused=True)
    lay_out(state, net, opt)
    step(2)
    return net.weight.detach().clone()


def as_stored(state, net, opt):
    for name, p in net.named_parameters():
        for key in ("step", "exp_avg", "exp_avg_sq"):
            opt.state[p][key] = state["optimizer"][f"{name}/{key}"].clone()


def uninterrupted():
    torch.manual_seed(0)
    net = torch.nn.Conv2d(4, 6, 3).to(memory_format=torch.channels_last)
    opt = torch.optim.Adam(net.parameters(), lr=0.1, fused=True)
    for k in (1, 2):
        torch.manual_seed(k)
        for p in net.parameters():
            p.grad = torch.randn_like(p)
        opt.step()
    return net.weight.detach()


def test_moments_take_the_memory_layout_of_their_weights():
    """Put back row-major, fused Adam on a CPU goes wrong without a word; restored, it does not."""
    restored = optimizer_after(lambda state, net, opt: saves.restore(state, net, net, opt))
    assert torch.equal(restored, uninterrupted())
    wrong = optimizer_after(as_stored)
    assert float((wrong - uninterrupted()).abs().max()) > 1e-3  # the trap is real


def test_restored_moments_have_the_strides_of_a_fresh_optimizer():
    records = training.fit(tiny(), **SETTINGS, **data())
    state = next(records).state()
    strided = 0
    for name, weight in state["raw"].items():
        moment = state["optimizer"].get(f"{name}/exp_avg")
        if moment is not None:
            assert moment.stride() == weight.stride()
            strided += not weight.is_contiguous()
    assert strided > 5  # channels_last is really on


# ------------------------------------------------------------------- files


@pytest.fixture
def state():
    records = training.fit(tiny(), **SETTINGS, **data())
    return next(records).state()


def save_three(folder, state):
    return [saves.save(folder, state | {"step": k}, {"what": "test"}) for k in (3, 6, 9)]


def test_the_newest_two_are_kept(tmp_path, state):
    save_three(tmp_path, state)
    assert sorted(os.listdir(tmp_path)) == ["step-00000006", "step-00000009"]
    assert sorted(os.listdir(tmp_path / "step-00000009")) == [
        "ema.safetensors",
        "manifest.json",
        "optimizer.safetensors",
        "raw.safetensors",
    ]
    found, body = saves.read(saves.newest(tmp_path))
    assert found["step"] == 9 and body["what"] == "test"
    for group in saves.GROUPS:
        same(found[group], state[group])
        assert {v.dtype for v in found[group].values()} == {torch.float32}


def truncate(path):
    file = path / "optimizer.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def flip(name, at=-5):
    def damage(path):
        content = bytearray((path / name).read_bytes())
        content[at] ^= 1
        (path / name).write_bytes(content)

    return damage


def without(name):
    return lambda path: (path / name).unlink()


def renamed(path):
    shutil.move(path / "raw.safetensors", path / "x")
    shutil.move(path / "ema.safetensors", path / "raw.safetensors")
    shutil.move(path / "x", path / "ema.safetensors")


def other_step(path):
    content = (path / "manifest.json").read_text().replace('"step": 9', '"step": 8')
    (path / "manifest.json").write_text(content)


DAMAGES = {
    "truncated": truncate,
    "bit in the weights": flip("raw.safetensors"),
    "bit in the header": flip("ema.safetensors", 12),
    "bit in the manifest": flip("manifest.json", 40),
    "bit in the manifest's checksum": flip("manifest.json", -10),
    "no manifest": without("manifest.json"),
    "no moments": without("optimizer.safetensors"),
    "empty manifest": lambda path: (path / "manifest.json").write_bytes(b""),
    "a list as manifest": lambda path: (path / "manifest.json").write_text("[]"),
    "files exchanged": renamed,
    "another step": other_step,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.fault("checkpoint cut, flipped or exchanged")
def test_a_damaged_newest_checkpoint_is_skipped_with_a_warning(tmp_path, state, damage):
    *_, older, newest = save_three(tmp_path, state)
    damage(newest)
    with pytest.warns(UserWarning, match="step-00000009 is damaged and skipped"):
        assert saves.newest(tmp_path) == older
    saves.save(tmp_path, state | {"step": 7}, {})  # the run goes on: the damaged one is replaced
    assert sorted(os.listdir(tmp_path)) == ["step-00000006", "step-00000007"]


def test_no_checkpoint_is_none(tmp_path):
    assert saves.newest(tmp_path) is None and saves.newest(tmp_path / "nowhere") is None


def test_all_damaged_is_none(tmp_path, state):
    for path in save_three(tmp_path, state)[1:]:
        truncate(path)
    with pytest.warns(UserWarning, match="step-00000006 is damaged"):
        assert saves.newest(tmp_path) is None


@pytest.mark.parametrize("broken", ["fsync", "replace"])
@pytest.mark.fault("write of a checkpoint that fails")
def test_an_interrupted_write_leaves_the_older_ones(tmp_path, state, monkeypatch, broken):
    save_three(tmp_path, state)
    calls = []

    def fail(*_):
        calls.append(1)
        raise OSError("disk full")

    with monkeypatch.context() as m:
        m.setattr(os, broken, fail)
        with pytest.raises(OSError, match="disk full"):
            saves.save(tmp_path, state | {"step": 12}, {})
    assert calls and saves.newest(tmp_path).name == "step-00000009"
    assert sorted(os.listdir(tmp_path)) == ["step-00000006", "step-00000009"]  # and no half
    saves.save(tmp_path, state | {"step": 12}, {})
    assert sorted(os.listdir(tmp_path)) == ["step-00000009", "step-00000012"]


def test_the_manifest_is_written_last_and_everything_is_synced(tmp_path, state, monkeypatch):
    synced, real = [], os.fsync

    def spy(handle):
        name = os.path.basename(os.readlink(f"/proc/self/fd/{handle}"))
        temporary = re.fullmatch(r"\.(.+)\.\w{8}\.diffutils\.part", name)
        synced.append(temporary[1] if temporary else name)
        real(handle)

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    monkeypatch.setattr(os, "fsync", spy)
    path = saves.save(tmp_path, state, {})
    assert synced == [
        "raw.safetensors",
        "ema.safetensors",
        "optimizer.safetensors",
        "manifest.json",
        ".step-00000003.diffutils.part",
        tmp_path.name,
    ]
    body = json.loads((path / "manifest.json").read_text())["body"]
    for name, checksum in body["files"].items():
        assert hashlib.sha256((path / name).read_bytes()).hexdigest() == checksum


def test_a_state_that_is_not_finite_is_refused():
    denoiser = tiny()
    records = training.fit(denoiser, **SETTINGS, **data())
    record = next(records)
    denoiser.net.conv_out.bias.data[0] = float("nan")
    with pytest.raises(FloatingPointError, match=r"after step 3 conv_out.bias \(raw\)"):
        record.state()


def test_a_half_of_a_killed_process_is_swept_by_the_next_write(tmp_path, state):
    half = tmp_path / ".step-00000003.diffutils.part"
    half.mkdir()
    (half / "raw.safetensors").write_bytes(b"half")
    saves.save(tmp_path, state, {})
    assert os.listdir(tmp_path) == ["step-00000003"]


def test_an_interrupt_inside_a_checkpoint_leaves_no_half(tmp_path, state, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(saves.files, "sync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        saves.save(tmp_path, state, {})
    assert os.listdir(tmp_path) == []


@pytest.mark.fault("disk full")
def test_a_full_disk_names_the_file_and_what_to_do(tmp_path, state, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    for broken in ("fsync", "replace"):
        with monkeypatch.context() as m:
            m.setattr(os, broken, full)
            with pytest.raises(OSError) as error:
                saves.save(tmp_path, state, {})
        said = str(error.value)
        assert said.count("cannot be written (No space left on device); make room") == 1, said
        assert "step-00000003" in said


@pytest.mark.parametrize("group", ["raw", "optimizer"])
def test_a_state_of_another_network_is_one_sentence(state, group):
    state[group] |= {"odd/exp_avg" if group == "optimizer" else "odd": torch.zeros(2)}
    denoiser = tiny()
    with pytest.raises(ValueError, match="state is of another network"):
        list(training.fit(denoiser, **SETTINGS, **data(), state=state))


def test_a_state_beyond_the_last_step_is_refused(state):
    with pytest.raises(ValueError, match="state is of step 3, but steps is 2"):
        list(training.fit(tiny(), **SETTINGS | {"steps": 2}, **data(), state=state))
