"""What README says of lessons 02 to 04 in numbers, made of the rows that ship.

`python tests/helpers/readme_claims.py` prints the sentences; a test wants each of them in README.
"""

import re

from diffutils.course.experiments import rows, sweep
from diffutils.course.experiments.effects import Effect, above_floor, effect, held
from diffutils.lessons.lesson02 import faces_trial
from diffutils.lessons.lesson03 import sprites_trial
from diffutils.lessons.lesson04 import claims
from diffutils.lessons.lesson04.systems import leap
from diffutils.weights import cards, models


def sentences() -> list[str]:
    """All of them, as they stand in README."""
    return [*_faces(), *_fewer_steps(), *_trial(), *_leap()]


def _faces() -> list[str]:
    found = rows.read(faces_trial.SHIPPED, "", rows.TRIAL)
    published, corrected, change = faces_trial.judged(found)
    about, size = found[0]["trial"], found[0]["size"]
    far = f"{published['measured']} as published, {corrected['measured']} corrected"
    return [
        f"{size}×{size} drawn faces, {about['steps']:,} steps of {about['batch']}, distance to "
        f"held-out ones: {far}; {_signs(change['measured'])}, {change['verdict']} "
        f"(N = {found[0]['N']}, {change['seeds']})"
    ]


def _fewer_steps() -> list[str]:
    found = rows.read(cards.PRETRAINED / "sprites.sweep.jsonl", "")
    both, steps, eta, _ = every = sprites_trial.costs(found, 1000)
    above = sprites_trial.costs(above_floor(found), 1000)[0]
    said = dict(zip(every, held(every), strict=True))
    long = rows.read(cards.PRETRAINED / "sprites.long.jsonl", "")
    sides = ([{"eta": 0.0, "steps": n}] for n in (100, 1000))
    down = effect("DDIM-100 less DDIM-1000", long, *sides, metric="kernel", relative=False)
    return [
        f"{down.name}: {_signs(down.words)} in kernel distance, {held([down])[0]} "
        f"(N = {long[0]['N']}, {len(down.runs)} sampling seeds)",
        f"{both.by}: {_signs(both.words)}, {said[both]}; {_mean(above)} above the floor "
        f"(N = {found[0]['N']}, {len(both.runs)} {both.unit})",
        f"fewer steps alone, {steps.by}, {_signs(steps.words)}: {said[steps]}",
        f"η alone, {eta.by}, {_signs(eta.words)}: {said[eta]}",
    ]


def _trial() -> list[str]:
    found = rows.read(cards.PRETRAINED / "sprites-edm.trial.jsonl", "", rows.TRIAL)
    places, single = claims.places(found), claims.asked_first(found)
    family = [*places, *single]
    said = dict(zip(family, held(family), strict=True))
    kept = [x for x in family if len(x.runs) > 1 and said[x].startswith(("nearer", "farther"))]
    names = "; ".join(f"{x.name} by {x.by}" for x in kept)
    grid = {x.by: x for x in places if x.name == "grid"}
    parts = [f"by {by} {_signs(x.words)} ({said[x]})" for by, x in grid.items()]
    tests = sum(len(x.runs) > 1 for x in family)
    later = rows.read(cards.PRETRAINED / "sprites-edm.later.jsonl", "", rows.TRIAL)
    later = claims.asked_later(later)
    own = [x for x in later if x.name == "all fitted / EDM, own grids"]
    whole = " and ".join(f"by {x.by} {_signs(x.words)}" for x in own)
    (word,) = {v for x, v in zip(later, held(later), strict=True) if x in own}
    return [
        f"trained and walked with c fitted to sprites, without λ, against EDM: {whole} "
        f"({word}; {len(own[0].runs)} trainings)",
        f"its grid at {found[0]['nfe']:g} calls from σ = 80: {', '.join(parts)}",
        f"of {tests} comparisons {len(kept)} survive Holm's correction: {names}",
    ]


def _leap() -> list[str]:
    starts = leap.recorded()
    trained = leap.trained()
    found = leap.judged(sweep.recorded(models.pretrained("sprites-edm")), starts, trained)
    family = [x for _, effects in found for x in effects]
    said = dict(zip(family, held(family), strict=True))
    _, _, (_, (gone, _)), (_, (far,)), (_, by_calls), (_, (chosen,)) = found
    fitted = next(x for x in by_calls if x.by == f"Heun {chosen.by}")
    return [
        f"on that grid Heun after one Euler step, with one call less: {_signs(gone.words)}, "
        f"{said[gone]} ({len(gone.runs)} {gone.unit}, N = {trained[0]['N']})",
        f"at 99 calls, by Heun, φ* against ρ = 7: {_signs(far.words)} ({said[far]}; one network, "
        f"{len(far.runs)} sampling seeds)",
        f"with c fitted to the sprites, {chosen.by} calls of Heun: {_signs(fitted.words)}, "
        f"{said[fitted]}, against ρ = 7 from 80",
        f"against ρ = 7 from 10 {_signs(chosen.words)}, {said[chosen]} "
        f"({len(chosen.runs)} sampling seeds)",
    ]


def _mean(x: Effect) -> str:
    return _signs(x.words.partition(" ")[0])


def _signs(words: str) -> str:
    """Percent and minus as README prints them: "+60 % (+42 to +81)"."""
    words = re.sub(r"(?<=\d)%(?= to)|(?<=\d)%(?=\))", "", words)
    return words.replace("%", " %").replace("-", "−")


if __name__ == "__main__":
    print("\n".join(sentences()))
