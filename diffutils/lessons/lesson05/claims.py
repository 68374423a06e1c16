"""Lesson 05's claims: what was published, and ours beside it."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from diffutils.course.experiments.claims import mean_words
from diffutils.course.experiments.effects import effect
from diffutils.course.experiments.rows import where
from diffutils.lessons.lesson05.systems.verdicts import SHOWN, WALKED, judged
from diffutils.metrics.intervals import mean_interval

# Method -> PSNR, MS-SSIM and FID with the same reference, then with another one (SSIMBaD's README;
# 579 images of 256 pixels), and what of the trial stands beside it: arm and way.
PUBLISHED = {
    "SCFT": ((17.17, 0.7833, 43.98), (15.47, 0.7627, 45.18), None),
    "AnimeDiffusion": ((11.39, 0.6748, 46.96), (11.39, 0.6721, 46.72), "animediffusion"),
    "AnimeDiffusion, refined": (
        (13.32, 0.7001, 135.12),
        (12.52, 0.5683, 139.13),
        "animediffusion refined",
    ),
    "SSIMBaD, not refined": ((15.15, 0.7115, 53.33), (13.04, 0.6736, 55.18), "base"),
    "SSIMBaD, refined": ((18.92, 0.8512, 34.98), (15.84, 0.8207, 37.10), "refined all steps"),
}
PROTOCOL = (
    "published: 579 anime faces of 256 pixels, against the sketch's colours, MS-SSIM of 5 scales",
    "ours: drawn faces, by Euler in the budget's levels, trained on mixed references",
    "ours, another reference: `cross`, against the true rendering; MS-SSIM of the scales that fit",
    "Fréchet: on features of the faces' own classifier, to true answers for other faces: no FID",
    "of two different image sets only signs and orders may be compared, not numbers",
)


def published(rows: Sequence[dict]) -> Iterator[dict]:
    """The ten published rows as claims, each with ours beside it where it was run."""
    for method, (same, cross, arm) in PUBLISHED.items():
        for kind, numbers, reference in (("same", same, "warp"), ("another", cross, "cross")):
            psnr, ms_ssim, fid = numbers
            row = {
                "claim": f"{method}, {kind} reference",
                "published": f"PSNR {psnr:.2f}, MS-SSIM {ms_ssim:.4f}, FID {fid:.2f}",
                "protocol": PROTOCOL,
            }
            own = where(rows, arm=arm, way="Euler", reference=reference) if arm else []
            if own:
                row |= ours(own)
            else:
                row["why"] = "no training of it here"
            yield row


def ours(rows: Sequence[dict]) -> dict:
    """Fields of a claim on rows of one arm: means with intervals over trainings."""
    dB, similar = ([row[key] for row in rows] for key in ("dB", "ms_ssim"))
    measured = f"PSNR {mean_words(dB)}, MS-SSIM {mean_words(similar, 3)}"
    if all("frechet" in row for row in rows):
        measured += f", Fréchet {mean_words([row['frechet'] for row in rows], 0)}"
    return {
        "measured": measured,
        "verdict": "other images: not comparable",
        "N": rows[0]["N"],
        "seeds": f"{len(rows)} training",
    }


def refinement(rows: Sequence[dict]) -> dict:
    """The claim that refinement is what makes the picture better, against what needs none."""
    error, kernel = judged(rows, "mse"), judged(rows, "kernel")
    rival = "refined / one step tuned, one call"
    row = {"claim": "refinement along the trajectory is what lowers the error"}
    row |= {"published": "PSNR +2.80 with another reference"}
    if rival not in error:
        return row | {"why": "no rows of both sides"}
    (base, nearer), (other, than_one) = error["refined / not refined"], error[rival]
    return row | {
        "measured": f"K = 3: MSE {base.words}; against one call tuned {other.words}",
        "verdict": f"{nearer} than before; than one call: {than_one}",
        "N": rows[0]["N"],
        "seeds": f"{len(base.runs)} training",
        "protocol": (
            "equal calls in training; relative change of the mean squared error, cross-reference",
            "*: not after Holm's correction",
            *(
                f"kernel distance, {name}: {x.words}, {words}"
                for name, (x, words) in kernel.items()
            ),
        ),
    }


def references(rows: Sequence[dict]) -> Iterator[dict]:
    """The claims that the image itself, or bent, is reference enough: one row each."""
    for arm in ("unbent", "bent", "published recipe"):
        row = {"claim": f"training references: {SHOWN[arm]}; in use a stranger (cross)"}
        row |= {"published": "cross-reference rows"}
        sides = [where(rows, arm=name, **WALKED) for name in (arm, "base")]
        if not all(side and "delta_e" in side[0] for side in sides):
            yield row | {"why": "no rows of both sides"}
            continue
        plus, minus = ([WALKED | {"arm": name}] for name in (arm, "base"))
        found = effect(f"{arm} / mixed", rows, plus, minus, metric="delta_e")
        yield row | {
            "measured": f"colour error {found.words} against a network that saw three kinds",
            "verdict": found.verdict,
            "N": rows[0]["N"],
            "seeds": f"{len(found.runs)} training",
        }


def rivals(errors: Mapping[str, np.ndarray], n: int) -> dict:
    """The claim that another face's colours are followed, against every rival, image by image.

    errors: of each way to answer the colour error of each image; "coloured" is the network's.
    """
    ours = errors["coloured"]
    against = {k: v for k, v in errors.items() if k not in ("coloured", "true answer")}
    best = min(against, key=lambda name: np.nanmean(against[name]))
    found = {
        name: mean_interval((ours - x)[~np.isnan(ours - x)].tolist()) for name, x in against.items()
    }
    nearer = all(x.high < 0 for x in found.values())
    return {
        "claim": "cross: nearer to the colours asked for than each of four simple answers",
        "published": "not measured",
        "measured": f"ΔE {np.nanmean(ours):.1f}; {best} {np.nanmean(against[best]):.1f}, best",
        "verdict": "nearer than each" if nearer else "cannot be told from each",
        "N": n,
        "seeds": "1 training",
        "protocol": [
            "pixels where the reference shows another region; 95 % intervals over images, paired",
            *(f"less {k}: {x.mean:+.1f} ({x.low:+.1f} to {x.high:+.1f})" for k, x in found.items()),
        ],
    }
