"""Drawing in batches, by any sampler: equal to the samplers called by hand, whatever the batch."""

import re

import pytest
import torch

from diffutils import denoisers, rng, samplers, schedules
from diffutils.course.experiments import sampling
from diffutils.data import to_float, to_uint8
from diffutils.methods import textbook
from diffutils.unet import UNet
from diffutils.weights.models import Model


def start(index, seed=0):
    return rng.normal(seed, 0, index, (3, 8, 8), rng.START)


@pytest.mark.parametrize("eta, spacing", [(0.0, schedules.trailing), (1.0, schedules.leading)])
def test_a_respaced_sampler_is_the_one_called_by_hand(model, eta, spacing):
    index = torch.arange(4)
    (got,) = sampling.drawn(model, index, sampling.respaced(6, eta, spacing))
    sigmas = schedules.levels(model.schedule, 6, spacing)
    noise = samplers.seeded_noise(0, index)
    x = samplers.start(sigmas, start(index))
    want = samplers.sample(denoisers.clipped(model.denoiser), x, sigmas, eta=eta, noise=noise)
    assert torch.equal(got, to_uint8(want))


def test_a_skipping_sampler_walks_the_unspaced_plan(model):
    index = torch.arange(4)
    (got,) = sampling.drawn(model, index, sampling.skipped(10), seed=3)
    plan = textbook.unspaced(model.schedule.betas, schedules.leading(50, 10))
    with torch.no_grad():
        *_, want = textbook.walk(
            denoisers.clipped(model.denoiser),
            start(index, 3),
            plan,
            textbook.ddpm,
            samplers.seeded_noise(3, index),
        )
    assert torch.equal(got, to_uint8(want))
    assert not torch.equal(got, next(sampling.drawn(model, index, sampling.respaced(10, 1.0))))


def test_skipping_nothing_is_ddpm(model):
    index = torch.arange(3)
    (skip,), (ddpm,) = (
        list(sampling.drawn(model, index, sampler))
        for sampler in (sampling.skipped(50), sampling.respaced(50, 1.0))
    )
    assert (skip.int() - ddpm.int()).abs().max() <= 1  # other units, other rounding


def test_an_image_depends_on_its_index_alone(model):
    """Other batches, other order, some of them left out: the same images and labels."""
    labels = torch.arange(7) % 3
    settings = dict(scale=2.0, seed=5)
    whole = torch.cat(
        list(
            sampling.drawn(
                model, torch.arange(7), sampling.respaced(5, 1.0), labels=labels, **settings
            )
        )
    )
    index = torch.tensor([6, 0, 4])
    parts = list(
        sampling.drawn(
            model, index, sampling.respaced(5, 1.0), labels=labels[index], batch=2, **settings
        )
    )
    assert [len(p) for p in parts] == [2, 1]
    assert (torch.cat(parts).int() - whole[index].int()).abs().max() <= 1


def test_generate_collects_what_is_drawn(model):
    for given, sampler in (
        (dict(steps=6), sampling.respaced(6)),
        (dict(steps=6, eta=0.5), sampling.respaced(6, 0.5)),
        (dict(sampler=sampling.skipped(5)), sampling.skipped(5)),
    ):
        batches = sampling.drawn(model, torch.arange(5), sampler, batch=2)
        assert torch.equal(sampling.generate(model, 5, batch=2, **given), torch.cat(list(batches)))


def test_without_clipping_the_estimates_go_beyond_the_range(model):
    index = torch.arange(4)
    (clipped,), (free,) = (
        list(sampling.drawn(model, index, sampling.respaced(6), clip=c)) for c in (True, False)
    )
    assert not torch.equal(clipped, free)


# ------------------------------------------------------------------- EDM


def edm_model(model):
    """The same network as an EDM model, which walks Karras' grid."""
    net = model.denoiser.net
    denoiser = denoisers.Denoiser(net, denoisers.edm, denoisers.rescaled(torch.log))
    return Model(denoiser, schedules.karras(), schedules.log_normal(), model.card)


@pytest.mark.parametrize("heun", [True, False])
@pytest.mark.parametrize("grid", [None, schedules.log_logistic(0.3)])
def test_edm_is_the_sampler_called_by_hand(model, heun, grid):
    """From sigma_max n, on the model's own levels or on those of another grid."""
    model, index = edm_model(model), torch.arange(4)
    (got,) = sampling.drawn(model, index, sampling.edm(6, heun, grid), seed=2)
    sigmas = schedules.levels(grid or schedules.karras(), 6)
    x = float(sigmas[0]) * start(index, 2)
    want = (samplers.heun if heun else samplers.ddim)(denoisers.clipped(model.denoiser), x, sigmas)
    assert torch.equal(got, to_uint8(want))
    other = sampling.edm(6, not heun, grid), sampling.edm(6, heun, schedules.log_uniform())
    assert not any(torch.equal(got, next(sampling.drawn(model, index, o, seed=2))) for o in other)


def test_edm_passes_churn_on(model):
    """All four settings, with noise of (seed, index); without S_churn none is drawn."""
    model, index = edm_model(model), torch.arange(3)
    churn = dict(S_churn=20.0, S_min=0.1, S_max=10.0, S_noise=1.1)
    (got,) = sampling.drawn(model, index, sampling.edm(6, **churn), seed=4)
    sigmas = schedules.levels(schedules.karras(), 6)
    settings = dict(heun=True, noise=samplers.seeded_noise(4, index))
    x, D = 80 * start(index, 4), denoisers.clipped(model.denoiser)
    assert torch.equal(got, to_uint8(samplers.sample(D, x, sigmas, **settings, **churn)))
    for name, value in dict(S_churn=1.0, S_min=1.0, S_max=3.0, S_noise=0.5).items():
        other = sampling.edm(6, **churn | {name: value})
        assert not torch.equal(got, next(sampling.drawn(model, index, other, seed=4))), name

    def silent(step, x):
        raise AssertionError("no noise was asked for")

    sampling.edm(3)(model.denoiser, model.schedule, start(index), silent)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_evaluations_of_edm(model, steps):
    """Heun 2 steps - 1, Euler as many as steps: counted."""
    calls = []
    D = lambda x, sigma: calls.append(float(sigma)) or 0 * x  # noqa: E731
    for heun, want in ((True, 2 * steps - 1), (False, steps)):
        calls.clear()
        z, noise = start(torch.arange(1)), samplers.seeded_noise(0, torch.arange(1))
        sampling.edm(steps, heun)(D, schedules.karras(), z, noise)
        assert len(calls) == want and calls[0] == 80


def test_edm_walks_the_levels_of_a_ddpm_table(model):
    index = torch.arange(2)
    (got,) = sampling.drawn(model, index, sampling.edm(5))
    sigmas = schedules.levels(model.schedule, 5)
    x = float(sigmas[0]) * start(index)
    assert torch.equal(got, to_uint8(samplers.heun(denoisers.clipped(model.denoiser), x, sigmas)))


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_respaced_sampler_walks_a_grid_without_timesteps(model, eta):
    """`sample` and `measure` draw from EDM models so."""
    model, index = edm_model(model), torch.arange(3)
    (got,) = sampling.drawn(model, index, sampling.respaced(5, eta))
    sigmas = schedules.levels(schedules.karras(), 5)
    x = (80**2 + 1) ** 0.5 * start(index)
    want = samplers.sample(
        denoisers.clipped(model.denoiser), x, sigmas, eta=eta, noise=samplers.seeded_noise(0, index)
    )
    assert torch.equal(got, to_uint8(want))


@pytest.mark.parametrize(
    "labels, message",
    [
        (torch.tensor([0]), "2 images need 2 labels, got 1"),
        (torch.tensor([0, 3]), "run from 0 to 3, but the model knows 3 classes"),
        (torch.tensor([-1, 0]), "run from -1 to 0"),
    ],
)
def test_wrong_labels(model, labels, message):
    with pytest.raises(ValueError, match=message):
        next(sampling.drawn(model, torch.arange(2), sampling.respaced(2), labels=labels))


# ------------------------------------------------------------------- conditions and sizes


@pytest.fixture(scope="module")
def conditional():
    """A model of 8 x 12 pixels that draws beside two channels, in three classes."""
    torch.manual_seed(0)
    net = UNet(channels=(16, 16), blocks=1, attention=(False, False), classes=3, cond_channels=2)
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.1)
    schedule = schedules.Discrete(schedules.linear_betas(50))
    denoiser = denoisers.Denoiser(net, denoisers.eps, schedule.t)
    return Model(denoiser, schedule, schedule, {"size": [8, 12]})


GENERATOR = torch.Generator().manual_seed(0)
COND = torch.randint(0, 256, (5, 2, 8, 12), generator=GENERATOR, dtype=torch.uint8)


@pytest.mark.parametrize("labels", [None, torch.arange(5) % 3])
def test_each_image_is_drawn_beside_its_condition(conditional, labels):
    """As by hand with one image a time; whole numbers are taken to [-1, 1]."""
    settings = dict(seed=3, labels=labels, scale=2.0 if labels is not None else 1.0)
    walk = sampling.respaced(4)
    got = torch.cat(
        list(sampling.drawn(conditional, torch.arange(5), walk, cond=COND, batch=2, **settings))
    )
    assert got.shape == (5, 3, 8, 12)
    sigmas = schedules.levels(conditional.schedule, 4)
    for i in range(5):
        c, D = to_float(COND[i : i + 1]), conditional.denoiser
        denoise = lambda x, sigma, c=c: conditional.denoiser(x, sigma, cond=c)  # noqa: E731
        if labels is not None:
            denoise = denoisers.guided(D, labels[i : i + 1], 2.0, 3, cond=c)
        z = rng.normal(3, 0, torch.tensor([i]), (3, 8, 12), rng.START)
        x = samplers.sample(denoisers.clipped(denoise), samplers.start(sigmas, z), sigmas)
        assert (got[i].int() - to_uint8(x)[0].int()).abs().max() <= 1  # other batches
    as_floats = sampling.generate(conditional, 5, sampler=walk, cond=to_float(COND), **settings)
    assert (got.int() - as_floats.int()).abs().max() <= 1
    other = sampling.generate(conditional, 5, sampler=walk, cond=COND.flip(0), **settings)
    assert (got.int() - other.int()).abs().max() > 5


@pytest.mark.parametrize(
    "cond", [None, COND[:1], COND[:2, :1], COND[:2, :, :, :8], COND[:2].transpose(2, 3)]
)
def test_conditions_that_do_not_fit(conditional, cond):
    got = "None" if cond is None else re.escape(str(tuple(cond.shape)))
    with pytest.raises(
        ValueError, match=rf"2 images beside conditions of shape \(2, 2, 8, 12\), got {got}"
    ):
        next(sampling.drawn(conditional, torch.arange(2), sampling.respaced(2), cond=cond))


def test_a_model_without_conditions_takes_none(model):
    with pytest.raises(ValueError, match="takes no condition beside an image, got"):
        next(sampling.drawn(model, torch.arange(5), sampling.respaced(2), cond=COND))


def test_seed_and_label_change_the_images(model):
    zero, one = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    base = sampling.generate(model, 4, steps=6, labels=zero)
    assert torch.equal(base, sampling.generate(model, 4, steps=6, labels=zero))
    assert not torch.equal(base, sampling.generate(model, 4, steps=6, labels=one))
    assert not torch.equal(base, sampling.generate(model, 4, steps=6, labels=zero, seed=1))


def test_images_do_not_depend_on_the_batch(model):
    labels = torch.tensor([0, 1, 2, 0, 1])
    whole = sampling.generate(model, 5, steps=6, eta=1.0, labels=labels, scale=2.0)
    split = sampling.generate(model, 5, steps=6, eta=1.0, labels=labels, scale=2.0, batch=2)
    assert whole.shape == (5, 3, 8, 8) and whole.dtype == torch.uint8
    assert (whole.int() - split.int()).abs().max() <= 1  # rounding of the convolutions


def test_calls_of_a_network_are_counted_and_told_now_and_then(monkeypatch):
    now, said, net = [0.0], [], torch.nn.Identity()
    monkeypatch.setattr(sampling.pace.time, "monotonic", lambda: now[0])
    for of in (None, 40):
        with sampling.counted(net, said.append, "a walk", of):
            for _ in range(7):
                now[0] += 4.0
                net(torch.zeros(2))
        net(torch.zeros(2))
    assert said[:2] == ["a walk: 6 so far", "a walk: 12 so far"]
    assert said[2:] == ["a walk: 15%, 68 s left", "a walk: 30%, 56 s left"]
    assert not net._forward_hooks


@pytest.mark.fault("out of memory")
def test_images_that_the_memory_does_not_hold_are_drawn_by_fewer(model, monkeypatch):
    want = sampling.generate(model, 5, steps=3)
    forward, most = type(model.denoiser.net).forward, 2

    def small(self, x, *given):
        if len(x) > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, x, *given)

    monkeypatch.setattr(type(model.denoiser.net), "forward", small)
    with pytest.warns(UserWarning, match="they are drawn 2 by 2"):
        got = sampling.generate(model, 5, steps=3, batch=4)
    assert (got.int() - want.int()).abs().max() <= 1
    most = 0
    with pytest.warns(UserWarning), pytest.raises(torch.OutOfMemoryError):
        sampling.generate(model, 5, steps=3, batch=2)
