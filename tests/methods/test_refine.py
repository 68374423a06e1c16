"""Refinement: gradients against walks written by hand, and what it does to a known posterior."""

import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diffutils import denoisers, rng, samplers, schedules
from diffutils.data import to_float, to_uint8
from diffutils.denoisers import Denoiser
from diffutils.methods import refine as rf
from diffutils.metrics import similarity
from diffutils.unet import UNet

F64 = torch.float64
LEVELS = schedules.levels(schedules.karras(0.05, 5.0), 5)  # five steps
STEPS = len(LEVELS) - 1
BRANCHES = {"euler": {}, "eta": {"eta": 1.0}, "heun": {"heun": True}, "churn": {"S_churn": 2.0}}
branches = pytest.mark.parametrize("branch", BRANCHES)


class Wavy(nn.Module):
    """A network of a few weights, nonlinear in x, in the level and in the condition."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(2, 1, 3, padding=1).double()

    def forward(self, x, c_noise, labels=None, cond=None):
        cond = torch.zeros_like(x) if cond is None else cond
        return torch.tanh(self.layer(torch.cat([x, cond], 1)) + c_noise.view(-1, 1, 1, 1))


def model():
    torch.manual_seed(0)
    return Denoiser(Wavy(), denoisers.edm, lambda sigma: sigma.log() / 4)


def normal(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


def settings(branch, n=2):
    return dict(noise=samplers.seeded_noise(0, torch.arange(n)), **BRANCHES[branch])


def gradient(denoiser, end):
    return torch.autograd.grad(end.square().sum(), list(denoiser.parameters()))


def equal(a, b):
    return len(a) == len(b) and all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def close(got, want, atol=0.0, rtol=0.0):
    torch.testing.assert_close(got, want, atol=atol, rtol=rtol)


# ------------------------------------------------------------------- the walk and its gradient


@branches
@pytest.mark.parametrize("last", [1, 2, 5, None])
def test_the_state_is_the_one_of_a_whole_walk(branch, last):
    """Bit for bit, the noise of eta and churn included."""
    D, x = model(), 5 * normal(2, 1, 4, 4)
    want = samplers.sample(D, x, LEVELS, **settings(branch))
    assert torch.equal(rf.refined(D, x, LEVELS, last, **settings(branch)), want)


def test_noise_of_torchs_own_generator_is_drawn_in_the_same_order():
    D, x, ends = model(), 5 * normal(2, 1, 4, 4), []
    for last in (2, None):
        torch.manual_seed(3)
        ends.append(rf.refined(D, x, LEVELS, last, eta=1.0))
    assert torch.equal(*ends)


@pytest.mark.parametrize("eta", [0.0, 1.0])
@pytest.mark.parametrize("last", [1, 2, 5, None])
def test_gradient_is_that_of_the_walk_written_by_hand(eta, last):
    """Euler's step x + (down - sigma)(x - D)/sigma + up n, detached before the last K: 1e-10."""
    denoiser, x, n = model(), 5 * normal(2, 1, 4, 4), samplers.seeded_noise(0, torch.arange(2))
    got = gradient(denoiser, rf.refined(denoiser, x, LEVELS, last, eta=eta, noise=n))
    levels = LEVELS.tolist()
    for k in range(STEPS):
        s, t = levels[k], levels[k + 1]
        if k == STEPS - (last or STEPS):
            x = x.detach()
        up = eta * t * math.sqrt(1 - t**2 / s**2)
        x = x + (math.sqrt(t**2 - up**2) - s) * (x - denoiser(x, s)) / s + up * n(k, x)
    for a, b in zip(got, gradient(denoiser, x), strict=True):
        close(a, b, atol=1e-10, rtol=1e-10)
        assert float(b.abs().max()) > 1e-3


@branches
@pytest.mark.parametrize("last", [1, 3])
def test_gradient_of_the_last_steps_is_the_full_one_with_earlier_states_detached(branch, last):
    denoiser, x = model(), 5 * normal(2, 1, 4, 4)

    def cut(step):
        return step.x_next.detach() if step.k == STEPS - last - 1 else step.x_next

    whole = rf.refined(denoiser, x, LEVELS, after_step=cut, **settings(branch))
    part = rf.refined(denoiser, x, LEVELS, last, **settings(branch))
    full = gradient(denoiser, rf.refined(denoiser, x, LEVELS, **settings(branch)))
    part = gradient(denoiser, part)
    assert equal(part, gradient(denoiser, whole)) and not equal(part, full)


@branches
@pytest.mark.parametrize("last", [1, 3, None])
def test_checkpointing_changes_no_value_and_no_gradient(branch, last):
    """Values bit for bit, gradients to 1e-12."""
    denoiser, x = model(), 5 * normal(2, 1, 4, 4)
    plain, kept = (
        rf.refined(denoiser, x, LEVELS, last, checkpoint, **settings(branch))
        for checkpoint in (False, True)
    )
    assert torch.equal(plain, kept)
    for a, b in zip(gradient(denoiser, plain), gradient(denoiser, kept), strict=True):
        close(a, b, rtol=1e-12, atol=1e-12)


def test_memory_grows_by_a_state_a_step_with_checkpoints_and_by_the_network_without():
    """Bytes held for the gradient, of a network of 12 layers on states of 32 kB."""
    depth, x = 12, normal(4, 1, 32, 32)
    torch.manual_seed(0)
    net = nn.Sequential(*[nn.Sequential(nn.Conv2d(1, 1, 1), nn.Tanh()) for _ in range(depth)])
    net.double()

    def held(steps, checkpoint, last=None):
        sizes, sigmas = [], schedules.levels(schedules.karras(0.05, 5.0), steps)
        pack = lambda t: sizes.append(t.nbytes) or t  # noqa: E731
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            rf.refined(lambda x, s: net(x), x, sigmas, last, checkpoint)
        return sum(sizes)

    state = x.nbytes
    for n in (3, 6):
        assert state <= held(n + 1, True) - held(n, True) < 1.01 * state
        assert held(n + 1, False) - held(n, False) > depth * state
        assert held(n, False, last=2) == held(2, False)  # earlier steps keep nothing


@pytest.mark.parametrize("last", [0, -1, STEPS + 1])
def test_more_steps_than_there_are(last):
    with pytest.raises(ValueError, match="last must be 1 to 5, the steps of this walk, or None"):
        rf.refined(model(), normal(2, 1, 4, 4), LEVELS, last)


# ------------------------------------------------------------------- losses at the end


def pair(size=12, seed=0, B=2):
    a, b = normal(2, B, 3, size, size, seed=seed).mul(0.4)
    return a.requires_grad_(), b


@pytest.mark.parametrize("name", ["mse", "ssim"])
def test_values_and_gradients_of_the_losses(name):
    """Against NumPy and `similarity`, 1e-12; against finite differences."""
    a, b = pair()
    distance = {"mse": rf.mse, "ssim": rf.ssim_loss}[name]
    x, y = a.detach().numpy(), b.numpy()
    want = {
        "mse": torch.from_numpy(((x - y) ** 2).mean((1, 2, 3))),
        "ssim": 1 - similarity.ssim(a.detach(), b),
    }[name]
    close(distance(a, b).detach(), want, atol=1e-12)
    assert torch.autograd.gradcheck(lambda a: distance(a, b[:, :1]), a[:, :1])
    assert distance(a.float(), b.float()).dtype == torch.float32
    close(distance(b, b), torch.zeros(2, dtype=F64), atol=1e-12)


def test_descending_the_ssim_loss_raises_ssim():
    a, b = pair()
    before = similarity.ssim(a.detach(), b)
    opt = torch.optim.Adam([a], lr=0.05)
    for _ in range(30):
        opt.zero_grad()
        rf.ssim_loss(a, b).sum().backward()
        opt.step()
    assert bool((similarity.ssim(a.detach(), b) > before + 0.3).all())


def test_the_clamped_loss_forgets_pixels_outside():
    """Their gradient is 0, though they are wrong; the plain loss brings them back."""
    b = torch.zeros(1, 1, 1, 4, dtype=F64)
    a = torch.tensor([[[[-3.0, -0.5, 0.5, 1.5]]]], dtype=F64, requires_grad=True)
    (clamped,) = torch.autograd.grad(rf.clamped(rf.mse)(a, b).sum(), a)
    (plain,) = torch.autograd.grad(rf.mse(a, b).sum(), a)
    close(clamped, torch.tensor([[[[0.0, -0.25, 0.25, 0.0]]]], dtype=F64), atol=1e-15)
    close(plain, a.detach() / 2, atol=1e-15)
    # As published: both mapped to [0, 1], and clamped there.
    published = [((t + 1) / 2).clamp(0, 1) for t in (a.detach(), b)]
    want = 4 * (published[0] - published[1]).square().mean()
    close(rf.clamped(rf.mse)(a, b).sum().detach(), want, atol=1e-15)


def test_lpips_is_handed_over_as_it_is():
    """The network's own function has a gradient; the metric on uint8 has none, and that is said."""
    from diffutils.metrics.published import AlexNet

    sides = ((64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3))
    state = {}
    for layer, (out, into, side) in zip((0, 3, 6, 8, 10), sides, strict=True):
        state[f"features.{layer}.weight"] = 0.05 * normal(out, into, side, side, seed=layer).float()
        state[f"features.{layer}.bias"] = torch.zeros(out)
    net = AlexNet(state)
    x0 = to_float(pictures(1, 64, 3))
    end = (0.1 * normal(1, 3, 64, 64).float()).requires_grad_()
    loss = (lambda a, b: net.lpips(a, b).flatten())(end, x0)
    assert loss.shape == (1,) and float(loss.detach()) > 0
    assert float(torch.autograd.grad(loss.sum(), end)[0].abs().max()) > 0

    def metric(a, b):
        return net.distance(to_uint8(a), to_uint8(b))

    with pytest.raises(ValueError, match="this distance has no gradient"):
        next(run(distance=metric, images=pictures(8, 64, 3), net=Linear(1), steps=1))


# ------------------------------------------------------------------- training


class Linear(nn.Module):
    """D = a_k x + b_k c: a gain and a weight of the condition for every level of a walk.

    c_noise is the number of the level; x comes as it is.
    """

    def __init__(self, n, gains=None):
        super().__init__()
        self.a = nn.Parameter(torch.full((n,), 0.5) if gains is None else gains.float().clone())
        self.b = nn.Parameter(1 - self.a.detach())

    def forward(self, x, c_noise, labels=None, cond=None):
        k = c_noise.long()
        c = 0 if cond is None else cond
        return self.a[k].view(-1, 1, 1, 1) * x + self.b[k].view(-1, 1, 1, 1) * c


def plain(sigma):
    """Coefficients that leave x and the answer as they are."""
    return torch.zeros_like(sigma), torch.ones_like(sigma), torch.ones_like(sigma)


def linear(net, sigmas):
    return Denoiser(net, plain, lambda s: (s[:, None] - sigmas.to(s)).abs().argmin(1))


def pictures(n=16, size=8, channels=1, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, channels, size, size), generator=g, dtype=torch.uint8)


ONE = torch.tensor([10.0, 0.0], dtype=F64)


def run(sigmas=ONE, images=None, net=None, cond=None, **changes):
    denoiser = linear(net or Linear(len(sigmas) - 1), sigmas)
    images = pictures() if images is None else images
    given = dict(batch=4, steps=6, log_every=1, lr=1e-2, warmup=1, clip=math.inf)
    return rf.refine(denoiser, images, cond, sigmas, **given | changes)


def numbers(record):
    return record.step, record.loss, record.heldout, record.grad_norm


@pytest.mark.parametrize("start", [rf.from_noise, rf.from_inversion])
def test_the_loss_of_a_step_is_written_out(start):
    """Images in the order of an epoch, noise of (seed, step, slot), conditions beside: 1e-6."""
    images, cond = pictures(), to_float(pictures(seed=1))
    sigmas, seed = torch.tensor([4.0, 2.0, 0.0], dtype=F64), 5
    gains = torch.tensor([0.3, 0.6])
    settings = dict(batch=4, seed=seed, start=start, walk={"eta": 1.0}, lr=0.0, steps=4)
    records = run(sigmas, images, Linear(2, gains), cond, **settings)
    order = rng.permutation(seed, 0, 16)
    for k, record in enumerate(records):
        chosen = order[4 * k : 4 * k + 4]
        x0, c, slots = to_float(images)[chosen], cond[chosen], torch.arange(4)
        x = 4 * rng.normal(seed, 5 * k + 4, slots, x0.shape[1:])
        if start is rf.from_inversion:  # at 0 the lowest level's answer
            D = lambda x, k, c=c: gains[k] * x + (1 - gains[k]) * c  # noqa: E731
            x = x0 + 2 * (x0 - D(x0, 1)) / 2
            x = x + 2 * (x - D(x, 1)) / 2
        D = 0.3 * x + 0.7 * c
        up = 2 * math.sqrt(1 - 4 / 16)
        x = D + math.sqrt(4 - up**2) / 4 * (x - D)
        x = x + up * rng.normal(seed, 5 * k, slots, x0.shape[1:])
        want = (0.6 * x + 0.4 * c - x0).square().mean()
        assert record.loss == pytest.approx(float(want), rel=1e-6)


def test_no_sample_depends_on_the_batch():
    """The losses of a part of the slots are those of the whole, eta's noise included."""
    D, x0 = model(), 0.5 * normal(6, 1, 4, 4)
    cond = 0.5 * normal(6, 1, 4, 4, seed=3)

    def losses(i):
        noise = rf.seeded_round(0, 7, i, STEPS, rng.NOISE)
        return rf.end_of_walk(D, x0[i], cond[i], LEVELS, noise, last=2, eta=1.0, S_churn=1.0)

    parts = [losses(i) for i in torch.arange(6).split(4)]
    close(torch.cat(parts), losses(torch.arange(6)), rtol=1e-12)


def test_no_two_draws_of_a_run_are_the_same():
    """Of three rounds of two steps, 5 draws each: eta's, churn's and the start's."""
    x, i = torch.zeros(1, 1, 4, 4), torch.arange(1)
    draws = {
        tuple(rf.seeded_round(0, k, i, 2, rng.NOISE)(j, x).flatten().tolist())
        for k in range(3)
        for j in range(5)
    }
    assert len(draws) == 15


def test_a_resumed_run_is_the_same_run():
    walk = dict(heldout=pictures(5, seed=2), walk={"eta": 1.0}, checkpoint=True, last=2)
    sigmas = torch.tensor([4.0, 2.0, 1.0, 0.0], dtype=F64)
    net = Linear(3)
    whole = []
    for record in run(sigmas, net=net, **walk):
        whole.append(numbers(record))
        if record.step == 3:
            state = record.state()
    other = Linear(3)
    resumed = [numbers(record) for record in run(sigmas, net=other, state=state, **walk)]
    assert resumed == whole[3:] and equal(list(net.parameters()), list(other.parameters()))


def test_heldout_is_the_mean_end_loss_of_those_images():
    """With nothing learned it is the same every time; by hand 1e-6; whatever the batch."""
    heldout, c = pictures(7, seed=2), to_float(pictures(7, seed=3))
    x0 = to_float(heldout)
    x = 10 * rng.normal(0, 2, torch.arange(7), x0.shape[1:], rng.EVALUATION)
    want = float((0.5 * x + 0.5 * c - x0).square().mean())
    cond = to_float(pictures(seed=1))
    for batch in (2, 4):
        data = dict(heldout=heldout, heldout_cond=c, cond=cond)
        found = [r.heldout for r in run(lr=0.0, steps=2, batch=batch, **data)]
        assert found == [pytest.approx(want, rel=1e-6)] * 2 and found[0] == found[1]


def test_heldout_images_are_seen_in_evaluation_and_training_goes_on():
    """Three steps in training mode (True), after each 16 held-out images by fours (False)."""
    modes = []

    class Watched(Linear):
        def forward(self, *given, **named):
            modes.append(self.training)
            return super().forward(*given, **named)

    list(run(net=Watched(1), heldout=pictures(), steps=3))
    assert modes == [True, False, False, False, False] * 3


def test_augment_sees_and_gives_what_is_trained_on():
    """Images and conditions that become equal: D = c has no error left to learn from."""
    seen = []

    def augment(x0, cond, k, slots):
        seen.append((k, slots.tolist(), x0.shape, cond.shape))
        return cond, cond

    net = Linear(1, torch.zeros(1))
    cond = to_float(pictures(seed=1))
    assert all(r.loss == 0 for r in run(net=net, cond=cond, augment=augment, steps=2, lr=0.0))
    assert seen == [(k, [0, 1, 2, 3], (4, 1, 8, 8), (4, 1, 8, 8)) for k in range(2)]


def test_records_hold_a_denoiser_and_a_u_net_learns():
    """Two steps of a walk, the last refined: the end loss falls by a third and more."""
    torch.manual_seed(0)
    net = UNet(3, 3, (8,), 1, (False,), cond_channels=4)
    denoiser = Denoiser(net, denoisers.edm, lambda s: s.log() / 4)
    sigmas = torch.tensor([20.0, 0.5, 0.0], dtype=F64)
    images = pictures(8, 8, 3)
    cond = torch.cat([images[:, :1], images], 1)
    given = dict(batch=4, steps=60, log_every=30, lr=2e-2, warmup=1, ema=0.9, last=1)
    data = dict(heldout=images, heldout_cond=cond)
    before = next(rf.refine(denoiser, images, cond, sigmas, **given | dict(log_every=1), **data))
    *_, record = rf.refine(denoiser, images, cond, sigmas, **given, **data)
    assert record.heldout < 0.66 * before.heldout
    assert isinstance(record.ema, Denoiser) and not record.ema.training and not denoiser.training
    D = partial(record.ema, cond=to_float(cond))
    end = samplers.sample(D, 20 * torch.randn(8, 3, 8, 8), sigmas)
    assert float(F.mse_loss(end, to_float(images))) < before.heldout


# ------------------------------------------------------------------- a posterior that is known

S = 0.15  # x|c ~ N(c, S^2)


def posterior(n, size=16, seed=0):
    """Conditions c within 0.4 of grey, and images drawn around them."""
    g = torch.Generator().manual_seed(seed)
    c = 0.8 * torch.rand(n, 1, size, size, generator=g) - 0.4
    return to_uint8(c + S * torch.randn(n, 1, size, size, generator=g)), c


def exact_gains(sigmas):
    """Gains g_k of D = c + g_k (x - c) with which Euler's steps are the exact flow to N(c, S^2).

    The flow takes x - c to r (x - c), r^2 = (S^2 + sigma_next^2)/(S^2 + sigma^2); Euler's step to
    (g + q (1 - g))(x - c), q = sigma_next/sigma.
    """
    s, t = sigmas[:-1], sigmas[1:]
    r, q = ((S**2 + t**2) / (S**2 + s**2)).sqrt(), t / s
    return (r - q) / (1 - q)


def sampled(denoiser, c, sigmas, seed):
    noise = rng.normal(seed, 0, torch.arange(len(c)), c.shape[1:], rng.START)
    x = samplers.start(sigmas, noise, variance_preserving=False)
    return samplers.sample(partial(denoiser, cond=c), x, sigmas)


@pytest.mark.parametrize("m, g", [(0.0, 0.0), (0.1, 0.0), (0.0, 0.3), (-0.2, 0.15)])
def test_the_end_loss_is_bias_and_two_spreads(m, g):
    """A sampler that answers c + m + g z: (m - 0)^2 + S^2 + g^2, within 3 % of 65,536 pixels."""
    images, c = posterior(256)
    denoise = lambda x, sigma, cond: cond + m + g * x / sigma  # noqa: E731
    noise = rf.seeded_round(0, 0, torch.arange(256), 1, rng.NOISE)
    loss = rf.end_of_walk(denoise, to_float(images), c, ONE, noise)
    assert float(loss.mean()) == pytest.approx(m**2 + S**2 + g**2, rel=0.03)


@pytest.mark.parametrize("last", [None, 1])
@pytest.mark.parametrize("levels", [[80.0, 0.0], [80.0, 2.0, 0.3, 0.0]])
def test_refinement_gains_3_dB_of_psnr_and_loses_the_spread(levels, last):
    """One call, or three steps: from the exact posterior sampler to its mean.

    Before: MSE 2 S^2 and spread S.  After: MSE S^2 (-3.01 dB) and no spread, to 0.15 dB and 3 %.
    """
    sigmas = torch.tensor(levels, dtype=F64)
    denoiser = linear(Linear(len(sigmas) - 1, exact_gains(sigmas)), sigmas)
    images, cond = posterior(64)
    heldout, c = posterior(64, seed=1)

    def measured():
        a, b = (sampled(denoiser, c, sigmas, seed) for seed in (0, 1))
        return similarity.psnr(a, to_float(heldout)).mean(), (a - b).std() / math.sqrt(2)

    psnr, spread = measured()
    assert float(spread) == pytest.approx(S, rel=0.03)
    assert float(psnr) == pytest.approx(-10 * math.log10(2 * S**2 / 4), abs=0.15)
    records = rf.refine(
        denoiser, images, cond, sigmas, batch=16, last=last, heldout=heldout, heldout_cond=c,
        steps=300, log_every=300, lr=0.03, warmup=1,
    )  # fmt: skip
    *_, record = records
    after, spread = measured()
    assert float(after - psnr) == pytest.approx(10 * math.log10(2), abs=0.15)
    assert float(spread) < 0.03 * S
    assert record.heldout == pytest.approx(S**2, rel=0.04)
