"""Solvers of other libraries walk the same problem: the same method errs by the same amount."""

import pytest
import torch

from diffutils import samplers, schedules
from diffutils.course.speed import solvers

HEUN = {
    "diffutils": "Heun, Karras",
    "diffusers": "HeunDiscrete, Karras",
    "lucidrains": "Heun, Karras",
}
# NumPy's, of the way in which diffusers calls it
pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")


def walk(library, calls):
    pytest.importorskip({"lucidrains": "denoising_diffusion_pytorch"}.get(library, library))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        return solvers.error(solvers.SOLVERS[library]()[HEUN[library]](calls))


def test_the_answer_is_exact():
    """Another method, on another grid, leads there; and images of it need no clipping."""
    sigmas = schedules.levels(schedules.karras(solvers.LOW, solvers.HIGH), 1500)
    x = samplers.start(sigmas, solvers.noise().double())
    assert solvers.error(samplers.sample(solvers.oracle(), x, sigmas, order=3)) < 1e-4
    assert solvers.answer().abs().max() < 1
    assert solvers.error(1.1 * solvers.answer()) == pytest.approx(0.1)


@pytest.mark.parametrize("library", ["diffusers", "lucidrains"])
def test_the_same_method_errs_as_ours(library):
    assert walk(library, 31) == pytest.approx(walk("diffutils", 31), rel=0.01)


@pytest.mark.parametrize("library", solvers.SOLVERS)
def test_no_solver_calls_the_network_more_often_than_it_may(library, monkeypatch):
    pytest.importorskip({"lucidrains": "denoising_diffusion_pytorch"}.get(library, library))
    calls, exact = [], solvers.oracle()
    monkeypatch.setattr(solvers, "oracle", lambda: lambda *a: (calls.append(1), exact(*a))[1])
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for name, solver in solvers.SOLVERS[library]().items():
            for allowed in (6, 7):
                calls.clear()
                assert solver(allowed).shape == solvers.SHAPE, name
                assert 5 <= len(calls) <= allowed, name


def test_the_fewest_calls_of_the_best_solver_count(monkeypatch):
    answer = solvers.answer()
    made = {"slow": lambda n: answer * (1 + 0.4 / n), "quick": lambda n: answer * (1 + 0.19 / n)}
    monkeypatch.setitem(solvers.SOLVERS, "diffutils", lambda: made)
    found = solvers.calls_needed("diffutils", (2, 4, 8, 16, 32))
    assert {goal: (best["calls"], best["solver"]) for goal, best in found.items()} == {
        "0.05": (4, "quick"),
        "0.01": (32, "quick"),
    }
    assert solvers.calls_needed("diffutils", (2, 4)).keys() == {"0.05"}
