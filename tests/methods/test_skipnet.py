"""The hourglass: sizes, what an output pixel sees, and what is refused."""

import pytest
import torch
from torch import nn

from diffutils.methods.skipnet import SkipNet

SMALL = dict(in_channels=3, channels=(4, 4), skip=2)


def made(seed=0, **settings):
    torch.manual_seed(seed)
    return SkipNet(**settings)


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (128, 64), (256, 256)])
def test_the_output_has_the_size_of_the_input_and_lies_within_one(size):
    net = made(in_channels=2, out_channels=1, channels=(4, 4, 4, 4))
    out = net(10 * torch.randn(1, 2, *size))
    assert out.shape == (1, 1, *size)
    assert float(out.detach().abs().max()) < 1


def test_the_default_has_two_fifths_of_a_million_weights_and_takes_32_pixels():
    net = made()  # the paper's, by the same code: 2,217,831
    assert sum(p.numel() for p in net.parameters()) == 401_411
    assert net(torch.rand(1, 32, 32, 32)).shape == (1, 3, 32, 32)


def test_widths_differ_from_level_to_level():
    net = made(in_channels=5, out_channels=2, channels=(3, 6, 9), skip=1)
    assert net(torch.rand(2, 5, 16, 24)).shape == (2, 2, 16, 24)
    assert [level.skip[0].out_channels for level in net.levels] == [1, 1, 1]
    assert [level.down[0].stride for level in net.levels] == [(2, 2)] * 3
    assert {m.padding_mode for m in net.modules() if isinstance(m, nn.Conv2d)} == {
        "reflect",
        "zeros",  # of the 1x1 ones, which pad nothing
    }


@pytest.mark.parametrize("levels, reach", [(1, 11), (2, 31), (3, 67)])
def test_receptive_field(levels, reach):
    """Without statistics, which see all: each level more than doubles what a pixel sees.

    Pixel 80 in one dimension, by hand for one level: the last 3x3 convolution sees 79 .. 81, the
    interpolation for these 39 .. 41 of half the size, the 3x3 convolution there 38 .. 42, and the
    strided one 2 * 38 - 1 .. 2 * 42 + 1 = 75 .. 85: 11 pixels.  The same for two levels:
    79 .. 81, 39 .. 41, 38 .. 42, 18 .. 21, 17 .. 22, 33 .. 45, 32 .. 46, 63 .. 93; and for three.
    """
    net = made(in_channels=1, channels=(2,) * levels, skip=1).double()
    for module in net.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
    z = torch.rand(1, 1, 160, 160, dtype=torch.float64, requires_grad=True)
    net(z)[0, 0, 80, 80].backward()
    rows = z.grad[0, 0].abs().amax(1).nonzero()
    assert int(rows.max() - rows.min()) + 1 == reach


def test_statistics_are_of_the_image_at_hand_in_evaluation_too():
    net, z = made(**SMALL), torch.rand(1, 3, 8, 8)
    assert torch.equal(net.train()(z), net.eval()(z))
    assert not list(net.buffers())


def test_the_skips_are_used_and_every_weight_learns():
    net = made(**SMALL)
    net(torch.rand(1, 3, 16, 16)).square().mean().backward()
    dead = [n for n, p in net.named_parameters() if p.grad is None or not bool(p.grad.any())]
    assert not dead
    z = torch.rand(1, 3, 16, 16)
    before = net(z)
    for level in net.levels:
        nn.init.zeros_(level.skip[1].weight)
    assert not torch.equal(before, net(z))


def test_weights_come_from_torchs_generator_alone():
    a, b, c = made(0, **SMALL), made(0, **SMALL), made(1, **SMALL)
    weights = [torch.cat([p.flatten() for p in net.parameters()]) for net in (a, b, c)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize(
    "settings, said",
    [
        (dict(in_channels=0), "in_channels is 0, expected a whole number from 1"),
        (dict(out_channels=2**20), "out_channels is 1048576"),
        (dict(skip=0), "skip is 0"),
        (dict(skip=True), "skip is True"),
        (dict(channels=()), r"channels is \(\), expected one width a level"),
        (dict(channels=(8, 0)), r"channels is \(8, 0\)"),
        (dict(channels=(8,) * 9), "1 to 8 levels"),
        (dict(channels=(10**9,)), "from 1 to 4,096"),
    ],
)
def test_widths_that_make_no_network_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        SkipNet(**settings)


@pytest.mark.parametrize(
    "shape, said",
    [
        ((1, 4, 8, 8), r"floats of shape \(B, 3, H, W\), got torch.float32 \(1, 4, 8, 8\)"),
        ((1, 3, 8, 10), "sides of 8x10 do not fit 2 levels; use multiples of 4 from 8 on"),
        ((1, 3, 4, 8), "sides of 4x8 do not fit 2 levels"),
        ((1, 3, 0, 8), "sides of 0x8 do not fit"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(shape, said):
    with pytest.raises(ValueError, match=said):
        made(**SMALL)(torch.zeros(shape))
