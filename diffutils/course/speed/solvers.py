"""How many network calls a solver needs: each library's own, on data whose exact answer is known.

Data is a mixture of Gaussians, whose denoiser and so whose probability-flow ODE are exact: an
error is the solver's alone.  Every library starts from the same noise, walks the noise levels of
DDPM's linear betas on its own grids by its own code, and is judged by the best of its solvers.
"""

from collections.abc import Callable
from functools import cache, partial
from types import SimpleNamespace

import torch
from torch import Tensor

from diffutils import denoisers, samplers, schedules
from diffutils.course.speed.networks import T

SHAPE, SEED = (64, 3, 4, 4), 0  # of the images, and of their noise
GOALS = (0.05, 0.01)  # errors that count as reached
LADDER = tuple(range(4, 41))  # calls that are tried, in turn
SCHEDULE = schedules.Discrete(schedules.linear_betas(T))
LOW, HIGH = float(SCHEDULE.sigmas[0]), float(SCHEDULE.sigmas[-1])
Solver = Callable[[int], Tensor]  # so many network calls, at most -> images


def noise() -> Tensor:
    """The noise that every chain starts from."""
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(SEED))


@cache
def oracle() -> Callable[[Tensor, Tensor | float], Tensor]:
    """The exact denoiser: six Gaussians about zero, images within [-1, 1]."""
    made = torch.Generator().manual_seed(0)
    means = 0.2 * torch.randn(6, 48, generator=made, dtype=torch.float64)
    stds = torch.linspace(0.05, 0.15, 6, dtype=torch.float64)
    exact = denoisers.mixture(torch.full((6,), 1 / 6), means - means.mean(0), stds)
    return lambda x, sigma: exact(x.double().flatten(1), sigma).view(x.shape)


@cache
def answer() -> Tensor:
    """Where the ODE leads: Heun's method in far more steps than any solver is given."""
    sigmas = schedules.levels(schedules.log_uniform(LOW, HIGH), 2000)
    return samplers.heun(oracle(), samplers.start(sigmas, noise().double()), sigmas)


def error(images: Tensor) -> float:
    """Root mean square distance to the answer, as a share of the answer's root mean square."""
    return float(((images - answer()).square().mean() / answer().square().mean()).sqrt())


def ours() -> dict[str, Solver]:
    """The course's sampler on its grids."""

    def walk(calls: int, grid: Callable, **solver) -> Tensor:
        sigmas = schedules.levels(grid, (calls + 1) // 2 if "heun" in solver else calls)
        return samplers.sample(oracle(), samplers.start(sigmas, noise().double()), sigmas, **solver)

    grids = {
        "timesteps": SCHEDULE,
        "Karras": schedules.karras(LOW, HIGH),
        "exponential": schedules.log_uniform(LOW, HIGH),
        "phi*": schedules.log_logistic(sigma_min=LOW, sigma_max=HIGH),
    }
    kinds = {"DDIM": {}, "Heun": {"heun": True}}
    kinds |= {f"Adams-Bashforth {order}": {"order": order} for order in (2, 3, 4)}
    return {
        f"{kind}, {name}": partial(walk, grid=grid, **solver)
        for name, grid in grids.items()
        for kind, solver in kinds.items()
    }


def of_diffusers() -> dict[str, Solver]:
    """diffusers' solvers on the grids that each offers by name."""
    import diffusers

    def walk(calls: int, kind: str, **settings) -> Tensor:
        scheduler = getattr(diffusers, f"{kind}Scheduler")(**settings)
        scheduler.set_timesteps((calls + 1) // 2 if kind == "HeunDiscrete" else calls)
        return diffused(scheduler)

    table = {"beta_start": 1e-4, "beta_end": 0.02}
    grids = {"timesteps": {"timestep_spacing": "trailing"}}
    grids |= {name: {f"use_{name.lower()}_sigmas": True} for name in ("Karras", "exponential")}
    kinds = {"HeunDiscrete": ("HeunDiscrete", {})}
    for kind in ("DPMSolverMultistep", "UniPCMultistep", "DEISMultistep"):
        kinds |= {f"{kind} {order}": (kind, {"solver_order": order}) for order in (2, 3)}
    found = {
        f"{words}, {name}": partial(walk, kind=kind, **table, **solver, **grid)
        for name, grid in grids.items()
        for words, (kind, solver) in kinds.items()
    }
    plain = table | grids["timesteps"] | {"clip_sample": False}
    return found | {
        "DDIM, timesteps": partial(walk, kind="DDIM", **plain),
        "IPNDM, its own grid": partial(walk, kind="IPNDM"),
    }


def diffused(scheduler) -> Tensor:
    """A chain of diffusers, told what an exact network would say: the noise, or v for IPNDM."""
    x = noise() * scheduler.init_noise_sigma
    for k, t in enumerate(scheduler.timesteps):
        if hasattr(scheduler, "sigmas"):
            sigma = scheduler.sigmas[k].double()
        elif hasattr(scheduler, "alphas_cumprod"):
            sigma = schedules.to_sigma(scheduler.alphas_cumprod[t].double())
        else:  # IPNDM's first level is infinite
            sigma = (scheduler.betas[k] / scheduler.alphas[k]).double().clamp(max=1e6)
        scale = (1 + sigma**2).sqrt()
        seen = scheduler.scale_model_input(x, t) * scale  # x0 + sigma n
        D = oracle()(seen, sigma)
        said = (seen - D) / sigma
        if not hasattr(scheduler, "sigmas") and not hasattr(scheduler, "alphas_cumprod"):
            said = (said - sigma * D) / scale
        x = scheduler.step(said.float(), t, x, return_dict=False)[0].float()
    return x


def of_lucidrains() -> dict[str, Solver]:
    """denoising-diffusion-pytorch's DPM-Solver++, and Heun without churn, on Karras' grid."""
    from denoising_diffusion_pytorch import elucidated_diffusion as library

    class Exact(library.ElucidatedDiffusion):
        device = torch.device("cpu")

        def preconditioned_network_forward(self, x, sigma, *_, **__):
            return oracle()(x, sigma)

    library.tqdm = lambda steps, **_: steps
    net = SimpleNamespace(random_or_learned_sinusoidal_cond=True, self_condition=False)
    chain = Exact(net, image_size=SHAPE[-1], sigma_min=LOW, sigma_max=HIGH, S_churn=0)

    def walk(calls: int, draw: Callable) -> Tensor:
        torch.manual_seed(SEED)  # the chain draws the noise itself
        return 2 * draw(SHAPE[0], calls) - 1

    return {
        "DPM-Solver++ 2, Karras": partial(walk, draw=chain.sample_using_dpmpp),
        "Heun, Karras": lambda calls: walk((calls + 1) // 2, chain.sample),
    }


SOLVERS = {"diffutils": ours, "diffusers": of_diffusers, "lucidrains": of_lucidrains}


def calls_needed(library: str, ladder: tuple[int, ...] = LADDER) -> dict[str, dict]:
    """For each goal the fewest calls of the ladder that reach it, and by which solver."""
    found, solvers = {}, SOLVERS[library]()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for calls in ladder:
            errors = {name: error(solver(calls)) for name, solver in solvers.items()}
            best = min(errors, key=errors.__getitem__)
            for goal in map(str, GOALS):
                if goal not in found and errors[best] <= float(goal):
                    found[goal] = {"calls": calls, "solver": best, "error": errors[best]}
            if len(found) == len(GOALS):
                break
    return found
