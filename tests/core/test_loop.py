"""The loop that knows no diffusion: `fit` is a loss on it, and others' losses resume on it, too."""

import copy
import functools
import math
import warnings

import pytest
import torch
from torch import nn

from diffutils import denoisers, loop, rng, samplers, schedules
from diffutils.data import to_float
from diffutils.denoisers import Denoiser
from diffutils.loop import ema_decay, optimise
from diffutils.training import batch_order, fit
from diffutils.unet import UNet

SCHEDULE = schedules.Discrete(schedules.linear_betas(100, 1e-3, 0.2))
EDM = schedules.log_normal()


def made(coefficients=denoisers.eps, schedule=SCHEDULE, classes=0):
    torch.manual_seed(0)
    net = UNet(channels=(8, 8), blocks=1, attention=(False, True), classes=classes)
    c_noise = schedule.t if schedule is SCHEDULE else lambda s: s.log() / 4
    return Denoiser(net, coefficients, c_noise)


def pictures(n=40, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, 4, 4), generator=g, dtype=torch.uint8)


def same(a, b):
    """Equal names and bits."""
    a, b = a.state_dict(), b.state_dict()
    return list(a) == list(b) and all(torch.equal(a[k], b[k]) for k in a)


# ------------------------------------------------------------------- fit, written out


def reference(denoiser, images, schedule, steps, batch, *, labels=None, heldout=None, held=None,
              distance=torch.square, weight=None, optimizer=torch.optim.AdamW, lr=1e-2, warmup=3,
              decay=loop.cosine, clip=1.0, ema=0.9, flip=False, bf16=False,
              seed=5):  # fmt: skip
    """A training with torch alone, one step after the other: losses, held-out losses, average."""
    net = denoiser.net.to(memory_format=torch.channels_last)
    average = copy.deepcopy(net)
    opt = optimizer(net.parameters(), lr=lr, fused=True)
    weight = weight or torch.ones_like
    losses, norms, heldout_losses = [], [], []

    def error(x0, sigma, noise, y):
        level = sigma.view(-1, 1, 1, 1)
        c_skip, c_out, c_in = denoiser.coefficients(level)
        x = x0 + level * noise
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            F = net(c_in * x, denoiser.c_noise(sigma), y, None).float()
        D = c_skip * x + c_out * F
        return distance((D - x0) / c_out).flatten(1).mean(1) * weight(sigma)

    for k in range(steps):
        slots = torch.arange(batch)
        order = torch.cat([rng.permutation(seed, e, len(images)) for e in range(20)])
        chosen = order[k * batch : (k + 1) * batch]
        x0 = images[chosen].float() / 127.5 - 1
        if flip:
            for i in slots[rng.uniform(seed, k, slots, 1, rng.FLIP)[:, 0] < 0.5]:
                x0[i] = x0[i].flip(-1)
        y = None
        if labels is not None:
            y = labels[chosen].clone()
            y[rng.uniform(seed, k, slots, 1, rng.LABEL)[:, 0] < 0.1] = net.classes
        u = (slots + rng.uniform(seed, k, slots, 1)[:, 0].double()) / batch
        noise = rng.normal(seed, k, slots, x0.shape[1:])
        opt.param_groups[0]["lr"] = lr * min(1, (k + 1) / warmup) * decay(k, steps)
        loss = error(x0, schedule(u).float(), noise, y).mean()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(net.parameters(), clip)))
        opt.step()
        opt.zero_grad()
        with torch.no_grad():
            for a, p in zip(average.parameters(), net.parameters(), strict=True):
                a.lerp_(p, 1 - ema_decay(k, ema))
            losses.append(float(loss))
            slots, n = torch.arange(len(heldout)), len(heldout)
            u = (slots + rng.uniform(0, 0, slots, 1, rng.EVALUATION)[:, 0].double()) / n
            noise = rng.normal(0, 1, slots, x0.shape[1:], rng.EVALUATION)
            x0 = heldout.float() / 127.5 - 1
            heldout_losses.append(float(error(x0, schedule(u).float(), noise, held).sum()) / n)
    return losses, norms, heldout_losses, average


sgd = functools.partial(torch.optim.SGD, momentum=0.9)
CASES = {
    "eps": (denoisers.eps, SCHEDULE, {}),
    "edm, flip": (denoisers.edm, EDM, dict(flip=True)),
    "v, labels": (denoisers.v, SCHEDULE, dict(labels=torch.arange(40) % 3)),
    "l1, Adam, constant": (denoisers.eps, SCHEDULE, dict(
        distance=torch.abs, optimizer=torch.optim.Adam, decay=loop.constant, ema=0.0)),
    "weight, SGD, clipped": (denoisers.edm, EDM, dict(
        weight=lambda s: 1 + s**2, optimizer=sgd, clip=1e-3)),
    "bf16": (denoisers.eps, SCHEDULE, dict(bf16=True)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_fit_is_a_plain_loop_bit_for_bit(case):
    """Losses, gradient norms, held-out losses, weights and their average; and a resumed run."""
    coefficients, schedule, settings = CASES[case]
    classes = 3 if "labels" in settings else 0
    held = torch.arange(9) % 3 if classes else None
    plain, whole, later = (made(coefficients, schedule, classes) for _ in range(3))
    losses, norms, heldout, average = reference(
        plain, pictures(), schedule, 8, 12, heldout=pictures(9, 1), held=held, **settings
    )
    run = dict(steps=8, batch=12, lr=1e-2, warmup=3, ema=0.9, seed=5, log_every=1,
               heldout=pictures(9, 1), heldout_labels=held) | settings  # fmt: skip
    records, states = [], []
    for record in fit(whole, pictures(), schedule, **run):
        records.append(record)
        states.append(record.state())
    assert [r.loss for r in records] == losses and [r.heldout for r in records] == heldout
    assert [r.grad_norm for r in records] == norms
    assert same(whole.net, plain.net) and same(record.ema.net, average)
    *_, record = fit(later, pictures(), schedule, state=states[4], **run)
    assert same(later.net, plain.net) and same(record.ema.net, average)
    assert record.heldout == heldout[-1]


# ------------------------------------------------------------------- losses of one's own


def resumes(make, loss, **settings):
    """Train whole, and in two halves through a state; the records, after comparing every bit."""
    whole, later = make(), make()
    records, states = [], []
    for record in optimise(whole, loss, **settings):
        records.append(record)
        states.append(record.state())
    *_, end = optimise(later, loss, state=states[len(states) // 2 - 1], **settings)
    assert same(later, whole) and same(end.ema, records[-1].ema)
    assert (end.step, end.loss, end.heldout) == (
        records[-1].step, records[-1].loss, records[-1].heldout,
    )  # fmt: skip
    return records


@pytest.mark.parametrize("checkpoint", [False, True])
def test_refinement_through_the_sampler_resumes(checkpoint):
    """Four steps of eta = .5 from noise to the image: the error falls, in whole and in pieces."""
    x0, sigmas = to_float(pictures(12)), schedules.levels(SCHEDULE, 4)
    denoiser = made()
    nn.init.normal_(denoiser.net.conv_out.weight, std=0.05)

    def loss(net, k, slots):
        D = Denoiser(net, denoiser.coefficients, denoiser.c_noise)
        chosen = batch_order(5, k, 6, 12)[slots]
        x = samplers.start(sigmas, rng.normal(5, k, slots, (3, 4, 4)))
        noise = samplers.seeded_noise(k, slots)
        *_, x = samplers.trajectory(D, x, sigmas, eta=0.5, noise=noise, checkpoint=checkpoint)
        return (x - x0[chosen]).square().flatten(1).mean(1)

    records = resumes(lambda: copy.deepcopy(denoiser.net), loss, steps=24, batch=6, lr=3e-3,
                      warmup=1, log_every=6)  # fmt: skip
    assert records[-1].loss < 0.8 * records[0].loss


class Prior(nn.Module):
    """A plain network with BatchNorm: from one fixed input to one image."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(
            nn.Conv2d(4, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 3, 3, padding=1),
        )  # fmt: skip

    def forward(self, z):
        return self.net(z)


def test_a_plain_network_is_fitted_to_one_image_and_resumes():
    """A DIP, its input jittered by step: loss, held-out pixels and BatchNorm's numbers."""
    y = to_float(pictures(1))
    z = rng.normal(0, 0, torch.arange(1), (4, 4, 4))
    seen = (rng.uniform(1, 0, torch.arange(1), 16).view(1, 1, 4, 4) < 0.8).float()

    def loss(net, k, slots):
        jitter = rng.normal(2, k, slots, (4, 4, 4)) / 30
        return ((net(z + jitter) - y) * seen).square().flatten(1).mean(1)

    @torch.no_grad()
    def heldout(net):
        return float(((net.eval()(z) - y) * (1 - seen)).square().mean())

    records = resumes(Prior, loss, steps=60, batch=1, lr=1e-2, warmup=1, log_every=10,
                      heldout=heldout, ema=0.9)  # fmt: skip
    assert records[-1].loss < 0.2 * records[0].loss
    assert all(math.isfinite(r.heldout) for r in records)
    norm = records[-1].ema.net[1]
    assert norm.num_batches_tracked == 60 and not norm.training
    assert float(norm.running_mean.abs().max()) > 0.01


def test_the_average_samples_with_the_networks_own_statistics():
    """With an average of no memory, it answers as the network does in eval mode, bit for bit."""
    z, net = rng.normal(0, 0, torch.arange(5), (4, 4, 4)), Prior()
    loss = lambda net, k, slots: net(z).square().flatten(1).mean(1)  # noqa: E731
    (record,) = optimise(net, loss, steps=7, batch=5, lr=1e-2, warmup=1, ema=0.0)
    assert not net.training and torch.equal(record.ema(z), net(z))


def test_the_network_trains_on_after_its_held_out_loss():
    """In training mode at every step, whatever heldout did to it."""
    modes, z = [], rng.normal(0, 0, torch.arange(2), (4, 4, 4))

    def loss(net, k, slots):
        modes.append(net.training)
        return net(z).square().flatten(1).mean(1)

    list(optimise(Prior(), loss, steps=4, batch=2, log_every=1, heldout=lambda n: n.eval() and 0))
    assert modes == [True] * 4


def test_some_weights_can_stay_frozen():
    """Only the last layer moves, in the average too; the state resumes."""

    def make():
        net = Prior()
        net.net[0].requires_grad_(False)
        return net

    z = rng.normal(0, 0, torch.arange(2), (4, 4, 4))
    loss = lambda net, k, slots: (net(z) - 1).square().flatten(1).mean(1)  # noqa: E731
    records = resumes(make, loss, steps=6, batch=2, lr=0.1, warmup=1, log_every=2)
    assert torch.equal(records[-1].ema.net[0].weight, make().net[0].weight)
    assert not torch.equal(records[-1].ema.net[3].weight, make().net[3].weight)


# ------------------------------------------------------------------- what it says


def ones(net, k, slots):
    return net(torch.ones(len(slots), 4, 4, 4)).flatten(1).mean(1)


@pytest.mark.parametrize("settings", [dict(steps=0), dict(batch=0), dict(log_every=0)])
def test_numbers_below_one_are_refused(settings):
    settings = dict(steps=1, batch=2, log_every=1) | settings
    with pytest.raises(ValueError, match="steps, batch and log_every must be at least 1"):
        next(optimise(Prior(), ones, **settings))


def test_a_network_without_a_weight_to_move_is_refused():
    with pytest.raises(ValueError, match=r"frozen, .* call denoiser.requires_grad_\(True\) first"):
        next(optimise(Prior().requires_grad_(False), ones, steps=1, batch=2))


@pytest.mark.parametrize("wrong, shape", [
    (lambda x: x.mean(), r"\(\)"),
    (lambda x: x[:, None], r"\(2, 1\)"),
    (lambda x: x[:1], r"\(1,\)"),
])  # fmt: skip
def test_a_loss_of_another_shape_is_refused(wrong, shape):
    """(b, 1) - (b,) is (b, b): a mean over it would train on the wrong thing."""
    with pytest.raises(ValueError, match=rf"each of the 2 samples, got shape {shape}"):
        next(optimise(Prior(), lambda *a: wrong(ones(*a)), steps=1, batch=2))


@pytest.mark.parametrize("at", [0, 5])
def test_a_loss_of_ones_own_that_is_not_finite_names_its_step(at):
    bad = lambda net, k, slots: ones(net, k, slots) + (math.nan if k >= at else 0)  # noqa: E731
    records = optimise(Prior(), bad, steps=9, batch=2, log_every=4, lr=1e-4)
    with pytest.raises(FloatingPointError, match=f"not finite since step {at}; lower lr"):
        list(records)


@pytest.mark.parametrize("settings, message", [
    (dict(steps=2.0), "steps, batch and log_every must be at least 1, got 2.0, 2 and 50"),
    (dict(steps=10**21), "whole numbers up to 2,147,483,648"),
    (dict(batch="8"), "must be at least 1, got 1, 8 and 50"),
    (dict(lr=math.nan), "lr is nan, expected a finite number of at least 0"),
    (dict(lr=-1e-3), "lr is -0.001"),
    (dict(lr=math.inf), "lr is inf"),
    (dict(lr="1e-3"), "lr is 1e-3"),
    (dict(warmup=None), "warmup is None"),
    (dict(ema=1.5), "ema is 1.5, expected a finite number from 0 to 1"),
    (dict(clip=math.nan), "clip is nan, expected a number of at least 0; math.inf clips nothing"),
    (dict(decay=0.5), "decay is '0.5', expected a function"),
    (dict(optimizer="adam"), "optimizer is 'adam', expected a function"),
    (dict(heldout=torch.zeros(2)), "heldout is .*expected a function"),
])  # fmt: skip
def test_settings_that_make_no_training_are_refused(settings, message):
    net = Prior()
    before = copy.deepcopy(net)
    with pytest.raises(ValueError, match=message):
        next(optimise(net, ones, **dict(steps=1, batch=2) | settings))
    assert same(net, before)


@pytest.mark.parametrize("answer", [None, 0.5])
def test_a_loss_that_gives_no_tensor_is_refused(answer):
    with pytest.raises(ValueError, match=f"each of the 2 samples, got {answer}; take the mean"):
        next(optimise(Prior(), lambda *a: answer, steps=1, batch=2))


# ------------------------------------------------------------------- without a compiler


def fails_at(call):
    """In place of torch.compile: what it returns fails at this call, with words of many lines."""

    def compile(function, **settings):
        if call == "once":
            raise RuntimeError("Dynamo is not supported here\nat all")
        calls = []

        def compiled(*given):
            calls.append(1)
            if len(calls) > call:
                raise OSError("no working compiler\n" + "of a hundred lines\n" * 100)
            return function(*given)

        return compiled

    return compile


@pytest.mark.parametrize("call", ["once", 0, 3])
def test_where_compiling_fails_the_training_goes_on_without(monkeypatch, call):
    """When it begins, at the first step and at a later one: the same bits, one sentence."""
    held = lambda net: float(ones(net, 0, [0]).detach())  # noqa: E731
    settings = dict(steps=8, batch=2, log_every=2, heldout=held)
    plain, without = Prior(), Prior()
    want = [(r.loss, r.heldout) for r in optimise(plain, ones, **settings)]
    monkeypatch.setattr(torch, "compile", fails_at(call))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = [(r.loss, r.heldout) for r in optimise(without, ones, compile=True, **settings)]
    assert found == want and same(without, plain)
    (only,) = (str(w.message) for w in said if "compile" in str(w.message))
    assert "goes on without" in only and "\n" not in only and len(only) < 300


def test_an_error_of_ones_own_is_not_taken_for_the_compilers(monkeypatch):
    def broken(net, k, slots):
        raise KeyError("mine")

    monkeypatch.setattr(torch, "compile", fails_at(99))
    with pytest.warns(UserWarning, match="goes on without"), pytest.raises(KeyError, match="mine"):
        next(optimise(Prior(), broken, steps=1, batch=2, compile=True))


# ------------------------------------------------------------------- too little memory


@pytest.mark.fault("out of memory")
@pytest.mark.parametrize("holds", [1, 3, 7])
def test_samples_that_the_memory_does_not_hold_are_taken_in_parts(holds):
    """The same weights as in one go, but for rounding, and one warning for each halving."""

    def trained(most):
        torch.manual_seed(0)
        net = nn.Linear(4, 4).double()

        def loss(net, k, slots):
            if len(slots) > most:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")
            x = rng.normal(0, k, slots, (4,)).double()
            return (net(x) - x.flip(1)).square().mean(1)

        *_, last = optimise(net, loss, steps=5, batch=7, warmup=1, log_every=5)
        return net.weight.detach(), last.loss

    want, told = trained(7)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        got, said = trained(holds)
    torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-12)
    assert said == pytest.approx(told, rel=1e-12)
    words = [str(w.message) for w in caught]
    assert len(words) == {1: 3, 3: 2, 7: 0}[holds]
    assert all("does not hold 7 samples at a time; from step 0 on" in w for w in words)


@pytest.mark.fault("out of memory")
def test_a_single_sample_that_does_not_fit_is_an_error():
    def loss(net, k, slots):
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.warns(UserWarning, match="in 2 parts"), pytest.raises(torch.OutOfMemoryError):
        next(optimise(nn.Linear(1, 1), loss, steps=1, batch=2))
