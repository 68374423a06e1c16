"""The training loop: closed forms, what each step sees, one process or several, and failures."""

import copy
import functools
import gc
import inspect
import math
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from diffutils import denoisers, loop, samplers, schedules, training
from diffutils.data import to_float
from diffutils.denoisers import Denoiser
from diffutils.training import batch_order, fit, heldout_loss
from diffutils.unet import UNet

SCHEDULE = schedules.Discrete(schedules.linear_betas(100, 1e-3, 0.2))


def tiny(classes=0, seed=0, coefficients=denoisers.eps, cond_channels=0):
    torch.manual_seed(seed)
    net = UNet(
        channels=(8,), blocks=1, attention=(False,), classes=classes, cond_channels=cond_channels
    )
    return Denoiser(net, coefficients, SCHEDULE.t)


def pictures(n=40, size=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, size, size), generator=g, dtype=torch.uint8)


def weights(denoiser):
    return [p.detach().clone() for p in denoiser.parameters()]


class Spy(nn.Module):
    """A network with one weight that remembers what it is given."""

    def __init__(self, classes=3):
        super().__init__()
        self.gain, self.classes, self.seen = nn.Parameter(torch.tensor(0.5)), classes, []

    def forward(self, x, c_noise, labels=None, cond=None):
        self.seen.append((x.detach().clone(), c_noise.clone(), labels))
        return self.gain * x


def close(got, want, atol=0.0, rtol=0.0):
    torch.testing.assert_close(got, want, atol=atol, rtol=rtol)


# ------------------------------------------------------------------- averages and orders


def test_ema_of_a_constant_rate_is_the_geometric_sum():
    """After k updates: d^k a_0 + (1 - d) sum d^(k-1-i) w_i, 1e-6; buffers are copied."""
    model, average = nn.BatchNorm1d(4), nn.BatchNorm1d(4)
    values = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    want = average.weight.detach().double()
    want = 0.9**20 * want + 0.1 * sum(0.9 ** (19 - i) * v.double() for i, v in enumerate(values))
    for v in values:
        model.weight.data.copy_(v)
        model.running_mean.copy_(v)
        model.num_batches_tracked += 1
        loop.ema_update(average, model, 0.9)
    close(average.weight.detach().double(), want, atol=1e-6)
    assert torch.equal(average.running_mean, values[-1]) and average.num_batches_tracked == 20
    average.running_mean.zero_()
    assert torch.equal(model.running_mean, values[-1])  # a copy, not the same memory


def test_ema_in_fit_is_its_closed_form():
    """From the start, decay min(ema, (1 + k)/(10 + k)), in float64 beside it: 1e-6."""
    denoiser = tiny()
    want = [w.double() for w in weights(denoiser)]
    for k, record in enumerate(fit(denoiser, pictures(), SCHEDULE, steps=30, batch=8, ema=0.7,
                                   lr=1e-2, warmup=1, log_every=1)):  # fmt: skip
        d = min(0.7, (1 + k) / (10 + k))
        want = [d * a + (1 - d) * w.double() for a, w in zip(want, weights(denoiser), strict=True)]
        for a, b in zip(weights(record.ema), want, strict=True):
            close(a.double(), b, atol=1e-6)
    assert not torch.equal(weights(record.ema)[-1], weights(denoiser)[-1])
    assert not any(p.requires_grad for p in record.ema.parameters()) and not record.ema.training


@pytest.mark.parametrize("n, batch", [(10, 3), (12, 4), (5, 5), (3, 8), (4, 13), (1, 2), (7, 1)])
def test_every_epoch_shows_every_image_once(n, batch):
    """Laid end to end, the batches are whole epochs in fresh orders, also when batch > n."""
    laid = torch.cat([batch_order(3, k, batch, n) for k in range(4 * n)])
    epochs = laid[: len(laid) // n * n].view(-1, n)
    assert len(epochs) == 4 * batch
    assert all(e.sort().values.tolist() == list(range(n)) for e in epochs)
    if n >= 10:
        assert len({tuple(e.tolist()) for e in epochs}) == len(epochs)


def test_the_order_of_a_step_needs_no_earlier_step():
    asked_alone = batch_order(0, 1000, 128, 517).clone()
    for k in (999, 1000):
        again = batch_order(0, k, 128, 517)
    assert torch.equal(asked_alone, again)
    again.zero_()  # a caller that writes to its batch does not spoil later ones
    assert torch.equal(asked_alone, batch_order(0, 1000, 128, 517))


def test_levels_are_stratified_and_belong_to_their_slots():
    """Slot j draws u from [j/B, (j+1)/B); the slots of one process are a part of the whole."""
    u = lambda u: u  # noqa: E731
    for step in range(20):
        whole = training.training_levels(u, 0, step, torch.arange(64), 64)
        assert bool(((whole * 64).floor() == torch.arange(64)).all())
        assert torch.equal(
            training.training_levels(u, 0, step, torch.arange(32, 64), 64), whole[32:]
        )
    assert not torch.equal(whole, training.training_levels(u, 0, 3, torch.arange(64), 64))


def test_every_level_is_finite_in_a_long_run():
    for schedule in (schedules.log_normal(), schedules.karras(), SCHEDULE):
        sigma = training.training_levels(schedule, 0, 0, torch.arange(2**16), 2**16)
        assert sigma.dtype == torch.float32 and bool((sigma.isfinite() & (sigma > 0)).all())


def test_learning_rate_factors():
    assert loop.cosine(0, 100) == 1 and loop.cosine(50, 100) == pytest.approx(0.5)
    assert loop.cosine(100, 100) == pytest.approx(0, abs=1e-15)
    assert loop.constant(7, 100) == 1
    lrs = [r.lr for r in fit(tiny(), pictures(), SCHEDULE, steps=20, batch=4, lr=0.1, warmup=5,
                             log_every=1)]  # fmt: skip
    want = [0.1 * min(1, (k + 1) / 5) * 0.5 * (1 + math.cos(math.pi * k / 20)) for k in range(20)]
    assert lrs == pytest.approx(want, rel=1e-12)


# ------------------------------------------------------------------- what a step sees


def test_the_network_sees_noised_images_of_its_batch():
    """c_in (x0 + sigma n) with the images, levels and noise of rng: 1e-6."""
    from diffutils import rng

    images, net = pictures(10), Spy()
    denoiser = Denoiser(net, denoisers.eps, torch.log)
    list(fit(denoiser, images, SCHEDULE, steps=6, batch=4, seed=9, lr=0.0))
    for k, (x, c_noise, _) in enumerate(net.seen):
        x0 = images[batch_order(9, k, 4, 10)].float() / 127.5 - 1
        sigma = training.training_levels(SCHEDULE, 9, k, torch.arange(4), 4)
        noise = rng.normal(9, k, torch.arange(4), (3, 4, 4))
        want = (x0 + sigma.view(4, 1, 1, 1) * noise) / (1 + sigma.view(4, 1, 1, 1) ** 2).sqrt()
        close(x, want, atol=1e-6)
        close(c_noise, sigma.log(), atol=1e-6)


def test_pixels_span_minus_one_to_one():
    assert to_float(torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2)).flatten(
    ).tolist() == [-1.0, 1.0]  # fmt: skip


def place_in_stratum(net):
    """Where in [j/B, (j+1)/B) each level fell, 0 to 1, from c_noise = 1 + u."""
    c_noise = torch.stack([c for _, c, _ in net.seen]).double()
    batch = c_noise.shape[1]
    return (c_noise - 1) * batch - torch.arange(batch)


def correlation(a, b):
    return float(torch.corrcoef(torch.stack([a.flatten().double(), b.flatten().double()]))[0, 1])


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_share_of_dropped_labels(share):
    """The null class takes `label_dropout` of 7,680 labels within 4 standard errors.

    It takes them from every class alike, and whatever the noise level is inside its stratum.
    """
    net, labels = Spy(classes=3), torch.arange(40) % 3
    denoiser = Denoiser(net, denoisers.eps, lambda sigma: sigma)
    list(fit(denoiser, pictures(40, 1), lambda u: 1 + u, steps=30, batch=256, labels=labels,
             label_dropout=share, lr=0.0))  # fmt: skip
    seen = torch.stack([label for *_, label in net.seen])
    true = torch.stack([labels[batch_order(0, k, 256, 40)] for k in range(30)])
    dropped = seen == 3
    assert bool((seen[~dropped] == true[~dropped]).all())
    error = 4 * math.sqrt(share * (1 - share) / dropped.numel())
    assert abs(float(dropped.double().mean()) - share) <= error
    by_class = [float(dropped[true == c].double().mean()) for c in range(3)]
    assert max(by_class) - min(by_class) <= 3 * error
    if 0 < share < 1:
        assert float(dropped.double().mean(0).max()) < 1  # not always the same slots
        assert abs(correlation(dropped, place_in_stratum(net))) < 4 / math.sqrt(dropped.numel())


def test_flips_mirror_half_of_the_images():
    """Every image is itself or its mirror image, in equal shares (4 standard errors)."""
    images, net = pictures(32, 4), Spy()
    denoiser = Denoiser(net, denoisers.eps, lambda sigma: 1e5 * sigma)
    list(fit(denoiser, images, lambda u: 1e-5 * (1 + u), steps=30, batch=32, flip=True, lr=0.0))
    mirrored = []
    for k, (x, *_) in enumerate(net.seen):
        x0 = to_float(images[batch_order(0, k, 32, 32)])
        straight = (x - x0).abs().amax((1, 2, 3)) < 1e-3
        turned = (x - x0.flip(-1)).abs().amax((1, 2, 3)) < 1e-3
        assert bool((straight ^ turned).all())
        mirrored.append(turned)
    share = float(torch.cat(mirrored).double().mean())
    assert abs(share - 0.5) < 4 * 0.5 / math.sqrt(30 * 32)
    assert abs(correlation(torch.stack(mirrored), place_in_stratum(net))) < 4 / math.sqrt(30 * 32)


def test_images_are_not_changed():
    images = pictures()
    before = images.clone()
    list(fit(tiny(), images, SCHEDULE, steps=3, batch=8, flip=True))
    assert torch.equal(images, before)


# ------------------------------------------------------------------- conditions, augmentation


class Sees(Spy):
    """A spy whose answer depends on the condition, which it remembers."""

    def forward(self, x, c_noise, labels=None, cond=None):
        self.seen.append((x.detach().clone(), labels, cond))
        return self.gain * x + cond.mean(1, keepdim=True)


@pytest.mark.parametrize("kind", ["uint8", "float"])
def test_a_condition_goes_with_its_image(kind):
    """Levels near 0: the network sees image i and condition i, both mirrored or neither."""
    images, denoiser = pictures(10), Denoiser(Sees(), denoisers.eps, torch.log)
    cond = pictures(10, seed=7)[:, :2]
    cond = cond if kind == "uint8" else to_float(cond)
    turned = 0
    list(fit(denoiser, images, lambda u: 1e-6 * (1 + u), steps=8, batch=6, seed=9, lr=0.0,
             flip=True, cond=cond))  # fmt: skip
    for k, (x, _, c) in enumerate(denoiser.net.seen):
        chosen = batch_order(9, k, 6, 10)
        x0, beside = to_float(images[chosen]), to_float(pictures(10, seed=7)[:, :2][chosen])
        for i in range(6):
            mirrored = not torch.allclose(x[i], x0[i], atol=1e-4)
            turned += mirrored
            want = (x0[i].flip(-1), beside[i].flip(-1)) if mirrored else (x0[i], beside[i])
            close(x[i], want[0], atol=1e-4)
            close(c[i], want[1], atol=1e-6)
    assert 10 < turned < 38


def test_the_held_out_condition_is_used():
    """Against the loss by hand with each image's own condition: 1e-6; in the record, too."""
    from diffutils import rng

    images, cond = pictures(9, seed=1), pictures(9, seed=2)[:, :1]
    denoiser = Denoiser(Sees(), denoisers.eps, torch.log)
    got = heldout_loss(denoiser, images, SCHEDULE, cond=cond, batch=4)
    slots = torch.arange(9)
    u = (slots + rng.uniform(0, 0, slots, 1, rng.EVALUATION)[:, 0].double()) / 9
    noise = rng.normal(0, 1, slots, (3, 4, 4), rng.EVALUATION)
    each = denoiser.loss(to_float(images), SCHEDULE(u).float(), noise, None, to_float(cond))
    assert got == pytest.approx(float(each.mean().detach()), rel=1e-6)
    assert got != pytest.approx(heldout_loss(denoiser, images, SCHEDULE, cond=cond.flip(0)))
    (record,) = fit(denoiser, images, SCHEDULE, steps=1, batch=4, lr=0.0, cond=cond,
                    heldout=images, heldout_cond=cond)  # fmt: skip
    assert record.heldout == pytest.approx(got, rel=1e-6)


def test_a_network_learns_from_its_condition():
    """Condition = image: the loss falls far below what the same network reaches without."""
    losses = []
    for cond in (to_float(pictures(64)), torch.zeros(64, 3, 4, 4)):
        torch.manual_seed(0)
        net = UNet(channels=(16,), blocks=1, attention=(False,), cond_channels=3)
        denoiser = Denoiser(net, denoisers.edm, lambda s: s.log() / 4)
        *_, record = fit(denoiser, pictures(64), lambda u: 1 + u, steps=150, batch=32, lr=3e-3,
                         warmup=5, cond=cond, heldout=pictures(64), heldout_cond=cond)  # fmt: skip
        losses.append(record.heldout)
    assert losses[0] < 0.3 * losses[1]


def test_a_missing_condition_is_one_sentence():
    with pytest.raises(ValueError, match="takes 2 condition channels, got 0; hand over cond="):
        list(fit(tiny(cond_channels=2), pictures(), SCHEDULE, steps=1, batch=4))


def darker(x0, cond, k, slots):
    """An appearance change of image and condition together, another for each slot and step."""
    from diffutils import rng

    share = rng.uniform(3, k, slots, 1, rng.AUGMENT)[:, :, None, None]
    return share * x0, share * cond


def test_a_batch_is_augmented_by_step_and_slot():
    """The network sees share x0 and share cond, after the flip; held-out images stay."""
    from diffutils import rng

    images, cond = pictures(10), pictures(10, seed=7)[:, :1]
    denoiser = Denoiser(Sees(), denoisers.eps, torch.log)
    (*_, record) = fit(denoiser, images, lambda u: 1e-6 * (1 + u), steps=5, batch=6, seed=9, lr=0.0,
                       cond=cond, augment=darker, heldout=images, heldout_cond=cond)  # fmt: skip
    for k, (x, _, c) in enumerate(denoiser.net.seen[:5]):
        chosen = batch_order(9, k, 6, 10)
        share = rng.uniform(3, k, torch.arange(6), 1, rng.AUGMENT)[:, :, None, None]
        close(x, share * to_float(images[chosen]), atol=1e-4)
        close(c, share * to_float(cond[chosen]), atol=1e-6)
    assert record.heldout == heldout_loss(denoiser, images, lambda u: 1e-6 * (1 + u), cond=cond)


def test_an_augmented_conditional_training_resumes_bit_for_bit():
    settings = dict(steps=9, batch=6, lr=1e-2, log_every=3, flip=True, augment=darker,
                    cond=pictures(seed=7)[:, :1], labels=torch.arange(40) % 2)  # fmt: skip
    whole, later = (tiny(classes=2, cond_channels=1) for _ in range(2))
    states = [r.state() for r in fit(whole, pictures(), SCHEDULE, **settings)]
    records = list(fit(later, pictures(), SCHEDULE, state=states[1], **settings))
    assert [r.step for r in records] == [9]
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(later), strict=True))


def test_an_augmentation_can_make_the_condition():
    """From none to a sketch of the image, drawn on the fly."""
    denoiser = tiny(cond_channels=1)
    sketch = lambda x0, cond, k, slots: (x0, x0.mean(1, keepdim=True).sign())  # noqa: E731
    (record,) = fit(denoiser, pictures(), SCHEDULE, steps=1, batch=8, augment=sketch)
    assert math.isfinite(record.loss)


# ------------------------------------------------------------------- losses


def test_a_new_eps_network_has_loss_one():
    """Zero output against unit noise: 1 +- 0.02, in the first record and on held-out images."""
    images = pictures(256, 8)
    (record,) = fit(tiny(), images, SCHEDULE, steps=1, batch=256, heldout=images, lr=0.0)
    assert record.loss == pytest.approx(1, abs=0.02)
    assert record.heldout == pytest.approx(1, abs=0.02)


def test_l1_is_the_absolute_error_in_training_and_held_out():
    """E|n| = sqrt(2/pi) for both, so that their curves can be compared."""
    images = pictures(256, 8)
    (record,) = fit(tiny(), images, SCHEDULE, steps=1, batch=256, heldout=images, lr=0.0,
                    distance=torch.abs)  # fmt: skip
    assert record.loss == pytest.approx(math.sqrt(2 / math.pi), abs=0.01)
    assert record.heldout == pytest.approx(math.sqrt(2 / math.pi), abs=0.01)


def test_a_record_is_the_mean_since_the_last_one():
    each = [r.loss for r in fit(tiny(), pictures(), SCHEDULE, steps=10, batch=8, log_every=1)]
    records = list(fit(tiny(), pictures(), SCHEDULE, steps=10, batch=8, log_every=4))
    assert [r.step for r in records] == [4, 8, 10]
    for r, part in zip(records, (each[:4], each[4:8], each[8:]), strict=True):
        assert r.loss == pytest.approx(sum(part) / len(part), rel=1e-6)
        assert r.seconds > 0 and r.images_per_second > 0 and r.grad_norm > 0


def test_held_out_loss_depends_on_the_weights_alone():
    """Equal bits on every call, whatever torch's generator did; batch size to 1e-5; mode kept."""
    denoiser, images = tiny(), pictures(50)
    nn.init.normal_(denoiser.net.conv_out.weight)
    denoiser.train()
    first = heldout_loss(denoiser, images, SCHEDULE)
    torch.manual_seed(99)
    torch.randn(7)
    assert heldout_loss(denoiser, images, SCHEDULE) == first and denoiser.training
    assert heldout_loss(denoiser, images, SCHEDULE, batch=7) == pytest.approx(first, rel=1e-5)
    assert heldout_loss(denoiser.eval(), images, SCHEDULE) == first and not denoiser.training
    assert heldout_loss(denoiser, images, SCHEDULE, seed=1) != first
    assert heldout_loss(denoiser, images, SCHEDULE, n=10) == heldout_loss(
        denoiser, images[:10], SCHEDULE
    )
    nn.init.normal_(denoiser.net.conv_out.weight)
    assert heldout_loss(denoiser, images, SCHEDULE) != first


def test_held_out_labels_are_used():
    denoiser, images = tiny(classes=2), pictures(50)
    for p in denoiser.parameters():
        nn.init.normal_(p, std=0.3)
    zeros, ones = (torch.full((50,), c) for c in (0, 1))
    losses = {heldout_loss(denoiser, images, SCHEDULE, y) for y in (None, zeros, ones)}
    assert len(losses) == 3


class Points(nn.Module):
    """A small network for 2-D points, carried as images of 2 channels and one pixel."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(),
                                 nn.Linear(64, 2))  # fmt: skip

    def forward(self, x, c_noise, labels=None, cond=None):
        level = c_noise[:, None]
        return self.net(torch.cat([x.flatten(1), level, level**2], 1)).view_as(x)


class Exact(Denoiser):
    """The best possible denoiser of a finite set."""

    def __init__(self, data, coefficients):
        super().__init__(nn.Linear(1, 1), coefficients, torch.log)
        self.oracle = denoisers.finite(data)

    def forward(self, x, sigma, labels=None, cond=None):
        return self.oracle(x, sigma)


@pytest.mark.parametrize("coefficients", [denoisers.eps, denoisers.v])
def test_learns_two_points(coefficients):
    """Loss at most 1.2 times the exact denoiser's, and not below it; samples on the points."""
    points = torch.tensor([[230, 200], [30, 90]], dtype=torch.uint8).view(2, 2, 1, 1)
    images, known = points.repeat(256, 1, 1, 1), to_float(points)
    schedule = schedules.log_uniform(0.3, 5.0)
    torch.manual_seed(0)
    denoiser = Denoiser(Points(), coefficients, torch.log)
    *_, record = fit(denoiser, images, schedule, steps=600, lr=1e-2, warmup=20, ema=0.98,
                     log_every=300)  # fmt: skip
    best, ours = (
        heldout_loss(d, images, schedule) for d in (Exact(known, coefficients), record.ema)
    )
    assert 0.97 * best < ours < 1.2 * best

    sigmas = schedules.levels(schedule, 30)
    z = torch.randn(500, 2, 1, 1, generator=torch.Generator().manual_seed(0))
    x = samplers.start(sigmas, z, variance_preserving=False)
    found = samplers.ddim(record.ema, x, sigmas).flatten(1)
    distance, which = torch.cdist(found, known.flatten(1)).min(1)
    assert float((distance < 0.25).double().mean()) > 0.9
    assert 0.3 < float(which.double().mean()) < 0.7


# ------------------------------------------------------------------- weights of the loss


def test_a_weight_of_zero_trains_nothing():
    """No weight moves, and the loss is 0 in training and held-out; of one it is as without."""
    settings = dict(steps=4, batch=8, lr=0.1, warmup=0, optimizer=torch.optim.SGD, log_every=1,
                    heldout=pictures(9))  # fmt: skip
    runs = {}
    for name, weight in (("none", None), ("zero", torch.zeros_like), ("one", torch.ones_like)):
        denoiser = tiny()
        before = weights(denoiser)
        records = list(fit(denoiser, pictures(), SCHEDULE, weight=weight, **settings))
        runs[name] = weights(denoiser), [(r.loss, r.heldout) for r in records]
    same = [torch.equal(a, b) for a, b in zip(before, runs["zero"][0], strict=True)]
    assert all(same) and runs["zero"][1] == [(0, 0)] * 4
    assert runs["one"][1] == runs["none"][1]
    assert not all(torch.equal(a, b) for a, b in zip(before, runs["one"][0], strict=True))


def test_a_weight_is_that_of_each_images_own_level():
    """The record's loss, from the images, levels and noise of rng: 1e-6."""
    from diffutils import rng

    images, weight = pictures(10), lambda sigma: 1 + sigma**2
    denoiser = Denoiser(Spy(), denoisers.eps, torch.log)
    records = fit(denoiser, images, SCHEDULE, steps=3, batch=4, seed=9, lr=0.0, log_every=1,
                  weight=weight)  # fmt: skip
    for k, record in enumerate(records):
        x0 = to_float(images[batch_order(9, k, 4, 10)])
        sigma = training.training_levels(SCHEDULE, 9, k, torch.arange(4), 4)
        noise = rng.normal(9, k, torch.arange(4), (3, 4, 4))
        want = (denoiser.loss(x0, sigma, noise) * (1 + sigma**2)).mean()
        assert record.loss == pytest.approx(float(want.detach()), rel=1e-6)


def test_the_held_out_loss_is_weighted():
    """Weights that share the levels out among themselves share the loss; both parts count."""
    denoiser, images = Denoiser(Spy(), denoisers.eps, torch.log), pictures(50)
    middle = float(SCHEDULE(torch.tensor(0.5)))
    whole, low, high = (
        heldout_loss(denoiser, images, SCHEDULE, weight=weight) for weight in
        (None, lambda s: (s < middle).float(), lambda s: (s >= middle).float())
    )  # fmt: skip
    assert low + high == pytest.approx(whole, rel=1e-6) and min(low, high) > 0.05 * whole
    (record,) = fit(denoiser, images, SCHEDULE, steps=1, batch=8, lr=0.0, heldout=images,
                    weight=lambda s: (s < middle).float())  # fmt: skip
    assert record.heldout == pytest.approx(low, rel=1e-6)


# ------------------------------------------------------------------- determinism, optimisers


def test_a_seed_decides_everything():
    """Bit-identical weights whatever torch's generator does; another seed gives others."""
    runs = []
    for torch_seed, seed in ((1, 0), (2, 0), (1, 5)):
        denoiser = tiny(classes=2)
        torch.manual_seed(torch_seed)
        *_, record = fit(denoiser, pictures(), SCHEDULE, steps=12, batch=8, seed=seed, flip=True,
                         labels=torch.arange(40) % 2, heldout=pictures(9),
                         heldout_labels=torch.arange(9) % 2)  # fmt: skip
        runs.append([*weights(denoiser), *weights(record.ema), torch.tensor(record.heldout)])
    assert all(torch.equal(a, b) for a, b in zip(runs[0], runs[1], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(runs[0], runs[2], strict=True))


def test_how_often_progress_is_read_does_not_change_the_run():
    results = []
    for log_every in (1, 5, 100):
        denoiser = tiny()
        list(fit(denoiser, pictures(), SCHEDULE, steps=11, batch=8, log_every=log_every,
                 heldout=pictures(9)))  # fmt: skip
        results.append(weights(denoiser))
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_adam_is_a_factory_away():
    """Adam's first step moves every weight with a gradient by lr (1 %); AdamW also decays."""
    settings = dict(steps=1, batch=8, lr=1e-3, warmup=0, decay=loop.constant)
    for optimizer in (torch.optim.Adam, functools.partial(torch.optim.AdamW, weight_decay=0.0)):
        denoiser = tiny()
        before = weights(denoiser)[-1]
        list(fit(denoiser, pictures(), SCHEDULE, optimizer=optimizer, **settings))
        close((weights(denoiser)[-1] - before).abs(), torch.full((3,), 1e-3), rtol=0.01)


def test_gradients_are_clipped():
    """SGD with lr 1 moves the weights by min(|g|, clip), and the record tells |g| before."""
    settings = dict(steps=1, batch=8, lr=1.0, warmup=0, optimizer=torch.optim.SGD)
    for clip in (1e-3, 1e3):
        denoiser = tiny()
        before = weights(denoiser)
        (record,) = fit(denoiser, pictures(), SCHEDULE, clip=clip, **settings)
        moved = sum(
            float((a - b).square().sum()) for a, b in zip(weights(denoiser), before, strict=True)
        )
        assert math.sqrt(moved) == pytest.approx(min(clip, record.grad_norm), rel=1e-3)
        assert record.grad_norm > 1e-2


def test_bfloat16_stays_close():
    """Losses within 2 % of float32 over 10 steps; the weights and their average stay float32."""
    losses = []
    for bf16 in (False, True):
        denoiser = tiny()
        *_, record = fit(denoiser, pictures(), SCHEDULE, steps=10, batch=16, lr=1e-2, warmup=1,
                         bf16=bf16, heldout=pictures(20))  # fmt: skip
        losses.append((record.loss, record.heldout))
        assert {p.dtype for d in (denoiser, record.ema) for p in d.parameters()} == {torch.float32}
    assert losses[1] == pytest.approx(losses[0], rel=0.02) and losses[0] != losses[1]


@pytest.mark.slow
def test_a_compiled_network_trains_alike():
    results = []
    for compile in (False, True):
        denoiser = tiny()
        list(fit(denoiser, pictures(), SCHEDULE, steps=5, batch=8, compile=compile))
        results.append(weights(denoiser))
    for a, b in zip(*results, strict=True):
        close(a, b, atol=1e-4)


def test_the_denoiser_is_left_ready_to_sample():
    denoiser = tiny()
    list(fit(denoiser, pictures(), SCHEDULE, steps=1, batch=4))
    assert not denoiser.training
    assert next(denoiser.parameters()).requires_grad


# ------------------------------------------------------------------- no waiting


class Reads(TorchDispatchMode):
    """Counts operators that bring a number to Python, which waits for a GPU."""

    NAMES = ("_local_scalar_dense", "nonzero", "equal.default", "masked_select", "unique")

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += any(name in str(func) for name in self.NAMES)
        return func(*args, **(kwargs or {}))


def test_no_step_waits_for_the_device():
    """Ten more steps between two records read no number more."""
    counts = []
    for steps in (5, 15):
        denoiser = tiny(classes=2)
        with Reads() as reads:
            list(fit(denoiser, pictures(), SCHEDULE, steps=steps, batch=8, log_every=100,
                     flip=True, labels=torch.arange(40) % 2))  # fmt: skip
        counts.append(reads.count)
    assert counts[0] == counts[1] > 0


def test_nothing_in_the_loop_copies_the_waiting_way():
    """On CUDA `.to(device)` waits for all queued work; the loop's and the loss's do not block."""
    steps, loss = inspect.getsource(loop.optimise), inspect.getsource(fit)
    steps = steps[steps.index("for k in range(steps)") : steps.index("continue")]
    loss = loss[loss.index("def loss(") : loss.index("def held(")]
    for waiting in (".item(", "float(total", "float(mean", "float(loss", "int(", ".cpu(",
                    ".tolist(", ".to(device)", ".to(images.device)"):  # fmt: skip
        assert waiting not in steps + loss, waiting


# ------------------------------------------------------------------- failures


class Breaks(Spy):
    """Its output, or only its gradient, is not finite from call `at` on."""

    def __init__(self, at, value=math.nan, gradient_only=False):
        super().__init__()
        self.at, self.value, self.gradient_only = at, value, gradient_only

    def forward(self, x, *rest):
        out = super().forward(x, *rest)
        if len(self.seen) <= self.at:
            return out
        if self.gradient_only:
            return out + (self.gain - self.gain.detach()).sqrt()  # 0, slope infinite
        return out + self.value


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("at", [0, 7, 19])
def test_a_loss_that_is_not_finite_stops_the_run_and_names_the_step(at, value):
    """Raised at the next record; the records before it were given."""
    records = fit(Denoiser(Breaks(at, value), denoisers.eps, torch.log), pictures(), SCHEDULE,
                  steps=20, batch=4, log_every=5)  # fmt: skip
    for _ in range(at // 5):
        assert math.isfinite(next(records).loss)
    with pytest.raises(FloatingPointError, match=rf"not finite since step {at}; lower lr"):
        next(records)


def test_a_gradient_that_is_not_finite_stops_the_run_even_at_the_last_step():
    """The loss is still finite there, but the weights are not."""
    net = Breaks(4, gradient_only=True)
    records = fit(Denoiser(net, denoisers.eps, torch.log), pictures(), SCHEDULE, steps=5, batch=4)
    with pytest.raises(FloatingPointError, match="since step 4"):
        list(records)


@pytest.mark.parametrize("images, message", [
    (torch.zeros(4, 3, 4, 4), "must be uint8 of shape"),
    (torch.zeros(3, 4, 4, dtype=torch.uint8), "must be uint8 of shape"),
    (torch.zeros(0, 3, 4, 4, dtype=torch.uint8), "N >= 1"),
])  # fmt: skip
def test_bad_images(images, message):
    with pytest.raises(ValueError, match=message):
        training.check_data(tiny(), images, None, 4)


@pytest.mark.parametrize("labels, classes, message", [
    (torch.zeros(39).long(), 2, "40 images but 39 labels"),
    (torch.full((40,), 2), 2, "run from 2 to 2, but the network knows 2 classes"),
    (torch.full((40,), -1), 2, "run from -1 to -1"),
    (torch.zeros(40).long(), 0, "classes="),
])  # fmt: skip
def test_bad_labels(labels, classes, message):
    with pytest.raises(ValueError, match=message):
        training.check_data(tiny(classes), pictures(), labels, 4)


@pytest.mark.parametrize("settings, message", [
    (dict(batch=0), "batch must be at least 1"),
    (dict(labels=torch.full((40,), 9)), "knows 0 classes"),
    (dict(heldout=pictures(0)), "N >= 1"),
    (dict(steps=0), "steps, batch and log_every must be at least 1, got 0, 4 and 50"),
    (dict(log_every=0), "must be at least 1, got 1, 4 and 0"),
    (dict(cond=torch.zeros(39, 1, 4, 4)), r"cond must have shape \(40, K, 4, 4\).*\(39, 1, 4, 4\)"),
    (dict(cond=torch.zeros(40, 1, 4, 8)), r"cond must have shape \(40, K, 4, 4\)"),
    (dict(cond=torch.zeros(40, 4, 4)), r"cond must have shape \(40, K, 4, 4\)"),
    (
        dict(heldout=pictures(9), heldout_cond=torch.zeros(8, 1, 4, 4)),
        r"cond must have shape \(9, K, 4, 4\)",
    ),
    (dict(cond=torch.zeros(40, 1, 4, 4), heldout=pictures(9)), "hand over .* heldout_cond="),
    (dict(cond=torch.zeros(40, 1, 4, 4)), "takes 0 condition channels, got 1"),
    (dict(heldout=pictures(9), heldout_labels=torch.full((9,), 9)), "knows 0 classes"),
])  # fmt: skip
def test_fit_checks_before_it_starts(settings, message):
    settings = {"steps": 1, "batch": 4, **settings}
    with pytest.raises(ValueError, match=message):
        list(fit(tiny(), pictures(), SCHEDULE, **settings))


@pytest.mark.parametrize("kind", [
    lambda y: y.to(torch.uint8), lambda y: y.to(torch.int32), lambda y: y.to(torch.uint16),
    lambda y: y.numpy(), lambda y: y.numpy().astype("uint16"), lambda y: y.tolist(), tuple,
])  # fmt: skip
def test_labels_of_every_whole_type_are_the_same_labels(kind):
    """Bit for bit the training by int64 labels."""
    labels, ends = torch.arange(40) % 3, []
    for given in (labels, kind(labels)):
        net, settings = tiny(classes=3), dict(steps=3, batch=8, lr=1e-2, log_every=3)
        held = dict(heldout=pictures(9), heldout_labels=given[:9])
        (record,) = fit(net, pictures(), SCHEDULE, labels=given, **held, **settings)
        ends.append((record.loss, record.heldout, weights(net)))
    assert ends[0][:2] == ends[1][:2]
    assert all(map(torch.equal, ends[0][2], ends[1][2]))


@pytest.mark.parametrize("labels, message", [
    (torch.zeros(40), r"whole numbers of shape \(N,\), .* torch.float32 \(40,\); labels.long"),
    (torch.zeros(40).bool(), "got torch.bool"),
    ([0.5] * 40, "got torch.float32"),
    (torch.zeros(40, 1).long(), r"got torch.int64 \(40, 1\); labels.long\(\).flatten\(\)"),
    (torch.eye(40)[:, :3].long(), r"\(40, 3\)"),
    (["hero"] * 40, "labels must be numbers of classes .*; number the names"),
    ([[0], [1, 2]], "labels must be numbers of classes"),
    (3, r"got torch.int64 \(\)"),
    ([0] * 39, "40 images but 39 labels"),
    ([0] * 39 + [3], "labels run from 0 to 3, but the network knows 3 classes"),
])  # fmt: skip
def test_labels_that_are_none_are_refused_before_anything_trains(labels, message):
    with pytest.raises(ValueError, match=message):
        training.check_data(tiny(3), pictures(), training.as_labels(labels), 4)


@pytest.mark.parametrize("changes, message", [
    (dict(schedule=None), "schedule is None, expected a function sigma"),
    (dict(schedule=torch.ones(5)), "schedule is tensor.*expected a function"),
    (dict(schedule=lambda u: math.nan * u), "schedule gives tensor.*nan.* for u = 0.5"),
    (dict(schedule=lambda u: 1.0), "schedule gives 1.0 for u = 0.5"),
    (dict(label_dropout=1.1), "label_dropout is 1.1, expected a finite number from 0 to 1"),
    (dict(seed=2**64), "seed is 18446744073709551616, .*at most 64 bits"),
    (dict(seed=0.5), "seed is 0.5"),
    (dict(device=torch.device("mps"), bf16=True), "bf16 is on, but mps cannot .*switch bf16 off"),
])  # fmt: skip
def test_settings_of_fit_are_checked(changes, message):
    settings = dict(schedule=SCHEDULE, label_dropout=0.1, seed=0, bf16=False,
                    device=torch.device("cpu")) | changes  # fmt: skip
    if settings["device"].type == "mps" and torch.backends.mps.is_available():
        pytest.skip("a Mac computes in bfloat16")
    with pytest.raises(ValueError, match=message) as error:
        training.check_settings(**settings)
    assert "\n" not in str(error.value)
    training.check_settings(SCHEDULE, 0, -1, True, torch.device("cpu"))


@pytest.mark.parametrize("given, message", [
    (dict(denoiser=tiny().net), "denoiser is a UNet, expected a Denoiser around a network"),
    (dict(images=pictures().numpy()), "images must be uint8 .* a tensor, got ndarray, uint8"),
    (dict(images=[[1]]), "a tensor, got list"),
    (dict(images=pictures(size=5), cond=pictures(size=5)[:, :2], denoiser=Denoiser(
        UNet(channels=(8, 8), cond_channels=2), denoisers.eps, SCHEDULE.t)), "5x5 cannot be"),
    (dict(batch=10**12), "whole numbers up to"),
    (dict(cond=2 * torch.ones(40, 2, 4, 4)), r"float32 from 2 to 2, expected floats in \[-1, 1\]"),
    (dict(cond=torch.full((40, 2, 4, 4), math.nan)), "from nan to nan"),
    (dict(cond=torch.full((40, 2, 4, 4), 300)), "int64 from 300 to 300"),
    (dict(cond=[0] * 40), "a tensor with one image beside each .* got list"),
    (dict(cond=torch.zeros(40, 3, 4, 4)), "takes 2 condition channels, got 3"),
    (dict(cond=None), "takes 2 condition channels, got 0"),
])  # fmt: skip
def test_data_of_other_kinds_are_one_sentence(given, message):
    good = dict(denoiser=tiny(cond_channels=2), images=pictures(), labels=None, batch=4,
                cond=torch.zeros(40, 2, 4, 4))  # fmt: skip
    training.check_data(**good)
    with pytest.raises(ValueError, match=message):
        training.check_data(**good | given)


def test_held_out_images_need_the_labels_that_training_has():
    """Else their loss would be that of the null class, and compare with nothing."""
    settings = dict(steps=1, batch=4, labels=torch.arange(40) % 2, heldout=pictures(9))
    with pytest.raises(ValueError, match="held-out images lack labels or .* heldout_labels="):
        list(fit(tiny(classes=2), pictures(), SCHEDULE, **settings))
    settings["heldout_labels"] = torch.zeros(9).long()
    (record,) = fit(tiny(classes=2), pictures(), SCHEDULE, **settings)
    assert math.isfinite(record.heldout)


def test_a_frozen_network_is_refused_and_the_way_out_works():
    denoiser = tiny().requires_grad_(False)
    with pytest.raises(ValueError, match=r"frozen.*call denoiser.requires_grad_\(True\) first"):
        list(fit(denoiser, pictures(), SCHEDULE, steps=1, batch=4))
    list(fit(denoiser.requires_grad_(True), pictures(), SCHEDULE, steps=1, batch=4))


def test_images_of_the_wrong_kind_for_the_network():
    for images, message in ((pictures()[:, :1], "takes 3 channels"),):
        with pytest.raises(ValueError, match=message):
            list(fit(tiny(), images, SCHEDULE, steps=1, batch=4))


# ------------------------------------------------------------------- several processes


def refinement(net, k, slots):
    """A loss through two sampler steps with checkpointing: four calls of one network a step."""
    from diffutils import rng

    sigmas, noise = schedules.levels(SCHEDULE, 2), samplers.seeded_noise(k, slots)
    D = Denoiser(net, denoisers.edm, SCHEDULE.t)
    x = samplers.start(sigmas, rng.normal(5, k, slots, (3, 4, 4)))
    *_, x = samplers.trajectory(D, x, sigmas, eta=0.5, noise=noise, checkpoint=True)
    return (x - to_float(pictures(8))[slots]).square().flatten(1).mean(1)


def run(folder: Path) -> None:
    """What every process does; each saves what it got."""
    rank, share = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    # Processes start from different weights: those of 0 count.
    denoiser = tiny(classes=2, seed=rank, cond_channels=1)
    *_, record = fit(denoiser, pictures(), SCHEDULE, steps=50, batch=8, lr=1e-3, log_every=25,
                     flip=True, labels=torch.arange(40) % 2, heldout=pictures(16, seed=1),
                     heldout_labels=torch.arange(16) % 2, cond=pictures(seed=7)[:, :1],
                     heldout_cond=pictures(16, seed=8)[:, :1], augment=darker)  # fmt: skip
    *_, refined = loop.optimise(tiny(seed=rank).net, refinement, steps=10, batch=8, lr=1e-3)
    # A batch of one: all but one process have no sample of their own.
    single = tiny(seed=rank)
    *_, one = fit(single, pictures(), SCHEDULE, steps=10, batch=1, lr=1e-3, ema=0.5)
    losses = [record.loss, record.heldout, record.grad_norm, refined.loss, refined.grad_norm]
    result = dict(weights=weights(denoiser), ema=weights(record.ema))
    result |= dict(losses=[*losses, one.loss, one.grad_norm])
    result |= dict(single=weights(single), single_ema=weights(one.ema))
    torch.save(result, folder / f"{share}-{rank}.pt")
    if share == 1:
        return
    errors = []
    infinite = lambda e: e.square() + (math.inf if rank == 1 else 0)  # noqa: E731  (slope finite)
    for broken, distance in (
        (Breaks(3 if rank == 1 else 99), torch.square),
        (Spy(), infinite),
    ):
        net = Denoiser(broken, denoisers.eps, torch.log)
        try:
            list(fit(net, pictures(), SCHEDULE, steps=6, batch=8, distance=distance))
        except FloatingPointError as error:
            errors.append(str(error))
    (folder / f"errors-{share}-{rank}").write_text("\n".join(errors))


def launch(folder: Path, share: int) -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    root = str(Path(__file__).resolve().parents[2])
    env = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
           "WORLD_SIZE": str(share), "LOCAL_WORLD_SIZE": str(share), "OMP_NUM_THREADS": "1",
           "ACCELERATE_USE_CPU": "true", "CUDA_VISIBLE_DEVICES": "",
           "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}  # fmt: skip
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, str(folder)],
            env={**env, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        for rank in range(share)
    ]
    for p in processes:
        _, stderr = p.communicate(timeout=300)
        assert p.returncode == 0, stderr[-3000:]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What one process gets."""
    folder = tmp_path_factory.mktemp("alone")
    run(folder)
    return torch.load(folder / "1-0.pt")


@pytest.mark.parametrize("share", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_several_processes_train_as_one_does(tmp_path, alone, share):
    """Weights, their average, losses and gradient norm after 50 steps: 1e-5 from one process.

    Three of them have 3, 3 and 2 samples of the batch of 8.
    """
    launch(tmp_path, share)
    for rank in range(share):
        other = torch.load(tmp_path / f"{share}-{rank}.pt")
        for key in ("weights", "ema", "single", "single_ema"):
            for a, b in zip(alone[key], other[key], strict=True):
                close(a, b, atol=1e-5)
        assert other["losses"] == pytest.approx(alone["losses"], abs=1e-5, rel=1e-4)
        broken, infinite = (tmp_path / f"errors-{share}-{rank}").read_text().split("\n")
        assert "not finite since step 3" in broken and "not finite since step 0" in infinite
    started = tiny(classes=2, cond_channels=1)
    assert max(float((a - b).abs().max()) for a, b in
               zip(alone["weights"], weights(started), strict=True)) > 1e-3  # fmt: skip


def test_a_copy_of_the_denoiser_can_be_trained_too():
    """fit does not tie a denoiser to the process: copies train, and give the same."""
    first = tiny()
    second = copy.deepcopy(first)
    for d in (first, second):
        list(fit(d, pictures(), SCHEDULE, steps=3, batch=4))
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(second), strict=True))


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"state": {}}, "state is no state of a training"),
        ({"state": 5}, "state is no state of a training"),
        ({"decay": None}, "decay is 'None', expected a function"),
        ({"distance": lambda e: e.square().mean()}, "distance must keep the shape"),
        ({"weight": lambda sigma: sigma[:1]}, "weight that of sigma"),
        ({"labels": torch.eye(8)}, "labels.argmax"),
        ({"labels": torch.ones(8).long().to_sparse()}, "labels must be whole numbers"),
    ],
)
def test_what_would_fail_deep_inside_or_be_stretched_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        list(fit(tiny(classes=2), pictures(8), SCHEDULE, steps=1, batch=4, **settings))


def test_what_may_be_no_function_is_named():
    loop.check_callable("weight", weight=None, distance=torch.square)
    with pytest.raises(ValueError, match="distance is 'None', expected a function"):
        loop.check_callable("weight", distance=None)


@pytest.mark.parametrize("name, value", [("flip", "no"), ("bf16", 1), ("compile", "false")])
def test_a_switch_is_true_or_false(name, value):
    fit_ = getattr(fit, "__wrapped__", fit)  # without the types that tests check
    with pytest.raises(ValueError, match=f"{name} is {value!r}, expected True or False"):
        list(fit_(tiny(), pictures(8), SCHEDULE, **{"steps": 1, "batch": 4, name: value}))


@pytest.mark.parametrize("name", ["steps", "batch", "log_every"])
def test_true_is_no_number(name):
    with pytest.raises(ValueError, match="must be at least 1, got .*True"):
        list(fit(tiny(), pictures(8), SCHEDULE, **{"steps": 1, "batch": 4, name: True}))


def test_labels_that_numpy_holds_backwards_are_read():
    labels = (np.arange(8) % 2)[::-1]
    list(fit(tiny(classes=2), pictures(8), SCHEDULE, steps=1, batch=4, labels=labels))


def test_images_without_pixels_are_refused():
    with pytest.raises(ValueError, match="with N >= 1, no side 0"):
        list(fit(tiny(), pictures(8)[:, :, :0], SCHEDULE, steps=1, batch=4))


if __name__ == "__main__":
    run(Path(sys.argv[1]))
    gc.collect()  # what the failed runs left goes before their process group
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
