"""The networks of three libraries at equal parameters and FLOPs, each with its own sampler.

A network here is F(x, t) -> an image's noise.  The widths were found by a search over multiples of
four, counted by PyTorch's own counter; `tests/course/speed/test_networks.py` counts again.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

import torch
from torch import Tensor, nn

from diffutils import denoisers, samplers, schedules
from diffutils.denoisers import Denoiser
from diffutils.unet import UNet

T = 1000  # timesteps of every library's noise schedule


class Peer(NamedTuple):
    """A library: what pip calls it, its network, and DDIM in n calls by its own code."""

    package: str
    make: Callable[[], nn.Module]
    ddim: Callable[[nn.Module, Tensor, int], Callable[[], Tensor]]  # of a network, noise and n


class Output(nn.Module):
    """diffusers' network as F(x, t): without the record around its output."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.net(x, t, return_dict=False)[0]


def our_unet() -> nn.Module:
    return UNet(channels=(48, 56))


def our_ddim(net: nn.Module, noise: Tensor, n: int) -> Callable[[], Tensor]:
    schedule = schedules.Discrete(schedules.linear_betas(T))
    sigmas = schedules.levels(schedule, n)
    denoiser = Denoiser(net, denoisers.eps, schedule.t)
    return lambda: samplers.ddim(denoiser, samplers.start(sigmas, noise), sigmas)


def diffusers_unet() -> nn.Module:
    from diffusers import UNet2DModel

    return Output(
        UNet2DModel(
            block_out_channels=(32, 64),
            down_block_types=("DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D"),
            layers_per_block=2,
            norm_num_groups=8,
            attention_head_dim=32,
        )
    )


def diffusers_ddim(net: nn.Module, noise: Tensor, n: int) -> Callable[[], Tensor]:
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler(T, timestep_spacing="trailing", clip_sample=False)
    scheduler.set_timesteps(n, device=noise.device)

    @torch.no_grad()
    def chain() -> Tensor:
        x = noise
        for t in scheduler.timesteps:
            x = scheduler.step(net(scheduler.scale_model_input(x, t), t), t, x).prev_sample
        return x

    return chain


def lucidrains_unet() -> nn.Module:
    from denoising_diffusion_pytorch import Unet

    return Unet(36, dim_mults=(1, 2), attn_heads=2)


def lucidrains_ddim(net: nn.Module, noise: Tensor, n: int) -> Callable[[], Tensor]:
    from denoising_diffusion_pytorch import denoising_diffusion_pytorch as library

    library.tqdm = lambda steps, **_: steps  # no bar while the clock runs
    for name in ("channels", "out_dim", "self_condition", "random_or_learned_sinusoidal_cond"):
        if not hasattr(net, name):  # bfloat16 stands around it
            setattr(net, name, getattr(net.net, name))
    settings = dict(timesteps=T, sampling_timesteps=n, objective="pred_noise")
    chain = library.GaussianDiffusion(net, image_size=noise.shape[-1], **settings)
    chain.to(noise.device)
    return torch.no_grad()(lambda: chain.ddim_sample(noise.shape))


PEERS = {
    "diffutils": Peer("diffutils", our_unet, our_ddim),
    "diffusers": Peer("diffusers", diffusers_unet, diffusers_ddim),
    "lucidrains": Peer("denoising-diffusion-pytorch", lucidrains_unet, lucidrains_ddim),
}


def installed(peer: Peer) -> bool:
    """Whether a library is there, without importing it."""
    return find_spec(peer.package.replace("-", "_")) is not None


def cost(make: Callable[[], nn.Module], size: int) -> dict[str, int]:
    """Parameters, and FLOPs of an image's call and of its training step, counted without data."""
    from torch.utils.flop_counter import FlopCounterMode  # half of the command's start

    with torch.device("meta"):
        net = make()
        x, t = torch.empty(1, 3, size, size), torch.empty(1)
    net.to("meta")  # buffers that are real on the meta device, too
    counted = {}
    works = {"call": lambda: net(x, t), "step": lambda: net(x, t).sum().backward()}
    for name, work in works.items():
        with FlopCounterMode(display=False) as counter:
            work()
        counted[name] = counter.get_total_flops()
    return {"parameters": sum(p.numel() for p in net.parameters()), **counted}
