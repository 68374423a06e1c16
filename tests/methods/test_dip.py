"""Deep Image Prior: what enters the loss, what is remembered, when it stops, and that it works."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from diffutils import rng
from diffutils.course.runs.recorded_fit import recorded_optimise
from diffutils.methods import dip
from diffutils.methods.skipnet import SkipNet

SIZE = (16, 16)
ALL = torch.ones(1, 1, *SIZE, dtype=torch.bool)


def prior(size=SIZE, channels=(8, 8), z=None, out=3, **settings):
    torch.manual_seed(0)
    z = dip.noise_input(4, size, 0) if z is None else z
    return dip.Prior(SkipNet(z.shape[1], out, channels, skip=2), z, **settings)


def image(size=SIZE, seed=1, channels=3):
    """Smooth colours within 0.8."""
    g = torch.Generator().manual_seed(seed)
    coarse = 1.6 * torch.rand(1, channels, 4, 4, generator=g) - 0.8
    return F.interpolate(coarse, size, mode="bilinear")


def fitted(net, y=None, steps=6, log_every=1, **settings):
    y = image() if y is None else y
    return list(dip.fit(net, y, steps=steps, log_every=log_every, **settings))


def equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def weights(net):
    return dict(net.net.state_dict())


# ------------------------------------------------------------------- the input


def test_the_input_is_uniform_up_to_a_tenth_and_follows_from_the_seed():
    z = dip.noise_input(8, (32, 48), 3)
    assert z.shape == (1, 8, 32, 48) and float(z.min()) >= 0 and float(z.max()) < 0.1
    assert float(z.mean()) == pytest.approx(0.05, abs=0.001)
    assert float(z.std()) == pytest.approx(0.1 / math.sqrt(12), rel=0.02)
    assert torch.equal(z, dip.noise_input(8, (32, 48), 3))
    assert not torch.equal(z, dip.noise_input(8, (32, 48), 4))


def test_jitter_follows_from_seed_and_step_and_stays_out_of_evaluation():
    """Of a network that changes nothing, standard deviation 1/30 to 5 %."""
    z = dip.noise_input(3, (32, 32), 0)
    net = dip.Prior(nn.Identity(), z, seed=5)
    a, b = net(0) - z, net(1) - z
    assert float(a.std()) == pytest.approx(1 / 30, rel=0.05) and not torch.equal(a, b)
    assert torch.equal(net(0) - z, a)
    assert not torch.equal(dip.Prior(nn.Identity(), z, seed=6)(0) - z, a)
    assert torch.equal(dip.Prior(nn.Identity(), z, jitter=0.0)(7), z)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    assert torch.equal(net.eval()(9), z) and equal(net.state_dict(), before)


# ------------------------------------------------------------------- what is remembered


def outputs(n, window, **settings):
    """n outputs, and the prior that has seen them."""
    net = prior(window=window, jitter=0.5, **settings)
    return np.stack([net(k).detach().numpy()[0] for k in range(n)]).astype(np.float64), net


@pytest.mark.parametrize("n", [1, 2, 30])
def test_the_average_has_no_bias_to_the_first_output(n):
    """Weights decay^(n - 1 - k), divided by their sum: 1e-5."""
    seen, net = outputs(n, window=2, decay=0.9)
    weight = 0.9 ** np.arange(n)[::-1]
    want = (weight[:, None, None, None] * seen).sum(0) / weight.sum()
    np.testing.assert_allclose(net.average[0].numpy(), want, atol=1e-5)
    np.testing.assert_array_equal(net.output()[0].numpy(), seen[-1])


def test_the_windowed_variance_is_that_of_the_last_outputs():
    """numpy.var over the window, for each of 23 steps: relative 1e-5; None while it fills."""
    net, seen = prior(window=10, jitter=0.5), []
    for k in range(23):
        seen.append(net(k).detach().numpy().astype(np.float64))
        if k < 9:
            assert net.variance() is None
        else:
            want = np.var(np.stack(seen[-10:]), axis=0).mean()
            assert net.variance() == pytest.approx(want, rel=1e-5) and want > 1e-3


def test_records_hold_copies_of_the_images_and_the_variance():
    net = prior(window=3)
    records = fitted(net, steps=5)
    assert [r.variance is None for r in records] == [True, True, False, False, False]
    assert all(r.average.shape == r.output.shape == (1, 3, *SIZE) for r in records)
    assert not torch.equal(records[0].output, records[1].output)
    assert not torch.equal(records[1].average, records[2].average)
    assert torch.equal(records[-1].average, net.average)
    assert not any(r.average.requires_grad or r.output.requires_grad for r in records)


def test_the_output_becomes_the_input_every_other_step():
    """aSeqDIP: z changes before steps 2 and 4, to the outputs of steps 1 and 3."""
    y = image()
    net = prior(z=y, jitter=0.0, every=2)
    inputs, records = [], []
    for record in dip.fit(net, y, steps=5, log_every=1, pull=1.0):
        inputs.append(net.z.clone())
        records.append(record)
    assert torch.equal(inputs[0], y) and torch.equal(inputs[1], y)
    assert torch.equal(inputs[2], records[1].output) and torch.equal(inputs[3], inputs[2])
    assert torch.equal(inputs[4], records[3].output)


# ------------------------------------------------------------------- what enters the loss


@pytest.mark.parametrize("fraction, count", [(0.05, 8), (0.5, 78)])
def test_held_out_pixels_are_that_part_of_the_seen_ones(fraction, count):
    seen = ALL.clone()
    seen[..., :6, :] = False  # six rows of 16, and four more pixels: 156 are left
    seen[..., 6, :4] = False
    held = dip.hold_out(seen, fraction, 0)
    assert held.shape == seen.shape and int(held.sum()) == count and not bool((held & ~seen).any())
    assert torch.equal(held, dip.hold_out(seen, fraction, 0))
    assert not torch.equal(held, dip.hold_out(seen, fraction, 1))


def changed(y, where):
    return torch.where(where, -y, y)


def trained(y, **settings):
    net = prior()
    records = fitted(net, y, **settings)
    return weights(net), [r.heldout for r in records], [r.loss for r in records]


@pytest.mark.parametrize("part", [None, 0.5])
def test_held_out_and_unseen_pixels_never_reach_the_weights(part):
    """Other values there: the same weights, bit for bit; one fitted pixel: other weights."""
    y = image()
    seen = ALL if part is None else rng.uniform(0, 0, torch.arange(1), 256).view(ALL.shape) < part
    held = dip.hold_out(seen, 0.05, 0)
    run = partial(trained, seen=None if part is None else seen)
    before, errors, losses = run(y)
    after, other, same = run(changed(y, held))
    assert equal(before, after) and losses == same and errors != other
    after, same, _ = run(changed(y, ~seen))
    assert equal(before, after) and errors == same
    one = torch.zeros_like(seen)
    one.view(-1)[(seen & ~held).flatten().nonzero()[0]] = True
    assert not equal(before, run(changed(y, one))[0])


@pytest.mark.parametrize(
    "A, kept",
    [
        (lambda x: x, None),
        (lambda x: x * (torch.arange(16) % 2), torch.arange(16).expand(ALL.shape) % 2 == 1),
        (partial(F.avg_pool2d, kernel_size=4), None),
    ],
    ids=["denoising", "inpainting", "super-resolution"],
)
def test_the_loss_and_the_held_out_error_are_written_out(A, kept):
    """Mean squares over the fitted and over the held-out numbers: relative 1e-6."""
    y = A(image())
    seen = torch.ones_like(y[:, :1], dtype=torch.bool) if kept is None else kept
    held = dip.hold_out(seen, 0.1, 0)
    net = prior()
    (record,) = fitted(net, y, A=A, seen=kept, fraction=0.1, steps=1)
    made, true = A(record.output).numpy(), y.numpy()
    for mask, got in ((seen & ~held, record.loss), (held, record.heldout)):
        where = np.broadcast_to(mask.numpy(), true.shape)
        want = np.mean((made[where].astype(np.float64) - true[where]) ** 2)
        assert got == pytest.approx(want, rel=1e-6)


def test_the_pull_adds_the_distance_of_output_and_input():
    y = image()
    net = prior(z=y, jitter=0.0)
    found = {
        pull: float(dip.data_loss(y, lambda x: x, ALL, pull)(net, 0, torch.arange(1)).detach())
        for pull in (0.0, 3.0)
    }
    extra = (net(0) - y).square().mean()
    assert found[3.0] - found[0.0] == pytest.approx(3 * float(extra.detach()), rel=1e-5)


# ------------------------------------------------------------------- the run


def numbers(record):
    return record.step, record.loss, record.heldout, record.variance, record.grad_norm


@pytest.mark.parametrize("kind", ["plain", "aSeqDIP"])
def test_a_resumed_run_is_the_same_run(kind):
    """Bit for bit: weights, buffers, losses, held-out errors, variances and images."""
    y = image()
    own = dict(z=y, every=2, jitter=0.0) if kind == "aSeqDIP" else {}
    pull = 1.0 if own else 0.0
    whole, net = [], prior(window=3, **own)
    for record in dip.fit(net, y, steps=12, log_every=1, pull=pull):
        whole.append(record)
        if record.step == 5:
            state = record.state()
    other = prior(window=3, **own)
    resumed = fitted(other, y, steps=12, state=state, pull=pull)
    assert [*map(numbers, resumed)] == [*map(numbers, whole[5:])]
    assert all(torch.equal(a.average, b.average) for a, b in zip(whole[5:], resumed, strict=True))
    assert equal(net.state_dict(), other.state_dict())
    again = prior(window=3, **own)
    assert [*map(numbers, fitted(again, y, steps=12, pull=pull))] == [*map(numbers, whole)]


def test_another_seed_is_another_run():
    a, b = (fitted(prior(seed=seed))[-1] for seed in (0, 1))
    assert a.loss != b.loss and a.heldout != b.heldout


def test_a_recorded_run_goes_on_from_its_folder(tmp_path):
    """In two parts as in one: the same records, and the same buffers at the end."""
    y, held = image(), dip.hold_out(ALL, 0.05, 0)

    def records(name, stop=99):
        net = prior(window=3)
        loss = dip.data_loss(y, torch.nn.Identity(), ALL & ~held)
        heldout = dip.heldout_loss(y, torch.nn.Identity(), held)
        settings = dip.LOOP | dict(steps=9, batch=1, log_every=1, heldout=heldout, save_every=0)
        run = recorded_optimise(tmp_path / name, net, loss, say=lambda line: None, **settings)
        out = []
        for r in run:
            out.append((r.step, r.loss, r.heldout))
            last = r
            if r.step == stop:
                break
        return out, last.ema

    whole, ema = records("whole")
    records("parts", stop=4)
    parts, again = records("parts")
    assert parts == whole and equal(ema.state_dict(), again.state_dict())
    replayed, last = records("parts")
    assert replayed == whole and torch.equal(last.average, ema.average)
    assert last.variance() == ema.variance()


# ------------------------------------------------------------------- where it stops


@pytest.mark.parametrize(
    "curve, patience, best, over",
    [
        ([3.0, 2.0, 1.0, 2.0, 3.0], 2, 2, True),
        ([3.0, 2.0, 1.0, 2.0, 3.0], 3, 2, False),
        ([3.0, 2.0, 2.5, 2.6, 1.0, 0.5], 2, 1, True),  # never sees the second valley
        ([3.0, 2.0, 2.5, 2.6, 1.0, 0.5], 3, 5, False),
        ([1.0, 1.0, 1.0], 2, 0, True),  # no less is not less
        ([None, None, 5.0, 4.0, 6.0], 1, 3, True),
        ([None, None, None, 4.0], 1, 3, False),  # the wait begins with the first value
        ([2.0], 1, 0, False),
    ],
)
def test_early_stop(curve, patience, best, over):
    assert dip.early_stop(curve, patience) == best
    assert dip.stops(curve, patience) is over


def test_a_run_that_stops_on_the_way_stops_where_the_whole_curve_says():
    curve = (np.sin(np.arange(60) / 4) + np.arange(60) / 50).tolist()
    for patience in (1, 5, 20, 40):
        so_far = []
        for value in curve:
            so_far.append(value)
            if dip.stops(so_far, patience):
                break
        assert dip.early_stop(so_far, patience) == dip.early_stop(curve, patience)


def test_no_value_is_no_stop():
    assert not dip.stops([], 1) and not dip.stops([None, None], 1)
    with pytest.raises(ValueError, match="none of the 2 records has a value"):
        dip.early_stop([None, None], 1)


# ------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "settings, said",
    [
        (dict(window=0), "window and every must be at least 1, got 0 and 1"),
        (dict(every=0), "window and every must be at least 1, got 100 and 0"),
        (dict(jitter=-0.1), "jitter is -0.1, expected a finite number of at least 0"),
        (dict(decay=1.0), "decay is 1.0"),
        (dict(every=2), r"the output \(1, 3, 16, 16\) cannot become the input \(1, 4, 16, 16\)"),
    ],
)
def test_settings_of_a_prior_that_do_not_fit_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        prior(**settings)


@pytest.mark.parametrize(
    "settings, said",
    [
        (dict(y=image((8, 8))), r"A makes \(1, 3, 16, 16\) of .* but y is \(1, 3, 8, 8\)"),
        (dict(y=image(channels=1)), "give the network the size and channels"),
        (dict(y=image() * math.nan), "y holds numbers that are not finite; put 0"),
        (dict(seen=ALL[..., :8]), r"seen .* bool \(1, 1, 16, 16\), got torch.bool \(1, 1, 16, 8\)"),
        (dict(seen=~ALL), "holds out 0 of 0 observed pixels"),
        (dict(fraction=0.001), "a fraction of 0.001 holds out 0 of 256"),
        (dict(fraction=1.0), "holds out 256 of 256"),
        (dict(fraction=1.5), "fraction is 1.5"),
        (dict(pull=-1.0), "pull is -1.0"),
        (dict(pull=1.0), r"z is \(1, 4, 16, 16\) and the image \(1, 3, 16, 16\); to pull"),
        (dict(steps=0), "steps.* must be at least 1, got 0"),
    ],
)
def test_observations_that_do_not_fit_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        fitted(prior(), **settings)


# ------------------------------------------------------------------- that it works


def test_an_image_is_fitted_before_noise_is():
    """After 60 steps more than nine tenths of the image's energy, less than half of the noise's."""
    size, left = (32, 32), {}
    noise = 0.4 * rng.normal(0, 0, torch.arange(1), (3, *size))
    for name, y in (("image", image(size)), ("noise", noise)):
        record = fitted(prior(size, (16, 16, 16)), y, steps=60, log_every=10)[-1]
        left[name] = record.loss / float((y - y.mean((2, 3), keepdim=True)).square().mean())
    assert left["image"] < 0.1 and left["noise"] > 0.5


def test_noise_is_removed_and_the_rule_stops_near_the_best():
    """+9 dB at the held-out stop, within 1.5 dB of the best; the last image is further off."""
    size = (32, 32)
    x = image(size)
    y = x + 50 / 255 * rng.normal(0, 0, torch.arange(1), (3, *size))
    records = fitted(prior(size, (16, 16, 16)), y, steps=400, log_every=10)
    errors = [float((r.average - x).square().mean()) for r in records]
    gains = [10 * math.log10(float((y - x).square().mean()) / e) for e in errors]
    stop = dip.early_stop([r.heldout for r in records], 20)
    assert gains[stop] > 9 and gains[stop] > max(gains) - 1.5
    assert gains[-1] < max(gains) - 1.5


def test_missing_pixels_are_filled_in():
    """Half the pixels of a smooth image, without noise: the rest to 20 dB of its energy."""
    size = (32, 32)
    x = image(size)
    seen = rng.uniform(1, 0, torch.arange(1), 32 * 32).view(1, 1, *size) < 0.5
    y = torch.where(seen, x, 0)
    record = fitted(prior(size, (16, 16, 16)), y, seen=seen, steps=300, log_every=50)[-1]
    error = torch.where(seen, 0, record.average - x).square().sum()
    assert float(error) < 0.01 * float(torch.where(seen, 0, x).square().sum())
