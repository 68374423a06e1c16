"""Lesson 04's budget: what it refuses, its arms."""

import pytest

from diffutils.course.budgets import PROFILES
from diffutils.lessons import budget


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
    from diffutils.lessons.lesson04.systems.arms import ARMS

    chosen = budget("04", profile)
    assert set(chosen.trial_arms) <= set(ARMS) and len(set(chosen.trial_arms)) > 1
    assert list(chosen.nfes) == sorted(set(chosen.nfes))


def test_lesson_04_trains_all_arms_at_three_seeds_in_full():
    from diffutils.lessons.lesson04.systems.arms import ARMS

    chosen = budget("04", "full")
    assert set(chosen.trial_arms) == set(ARMS) and chosen.seeds == 3
    assert min(chosen.nfes) == 5 and max(chosen.nfes) in (99, 101)
