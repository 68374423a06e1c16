"""Lesson 02's trial: what its arms train with, how they are drawn, what they leave behind."""

from types import SimpleNamespace

import pytest
import torch

from diffutils import data, denoisers, rng, samplers, schedules, training
from diffutils.course.commands.sample import sample_folder
from diffutils.course.experiments import measure, rows, sampling
from diffutils.course.runs.recorded_fit import recorded_fit
from diffutils.lessons import budget
from diffutils.lessons.lesson02 import faces_trial
from diffutils.weights import models


def claims_at(size):
    """The three claims on faces of that size."""
    arms = [faces_trial.CLAIM.format(size, arm) for arm in faces_trial.ARMS]
    return [*arms, faces_trial.CHANGE.format(size)]


FEW = {
    "trial_steps": 3,
    "seeds": 2,
    "images": 32,
    "metric_samples": 4,
    "log_every": 3,
    "channels": (16, 16, 16),
    "pixels": 8 * 64 * 64,
}


def test_the_clamped_state_is_the_published_one():
    x = torch.tensor([-9.0, 0.5, 3.0])
    clamped = faces_trial.clamp_state(samplers.Step(0, x, None, None, x, torch.tensor(2.0)))
    assert torch.allclose(clamped / 5**0.5, (x / 5**0.5).clamp(-1, 1))


def test_the_published_sampler_is_ddpm_with_every_state_clamped(model):
    """Step by step by hand, with the noise of `seeded_noise`; no estimate is clipped."""
    index = torch.arange(3)
    sigmas = schedules.levels(model.schedule, 6)
    noise = samplers.seeded_noise(4, index)
    x = samplers.start(sigmas, rng.normal(4, 0, index, model.shape, rng.START))
    with torch.no_grad():
        for k in range(6):
            x = samplers.ddpm(
                model.denoiser, x, sigmas[k : k + 2], noise=lambda _, x, k=k: noise(k, x)
            )
            scale = (1 + float(sigmas[k + 1]) ** 2) ** 0.5
            x = x.clamp(-scale, scale)
    got = measure.generate(model, 3, sampler=faces_trial.clamped(6), seed=4, clip=False)
    assert (got.int() - data.to_uint8(x).int()).abs().max() <= 1
    plain = measure.generate(model, 3, sampler=sampling.respaced(6, 1.0), seed=4, clip=False)
    assert not torch.equal(got, plain)


def test_a_trial_without_steps_is_judged_by_the_rows_that_ship():
    found = faces_trial.faces_trial(budget("02", "student"), 0, None)
    assert [row["claim"] for row in found] == claims_at(32)
    for row in found:
        assert row["N"] == "256" and row["seeds"] == "3 training, 1 sampling each"
        assert "T = 300, 800 steps of 32, recorded" in row["protocol"]


def test_without_rows_it_says_not_run():
    (claim,) = faces_trial.judged([])
    assert claim["measured"] == "not run" and "faces32.trial.jsonl is not there" in claim["why"]


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """The claims of a tiny trial, and its folder."""
    folder = tmp_path_factory.mktemp("trial")

    def train(name, *arguments, **settings):
        return recorded_fit(folder / name, *arguments, say=lambda line: None, **settings)

    # Four features in place of 64: so few images have a Fréchet distance too.
    with pytest.MonkeyPatch.context() as patch:
        space = SimpleNamespace(
            words="two pixels", features=lambda x: x[:, 0, 30, 30:32].double() / 255
        )
        patch.setattr(faces_trial.spaces, "of", lambda *_: space)
        patch.setattr(faces_trial, "T", 24)
        return faces_trial.faces_trial(budget("02", "smoke", FEW), 0, train, folder), folder


def test_both_arms_of_the_trial_train_and_are_compared(trial):
    claims, _ = trial
    assert [row["claim"] for row in claims] == claims_at(64)
    for row in claims:
        assert row["N"] == "4" and row["seeds"] == "2 training, 1 sampling each"
        said = "; ".join(row["protocol"])
        assert "T = 24, 3 steps of 8" in said and "two pixels" in said and "2 trainings" in said
    assert claims[2]["verdict"] in ("nearer", "farther", "cannot be told")


def test_a_claim_says_what_the_rows_say(trial):
    claims, folder = trial
    kept = [row for path in folder.glob("trial-rows-*/sweep.jsonl") for row in rows.read(path, "")]
    assert len(kept) == 4 and len({row["weights"] for row in kept}) == 4
    assert {row["frechet_floor"] for row in kept} == {kept[0]["frechet_floor"]}
    for claim, name in zip(claims, faces_trial.ARMS, strict=False):
        folders = folder.glob(f"trial-rows-{name.replace(' ', '-')}-*/sweep.jsonl")
        found = [rows.read(path, "")[0] for path in folders]
        assert len(found) == 2
        ratios = [row["frechet"] / row["frechet_floor"] for row in found]
        assert claim["measured"].startswith(f"{sum(ratios) / 2:.1f} (")


@pytest.mark.parametrize("arm", ["as-published-seed-0", "corrected-seed-1"])
def test_an_arm_leaves_weights_to_sample_from(trial, tmp_path, arm):
    """`sample runs/.../trial/corrected-seed-0` draws, instead of "holds 0 models"."""
    folder = trial[1] / "trial" / arm
    model = models.load_model(folder / f"{arm}.safetensors")
    assert model.card["data"] == "faces" and model.card["betas"]["arguments"]["T"] == 24
    sample_folder(str(folder), tmp_path / "images", 1, steps=2, report=lambda line: None)
    assert (tmp_path / "images" / "00000.png").exists()


def test_the_arms_differ_where_the_protocol_says(monkeypatch):
    seen, names = {}, []

    def train(name, denoiser, images, schedule, **settings):
        names.append(name)
        seen[settings["decay"].__name__] = settings | {"betas": schedule.betas}
        assert denoiser.coefficients is denoisers.eps and settings["labels"] is None
        yield from training.fit(denoiser, images, schedule, steps=1, batch=2)

    monkeypatch.setattr(faces_trial, "trial_rows", lambda *_, **__: [])
    chosen = budget("02", "smoke", FEW | {"trial_steps": 40, "seeds": 1, "images": 10})
    list(faces_trial.trained_rows(chosen, 5, train))
    published, corrected = seen["constant"], seen["cosine"]
    assert names == ["trial/as-published-seed-5", "trial/corrected-seed-5"]
    assert (published["distance"], corrected["distance"]) == (torch.abs, torch.square)
    assert published["optimizer"] is torch.optim.Adam and published["lr"] == 1e-3
    assert published["ema"] == published["warmup"] == 0 and corrected["ema"] > 0.99
    assert corrected["warmup"] == 2 and corrected["lr"] == 4e-4
    assert len(published["betas"]) == 300 and float(published["betas"][-1]) == 0.02
    assert corrected["betas"][-1] / published["betas"][-1] == pytest.approx(1000 / 300)
