"""A GPU that is not there is still tested: nothing mixes devices, and no loop waits for numbers.

Every path runs on a pretended GPU (see `pretended_gpu`).  Its first turn is free, since tables and
filters are copied once; from the second on nothing may wait.
"""

from collections import deque
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from pretended_gpu import pretended_gpu
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException
from torch.nn import functional as F

from diffutils import denoisers, loop, resample, rng, samplers, schedules, training
from diffutils.course.experiments import sampling
from diffutils.data import to_float, to_uint8
from diffutils.denoisers import Denoiser, clipped, guided
from diffutils.lessons.lesson05.inputs import triples
from diffutils.methods import consistency, dip, equivariance, posterior, refine, rotating, textbook
from diffutils.methods.guidance import guided_twice
from diffutils.methods.skipnet import SkipNet
from diffutils.metrics import classifiers, distances, similarity, streaming
from diffutils.unet import UNet
from diffutils.weights import surroundings
from diffutils.weights.models import Model

pytestmark = [
    pytest.mark.skipif(
        not torch.backends.cuda.is_built(), reason="a CPU build of torch cannot index on a GPU"
    ),
    # The loop copies the network, and torch looks whether a fake weight has a memory.
    pytest.mark.filterwarnings("ignore:Accessing the data pointer of FakeTensor"),
]
CUDA = torch.device("cuda")
BETAS = schedules.linear_betas(50)
LEVELS = schedules.levels(schedules.Discrete(BETAS), 3)


class Reported(Exception):
    """The loop wants numbers for its record: until here nothing waited."""


@pytest.fixture
def gpu(monkeypatch):
    """The pretended GPU; filters that were made on it are forgotten."""
    monkeypatch.setattr(resample, "KEPT", SimpleNamespace())
    with pretended_gpu() as gpu:
        yield gpu


@pytest.fixture
def reported(gpu, monkeypatch):
    """A function: trains two steps, and wants to be stopped where the loop reports.

    Backward needs a real GPU, so the gradients are zeros; the second step may not wait.
    """

    def backward(loss):
        assert loss.device.type == "cuda" and loss.dtype == torch.float32 and loss.requires_grad
        for weight in weights:
            weight.grad = torch.zeros_like(weight)
        gpu.hot = True

    def gather(bad):
        raise Reported

    def prepare(net, optimizer):
        weights.extend(net.parameters())
        return net, optimizer

    weights = []
    stand_in = SimpleNamespace(device=CUDA, num_processes=1, process_index=0, prepare=prepare)
    stand_in.backward, stand_in.gather = backward, gather
    stand_in.clip_grad_norm_ = torch.nn.utils.clip_grad_norm_
    monkeypatch.setattr(surroundings, "accelerator", lambda: stand_in)

    def train(fit, *given, **settings):
        with pytest.raises(Reported):
            next(fit(*given, steps=2, log_every=2, **settings))

    return train


class Least(torch.nn.Module):
    """The least network that takes all that a U-Net takes: a fake U-Net takes its time."""

    def __init__(self, classes=0, cond_channels=0):
        super().__init__()
        self.in_channels, self.classes, self.cond_channels = 3, classes, cond_channels
        self.class_embedding = torch.nn.Embedding(classes + 1, 3)
        self.conv_out = torch.nn.Conv2d(3 + cond_channels, 3, 1)

    def forward(self, x, c_noise, labels=None, cond=None):
        x = x + c_noise[:, None, None, None]
        x = x if labels is None else x + self.class_embedding(labels)[..., None, None]
        return self.conv_out(x if cond is None else torch.cat([x, cond], 1))


def denoiser(net=None, **least) -> Denoiser:
    """One on the GPU, of any network."""
    net = net or Least(**least)
    return Denoiser(net, denoisers.eps, schedules.Discrete(BETAS).t).to(CUDA).eval()


def images(n=2, channels=3, side=8):
    """Some on the GPU."""
    return torch.randn(n, channels, side, side, device=CUDA)


def watched(D, look) -> list:
    """What look says of the network's output, one entry a call from now on."""
    seen = []
    D.net.conv_out.register_forward_hook(lambda layer, given, out: seen.append(look(out)))
    return seen


def check(found, like):
    """It lies on the GPU, in the type and shape of another."""
    assert (found.device, found.dtype, found.shape) == (like.device, like.dtype, like.shape)


# ------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "bad, why",
    [
        (lambda x: x.sum().item(), "_local_scalar_dense"),
        (lambda x: float(x.mean()), "_local_scalar_dense"),
        (lambda x: x.tolist(), "_local_scalar_dense"),
        (lambda x: 1 if (x > 0).any() else 0, "_local_scalar_dense"),
        (lambda x: x[x > 0], "nonzero"),
        (lambda x: x + torch.ones(8), "mixes"),
        (lambda x: x[torch.tensor([0])], "mixes"),
        (lambda x: x.cpu(), "waits"),
        (lambda x: x.to("cpu", non_blocking=True), "waits"),
        (lambda x: torch.ones(8).to(x.device), "waits"),
        (lambda x: x.new_tensor(0.5), "waits"),
        (lambda x: torch.ones(8).copy_(x[0, 0, 0]), "waits"),
    ],
)
def test_what_waits_or_mixes_is_refused(gpu, bad, why):
    x, gpu.hot = images(), True
    refused = (AssertionError, DataDependentOutputException, DynamicOutputShapeException)
    with pytest.raises(refused, match=why):
        bad(x)


def test_what_a_gpu_takes_without_waiting_is_allowed(gpu):
    x, gpu.hot = images(), True
    check(x * torch.tensor(2.0) + torch.ones(8).to(CUDA, non_blocking=True), x)
    assert torch.arange(3).tolist() == [0, 1, 2]  # the CPU is real


# ------------------------------------------------------------------- random numbers, conversions


@pytest.mark.parametrize("stream", range(9))
def test_random_numbers(gpu, stream):
    index, gpu.hot = torch.arange(2, device=CUDA), True
    check(rng.uniform(2**63, 1, index, 3, stream), torch.empty(2, 3, device=CUDA))
    check(rng.normal(2**63, 1, index, (3, 3), stream), torch.empty(2, 3, 3, device=CUDA))


def test_conversions(gpu):
    x, gpu.hot = images(), True
    check(to_float(to_uint8(x)), x)


# ------------------------------------------------------------------- training


def half_as_bright(x0, cond, k, slots):
    return 0.5 * x0, 0.5 * cond


LABELLED = {"labels": [0, 1, 2, 0, 1, 2]}
BESIDE = {"cond": torch.zeros(6, 1, 8, 8, dtype=torch.uint8)}
BENT = triples.recipe(("warp", "published", "turn"), seed=0, turned=30.0)
TRAINED = {
    "plain": {"schedule": schedules.log_normal()},
    "bf16": {"bf16": True, "flip": True},
    "labels, a condition, bf16": LABELLED | BESIDE | {"bf16": True, "label_dropout": 0.5},
    "labels, a condition": LABELLED | BESIDE | {"flip": True},
    "augmented": BESIDE | {"augment": half_as_bright},
    "weighted": {"weight": lambda sigma: 1 / (1 + sigma**2), "distance": torch.abs},
    "bent, recoloured, dropped": {"cond": torch.zeros(6, 4, 8, 8), "augment": BENT},
}


@pytest.mark.parametrize("settings", TRAINED.values(), ids=TRAINED)
def test_a_step_of_training(gpu, reported, settings):
    schedule, data = schedules.Discrete(BETAS), torch.zeros(6, 3, 8, 8, dtype=torch.uint8)
    settings = {"schedule": schedule, "bf16": False, "batch": 4, "warmup": 1} | settings
    kind = partial(UNet, channels=(8,), blocks=1, attention=(True,)) if settings["bf16"] else Least
    beside = settings["cond"].shape[1] if "cond" in settings else 0
    D = denoiser(kind(classes=3 if "labels" in settings else 0, cond_channels=beside))
    types = watched(D, lambda out: out.dtype)
    reported(training.fit, D, data, **settings)
    assert types == [torch.bfloat16 if settings["bf16"] else torch.float32] * 2


def test_the_heldout_loss_waits_once(gpu):
    D, data = denoiser(), torch.zeros(5, 3, 8, 8, dtype=torch.uint8)
    schedule, calls = schedules.log_normal(), watched(D, len)
    D(images(), LEVELS[0])
    gpu.hot = True
    with pytest.raises(DataDependentOutputException):
        training.heldout_loss(D, data, schedule, batch=2)
    assert calls == [2, 2, 2, 1]


def test_the_average_of_weights(gpu):
    nets = [torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4)) for _ in "ab"]
    average, net = (net.to(CUDA) for net in nets)
    gpu.hot = True
    loop.ema_update(average, net, 0.999)
    check(average[0].weight, net[0].weight)


# ------------------------------------------------------------------- networks


def resampled(name, padding):
    """Settings of a network whose resampling is filtered."""
    layers = dict(down=partial(resample.Down, name), up=partial(resample.Up, name))
    return layers | dict(padding=padding)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"attention": (True, True)},
        {"classes": 3, "cond_channels": 2},
        {"padding": "circular", "kernel": 5},
        {"down": resample.MaxDown, "up": resample.Bilinear},
        {"act": partial(resample.Filtered, F.gelu, "ideal")},
        resampled("ideal", "circular"),
        resampled("kaiser", "zeros"),
        resampled("jinc", "circular"),
        resampled("published", "zeros"),
    ],
)
def test_a_network(gpu, settings):
    unet = dict(channels=(8, 16), blocks=1, attention=(False, False)) | settings
    D, x = denoiser(UNet(**unet)), images()
    beside = {"labels": torch.arange(2, device=CUDA)} if "classes" in settings else {}
    beside |= {"cond": images(channels=2)} if "cond_channels" in settings else {}
    D(x, LEVELS[0], **beside)
    gpu.hot = True
    check(samplers.ddim(partial(D, **beside), x, LEVELS[2:]), x)


@pytest.mark.parametrize("coefficients", [denoisers.eps, denoisers.x0, denoisers.v, denoisers.edm])
def test_coefficients_and_what_the_network_is_told(gpu, coefficients):
    D, x, gpu.hot = denoiser(), images(), True
    D.coefficients, D.c_noise = coefficients, denoisers.rescaled(torch.log)
    check(D(x, LEVELS[0]), x)
    check(D(x, LEVELS[:2]), x)  # one for each image, from the CPU


# ------------------------------------------------------------------- samplers


def seeded():
    return samplers.seeded_noise(0, torch.arange(2, device=CUDA))


def last(walk):
    return deque(walk, maxlen=1).pop()


def textbook_walk(D, x):
    plan = textbook.respaced(BETAS, schedules.trailing(50, 3))
    return last(textbook.walk(D, x, plan, textbook.ddim(0.5)))


WALKS = {
    "ddim": lambda D, x: samplers.ddim(D, x, LEVELS),
    "ddpm": lambda D, x: samplers.ddpm(D, x, LEVELS),
    "ddpm, beta": lambda D, x: samplers.ddpm(D, x, LEVELS, variance=samplers.beta),
    "eta": lambda D, x: samplers.sample(D, x, LEVELS, eta=0.5, noise=seeded()),
    "heun": lambda D, x: samplers.heun(D, x, LEVELS),
    "churn": lambda D, x: samplers.heun(D, x, LEVELS, S_churn=4.0, S_noise=1.01),
    "euler, churn": lambda D, x: samplers.sample(D, x, LEVELS, S_churn=4.0, noise=seeded()),
    "order 2": lambda D, x: samplers.sample(D, x, LEVELS, order=2),
    "order 3": lambda D, x: samplers.sample(D, x, LEVELS, order=3),
    "order 4": lambda D, x: samplers.sample(D, x, LEVELS, order=4),
    "the rest": lambda D, x: samplers.sample(D, x, LEVELS, first=1),
    "with gradients": lambda D, x: last(samplers.trajectory(D, x, LEVELS, heun=True)),
    "learned levels": lambda D, x: last(
        samplers.trajectory(D, x, LEVELS.clone().requires_grad_(), eta=0.5)
    ),
    "after every step": lambda D, x: samplers.sample(
        D, x, LEVELS, after_step=lambda step: step.x_next + step.D.clamp(-1, 1)
    ),
    "up": lambda D, x: samplers.invert(D, x, LEVELS.flip(0)),
    "from an image": lambda D, x: samplers.sample(D, samplers.start(LEVELS, x, x0=x), LEVELS),
    "edm": lambda D, x: samplers.sample(D, samplers.start(LEVELS, x, False), LEVELS),
    "textbook": textbook_walk,
}


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_a_walk(gpu, walk):
    D, x = denoiser(), images()
    D(x, LEVELS[0])
    gpu.hot = True
    check(walk(D, samplers.start(LEVELS, x)), x)


def labels():
    return torch.arange(2, device=CUDA)


def twice(D, **settings):
    beside = [images(channels=1), images()]
    return guided_twice(lambda x, sigma, cond: D(x, sigma, cond=cond), *beside, **settings)


def consistent(D, operator):
    y = operator.A(images())
    return consistency.consistent(D, y, operator, 0.1, 0.5)


def seen():
    return torch.ones(8, 8, dtype=torch.bool, device=CUDA)


MIDDLE = (0.5 * float(LEVELS[1]), float(LEVELS[1]))  # the second level alone is inside
CLASSES, PAIR = {"classes": 3}, {"cond_channels": 4}
WRAPPED = {
    "clipped": (clipped, {}),
    "guided": (lambda D: guided(D, labels(), 2.0, 3), CLASSES),
    "not guided": (lambda D: guided(D, labels(), 1.0, 3), CLASSES),
    "labels ignored": (lambda D: guided(D, labels(), 0.0, 3), CLASSES),
    "guided at times": (lambda D: clipped(guided(D, labels(), 2.0, 3, MIDDLE)), CLASSES),
    "guided beside": (
        lambda D: guided(D, labels(), 2.0, 3, cond=images(channels=1)),
        CLASSES | {"cond_channels": 1},
    ),
    "guided twice": (lambda D: twice(D, w_s=1.5, w_r=2.0), PAIR),
    "sketch alone": (lambda D: twice(D, w_s=1.0, w_r=0.0), PAIR),
    "guided twice at times": (lambda D: twice(D, w_s=1.5, w_r=2.0, interval=MIDDLE), PAIR),
    "projected": (lambda D: twice(D, w_s=1.0, w_r=2.0, parallel=0.0), PAIR),
    "averaged": (equivariance.c4_averaged, {}),
    "all seen": (lambda D: consistent(D, consistency.plain()), {}),
    "part seen": (lambda D: consistent(D, consistency.masked(seen())), {}),
    "means seen": (lambda D: consistent(D, consistency.pooled(2)), {}),
}


@pytest.mark.parametrize("wrapper, net", WRAPPED.values(), ids=WRAPPED)
def test_a_wrapped_denoiser(gpu, wrapper, net):
    D, x = denoiser(**net), images()
    wrapped = wrapper(D)
    wrapped(x, LEVELS[0])
    gpu.hot = True
    check(samplers.ddim(wrapped, x, LEVELS[1:]), x)


@pytest.mark.parametrize("wrapper", ["guided", "guided at times", "guided twice", "projected"])
def test_a_level_for_each_image(gpu, wrapper):
    wrapper, net = WRAPPED[wrapper]
    x, sigma = images(), LEVELS[:2].to(CUDA)
    wrapped = wrapper(denoiser(**net))
    wrapped(x, sigma)
    gpu.hot = True
    check(wrapped(x, sigma), x)


@pytest.mark.parametrize(
    "exact",
    [
        lambda x: denoisers.point(x[0]),
        lambda x: denoisers.gaussian(0.1, 0.5),
        lambda x: denoisers.mixture(x[:, 0].abs(), x, x[:, 1].abs()),
        lambda x: denoisers.finite(x),
    ],
)
def test_an_exact_denoiser(gpu, exact):
    x = torch.randn(2, 6, device=CUDA)
    D, gpu.hot = exact(x), True
    check(samplers.heun(D, x, LEVELS), x)


@pytest.mark.parametrize(
    "sampler, settings",
    [
        (sampling.respaced(3, 1.0), {}),
        (sampling.edm(2), {"labels": torch.arange(5) % 3, "scale": 2.0}),
    ],
)
def test_images_are_drawn(gpu, sampler, settings):
    D = denoiser(classes=3)
    model = Model(D, schedules.Discrete(BETAS), None, {"size": 8})

    def hot(denoise, schedule, z, noise):
        denoise(z, LEVELS[0])
        gpu.hot = True
        x = sampler(denoise, schedule, z, noise)
        gpu.hot = False  # each batch of images ends on the CPU
        return x

    drawn = list(sampling.drawn(model, torch.arange(5), hot, batch=3, **settings))
    assert [(x.device.type, x.dtype, len(x)) for x in drawn] == [
        ("cpu", torch.uint8, n) for n in (3, 2)
    ]


# ------------------------------------------------------------------- methods


REFINED = {
    "all steps": {"walk": {"eta": 1.0}},
    "the last step": {"last": 1, "bounded": True},
    "ssim": {"distance": refine.clamped(refine.ssim_loss), "walk": {"heun": True}},
    "from the image": {"start": refine.from_inversion, "augment": half_as_bright},
}


@pytest.mark.parametrize("settings", REFINED.values(), ids=REFINED)
def test_a_step_of_refinement(gpu, reported, settings):
    data = torch.zeros(6, 3, 16, 16, dtype=torch.uint8)
    beside = torch.zeros(6, 1, 16, 16)
    D, settings = denoiser(cond_channels=1), {"batch": 2, "warmup": 1} | settings
    reported(refine.refine, D, data, beside, LEVELS[1:], **settings)


def test_the_heldout_loss_of_refinement_waits_once(gpu, reported, monkeypatch):
    def optimise(net, loss, *, heldout, **loop):
        gpu.hot = True
        heldout(net)

    monkeypatch.setattr(refine, "optimise", optimise)
    D, data = denoiser(), torch.zeros(5, 3, 8, 8, dtype=torch.uint8)
    D(images(), LEVELS[0])
    calls = watched(D, len)
    with pytest.raises(DataDependentOutputException):
        next(refine.refine(D, data, None, LEVELS[2:], heldout=data, batch=2))
    assert calls == [2, 2, 1]


def test_features_to_refine_by(gpu):
    net, x = classifiers.random_features().to(CUDA), images(side=16)
    gpu.hot = True
    check(refine.feature_loss(net.features)(x, x), torch.empty(2, device=CUDA))


@pytest.mark.parametrize("posterior_of", ["dps", "dps of a batch", "pigdm", "ddrm", "ddrm, low"])
def test_published_ways_to_the_posterior(gpu, monkeypatch, posterior_of):
    # A slope goes backward, which needs a real GPU; all around it runs.
    monkeypatch.setattr(torch.autograd, "grad", lambda out, x: (torch.zeros_like(x),))
    D, x, mask = denoiser(), images(), consistency.masked(seen())
    D(x, LEVELS[0])
    denoise, after = {
        "dps": lambda: posterior.dps(D, x, mask),
        "dps of a batch": lambda: posterior.dps(D, x, mask, per_batch=True),
        "pigdm": lambda: posterior.pigdm(D, x, mask, 0.1),
        "ddrm": lambda: (D, posterior.ddrm(x, mask, 0.1, seeded())),
        "ddrm, low": lambda: (D, posterior.ddrm(x, mask, 10.0, seeded())),
    }[posterior_of]()
    gpu.hot = True
    check(samplers.ddpm(denoise, x, LEVELS, after_step=after), x)


@pytest.mark.parametrize("estimate", [False, True])
@pytest.mark.parametrize("degrees", [90, 60.0, torch.tensor([30.0, 200.0])])
def test_samples_that_turn(gpu, degrees, estimate):
    D, x = denoiser(), images()
    D(x, LEVELS[0])
    after = rotating.turning(degrees, LEVELS, equivariance.rotated, estimate=estimate)
    gpu.hot = True
    check(samplers.ddpm(D, x, LEVELS, after_step=after), x)


def test_noise_is_turned_and_images_are_moved(gpu):
    x, gpu.hot = images(), True
    check(rotating.rotated_noise(x, 30.0, images(side=16)), x)
    check(equivariance.translated(x, 0.5, -1.25), x)
    check(equivariance.band_limited(x), x)


@pytest.mark.parametrize("pull, settings", [(0.1, {}), (0.0, {"jitter": 0.0, "every": 1})])
def test_a_step_of_a_deep_image_prior(gpu, reported, pull, settings):
    net = SkipNet(in_channels=3, channels=(4,), skip=2).to(CUDA)
    prior = dip.Prior(net, images(1), window=2, **settings).to(CUDA)
    loss = dip.data_loss(images(1), lambda x: x, seen()[None, None], pull)
    reported(loop.optimise, prior, loss, batch=1, **dip.LOOP)


# ------------------------------------------------------------------- features and distances


def test_features(gpu):
    net, x = classifiers.random_features().to(CUDA), images(5, side=16)
    found = classifiers.features(net, to_uint8(x).cpu(), batch=2)  # a batch ends on the CPU
    check(found, torch.empty(5, 128, dtype=torch.float64))
    gpu.hot = True
    check(net(x), torch.empty(5, 1, device=CUDA))


@pytest.mark.parametrize("convert", [lambda x: x, to_uint8])
@pytest.mark.parametrize(
    "similar",
    [
        similarity.psnr,
        similarity.ssim,
        partial(similarity.ssim, window="uniform"),
        similarity.ms_ssim,
    ],
)
def test_similarity(gpu, similar, convert):
    x, gpu.hot = convert(images(side=24)), True
    check(similar(x, x), torch.empty(2, dtype=torch.float64, device=CUDA))


def test_nearest(gpu):
    a, b, gpu.hot = images(5), images(6), True
    distance, index = distances.nearest(a, b, batch=2)
    check(distance, torch.empty(5, dtype=torch.float64, device=CUDA))
    check(index, torch.empty(5, dtype=torch.int64, device=CUDA))


def moments(a, b):
    """The Fréchet distance of what is gathered batch by batch, on the CPU."""
    gathered = streaming.Moments(), streaming.Moments()
    for each, rows in zip(gathered, (a, b), strict=True):
        for batch in rows.split(4):
            each.add(batch)
    return streaming.frechet(*gathered)


def reservoir(a, b):
    """A kernel distance of what is kept of the features, on the CPU."""
    kept = streaming.Reservoir(size=4)
    for batch in a.split(4):
        kept.add(batch)
    return distances.mmd(kept.features, b.cpu())


@pytest.mark.filterwarnings("ignore:a Fréchet distance of")
@pytest.mark.parametrize(
    "distance, ends_in",
    [
        (distances.frechet, "frechet_gaussians"),
        (distances.mmd, "mmd"),
        (distances.precision_recall, "covered"),
        (moments, "frechet_gaussians"),
        (reservoir, "mmd"),
    ],
)
def test_a_distance_waits_for_its_number_alone(gpu, monkeypatch, distance, ends_in):
    # A distance is a float, so it is tested up to that number; so is the look at the features
    # before it, whether they are finite, which is passed over here.
    monkeypatch.setattr(distances, "check_finite", lambda x: None)
    a, b = (torch.randn(10, 3, device=CUDA) for _ in range(2))
    with pytest.raises(DataDependentOutputException) as refused:
        distance(a, b)
    inside = [entry.name for entry in refused.traceback if "diffutils" in entry.path.parts]
    assert inside[-1] == ends_in
