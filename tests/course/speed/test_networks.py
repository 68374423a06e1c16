"""Three libraries' networks cost the same, and each samples by its own code."""

import pytest
import torch

from diffutils.course.speed import networks

PEERS = [name for name in networks.PEERS if name != "diffutils"]


def net(name):
    """A library's network; the test is skipped where the library is not installed."""
    if not networks.installed(networks.PEERS[name]):
        pytest.skip(f"{name} is not installed")
    return networks.PEERS[name].make()


@pytest.mark.parametrize("size", [16, 32])
@pytest.mark.parametrize("name", PEERS)
def test_parameters_and_flops_are_within_5_percent_of_ours(name, size):
    net(name)
    ours = networks.cost(networks.our_unet, size)
    theirs = networks.cost(networks.PEERS[name].make, size)
    assert {k: theirs[k] / ours[k] for k in ours} == pytest.approx(dict.fromkeys(ours, 1), abs=0.05)


def test_flops_are_those_of_a_convolution_counted_by_hand():
    class Convolution(torch.nn.Conv2d):
        def forward(self, x, t):
            return super().forward(x)

    counted = networks.cost(lambda: Convolution(3, 5, 3, padding=1, bias=False), 8)
    by_hand = 2 * 8 * 8 * 5 * 3 * 9
    # Of the step, too: the gradient of the weights; that of the images is not asked for.
    assert counted == {"parameters": 5 * 3 * 9, "call": by_hand, "step": 2 * by_hand}


@pytest.mark.parametrize("name", networks.PEERS)
def test_a_chain_calls_the_network_once_a_step(name):
    called, made = [], net(name).eval()
    made.register_forward_hook(lambda *_: called.append(1))
    noise = torch.randn(2, 3, 16, 16)
    images = networks.PEERS[name].ddim(made, noise, 3)()
    assert images.shape == noise.shape and images.isfinite().all() and not images.requires_grad
    assert len(called) == 3


def test_a_library_that_is_not_there_is_not_installed():
    peer = networks.Peer("no-such-library", networks.our_unet, networks.our_ddim)
    assert not networks.installed(peer)
    assert networks.installed(networks.PEERS["diffutils"])
