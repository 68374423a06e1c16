"""Every configuration trains on triples, from its card alone where it must, and colours."""

import pytest
import torch

from diffutils import lessons, schedules
from diffutils.course.budgets import changed
from diffutils.course.experiments import described
from diffutils.course.experiments.sampling import generate
from diffutils.course.runs.recorded_fit import recorded_fit, recorded_refine
from diffutils.data import to_float
from diffutils.lessons.lesson05.inputs.triples import triples
from diffutils.lessons.lesson05.systems import stages
from diffutils.lessons.lesson05.systems.configs import CONFIGS
from diffutils.weights import cards, models

BUDGET = lessons.budget("05", "smoke")


@pytest.fixture(scope="module")
def data():
    return described.load_for("faces", BUDGET, 0)


@pytest.mark.parametrize("config", CONFIGS)
def test_a_configuration_trains_and_its_card_builds_it_again(config, data, tmp_path):
    def train(folder, *arguments, **settings):
        return recorded_fit(tmp_path / folder, *arguments, say=lambda line: None, **settings)

    parts = triples(data, BUDGET.kinds)
    model = stages.pretrain(config, data, parts, BUDGET, 0, train)
    assert [record["step"] for record in model.log] == [2, 4]
    (weights,) = tmp_path.glob("pretrain/*/*.safetensors")
    again = models.load_model(weights)
    cond = parts["heldout"].cond("other")[:3]
    x, sigma = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0)), 0.7
    one, two = (m.denoiser(x, sigma, cond=to_float(cond)) for m in (model, again))
    torch.testing.assert_close(one, two, atol=0.01, rtol=0.01)  # weights are kept in float16
    assert again.card["triples"]["kinds"] == ["warp", "turn", "other"]
    assert generate(again, 3, cond=cond, seed=1, steps=2).shape == (3, 3, 16, 16)


def test_what_the_configurations_differ_in():
    card = described.card(load := described.load_for("faces", BUDGET, 0), BUDGET, 0, "x")
    assert load.name == "faces" and card["coefficients"] == "eps"
    built = {
        name: models.build(described.card(load, BUDGET, 0, name, **arm.card))
        for name, arm in CONFIGS.items()
    }
    # SSIMBaD's density, and the noise that each chain begins with.
    u = torch.tensor([0.5], dtype=torch.float64)
    assert built["ssimbad"].density(u) == pytest.approx(0.3, rel=0.02)
    assert built["edm"].density(u) == pytest.approx(0.3012, rel=0.001)
    ends = {name: schedules.to_alpha_bar(built[name].schedule.sigmas[-1]) for name in built
            if "anime" in name}  # fmt: skip
    assert ends["animediffusion"] == pytest.approx(0.0066, rel=0.02)
    assert ends["animediffusion-v"] == pytest.approx(1e-8, rel=0.01)


def test_references_that_the_images_do_not_have_are_refused():
    with pytest.raises(ValueError, match="kinds"):
        changed(BUDGET, {"kinds": "warp,none"}, "lesson 05")


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("loss", ["mse", "features"])
def test_a_refinement_goes_on_from_a_kill_to_the_same_weights(config, loss, data, tmp_path):
    """Through two of three steps; killed after the first record, and called again."""
    budget = changed(BUDGET, {"refine_steps": 4, "end_loss": loss, "metric_samples": 4}, "05")
    parts = triples(data, BUDGET.kinds)

    def untrained():
        about = described.card(data, budget, 0, "x", **CONFIGS[config].card)
        about["unet"]["cond_channels"] = stages.CHANNELS
        torch.manual_seed(0)
        return models.build(about)

    def train(place, stop_after=None):
        def run(folder, *arguments, **settings):
            settings |= {"say": lambda line: None, "log_every": 2, "save_every": 0}
            for record in recorded_refine(tmp_path / place / folder, *arguments, **settings):
                yield record
                if record.step == stop_after:
                    raise KeyboardInterrupt

        return run

    given = (config, data, parts, budget, 0)
    whole = stages.refined(untrained(), *given, train("whole"))
    with pytest.raises(KeyboardInterrupt):
        stages.refined(untrained(), *given, train("cut", 2))
    again = stages.refined(untrained(), *given, train("cut"))
    for one, two in zip(whole.denoiser.parameters(), again.denoiser.parameters(), strict=True):
        assert torch.equal(one, two)
    start = untrained().denoiser
    assert any(
        not torch.equal(one, two)
        for one, two in zip(whole.denoiser.parameters(), start.parameters(), strict=True)
    )
    card = cards.read_card(tmp_path / "cut" / "refine" / "x-refined" / "x-refined.safetensors")
    assert card["refinement"]["last"] == 2 and card["started_from"] == "x"


def test_an_end_loss_that_is_none_is_refused(data):
    with pytest.raises(ValueError, match="end_loss is 'clip'; choose from mse, ssim, lpips"):
        stages.end_loss("clip", data)


@pytest.mark.slow
def test_the_published_setting_runs_at_256_pixels(tmp_path):
    """52 million parameters, published bends, every step of the walk: one step of each stage."""
    few = {"images": 10, "steps": 1, "warmup": 0, "batch": 1, "compile": False, "bf16": False}
    few |= {"refine_steps": 1, "levels": 2, "metric_samples": 4}
    budget = changed(lessons.budget("05", "published"), few, "05")
    data = described.load_for("faces", budget, 0)
    assert data.shape == (3, 256, 256) and budget.kinds == ("published",) and budget.last == 0
    parts = triples(data, budget.kinds, 0, budget.turned, budget.own_ink)

    def train(folder, *task, **settings):
        record_of = recorded_fit if len(task) == 3 else recorded_refine
        return record_of(tmp_path / folder, *task, say=lambda line: None, **settings)

    model = stages.pretrain("ssimbad", data, parts, budget, 0, train)
    assert sum(p.numel() for p in model.denoiser.parameters()) > 40e6
    again = stages.refined(model, "ssimbad", data, parts, budget, 0, train)
    assert again.log[-1]["loss"] > 0 and again.card["refinement"]["last"] is None
