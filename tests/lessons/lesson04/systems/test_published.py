"""The published figures as they were read, against numpy and what the audit of them found."""

import math

import numpy as np
import pytest
import torch
from phi_curves import LOGS, SIGMAS, straight_in

from diffutils.data import load
from diffutils.lessons.lesson04.systems import published
from diffutils.methods import perceptual

FIGURES = published.figures()


def r2(curve, axis, levels):
    """By numpy's correlation, of SSIM read off the curve, which ends at 80."""
    seen = np.interp(np.log(np.minimum(levels, 80)), LOGS, curve)
    return np.corrcoef(axis, seen)[0, 1] ** 2


def test_every_figure_has_25_levels_that_rise():
    for figure in FIGURES.values():
        assert len(figure.levels) == len(figure.axis) == 25
        assert bool((figure.levels.diff() > 0).all()) and bool((figure.axis.diff() > 0).all())


def test_the_levels_are_those_of_the_formulas():
    """Cosine and linear chains of 50 steps, every second level of EDM's 50, equal steps of phi*."""
    t = np.arange(2, 51, 2)
    f = np.cos((t / 50 + 0.008) / 1.008 * np.pi / 2) ** 2 / np.cos(0.008 / 1.008 * np.pi / 2) ** 2
    cosine = FIGURES["DDPM, cosine"].levels.numpy()
    assert cosine[:-1] == pytest.approx(np.sqrt(1 / f - 1)[:-1])  # the last beta is cut to 0.999
    abar = np.cumprod(1 - np.linspace(1e-4, 0.02, 50))[1::2]
    linear = FIGURES["DDPM, linear"].levels.numpy()
    assert linear == pytest.approx(np.sqrt(1 / abar - 1)) and linear[-1] == pytest.approx(
        0.81, abs=0.01
    )
    roots = np.linspace(80 ** (1 / 7), 0.002 ** (1 / 7), 50)[::2][::-1]
    edm = FIGURES["EDM, log"]
    assert edm.levels.numpy() == pytest.approx(roots**7)
    assert edm.axis.numpy() == pytest.approx(7 * np.log(roots))
    own = FIGURES["EDM, rho = 7"]
    assert torch.equal(own.levels, edm.levels) and own.axis.numpy() == pytest.approx(roots)
    phi = FIGURES["phi*, c=0.3"]
    assert phi.axis.numpy() == pytest.approx(np.linspace(0.002 / 0.302, 80 / 80.3, 25))


def test_straightness_against_numpy():
    curves = straight_in(0.1, 0.3, 0.9)
    for figure in FIGURES.values():
        found = published.straightness(curves, SIGMAS, figure).tolist()
        want = [r2(c, figure.axis.numpy(), figure.levels.numpy()) for c in curves.numpy()]
        assert found == pytest.approx(want, abs=1e-9)
    assert float(published.straightness(straight_in(0.3), SIGMAS, FIGURES["phi*, c=0.3"])) > 0.999


@pytest.mark.slow
def test_on_faces_the_figures_come_out_as_published():
    """The audit found .891 (.874 to .910) for EDM, over ln sigma, on ten faces; printed: .895."""
    faces = load("faces", size=128, limit=10, seed=0).train[:10]
    curves = perceptual.ssim_curve(faces, SIGMAS)
    found = {r["name"]: r for r in published.rows({"faces": curves}, SIGMAS)}
    assert found["EDM, log"]["faces"] == pytest.approx((0.891, 0.874, 0.910), abs=6e-4)
    for name in ("DDPM, cosine", "EDM, log"):
        _, low, high = found[name]["faces"]
        assert low < found[name]["printed"] < high
    # R^2 does not tell the chain that never reaches noise from the published one; its end does.
    _, low, high = found["DDPM, linear"]["faces"]
    assert low < 0.878 < high
    assert found["DDPM, cosine"]["ends"] < 0.01 < 0.1 < found["DDPM, linear"]["ends"]
    assert found["EDM, rho = 7"]["faces"][0] < 0.8


def test_the_table():
    curves = {"faces": straight_in(0.3, 0.5), "photographs": straight_in(0.1)}
    text = published.table(published.rows(curves, SIGMAS))
    assert max(map(len, text.splitlines())) <= 79 and "photographs (range)" in text
    lines = text.splitlines()[2:]
    assert len(lines) == 5 and "nan" not in text
    assert lines[0].startswith("DDPM, cosine  0.8780  0.8710  ")
    assert lines[4].split()[2:4] == ["-", "-"]
    end = 1 - 0.5 * (80 / 80.3 + 80 / 80.5)
    assert lines[1].endswith(f"{end:.3f}") and math.isfinite(end)
