"""A U-Net: F(x, c_noise, labels, cond), with its resampling and activation handed in."""

import math
from collections.abc import Callable, Sequence
from numbers import Integral

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

MOST = 2**24  # channels and classes: more is a slip
MOST_BLOCKS, MOST_LEVELS, MOST_WIDTH, MOST_KERNEL = 256, 16, 2**16, 63
Part = Callable[..., nn.Module]  # a factory, called with width= (channels) and padding=


class Embedding(nn.Module):
    """Sinusoids of a number, then a two-layer network (DDPM; Vaswani et al. 2017, section 3.5)."""

    def __init__(self, width: int, out: int, max_period: float = 10_000.0):
        super().__init__()
        rate = math.log(max_period) / (width // 2)
        steps = torch.arange(width // 2, device="cpu")  # no weights: real on the meta device, too
        self.register_buffer("frequencies", torch.exp(-rate * steps), False)
        self.mlp = nn.Sequential(nn.Linear(2 * (width // 2), out), nn.SiLU(), nn.Linear(out, out))

    def forward(self, c_noise: Float[Tensor, "B"]) -> Float[Tensor, "B E"]:
        angle = c_noise[:, None] * self.frequencies
        return self.mlp(torch.cat([angle.cos(), angle.sin()], dim=1))


class Norm(nn.GroupNorm):
    """GroupNorm, at most 32 groups of at least 4 channels, in the precision of its weights."""

    def __init__(self, channels: int):
        super().__init__(math.gcd(32, channels, max(1, channels // 4)), channels)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        # Under autocast x is bfloat16, the weights float32: norms are less exact in bfloat16.
        return super().forward(x.to(self.weight.dtype))


def conv(c_in: int, c_out: int, padding: str, kernel: int = 3) -> nn.Module:
    """A convolution of kernel x kernel pixels that keeps the size."""
    return nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, padding_mode=padding)


def zero(layer: nn.Module) -> nn.Module:
    """Start a layer at zero, so that its block starts as the identity."""
    for p in layer.parameters():
        nn.init.zeros_(p)
    return layer


class ResBlock(nn.Module):
    """norm-act-conv, scaled and shifted by the embedding, norm-act-conv, plus the input."""

    def __init__(
        self, c_in: int, c_out: int, embedding: int, act: Part, padding: str, kernel: int = 3
    ):
        super().__init__()
        self.norm1, self.act1 = Norm(c_in), act(width=c_in, padding=padding)
        self.conv1 = conv(c_in, c_out, padding, kernel)
        self.embed = zero(nn.Linear(embedding, 2 * c_out))
        self.norm2, self.act2 = Norm(c_out), act(width=c_out, padding=padding)
        self.conv2 = zero(conv(c_out, c_out, padding, kernel))
        # Made here, not in forward: a layer created on every call is never trained.
        self.skip = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(
        self, x: Float[Tensor, "B C H W"], emb: Float[Tensor, "B E"]
    ) -> Float[Tensor, "B D H W"]:
        h = self.conv1(self.act1(self.norm1(x)))
        scale, shift = self.embed(emb)[:, :, None, None].chunk(2, dim=1)
        h = self.conv2(self.act2(self.norm2(h) * (1 + scale) + shift))
        return self.skip(x) + h


class Attention(nn.Module):
    """Self-attention over all pixels, heads of at least 32 channels (Vaswani et al. 2017)."""

    def __init__(self, channels: int):
        super().__init__()
        self.heads = math.gcd(channels, max(1, channels // 32))
        self.norm, self.qkv = Norm(channels), nn.Conv2d(channels, 3 * channels, 1)
        self.out = zero(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        B, C, H, W = x.shape
        qkv = self.qkv(self.norm(x)).reshape(B, 3, self.heads, C // self.heads, H * W).mT
        q, k, v = qkv.unbind(1)
        h = F.scaled_dot_product_attention(q, k, v).mT.reshape(B, C, H, W)
        return x + self.out(h)


class Pool(nn.Module):
    """Halve the size by averaging 2x2 pixels."""

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C h w"]:
        return F.avg_pool2d(x, 2)


class Nearest(nn.Module):
    """Double the size by repeating pixels."""

    def forward(self, x: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C H W"]:
        return F.interpolate(x, scale_factor=2, mode="nearest")


class UNet(nn.Module):
    """Residual U-Net (Ronneberger et al. 2015; Ho et al. 2020, appendix B).

    channels: width of each level, at least 2, finest first; blocks: residual blocks per level.
    attention: one flag per level.  classes: number of labels, 0 for none; label `classes` is the
    null class, "any".  cond_channels: an image condition, concatenated to x.
    down, up, act: factories of the resampling layers and the activation, each called with the
    width at its place and the padding: act=lambda width, padding: nn.GELU().
    padding: "zeros" or "circular", of all convolutions; kernel: pixels a side of each, odd.

    Raises: ValueError for widths below 2, and for sizes that cannot be halved, or labels and
    conditions that do not fit.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        channels: Sequence[int] = (64, 128),
        blocks: int = 2,
        attention: Sequence[bool] = (False, True),
        classes: int = 0,
        cond_channels: int = 0,
        down: Part = lambda width, padding: Pool(),
        up: Part = lambda width, padding: Nearest(),
        act: Part = lambda width, padding: nn.SiLU(),
        padding: str = "zeros",
        kernel: int = 3,
    ):
        super().__init__()
        # Say what does not fit.
        numbers = {
            "in_channels": (in_channels, 1, MOST),
            "out_channels": (out_channels, 1, MOST),
            "blocks": (blocks, 1, MOST_BLOCKS),
            "classes": (classes, 0, MOST),
            "cond_channels": (cond_channels, 0, MOST),
            "kernel": (kernel, 1, MOST_KERNEL),
        }
        for name, (number, least, most) in numbers.items():
            if not isinstance(number, Integral) or not least <= number <= most:
                wanted = f"a whole number from {least} to {most:,}"
                raise ValueError(f"{name} is {number}, expected {wanted}")
        if kernel % 2 == 0:
            raise ValueError(f"kernel is {kernel}, expected an odd number: 1, 3, 5, ...")
        whole = all(isinstance(c, Integral) and 2 <= c <= MOST_WIDTH for c in channels)
        if not 1 <= len(channels) <= MOST_LEVELS or not whole:
            raise ValueError(
                f"channels is {str(tuple(channels))[:60]}, expected at least one level, each of 2 "
                f"or more, a whole number up to {MOST_WIDTH:,}, and at most {MOST_LEVELS} levels"
            )
        if len(attention) != len(channels):
            raise ValueError(
                f"attention needs one flag per level: {len(channels)} levels, "
                f"{len(attention)} flags"
            )
        self.in_channels, self.cond_channels, self.classes = in_channels, cond_channels, classes
        self.halvings = len(channels) - 1
        # Make what is told of the noise and the label, and the first layer.
        E = 4 * channels[0]
        self.embedding = Embedding(channels[0], E)
        self.class_embedding = nn.Embedding(classes + 1, E) if classes else None
        self.conv_in = conv(in_channels + cond_channels, channels[0], padding, kernel)

        def level(widths_in: list[int], width: int, attend: bool) -> nn.ModuleList:
            pairs = (
                [
                    ResBlock(c, width, E, act, padding, kernel),
                    Attention(width) if attend else nn.Identity(),
                ]
                for c in widths_in
            )
            return nn.ModuleList(nn.ModuleList(pair) for pair in pairs)

        # Make the levels; the decoder's blocks also take what the encoder's gave.
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        c, skips = channels[0], [channels[0]]
        for width, attend in zip(channels, attention, strict=True):
            self.encoder.append(level([c] + [width] * (blocks - 1), width, attend))
            c, skips = width, skips + [width] * blocks
        self.middle = level([c, c], c, attention[-1])
        for width, attend in zip(reversed(channels), reversed(attention), strict=True):
            widths_in = []
            for _ in range(blocks):
                widths_in, c = [*widths_in, c + skips.pop()], width
            self.decoder.append(level(widths_in, width, attend))
        # Make the resampling between two levels, as wide as the level that it comes from.
        self.downs = nn.ModuleList(down(width=c, padding=padding) for c in channels[:-1])
        self.ups = nn.ModuleList(up(width=c, padding=padding) for c in reversed(channels[1:]))
        # Make the output layers; they see the first layer's output again.
        c = 2 * channels[0]
        self.norm_out, self.act_out = Norm(c), act(width=c, padding=padding)
        self.conv_out = zero(conv(c, out_channels, padding, kernel))

    def forward(
        self,
        x: Float[Tensor, "B C H W"],
        c_noise: Float[Tensor, "B"],
        labels: Int[Tensor, "B"] | None = None,
        cond: Float[Tensor, "B K H W"] | None = None,
    ) -> Float[Tensor, "B D H W"]:
        """The network's output F, from which a denoiser makes its estimate.

        x: images scaled by c_in, sides divisible by 2**halvings; c_noise: the noise level as the
        network is told it; labels: 0 to classes, None for "any"; cond: an image beside x.
        Raises: ValueError for channels, sides, labels or a condition that do not fit.
        """
        self.check(x, labels, cond)
        # Embed the noise level and the label.
        emb = self.embedding(c_noise.to(x.dtype))
        if self.class_embedding is not None:
            null = torch.full((len(x),), self.classes, device=x.device)
            emb = emb + self.class_embedding(null if labels is None else labels.long())
        emb = F.silu(emb)

        # Go down, keep every output, and come up with them.
        first = h = self.conv_in(x if cond is None else torch.cat([x, cond], dim=1))
        skips = []
        for i, level in enumerate(self.encoder):
            h = self.downs[i - 1](h) if i else h
            for block, attention in level:
                h = attention(block(h, emb))
                skips.append(h)
        for block, attention in self.middle:
            h = attention(block(h, emb))
        for i, level in enumerate(self.decoder):
            h = self.ups[i - 1](h) if i else h
            for block, attention in level:
                h = attention(block(torch.cat([h, skips.pop()], dim=1), emb))
        return self.conv_out(self.act_out(self.norm_out(torch.cat([h, first], dim=1))))

    def check(self, x: Tensor, labels: Tensor | None, cond: Tensor | None) -> None:
        """Say in one sentence what does not fit."""
        # Check the images.
        if x.ndim != 4 or not x.is_floating_point():
            raise ValueError(
                f"this U-Net takes floats of shape (B, C, H, W), got {x.dtype} {tuple(x.shape)}; "
                "to_float(images) makes them of uint8"
            )
        if x.shape[1] != self.in_channels:
            raise ValueError(f"this U-Net takes {self.in_channels} channels, got {x.shape[1]}")
        k = 2**self.halvings
        if x.shape[2] % k or x.shape[3] % k:
            raise ValueError(
                f"images of {x.shape[2]}x{x.shape[3]} cannot be halved {self.halvings} times; "
                f"use sides divisible by {k}, or fewer levels in channels="
            )
        # Check what goes with them.
        given, want = 0 if cond is None else cond.shape[1], (len(x), *x.shape[2:])
        if given != self.cond_channels:
            raise ValueError(
                f"this U-Net takes {self.cond_channels} condition channels, got {given}; hand over "
                "cond= with as many, one image beside each x"
            )
        if cond is not None and (len(cond), *cond.shape[2:]) != want:
            raise ValueError(
                f"cond must have the batch and size of x, {want[0]} images of {want[1]}x{want[2]}, "
                f"got shape {tuple(cond.shape)}"
            )
        if labels is not None:
            self.check_labels(labels, len(x))

    def check_labels(self, labels: Tensor, n: int) -> None:
        """Say in one sentence what is wrong with labels.

        Their range is not read where that would wait for a GPU, nor in training: `fit` reads it.
        """
        if not self.classes:
            raise ValueError("this U-Net was made without classes: pass labels=None")
        if labels.shape != (n,) or labels.is_floating_point() or labels.dtype == torch.bool:
            raise ValueError(
                f"labels must be {n} whole numbers, one for each image, got {labels.dtype} "
                f"{tuple(labels.shape)}"
            )
        if self.training or labels.device.type != "cpu" or torch.compiler.is_compiling():
            return
        low, high = map(int, labels.aminmax())
        if low < 0 or high > self.classes:
            raise ValueError(
                f"labels run from {low} to {high}, but this U-Net knows 0 to {self.classes}, of "
                f"which {self.classes} means any"
            )
