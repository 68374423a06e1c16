"""Gradients through the sampler against finite differences in float64, every branch.

With respect to the start, to a network's weights and to the noise levels, with and without
checkpointing.
"""

import math
from functools import partial

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from diffutils import denoisers, samplers, schedules
from diffutils.denoisers import Denoiser
from diffutils.samplers import sample, start, trajectory
from diffutils.unet import UNet

F64 = torch.float64
LEVELS = schedules.levels(schedules.karras(0.05, 5.0), 5)
BRANCHES = {
    "ddim": dict(),
    "ddpm": dict(eta=1.0),
    "between": dict(eta=0.4, variance=samplers.beta),
    "heun": dict(heun=True),
    "churn": dict(heun=True, S_churn=2.0, S_min=0.1, S_max=4.0, S_noise=1.1),
    "all": dict(heun=True, S_churn=1.0, eta=0.6),
}
branches = pytest.mark.parametrize("branch", BRANCHES)
memory = pytest.mark.parametrize("checkpoint", [False, True])


class Wavy(nn.Module):
    """A network of a few weights, nonlinear in x and in what it is told of the level."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 3, padding=1).double()

    def forward(self, x, c_noise, labels=None, cond=None):
        out = torch.tanh(self.layer(x) + c_noise.view(-1, 1, 1, 1))
        return out if cond is None else out * cond


def model(coefficients=denoisers.edm):
    torch.manual_seed(0)
    return Denoiser(Wavy(), coefficients, lambda sigma: sigma.log() / 4)


def walk(denoise, x, sigmas, branch, **settings):
    noise = samplers.seeded_noise(0, torch.arange(len(x)))
    *_, x = trajectory(denoise, x, sigmas, noise=noise, **BRANCHES[branch], **settings)
    return x


def pure(n=2):
    g = torch.Generator().manual_seed(1)
    return torch.randn(n, 1, 2, 2, generator=g, dtype=F64)


# ------------------------------------------------------------------- finite differences


@branches
@memory
def test_gradient_of_the_start(branch, checkpoint):
    x = (5 * pure()).requires_grad_()
    assert gradcheck(lambda x: walk(model(), x, LEVELS, branch, checkpoint=checkpoint), x)


@branches
@memory
def test_gradient_of_the_weights(branch, checkpoint):
    denoiser = model()
    names, weights = zip(*denoiser.named_parameters(), strict=True)

    def end(*weights):
        D = partial(torch.func.functional_call, denoiser, dict(zip(names, weights, strict=True)))
        return walk(lambda x, s: D((x, s)), 5 * pure(), LEVELS, branch, checkpoint=checkpoint)

    assert gradcheck(end, weights)


@branches
@memory
def test_gradient_of_the_levels(branch, checkpoint):
    """All but the last, which is 0; the start is drawn at the first of them."""
    zero, denoiser = torch.zeros(1, dtype=F64), model()

    def end(levels):
        sigmas = torch.cat([levels, zero])
        x = start(sigmas, pure(), variance_preserving=branch == "ddpm")
        return walk(denoiser, x, sigmas, branch, checkpoint=checkpoint)

    assert gradcheck(end, LEVELS[:-1].clone().requires_grad_())


@branches
def test_gradient_of_levels_that_end_above_zero(branch):
    denoiser = model()
    assert gradcheck(
        lambda levels: walk(denoiser, 5 * pure(), levels, branch),
        LEVELS[:-1].clone().requires_grad_(),
    )


def test_gradient_of_the_last_level_at_zero():
    """The end moves along d as the last level leaves 0: against a step of 1e-6, 1e-5; no nan."""
    h, oracle = 1e-6, denoisers.gaussian(0.3, 0.5)
    levels = LEVELS.clone().requires_grad_()
    end = walk(oracle, 5 * pure(), levels, "ddim").sum()
    end.backward()
    moved = torch.cat([LEVELS[:-1], torch.full((1,), h, dtype=F64)])
    slope = float(walk(oracle, 5 * pure(), moved, "ddim").sum() - end.detach()) / h
    assert bool(levels.grad.isfinite().all())
    assert float(levels.grad[-1]) == pytest.approx(slope, rel=1e-5) and abs(slope) > 1e-3


def test_gradient_of_levels_in_an_inversion_and_in_a_start_from_an_image():
    denoiser, zero = model(), torch.zeros(1, dtype=F64)

    def up(levels):
        *_, x = samplers.inversion(denoiser, pure(), torch.cat([zero, levels]))
        return x

    levels = LEVELS[:-1].flip(0).clone().requires_grad_()
    assert gradcheck(up, levels)
    assert gradcheck(lambda s: start(s, pure(), x0=torch.ones(2, 1, 2, 2).double()), levels)


@pytest.mark.parametrize("coefficients", [
    denoisers.eps, denoisers.x0, denoisers.v, denoisers.edm,
])  # fmt: skip
def test_gradient_of_one_level_of_a_denoiser(coefficients):
    """A level for the batch, or one for each image; with a table's timesteps, too."""
    table = schedules.Discrete(schedules.linear_betas(50))
    for c_noise in (torch.log, table.t, denoisers.rescaled(torch.log)):
        denoiser = Denoiser(Wavy(), coefficients, lambda s, c=c_noise: c(s) / 10)
        for sigma in (torch.tensor(0.7), torch.tensor([0.7, 1.3])):
            sigma = sigma.double().requires_grad_()
            assert gradcheck(lambda s, D=denoiser: D(pure(), s), sigma)


def test_gradient_through_a_u_net_guidance_and_condition():
    """A directional derivative by central differences, of x, weights and levels at once."""
    torch.manual_seed(0)
    net = UNet(1, 1, (8, 8), 1, (False, True), classes=2, cond_channels=1).double()
    for p in net.parameters():
        nn.init.normal_(p, std=0.2)
    denoiser = Denoiser(net, denoisers.edm, lambda sigma: sigma.log() / 4)
    y, cond = torch.tensor([0, 1]), pure().sign()
    D = denoisers.guided(denoiser, y, 2.0, 2, cond=cond)
    inputs = [(5 * pure()).requires_grad_(), LEVELS[:-1].clone().requires_grad_()]
    inputs += net.parameters()

    def loss(checkpoint=False):
        x, levels = inputs[:2]
        return walk(D, x, levels, "all", checkpoint=checkpoint).square().sum()

    step = [torch.randn_like(p) for p in inputs]
    slopes = [
        sum(float((g * s).sum()) for g, s in zip(grads, step, strict=True))
        for grads in (torch.autograd.grad(loss(kept), inputs) for kept in (False, True))
    ]
    values, h = [], 1e-5
    with torch.no_grad():
        for sign in (1, -2):  # to +h, then to -h
            for p, s in zip(inputs, step, strict=True):
                p.add_(s, alpha=sign * h)
            values.append(float(loss()))
    want = (values[0] - values[1]) / (2 * h)
    assert slopes == pytest.approx([want, want], rel=1e-5) and abs(want) > 1e-3


# ------------------------------------------------------------------- values, memory, use


@branches
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_levels_that_are_learned_give_the_same_states(branch, dtype):
    """To rounding: 2e-6 in float32; without a gradient, bit for bit."""
    x, denoiser = 5 * pure().to(dtype), model().to(dtype)
    plain = walk(denoiser, x, LEVELS, branch)
    learned = LEVELS.clone().requires_grad_()
    torch.testing.assert_close(walk(denoiser, x, learned, branch), plain, rtol=2e-6, atol=2e-6)
    assert walk(denoiser, x, learned, branch).dtype == dtype
    with torch.no_grad():
        assert torch.equal(walk(denoiser, x, learned, branch), plain)


@branches
def test_checkpointing_changes_no_bit(branch):
    ends = []
    for checkpoint in (False, True):
        denoiser = model()
        x = walk(denoiser, 5 * pure(), LEVELS, branch, checkpoint=checkpoint)
        x.square().sum().backward()
        ends.append([x, *(p.grad for p in denoiser.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))


@branches
def test_checkpointing_keeps_states_and_no_activations(branch):
    """Bytes held for the gradient: those of a deep network do not depend on its depth."""

    def held(depth, checkpoint):
        sizes = []
        net = nn.Sequential(*[nn.Sequential(nn.Conv2d(1, 1, 1), nn.Tanh()) for _ in range(depth)])
        pack = lambda t: sizes.append(t.nbytes) or t  # noqa: E731
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            walk(lambda x, s: net.double()(x), pure(), LEVELS, branch, checkpoint=checkpoint)
        return sum(sizes)

    assert held(40, False) > 4 * held(4, False)
    assert held(40, True) == held(4, True) < held(4, False)


def test_a_grid_can_be_learned():
    """Three levels that Heun walks on N(0, .5^2): by gradient nearer the exact flow than before."""
    D, x = denoisers.gaussian(0.0, 0.5), 10 * torch.ones(1, 1, dtype=F64)
    ends = torch.tensor([10.0, 0.05], dtype=F64)
    exact = 10 * math.sqrt((0.25 + 0.05**2) / (0.25 + 100))
    inner = torch.tensor([5.0, 1.0, 0.2], dtype=F64).log().requires_grad_()
    opt, errors = torch.optim.Adam([inner], lr=0.05), []
    for _ in range(60):
        *_, end = trajectory(D, x, torch.cat([ends[:1], inner.exp(), ends[1:]]), heun=True)
        loss = (end - exact).square().sum()
        opt.zero_grad()
        loss.backward()
        opt.step()
        errors.append(float(loss.detach()))
    assert errors[-1] < 0.2 * errors[0]


def test_sample_gives_no_gradient_even_to_learned_levels():
    learned = LEVELS.clone().requires_grad_()
    assert not sample(model(), pure(), learned, heun=True).requires_grad


def test_no_warning_comes_of_learned_levels(recwarn):
    for branch in BRANCHES:
        walk(model(), pure(), LEVELS.clone().requires_grad_(), branch).sum().backward()
    assert not recwarn.list
