"""Two folders scored: what is read, what is said, the numbers against those of whole sets."""

import json
import math
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from image_folders import couples
from made_images import images, write

from diffutils.__main__ import cli
from diffutils.course.commands import score
from diffutils.data import downloads, folders
from diffutils.metrics import classifiers, distances, similarity, spaces, streaming
from diffutils.metrics.spaces import Space

DATA = os.environ.get("DIFFUTILS_DATA", "")


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    """A place without any weights."""
    monkeypatch.delenv("DIFFUTILS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(downloads, "home", lambda: tmp_path / "data")


PIXELS = Space("four numbers", lambda x: x.double().flatten(1)[:, ::200][:, :4] / 255)


# ------------------------------------------------------------------- distances


def scored(a, b, space=PIXELS, part=None, batch=37, **kwargs):
    part = min(len(a), len(b) // 2) if part is None else part
    return score.distances(a.split(batch), b.split(batch), space, part, **kwargs)


def test_distances_are_those_of_the_whole_sets():
    a, b = images(300), images(500, 1)
    r = scored(a, b)
    x, y = PIXELS.features(a), PIXELS.features(b)
    assert r["N"] == [300, 500] and r["features"] == "four numbers"
    assert r["frechet"] == pytest.approx(distances.frechet(x, y), rel=1e-9)
    assert r["frechet_at_halves"] == pytest.approx(distances.frechet(x[:250], y[:250]), rel=1e-9)
    assert r["frechet_halves"] == pytest.approx(distances.frechet(y[:250], y[250:]), rel=1e-9)
    assert r["frechet_halves_N"] == r["frechet_at_halves_N"] == [250, 250]
    assert r["kernel"] == pytest.approx(distances.mmd(x, y), rel=1e-9)
    assert r["kernel_low"] < r["kernel"] < r["kernel_high"] and r["kernel_N"] == [300, 500]
    assert r["kernel_halves"] == pytest.approx(distances.mmd(y[:250], y[250:]), rel=1e-9)
    assert r["kernel_halves_N"] == [250, 250]
    assert (r["precision"], r["recall"]) == distances.precision_recall(y, x)
    assert not math.isnan(r["precision"]) and r["kernel_name"] == "kernel distance"
    assert any("too large, by about 1/N" in note for note in r["notes"])


def test_the_rest_of_a_large_set_counts_in_the_distance_but_not_in_the_floor():
    a, b = images(100), images(700, 1)
    r = scored(a, b, part=100)
    y = PIXELS.features(b)
    assert r["frechet_halves"] == pytest.approx(distances.frechet(y[:100], y[100:200]), rel=1e-9)
    assert r["frechet"] == pytest.approx(distances.frechet(PIXELS.features(a), y), rel=1e-9)


def same(a, b):
    """Equal but for rounding; nan equals nan."""
    assert a.keys() == b.keys()
    for key in a:
        if isinstance(a[key], float | list) and key != "notes":
            assert a[key] == pytest.approx(b[key], rel=1e-6, abs=1e-12, nan_ok=True), key
        else:
            assert a[key] == b[key], key


def test_no_number_depends_on_the_batch():
    a, b = images(150), images(150, 1)
    same(scored(a, b, batch=150), scored(a, b, batch=11))
    few = scored(a, b, batch=150, kept=60)
    assert few["kernel_N"] == [60, 60] and few["N"] == [150, 150]
    same(few, scored(a, b, batch=11, kept=60))


def test_worse_images_are_farther_and_a_shift_leaves_the_floor():
    a, b = images(300), images(600, 1)
    good, bad = scored(a, b), scored(a // 2, b)
    assert bad["frechet"] > 20 * good["frechet"] and bad["kernel"] > good["kernel_high"]
    assert bad["frechet_halves"] == good["frechet_halves"] < 3 * good["frechet_at_halves"]
    assert good["kernel_low"] < 0 < good["kernel_high"]


def test_copies_and_repeats_are_counted_mirrored_ones_too():
    a, b = images(20), images(30, 1)
    pred = torch.cat([a, a[:3], b[:4], b[4:6].flip(-1)])
    gt = torch.cat([b, b[:1]])
    r = scored(pred, gt, batch=8)
    assert r["copies"] == 6 and r["repeats"] == [3, 1]


def test_what_the_images_are_too_few_for_is_nan_with_its_reason():
    r = scored(images(3), images(3, 1))
    for key in ("frechet", "frechet_at_halves", "frechet_halves", "kernel_halves", "precision"):
        assert math.isnan(r[key]), key
    assert not math.isnan(r["kernel"])
    said = " | ".join(r["notes"])
    for words in ("there are 3: give at least 5", "sets have 2 and 1 samples", "more than k=3"):
        assert words in said


def test_the_inception_score_is_there_where_the_space_has_classes():
    space = Space("classes", PIXELS.features, probabilities=lambda x: (9 * x).softmax(1))
    a, b = images(200), images(300, 1)
    r = scored(a, b, space)
    for key, pictures in (("inception_score", a), ("inception_score_gt", b)):
        score = streaming.InceptionScore()
        score.add(space.probabilities(PIXELS.features(pictures)))
        assert r[key] == pytest.approx(list(score.score()), rel=1e-12)
    assert "inception_score" not in scored(a, b)


MEMORY = """
import torch
from diffutils.course.commands import score
from diffutils.metrics.spaces import Space

def batches(n, seed):
    for i in range(0, n, 500):
        g = torch.Generator().manual_seed(seed + i)
        yield torch.randint(0, 256, (500, 3, 16, 16), generator=g, dtype=torch.uint8)

def peak():
    # MB of the highest resident memory since the last call
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    open("/proc/self/clear_refs", "w").write("5")
    return int(status["VmHWM"].split()[0]) * 1024 / 1e6

space = Space("pixels", lambda x: x[:, :, ::4, ::4].flatten(1).double())
peaks = []
for n in (5000, 5000, 50_000):  # the first one has everything imported
    result = score.distances(batches(n, 0), batches(n, 1), space, n // 2, kept=500)
    peaks.append(peak())
print(peaks[2] - peaks[1], result["N"][0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_50000_images_need_little_more_memory_than_5000():
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True
    )
    grown, n = done.stdout.split()
    assert n == "50000"
    assert float(grown) < 25, grown  # keys of 100,000 images, which have 77 MB, features 38


# ------------------------------------------------------------------- the command


def call(*arguments):
    return CliRunner().invoke(cli, ["evaluate", *map(str, arguments)])


def test_the_command_prints_a_table_and_writes_json(tmp_path):
    pred, gt = write(tmp_path / "pred", images(150)), write(tmp_path / "gt", images(300, 1))
    out = tmp_path / "new" / "scores.json"
    done = call(pred, gt, "--features", "random", "--json", out)
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        space = spaces.named("random")
        readers = [
            folders.Reader().batches(folders.shuffled(folders.listed(f), 0, k))
            for k, f in enumerate((pred, gt))
        ]
        expected = score.distances(*readers, space, 150)
    assert math.isnan(expected["frechet_halves"]) == (found["frechet_halves"] is None)
    for key in ("kernel", "precision", "recall"):
        assert found[key] == pytest.approx(expected[key], rel=1e-9), key
    assert found["N"] == [150, 300] and found["size"] == [16, 16] and "paired" not in found
    assert found["pred"] == str(pred) and found["features"] == space.words
    for words in (
        "Fréchet distance, floor: GT against itself",
        "150 against 300",
        "precision",
        "copies of GT, mirrored or not",
        "Distances on features of a random",
    ):
        assert words in done.output, done.output
    assert "FID" not in done.output and "KID" not in done.output


def test_the_frechet_distance_agrees_with_that_of_whole_sets(tmp_path):
    pred, gt = write(tmp_path / "pred", images(150)), write(tmp_path / "gt", images(300, 1))
    result = score.evaluate(pred, gt, features="random")
    net = classifiers.random_features()
    expected = distances.frechet(
        classifiers.features(net, images(150)), classifiers.features(net, images(300, 1))
    )
    assert result["frechet"] == pytest.approx(expected, rel=1e-5)  # features are float32


def test_another_seed_draws_other_halves_but_not_another_distance(tmp_path):
    pred, gt = write(tmp_path / "pred", images(150)), write(tmp_path / "gt", images(400, 1))
    one, other = (score.evaluate(pred, gt, features="random", seed=s) for s in (0, 1))
    assert one["frechet"] == pytest.approx(other["frechet"], rel=1e-5)
    assert one["frechet_halves"] != pytest.approx(other["frechet_halves"], rel=1e-3)


def test_pairs_are_matched_by_name_and_what_has_no_partner_is_named(tmp_path):
    a, b, pred, gt = couples(tmp_path)
    write(pred, images(1, 7, 24), ["only-here"])
    write(gt / "deep", images(1, 8, 24), ["only-there"])
    (pred / "0003.png").write_bytes(b"cut")
    out = tmp_path / "scores.json"
    done = call(pred, gt, "--paired", "--features", "random", "--json", out)
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text())
    keep = [i for i in range(12) if i != 3]
    assert found["paired"]["N"] == 11
    assert found["paired"]["psnr"]["mean"] == pytest.approx(
        similarity.psnr(a[keep], b[keep]).mean().item()
    )
    assert found["unmatched"] == [str(pred / "only-here.png"), str(gt / "deep/only-there.png")]
    assert list(found["unreadable"]) == [str(pred / "0003.png")]
    assert found["paired"]["lpips"] == {"mean": None, "interval": [None, None], "N": 0}
    said = done.output
    for words in (
        "2 files are unmatched: ",
        "only-here.png",
        "only-there.png",
        "11 pairs",
        "1 files are unreadable: ",
        "0003.png",
        "PSNR, dB",
        "LPIPS was not run: the weights of alexnet are not here: run `python -m"
        " diffutils data get alexnet`",
        "MS-SSIM has 2 of its 5 scales",
    ):
        assert words in said, said
    row = next(line for line in said.splitlines() if line.startswith("LPIPS  "))
    assert "not run" in row


@pytest.mark.skipif(
    not (Path(DATA) / "lpips").is_dir() or not DATA,
    reason="DIFFUTILS_DATA names no folder with lpips/",
)
def test_lpips_of_the_published_example(tmp_path):
    source = Path(DATA) / "lpips"
    names = ["ex_p0", "ex_p1"]
    for folder, picked in (("pred", names), ("gt", ["ex_ref", "ex_ref"])):
        (tmp_path / folder).mkdir()
        for name, file in zip(names, picked, strict=True):
            content = (source / f"{file}.png").read_bytes()
            (tmp_path / folder / f"{name}.png").write_bytes(content)
    done = call(
        tmp_path / "pred",
        tmp_path / "gt",
        "--paired",
        "--features",
        "alexnet",
        "--weights",
        source / "alexnet_features.npz",
        "--json",
        tmp_path / "out.json",
    )
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["paired"]["lpips"]["mean"] == pytest.approx((0.722 + 0.138) / 2, abs=1e-3)
    assert "AlexNet" in found["features"] and found["repeats"] == [0, 1]


def test_a_folder_against_itself_is_all_copies(tmp_path):
    folder = write(tmp_path / "a", images(140))
    result = score.evaluate(folder, folder, features="sprites-features")
    assert result["frechet"] == pytest.approx(0, abs=1e-6) and result["copies"] == 140
    assert result["precision"] == result["recall"] == 1


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("pred", "nowhere"), "nowhere is no folder; give one with images"),
        (("pred", "gt", "--features", "spirits"), "no classifier 'spirits'; there are"),
        (("pred", "gt", "--weights", "no.pth"), "Path 'no.pth' does not exist"),
        (
            ("pred", "gt"),
            "the weights of inception are not here: run `python -m diffutils data get "
            "inception` (95 MB)",
        ),
        (("pred", "large", "--features", "random"), "has 20 x 20: images must be of one size"),
        (
            ("pred", "other", "--paired", "--features", "random"),
            "no image of pred has the name of one",
        ),
        (("pred", "gt", "--size", "2"), "--size"),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_sentence(tmp_path, arguments, said):
    write(tmp_path / "pred", images(5))
    write(tmp_path / "gt", images(5, 1))
    write(tmp_path / "large", images(5, 1, 20))
    write(tmp_path / "other", images(2), ["x", "y"])
    done = call(*arguments)
    assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output


def test_size_brings_two_sizes_together(tmp_path):
    pred = write(tmp_path / "pred", images(8))
    large = write(tmp_path / "large", images(8, 1, 20))
    done = call(pred, large, "--features", "random", "--size", "16", "--paired")
    assert done.exit_code == 0 and "8 against 8" in done.output, done.output


def test_long_lists_of_files_are_cut_in_the_table_only(tmp_path):
    write(tmp_path / "pred", images(20))
    write(tmp_path / "gt", images(2, 1))
    result = score.evaluate(tmp_path / "pred", tmp_path / "gt", features="random", with_pairs=True)
    assert len(result["unmatched"]) == 18
    assert "18 files are unmatched" in (text := score.table(result)) and "and 8 more" in text
