"""The U-Net: complete after construction, clear about what does not fit, one image at a time."""

import hashlib
import itertools
import re

import pytest
import torch
from torch import nn

from diffutils.unet import Attention, Embedding, Nearest, Norm, Pool, UNet

SMALL = dict(channels=(16, 32), blocks=1, attention=(False, True))


def awake(seed=0, **settings):
    """A small U-Net whose zero-initialised layers were given random weights."""
    torch.manual_seed(seed)
    net = UNet(**{**SMALL, **settings})
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.05 * torch.randn_like(p))
    return net


def inputs(n=4, size=8, channels=3):
    g = torch.Generator().manual_seed(1)
    return torch.randn(n, channels, size, size, generator=g), torch.arange(n) * 100.0


def close(got, want, atol=0.0, rtol=0.0):
    torch.testing.assert_close(got, want, atol=atol, rtol=rtol)


def test_all_parameters_exist_after_construction():
    """state_dict has the same names, shapes and values before and after training and evaluation."""
    net = awake(classes=3, cond_channels=2)
    x, t = inputs()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    labels, cond = torch.tensor([0, 1, 2, 3]), torch.randn(4, 2, 8, 8)
    net.train()(x, t, labels, cond).sum().backward()
    net.eval()(x, t, None, cond)
    after = net.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[k], before[k]) for k in before)
    assert all(p.grad is not None for p in net.parameters())


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_kernels_are_of_the_size_asked_for(kernel):
    net = UNet(**SMALL, kernel=kernel)
    sides = {m.kernel_size for name, m in net.named_modules() if "conv" in name}
    assert sides == {(kernel, kernel)}
    x, t = inputs()
    assert net(x, t).shape == x.shape
    with pytest.raises(ValueError, match="expected an odd number"):
        UNet(**SMALL, kernel=2)


def test_every_parameter_and_input_matters():
    """With random weights the output depends on each parameter tensor, x, c_noise, label, cond."""
    net = awake(classes=3, cond_channels=1)
    x, t = inputs()
    cond, labels = torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 3])
    x.requires_grad_(), t.requires_grad_(), cond.requires_grad_()
    net(x, t, labels, cond).square().sum().backward()
    for name, p in [*net.named_parameters(), ("x", x), ("c_noise", t), ("cond", cond)]:
        assert bool((p.grad != 0).any()), name
    assert bool((net.class_embedding.weight.grad != 0).any(1).all())


def test_a_new_net_gives_zero_and_its_blocks_pass_their_input():
    """Zero-initialised output, exactly; so an eps-net's loss starts at 1."""
    net = UNet(**SMALL)
    x, t = inputs()
    assert torch.equal(net(x, t), torch.zeros_like(x))
    block, attention = net.encoder[0][0][0], net.encoder[1][0][1]
    h = torch.randn(2, 16, 8, 8)
    assert torch.equal(block(h, torch.randn(2, 64)), h)
    h = torch.randn(2, 32, 4, 4)
    assert isinstance(attention, Attention) and torch.equal(attention(h), h)


def test_evaluation_is_deterministic_and_equals_training_mode():
    """No BatchNorm, no dropout: the same bits every time, in both modes."""
    net = awake()
    x, t = inputs()
    out = net.eval()(x, t)
    assert torch.equal(net(x, t), out) and torch.equal(net.train()(x, t), out)


def test_an_image_does_not_see_its_batch():
    """Alone, or among others that are huge: 1e-5."""
    net = awake()
    x, t = inputs()
    whole = net(x, t)
    for i in range(4):
        others = 1e3 * torch.randn_like(x)
        others[i] = x[i]
        close(net(others, t)[i], whole[i], atol=1e-5)
        close(net(x[i : i + 1], t[i : i + 1])[0], whole[i], atol=1e-5)
    assert net(x[:0], t[:0]).shape == (0, 3, 8, 8)


@pytest.mark.parametrize("channels, blocks", [((16,), 1), ((16, 32), 3), ((8, 16, 24, 32), 2)])
def test_depths(channels, blocks):
    """Any number of levels and blocks, attention anywhere, sides of one coarse pixel or more."""
    k = 2 ** (len(channels) - 1)
    for attention in itertools.product((False, True), repeat=min(2, len(channels))):
        flags = (attention * len(channels))[: len(channels)]
        net = awake(channels=channels, blocks=blocks, attention=flags)
        for h, w in ((k, k), (2 * k, 3 * k)):
            out = net(torch.randn(2, 3, h, w), torch.ones(2))
            assert out.shape == (2, 3, h, w) and bool(out.isfinite().all())


@pytest.mark.parametrize("channels", [(6, 12), (9, 18), (18, 36), (20, 112), (66, 66), (2, 4)])
def test_odd_widths(channels):
    """Widths that neither 4 nor 32 divides still form whole groups and heads."""
    net = awake(channels=channels, attention=(True, True))
    assert net(*inputs()).shape == (4, 3, 8, 8)


def test_groups_and_heads():
    """Groups of at least 4 channels, at most 32 of them; heads of at least 32 channels."""
    for c in range(1, 600):
        norm, heads = Norm(c), Attention(c).heads if c % 7 == 0 else 1
        assert c % norm.num_groups == 0 and norm.num_groups <= 32
        assert norm.num_groups == 1 or c // norm.num_groups >= 4
        assert c % heads == 0 and (heads == 1 or c // heads >= 32)
    assert [Norm(c).num_groups for c in (64, 128, 192, 256)] == [16, 32, 16, 32]
    assert [Attention(c).heads for c in (16, 64, 128)] == [1, 2, 4]


def test_skip_connections_join_what_they_should():
    """Decoder block i gets the output of encoder block -1-i; the last layers get conv_in's."""
    net = awake(channels=(8, 16, 24), blocks=2, attention=(False, True, True))
    made, given = [], []
    net.conv_in.register_forward_hook(lambda m, x, y: made.append(y))
    for level in net.encoder:
        for _, attention in level:
            attention.register_forward_hook(lambda m, x, y: made.append(y))
    for level in net.decoder:
        for block, _ in level:
            block.register_forward_hook(lambda m, x, y: given.append(x[0]))
    net.norm_out.register_forward_hook(lambda m, x, y: given.append(x[0]))
    net(*inputs())
    assert len(made) == len(given) == 7
    for skip, x in zip(reversed(made), given, strict=True):
        assert torch.equal(x[:, -skip.shape[1] :], skip)
        assert not torch.equal(x[:, : skip.shape[1]], skip)


def test_attention_is_softmax_of_scaled_products():
    """Against the formula with explicit loops over heads: 1e-5."""
    torch.manual_seed(0)
    layer = Attention(64)
    nn.init.normal_(layer.out.weight, std=0.1)
    x = torch.randn(2, 64, 4, 4)
    qkv = layer.qkv(layer.norm(x)).flatten(2)
    mixed = torch.zeros(2, 64, 16)
    for head in range(2):
        q, k, v = (qkv[:, 64 * j + 32 * head :][:, :32] for j in range(3))
        weights = torch.einsum("bci,bcj->bij", q, k).div(32**0.5).softmax(-1)
        mixed[:, 32 * head : 32 * head + 32] = torch.einsum("bij,bcj->bci", weights, v)
    close(layer(x), x + layer.out(mixed.view(2, 64, 4, 4)), atol=1e-5)


def test_attention_ignores_the_order_of_pixels():
    torch.manual_seed(0)
    layer = Attention(32)
    nn.init.normal_(layer.out.weight, std=0.1)
    x = torch.randn(1, 32, 4, 4)
    order = torch.randperm(16)
    shuffled = x.flatten(2)[:, :, order].view(1, 32, 4, 4)
    close(layer(shuffled).flatten(2), layer(x).flatten(2)[:, :, order], atol=1e-5)


def test_embedding_tells_levels_apart():
    """1,000 timesteps: neighbours differ, none collide, values match the sinusoids (1e-4)."""
    layer = Embedding(64, 32)
    angle = torch.arange(1000.0)[:, None] * 10_000.0 ** (-torch.arange(32) / 32)
    close(layer(torch.arange(1000.0)), layer.mlp(torch.cat([angle.cos(), angle.sin()], 1)), 1e-4)
    out = torch.cat([angle.cos(), angle.sin()], 1)
    far = torch.cdist(out, out) + 1e9 * torch.eye(1000)
    assert float(far.min()) > 0.5


def test_null_class_is_the_default_label():
    net = awake(classes=3)
    x, t = inputs()
    null = torch.full((4,), 3)
    assert torch.equal(net(x, t), net(x, t, null))
    assert not torch.allclose(net(x, t), net(x, t, torch.zeros(4, dtype=torch.long)))


def test_condition_is_concatenated():
    """A net with K condition channels is a net with K more input channels."""
    net, plain = awake(cond_channels=2), awake(in_channels=5)
    x, t = inputs()
    cond = torch.randn(4, 2, 8, 8)
    assert torch.equal(net(x, t, None, cond), plain(torch.cat([x, cond], 1), t))


def test_other_channel_counts():
    net = awake(in_channels=1, out_channels=2)
    assert net(torch.randn(3, 1, 8, 8), torch.ones(3)).shape == (3, 2, 8, 8)


def test_resampling_and_activation_are_handed_in():
    """One down and up per halving; the activation wherever a SiLU would stand."""
    net = awake(
        down=lambda width, padding: nn.MaxPool2d(2),
        up=lambda width, padding: nn.Upsample(scale_factor=2, mode="bilinear"),
        act=lambda width, padding: nn.ReLU(),
        channels=(8, 8, 8),
        attention=(False,) * 3,
    )
    kinds = [type(m) for m in net.modules()]
    assert kinds.count(nn.MaxPool2d) == kinds.count(nn.Upsample) == 2
    assert Pool not in kinds and Nearest not in kinds
    blocks = 3 + 2 + 3
    assert kinds.count(nn.ReLU) == 2 * blocks + 1
    assert kinds.count(nn.SiLU) == 1  # the embedding keeps its own
    assert net(*inputs()).shape == (4, 3, 8, 8)


class Part(nn.Module):
    """A layer that knows what it was made with, and checks the width of what it gets."""

    def __init__(self, width, padding, then):
        super().__init__()
        self.width, self.padding, self.then = width, padding, then

    def forward(self, x):
        assert x.shape[1] == self.width
        return self.then(x)


@pytest.mark.parametrize("padding", ["zeros", "circular"])
def test_parts_are_made_with_the_width_and_padding_of_their_place(padding):
    part = lambda then: lambda width, padding: Part(width, padding, then)  # noqa: E731
    net = awake(channels=(8, 12, 16), blocks=2, attention=(False,) * 3, padding=padding,
                down=part(Pool()), up=part(Nearest()), act=part(nn.SiLU()))  # fmt: skip
    parts = [m for m in net.modules() if isinstance(m, Part)]
    assert {m.padding for m in parts} == {padding} and len(parts) == 2 * (6 + 2 + 6) + 1 + 4
    assert [m.width for m in net.downs] == [8, 12] and [m.width for m in net.ups] == [16, 12]
    assert net(*inputs()).shape == (4, 3, 8, 8)
    convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d) and m.padding != (0, 0)]
    assert {m.padding_mode for m in convolutions} == {padding} and len(convolutions) == 2 * 14 + 2


def test_an_activation_that_would_take_its_width_for_inplace_is_refused():
    """nn.ReLU(8) means inplace=True; called by name, it fails at once."""
    with pytest.raises(TypeError, match="width"):
        UNet(**SMALL, act=nn.ReLU)


class Blur(nn.Module):
    """Halve the size after a 3x3 average over the channels' own padding."""

    def __init__(self, width, padding):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, 2, 1, groups=width, padding_mode=padding)

    def forward(self, x):
        return self.conv(x)


@pytest.mark.parametrize("parts", [dict(), dict(down=Blur)], ids=["pool", "strided"])
@pytest.mark.parametrize("cond_channels", [0, 2])
def test_a_circular_net_commutes_with_shifts_by_coarse_pixels(parts, cond_channels):
    """Round the torus by multiples of 2^halvings, with attention, float64: 1e-12; zeros do not."""
    settings = dict(channels=(8, 12, 16), attention=(False, False, True), **parts)
    g = torch.Generator().manual_seed(0)
    x, t = torch.randn(2, 3, 16, 24, generator=g, dtype=torch.float64), torch.tensor([5.0, 700.0])
    cond = torch.randn(2, 2, 16, 24, generator=g).double() if cond_channels else None
    errors = {}
    for padding in ("circular", "zeros"):
        net = awake(padding=padding, cond_channels=cond_channels, **settings).double()
        for dy, dx in ((4, 0), (0, 8), (12, 20), (2, 0)):
            turn = lambda a, by=(dy, dx): None if a is None else a.roll(by, (2, 3))  # noqa: E731
            got = net(turn(x), t.double(), None, turn(cond))
            want = turn(net(x, t.double(), None, cond))
            errors[padding, dy, dx] = float(((got - want).abs().max() / want.std()).detach())
    for shift in ((4, 0), (0, 8), (12, 20)):
        assert errors["circular", *shift] < 1e-12 and errors["zeros", *shift] > 1e-3
    assert errors["circular", 2, 0] > 1e-3  # half a coarse pixel


def test_padding_changes_no_weight():
    """Names and values for a seed are those of zeros, so that weights load into either."""
    torch.manual_seed(0)
    zeros = UNet(**SMALL).state_dict()
    torch.manual_seed(0)
    circular = UNet(**SMALL, padding="circular").state_dict()
    assert list(zeros) == list(circular)
    assert all(torch.equal(zeros[k], circular[k]) for k in zeros)


def test_the_weights_of_a_seed_have_not_changed():
    """Names, in order, and sums of the initial weights, as in the release before `padding`."""
    torch.manual_seed(0)
    state = UNet(**SMALL, classes=2, cond_channels=1).state_dict()
    text = "\n".join(f"{name} {tuple(value.shape)}" for name, value in state.items())
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "40c14332c5708d1c"
    assert float(sum(v.double().sum() for v in state.values())) == pytest.approx(
        527.0560742, rel=1e-6
    )
    assert float(state["conv_out.weight"].abs().max()) == 0


def test_resamplers():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert Pool()(x)[0, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert Nearest()(Pool()(x))[0, 0, :2, :2].tolist() == [[2.5, 2.5], [2.5, 2.5]]


@pytest.mark.parametrize("call, message", [
    (lambda net: net(torch.zeros(1, 1, 8, 8), torch.ones(1)), "takes 3 channels, got 1"),
    (lambda net: net(torch.zeros(1, 3, 8, 8), torch.ones(1), torch.zeros(1).long()), "labels=None"),
    (
        lambda net: net(torch.zeros(1, 3, 8, 8), torch.ones(1), None, torch.zeros(1, 2, 8, 8)),
        "takes 0 condition channels, got 2",
    ),
    (lambda net: UNet(channels=(8, 8, 8)), "3 levels, 2 flags"),
])  # fmt: skip
def test_errors_say_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call(UNet(**SMALL))


@pytest.mark.parametrize("change", [
    dict(blocks=0), dict(blocks=10**8), dict(in_channels=0), dict(out_channels=0),
    dict(classes=-1), dict(classes=10**12), dict(cond_channels=-1), dict(channels=(2**40, 8)),
    dict(channels=(8,) * 30, attention=(False,) * 30),
])  # fmt: skip
def test_sizes_that_make_no_network_are_refused(change):
    with pytest.raises(ValueError, match=f"{next(iter(change))} is .*, expected .*whole number"):
        UNet(**SMALL | change)


@pytest.mark.parametrize("x, labels, message", [
    (torch.zeros(3, 8, 8), None, r"takes floats of shape .*, got torch.float32 \(3, 8, 8\)"),
    (torch.zeros(2, 3, 8, 8).byte(), None, r"got torch.uint8 .*to_float\(images\)"),
    (torch.zeros(2, 3, 8, 8), torch.zeros(2), "2 whole numbers, .* got torch.float32"),
    (torch.zeros(2, 3, 8, 8), torch.zeros(3).long(), r"2 whole numbers, .* \(3,\)"),
    (torch.zeros(2, 3, 8, 8), torch.tensor([0, 6]), "labels run from 0 to 6, but .* 0 to 5"),
    (torch.zeros(2, 3, 8, 8), torch.tensor([-1, 0]), "labels run from -1 to 0"),
])  # fmt: skip
def test_inputs_of_other_kinds_are_one_sentence(x, labels, message):
    net = UNet(**SMALL | {"classes": 5}).eval()
    with pytest.raises(ValueError, match=message):
        net.check(x, labels, None)
    net.check(torch.zeros(2, 3, 8, 8), torch.tensor([0, 5], dtype=torch.uint8), None)


def test_a_missing_condition_is_an_error():
    with pytest.raises(ValueError, match="takes 2 condition channels, got 0; hand over cond="):
        UNet(**SMALL, cond_channels=2)(*inputs())


@pytest.mark.parametrize("shape", [(4, 2, 4, 8), (4, 2, 8, 9), (1, 2, 8, 8), (8, 2, 8, 8)])
def test_a_condition_of_another_size_or_batch_is_an_error(shape):
    """`forward` asks `check` first; here the signature's own check would be faster."""
    message = re.escape(f"the batch and size of x, 4 images of 8x8, got shape {shape}")
    with pytest.raises(ValueError, match=message):
        UNet(**SMALL, cond_channels=2).check(inputs()[0], None, torch.zeros(shape))


def test_float64_and_bfloat16_agree_with_float32():
    """float64 to 1e-4 of the output's size; bfloat16 under autocast to 3 %; norms in float32."""
    net = awake()
    x, t = inputs()
    out = net(x, t).detach()
    size = float(out.std())
    close(net.double()(x.double(), t.double()).float(), out, atol=1e-4 * size)
    net.float()
    seen = []
    for m in net.modules():
        if isinstance(m, Norm):
            m.register_forward_hook(lambda m, x, y: seen.append(y.dtype))
    with torch.autocast("cpu", torch.bfloat16):
        half = net(x, t).detach()
    assert set(seen) == {torch.float32}
    assert float((half.float() - out).abs().max()) < 0.1 * size
    assert float((half.float() - out).std()) < 0.03 * size


def test_channels_last_gives_the_same():
    """1e-5, in value and in gradient."""
    results = []
    for layout in (torch.contiguous_format, torch.channels_last):
        net = awake(attention=(True, True)).to(memory_format=layout)
        x, t = inputs()
        out = net(x.to(memory_format=layout), t)
        out.square().mean().backward()
        results.append([out.detach(), *(p.grad for p in net.parameters())])
    for a, b in zip(*results, strict=True):
        close(a, b, atol=1e-5)


def test_gradients_are_right():
    """Directional derivative in float64 against a central difference: 1e-4 relative."""
    net = awake(channels=(8, 8), classes=2).double()
    x, t = torch.randn(2, 3, 4, 4).double(), torch.tensor([3.0, 700.0]).double()
    loss = lambda: net(x, t).square().sum()  # noqa: E731
    loss().backward()
    step = [torch.randn_like(p) for p in net.parameters()]
    slope = sum(float((p.grad * s).sum()) for p, s in zip(net.parameters(), step, strict=True))
    values, h = [], 1e-6
    with torch.no_grad():
        for sign in (1, -2):  # to +h, then to -h
            for p, s in zip(net.parameters(), step, strict=True):
                p.add_(s, alpha=sign * h)
            values.append(float(loss()))
    assert slope == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-4)
