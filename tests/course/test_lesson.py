"""Budgets, the lesson object and what it writes."""

import json
from dataclasses import FrozenInstanceError, fields
from types import SimpleNamespace

import pytest

import diffutils as du
from diffutils.course.budgets import BUDGETS, PROFILES, budget, profile_name
from diffutils.course.runs.recorded_fit import progress_line

OWN = {"profile": "smoke", "run_dir": "run"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("number", BUDGETS)
def test_every_lesson_has_every_profile(number):
    assert tuple(BUDGETS[number]) == PROFILES
    assert len({type(b) for b in BUDGETS[number].values()}) == 1


@pytest.mark.parametrize("number", BUDGETS)
def test_every_field_survives_its_own_value_and_its_text(number):
    for profile, base in BUDGETS[number].items():
        values = {f.name: getattr(base, f.name) for f in fields(base)}
        assert budget(number, profile, values) == base
        assert budget(number, profile, {k: str(v) for k, v in values.items()}) == base


def test_budgets_are_frozen():
    with pytest.raises(FrozenInstanceError):
        budget("02", "smoke").steps = 1


def test_overrides_arrive_with_the_right_type():
    given = {"steps": "1e2", "lr": "1e-4", "channels": "8, 16", "attention": ["true", False]}
    changed = budget("02", "smoke", given)
    assert (changed.steps, changed.lr) == (100, 1e-4)
    assert (changed.channels, changed.attention) == ((8, 16), (True, False))
    assert isinstance(changed.steps, int)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"steps": "many"}, "steps is 'many', expected a whole number"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": 1.5}, "steps is 1.5"),
        ({"steps": True}, "steps is True"),
        ({"steps": None}, "steps is None"),
        ({"lr": "nan"}, "lr is 'nan', expected a number"),
        ({"ema": 1}, "from 0 to below 1"),
        ({"schedule": "cos"}, "one of linear, .*cosine"),
        ({"channels": []}, "channels is .*a list"),
        ({"attention": [1]}, "true or false"),
    ],
)
def test_wrong_overrides_are_refused_with_what_was_expected(overrides, said):
    with pytest.raises(ValueError, match=said):
        budget("02", "smoke", overrides)


def test_profile_comes_from_argument_environment_or_default(monkeypatch):
    assert profile_name() == "student"
    monkeypatch.setenv("DIFFUTILS_PROFILE", "smoke")
    assert (profile_name(), profile_name("full")) == ("smoke", "full")
    monkeypatch.setenv("DIFFUTILS_PROFILE", "fast")
    with pytest.raises(ValueError, match="DIFFUTILS_PROFILE is 'fast'; choose one of smoke"):
        profile_name()


def test_a_lesson_says_what_it_will_do_in_one_line(capsys):
    lesson = du.lesson("02", seed="3", overrides={"steps": "7"}, **OWN)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    for part in ("lesson 02", "smoke", "sprites", "seed 3", lesson.device.type, "run", "steps=7"):
        assert part in said
    assert lesson.seed == 3
    assert lesson.budget.steps == 7


@pytest.mark.parametrize("seed", [2**53 + 1, str(2**53 + 1), 2**63 - 1, 3.0])
def test_a_seed_arrives_exactly(seed):
    assert du.lesson("02", seed=seed, **OWN).seed == int(seed)


def test_run_directories(tmp_path, monkeypatch):
    assert du.lesson("01", **OWN).dir == tmp_path / "run"
    default = du.lesson("01", profile="smoke").dir
    assert default.is_relative_to(tmp_path / "runs")
    assert default.is_dir()
    monkeypatch.setenv("DIFFUTILS_RUN_DIR", str(tmp_path / "given"))
    assert du.lesson("01", profile="smoke").dir == tmp_path / "given" / "01"


def test_finish_writes_the_whole_record(tmp_path, capsys):
    lesson = du.lesson("02", overrides={"steps": 5}, **OWN)
    lesson.headline("Fréchet distance", 1.25)
    lesson.metric("broken", float("nan"))
    lesson.claim("L1 | MSE", published="yes", measured=0.123456, protocol="a < b", N=5, seeds=3)
    lesson.claim("a GPU result")
    lesson.finish()
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["budget"]["steps"] == 5
    assert record["parameters"] == {"profile": "smoke", "dataset": "sprites", "seed": 0}
    assert record["metrics"] == {"Fréchet distance": 1.25, "broken": "nan"}
    assert record["headline"] == "Fréchet distance"
    assert record["versions"]["torch"]
    assert record["peak_memory_mb"] > 50
    assert record["seconds"] >= 0
    assert [c["measured"] for c in record["claims"]] == ["0.123", "not run"]
    assert [c["protocol"] for c in record["claims"]] == [["a < b"], []]
    printed = capsys.readouterr().out
    assert "| L1 \\| MSE | yes | 0.123 | - | 5 | 3 |" in printed
    assert "<li><b>L1 | MSE</b> a &lt; b</li>" in printed
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["run.json"]


def test_claims_keep_their_fields(tmp_path):
    """Verdict, why and protocol stay apart in run.json; what nobody can read is refused."""
    lesson = du.lesson("02", **OWN)
    fields = {"verdict": "nearer", "why": "no GPU", "protocol": ["one", "two"]}
    lesson.claim("name", N=5, **fields)
    with pytest.raises(ValueError, match="measured of the claim 'long' has 200 characters"):
        lesson.claim("long", measured="x" * 200)
    lesson.finish()
    (made,) = json.loads((tmp_path / "run" / "run.json").read_text())["claims"]
    assert made == fields | {"claim": "name", "published": "-", "measured": "not run", "N": "5",
                             "seeds": "-"}  # fmt: skip


def test_progress_is_printed_and_reaches_the_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DIFFUTILS_PROGRESS", str(tmp_path / "progress"))
    lesson = du.lesson("02", **OWN)
    for step, heldout in ((1, None), (2, 0.25)):
        record = SimpleNamespace(step=step, loss=0.5, heldout=heldout, images_per_second=10.0)
        lesson.progress(progress_line("model", record, 2))
    lines = (tmp_path / "progress").read_text().splitlines()
    assert lines[0] == "model: step 1/2 · loss 0.5000 · 10 images/s"
    assert "held-out 0.2500" in lines[1]
    printed = capsys.readouterr().out
    assert all(line in printed for line in lines)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"beta_max": "1.5"}, "beta_max is 1.5, expected 0 < beta_min <= beta_max < 1"),
        ({"beta_min": 0.03}, "beta_min is 0.03 and beta_max is 0.02"),
        ({"schedule": "cosine", "beta_max": 0.01}, "say nothing to the cosine schedule"),
    ],
)
def test_a_wrong_range_of_beta_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        budget("02", "smoke", changes)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"grid_steps": "10,2000"}, "grid_steps has 2000, expected 1 to T = 1000 steps"),
        ({"skip_steps": [0]}, "skip_steps has 0, expected 1 to T = 1000"),
        ({"T": 100}, "long_steps has 1000, expected 1 to T = 100"),
        ({"shown": 3}, "shown is 3, expected at least 4"),
        ({"long_steps": 4}, "long_steps is 4, expected at least 5"),
        ({"grid_etas": "0,1.5"}, "grid_etas has 1.5, expected 0"),
        ({"grid_etas": "-1"}, "grid_etas is '-1', expected a list"),
        ({"sampling_seeds": 0}, "sampling_seeds is 0, expected a whole number"),
        ({"beta_min": 0.5}, "expected 0 < beta_min <= beta_max < 1"),
    ],
)
def test_a_wrong_grid_is_refused(overrides, said):
    with pytest.raises(ValueError, match=said):
        budget("03", "student", overrides)


def test_lesson_03_at_the_published_setting():
    """T = 1000, linear beta, Adam 1e-3 constant, 40 epochs of 60,000 in batches of 100; N 3,000."""
    from diffutils import data
    from diffutils.course.experiments.described import batch_for, betas

    chosen = budget("03", "published")
    assert betas(chosen) == {
        "name": "linear",
        "arguments": {"T": 1000, "beta_min": 1e-4, "beta_max": 0.02},
    }
    assert (chosen.optimizer, chosen.decay) == ("adam", "constant")
    assert (chosen.lr, chosen.warmup) == (1e-3, 0)
    assert batch_for(data.load("sprites", limit=8), chosen) == 100
    assert chosen.steps * 100 == 40 * 60_000 and chosen.images == 60_000
    assert (chosen.metric_samples, chosen.class_dropout, chosen.pretrained) == (3_000, 1, False)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"nfes": "5,8"}, "nfes has 8, expected odd numbers: Heun's method takes two"),
        ({"nfes": [0]}, "nfes has 0, expected odd numbers"),
        ({"nfes": "all"}, "nfes is 'all', expected a list, each item a whole number"),
        ({"trial_nfe": 20}, "trial_nfe has 20, expected odd numbers"),
        ({"trial_arms": "EDM, phi"}, "trial_arms has 'phi', choose from EDM; phi density; "),
        ({"trial_arms": ["DDPM", "edm"]}, "trial_arms has 'edm'"),
        ({"trial_arms": []}, "trial_arms is .*, expected a list, each item text"),
        ({"trial_arms": "DDPM", "trial_nfe": 51, "T": 50}, "trial_nfe is 51, expected 1 to T = 50"),
        ({"ssim_size": 15}, "ssim_size is 15, expected at least 16"),
        ({"ssim_images": 3}, "ssim_images is 3, expected at least 4"),
        ({"shown": 3}, "shown is 3, expected at least 4"),
        ({"images": 9}, "images is 9, expected at least 10"),
    ],
)
def test_a_wrong_trial_of_lesson_04_is_refused(overrides, said):
    with pytest.raises(ValueError, match=said):
        budget("04", "student", overrides)


def test_lesson_04_from_text():
    given = {"nfes": "5, 9", "trial_nfe": "7", "trial_arms": "EDM, phi both,DDPM", "seeds": "2"}
    changed = budget("04", "smoke", given)
    assert (changed.nfes, changed.trial_nfe, changed.seeds) == ((5, 9), 7, 2)
    assert changed.trial_arms == ("EDM", "phi both", "DDPM")
    quoted = budget("04", "smoke", {"trial_arms": "('EDM', \"phi density lambda'\")"})
    assert quoted.trial_arms == ("EDM", "phi density lambda'")
    assert budget("04", "smoke", {"trial_steps": 0}).trial_steps == 0


@pytest.mark.parametrize("profile", PROFILES)
def test_the_arms_of_lesson_04_are_those_that_can_be_trained(profile):
    from diffutils.course.budgets import TRIAL_ARMS
    from diffutils.lessons.lesson04.arms import ARMS

    assert tuple(ARMS) == TRIAL_ARMS
    chosen = budget("04", profile)
    assert set(chosen.trial_arms) <= set(ARMS) and len(set(chosen.trial_arms)) > 1
    assert list(chosen.nfes) == sorted(set(chosen.nfes))


def test_lesson_04_trains_all_arms_at_three_seeds_in_full():
    chosen = budget("04", "full")
    assert len(chosen.trial_arms) == 8 and chosen.seeds == 3
    assert min(chosen.nfes) == 5 and max(chosen.nfes) in (99, 101)


def test_the_range_of_beta_reaches_the_schedule():
    from diffutils.course.experiments.described import betas
    from diffutils.weights import models

    chosen = betas(budget("02", "smoke", {"T": 50, "beta_min": 0.01, "beta_max": "0.3"}))
    table = models.BETAS[chosen["name"]](**chosen["arguments"])
    assert (len(table), float(table[0]), float(table[-1])) == (50, 0.01, 0.3)
    assert betas(budget("02", "smoke", {"schedule": "cosine"}))["arguments"] == {"T": 1000}


def test_a_lesson_trains_in_its_directory_and_goes_on(tmp_path, capsys):
    """Progress lines for what is trained, none for what is replayed; the lesson's own seed."""
    import torch

    from diffutils import denoisers, schedules
    from diffutils.unet import UNet

    schedule = schedules.Discrete(schedules.linear_betas(100, 1e-3, 0.2))
    images = torch.zeros(10, 3, 4, 4, dtype=torch.uint8)

    def train(**changes):
        lesson = du.lesson("02", seed=7, **OWN, **changes)
        torch.manual_seed(0)
        net = UNet(channels=(8,), blocks=1, attention=(False,))
        denoiser = du.Denoiser(net, denoisers.eps, schedule.t)
        capsys.readouterr()
        records = lesson.train("toy", denoiser, images, schedule, steps=4, batch=2, log_every=2)
        replayed = [r.replayed for r in records]
        path = lesson.images("drawn", images)
        assert len(list(path.iterdir())) == 10 and path == tmp_path / "run" / "images" / "drawn"
        lesson.finish()
        return replayed, capsys.readouterr().out

    replayed, said = train()
    assert replayed == [False, False] and "toy: step 4/4" in said
    assert "seed" in (tmp_path / "run" / "toy" / "model.txt").read_text()
    assert json.loads((tmp_path / "run" / "toy" / "toy.json").read_text())["settings"]["seed"] == 7
    replayed, said = train()
    assert replayed == [True, True] and "step 4/4" not in said
    assert "toy: all 4 steps were done before" in said
    assert train(resume="never")[0] == [False, False]
