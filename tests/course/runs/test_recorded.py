"""Trainings with a loss of one's own, recorded: they resume, average and log as `fit` does."""

import json

import pytest
import torch

from diffutils import denoisers, rng, samplers, schedules, training
from diffutils.course.runs import fingerprint
from diffutils.course.runs.recorded import recorded
from diffutils.unet import UNet
from diffutils.weights import cards
from diffutils.weights import state as saves

TARGET = torch.linspace(-1, 1, 3 * 8 * 8).view(1, 3, 8, 8)
SETTINGS = dict(steps=12, batch=2, lr=1e-2, warmup=2, ema=0.9, log_every=2)


def network(**changes):
    torch.manual_seed(0)
    return UNet(channels=(8, 16), blocks=1, attention=(False, False), **changes)


def prior(net, k, slots):
    """An image prior: one fixed noise in, the target out."""
    noise = rng.normal(0, 0, slots, TARGET.shape[1:])
    return (net(noise, torch.zeros(len(slots))) - TARGET).square().flatten(1).mean(1)


def refined(net, k, slots):
    """The mean squared error of an image that three sampler steps drew, with gradients."""
    denoise = denoisers.Denoiser(net, denoisers.eps, SCHEDULE.t)
    sigmas = schedules.levels(SCHEDULE, 3)
    x = samplers.start(sigmas, rng.normal(0, k, slots, TARGET.shape[1:]))
    *_, x = samplers.trajectory(denoise, x, sigmas)
    return (x - TARGET).square().flatten(1).mean(1)


SCHEDULE = schedules.Discrete(schedules.linear_betas(50))


def draw(net):
    with torch.no_grad():
        x = net(rng.normal(0, 0, torch.arange(3), TARGET.shape[1:]), torch.zeros(3))
    return (x.clamp(-1, 1) * 127.5 + 127.5).byte()


def train(folder, loss=prior, **changes):
    net, settings = network(), SETTINGS | changes
    return recorded(
        folder,
        net,
        lambda state: training.optimise(net, loss, state=state, **settings),
        fingerprint.optimisation(net, loss, settings),
        draw=draw,
        draws=3,
        shape=TARGET.shape[1:],
        save_every=0.0,
        say=SAID.append,
    )


SAID: list[str] = []


@pytest.fixture(autouse=True)
def silence():
    SAID.clear()


def numbers(record):
    return [record.step, record.loss, record.lr, record.grad_norm]


@pytest.mark.parametrize("loss", [prior, refined])
def test_a_loss_of_ones_own_goes_on_after_a_stop(tmp_path, loss):
    """Records, weights, average, moments and pictures are those of a run that never stopped."""
    whole = list(train(tmp_path / "whole", loss))
    stopped = train(tmp_path / "run", loss)
    for _ in range(3):
        next(stopped)
    stopped.close()
    rest = list(train(tmp_path / "run", loss))
    assert [r.replayed for r in rest] == [True] * 3 + [False] * 3
    assert [numbers(r) for r in rest] == [numbers(r) for r in whole]
    assert SAID == ["run: resumed after step 6 of 12"]
    files = [
        saves.read(saves.newest(tmp_path / name / "checkpoints"))[1]["files"]
        for name in ("whole", "run")
    ]
    assert files[0] == files[1]
    drawn = [[r.samples for r in records if r.samples is not None] for records in (whole, rest)]
    assert len(drawn[0]) == len(drawn[1]) == 3
    assert all(torch.equal(a, b) for a, b in zip(*drawn, strict=True))
    assert whole[-1].loss < whole[0].loss


def test_its_average_is_replayed_and_its_weights_are_kept(tmp_path):
    *_, last = train(tmp_path / "prior")
    *_, again = train(tmp_path / "prior")
    other = network()
    cards.load_weights(tmp_path / "prior" / "prior.safetensors", other)
    assert again.replayed and not again.ema.training
    for a, b, c in zip(*(net.parameters() for net in (last.ema, again.ema, other)), strict=True):
        assert torch.equal(a, b) and torch.equal(a.half().float(), c)
    lines = (tmp_path / "prior" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [2, 4, 6, 8, 10, 12]
    assert "conv_in" in (tmp_path / "prior" / "model.txt").read_text()


def test_another_loss_or_network_starts_anew(tmp_path):
    list(train(tmp_path, steps=2))
    assert next(train(tmp_path, refined, steps=2)).replayed is False
    assert "loss was prior" in SAID[-1] and "is refined" in SAID[-1]
    assert next(train(tmp_path, refined, steps=4)).replayed is False
    assert "steps was 2, is 4" in SAID[-1]
