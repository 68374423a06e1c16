"""Trainings of the configurations: what is left of equivariance, how good and how steady they are.

Every arm starts from the weights of its seed, sees the same batches and noise, and takes as many
steps.  Two arms change the training, not the network: by an equivariance loss, by turned images.
Two change neither: their estimates are averaged over quarter turns.  Two have no borders: nothing
tells them where they are.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from diffutils import resample, rng, samplers
from diffutils.course.experiments import rows as recorded
from diffutils.course.experiments.described import card
from diffutils.course.experiments.measure import asked_labels, measure, reference
from diffutils.course.experiments.sampling import Sampler, counted, generate, respaced
from diffutils.course.experiments.training import prepared
from diffutils.course.machine import best_device
from diffutils.data import ImageSet, to_float
from diffutils.denoisers import Denoiser, clipped, guided, per_image
from diffutils.lessons.lesson07.systems import measured, scored
from diffutils.lessons.lesson07.systems.configs import config
from diffutils.methods.equivariance import c4_averaged, disc, psnr2, rotated, translated
from diffutils.metrics import spaces
from diffutils.training import Bfloat16, batch_order, training_levels
from diffutils.weights import cards, files, models
from diffutils.weights.models import Model

PLAIN = ("A", "B-0", "C-2N", "D-2N", "D-kaiser", "D-ideal", "R")
AVERAGE = "average of four"
AVERAGED = (f"A, {AVERAGE}", f"D-ideal, {AVERAGE}")
CIRCULAR = ("A, circular", "D-ideal, circular")
ARMS = (*PLAIN, "A, equivariance loss", "A, turned images", *AVERAGED, *CIRCULAR)
LOOP = ("steps", "batch", "lr", "warmup", "ema", "compile", "log_every", "optimizer", "decay")
MOST = 45.0  # degrees to either side, of turned images
# Fields of the budget that rows which compare have alike.
SAME = ("max_size", "images", "channels", "blocks", "attention", "schedule", "T", "steps", "batch")
SAME += ("pixels", "lr", "warmup", "ema", "class_dropout", "padding", "sample_steps")
SAME += ("metric_samples",)
FIELDS = {"arm": str, "training": int, "trial": dict, "eq": dict, "before": dict, "steady": dict}
FIELDS |= {"runs": dict, "scores": dict, "kernel": recorded.DISTANCE}
MOVES = {  # of the noise that a chain starts from
    "shift": partial(translated, dy=3, dx=2),
    "sub-pixel": partial(translated, dy=3.4, dx=1.6),
    "90 degrees": partial(rotated, degrees=90),
}
RUNS = 16  # chains that are drawn twice
SHIPPED = cards.PRETRAINED / "digits.trial.jsonl"


def shipped_rows() -> list[dict]:
    """The rows that ship."""
    return recorded.read(SHIPPED, "fetch it again", FIELDS)


def turned_images(x0: Tensor, cond: None, k: int, slots: Tensor, seed: int = 0):
    """An `augment` of `training.fit`: each image turned by up to `MOST` degrees to either side."""
    u = rng.uniform(seed, k, slots, 1, rng.AUGMENT)[:, 0]
    return rotated(x0, MOST * (2 * u.double() - 1)).clamp(-1, 1), cond


def about(name: str, data: ImageSet, budget, seed: int) -> dict:
    """The card of an arm: of a configuration, or of A trained otherwise."""
    letter, _, way = name.partition(", ")
    if way == AVERAGE:
        return about(letter, data, budget, seed)
    file = f"{name.replace(',', '').replace(' ', '-').lower()}-seed-{seed}"
    entries = config(letter) | {"config": letter} | ({"recipe": way} if way else {})
    padding = "circular" if name in CIRCULAR else budget.padding
    entries["unet"] = {"padding": padding} | entries.get("unet", {})
    return card(data, budget, seed, file, **entries)


def fresh(name: str, data: ImageSet, budget, seed: int) -> Model:
    """An arm before its training, as the weights of its seed are."""
    return prepared(about(name, data, budget, seed), data)[0]


def at_hand(dataset: str, budget, live: Mapping[str, Model]) -> dict[str, Model]:
    """With budget.pretrained the networks that ship for a data set, else those trained live."""
    found = map(models.pretrained, models.shipped(data=dataset) if budget.pretrained else ())
    shipped = {model.card.get("config"): model for model in found}
    return {name: shipped.get(name, model) for name, model in live.items()}


def equivariant_loss(
    net: nn.Module,
    k: int,
    slots: Tensor,
    *,
    model: Model,
    data: ImageSet,
    batch: int,
    seed: int,
    dropout: float,
    bf16: bool = False,
) -> Tensor:
    """Losses of step k: the denoising loss, plus |F(T x) - T F(x)|^2 for a shift T of this step.

    F is the network's output, which is to follow a shift of its input by up to an eighth of the
    side, of any fraction of a pixel, wherever borders let it.  Images, labels hidden (the share
    `dropout`), levels and noise are those of `training.fit`.  Source: AF-LDM (arXiv 2503.09419).
    """
    # Take the images, and add noise.
    device = next(net.parameters()).device
    chosen = batch_order(seed, k, batch, len(data.train))[slots]
    x0 = to_float(data.train[chosen].to(device))
    y = None
    if data.train_labels is not None:
        hidden = rng.uniform(seed, k, slots.to(device), 1, rng.LABEL)[:, 0] < dropout
        y = data.train_labels[chosen].to(device).masked_fill(hidden, len(data.classes))
    noise = rng.normal(seed, k, slots.to(device), x0.shape[1:])
    sigma = training_levels(model.density, seed, k, slots, batch).to(device)
    level = per_image(sigma, x0)
    c_skip, c_out, c_in = model.denoiser.coefficients(level)
    x, told = x0 + level * noise, model.denoiser.c_noise(sigma)
    net = Bfloat16(net) if bf16 else net
    F = net(c_in * x, told, y)
    error = (c_skip * x + c_out * F - x0) / c_out
    # Shift what it was shown, and look inside what no border has reached.
    side = x0.shape[-1]
    most = side // 8
    u = rng.uniform(seed, k, torch.zeros(1, dtype=torch.long), 2, rng.AUGMENT)[0]
    dy, dx = (most * (2 * u.double() - 1)).tolist()
    inner = slice(most, side - most)
    apart = net(translated(c_in * x, dy, dx), told, y) - translated(F, dy, dx)
    return (error.square().flatten(1).mean(1)) + (
        apart[..., inner, inner].square().flatten(1).mean(1)
    )


def trained(name: str, data: ImageSet, budget, seed: int, train: Callable) -> tuple[Model, dict]:
    """An arm, trained; and how steady that was: `steadiness` of its records.

    train: as `Lesson.train`.
    """
    described = about(name, data, budget, seed)
    model, settings = prepared(described, data)
    folder, way = f"trial/{described['name']}", described.get("recipe")
    if way == "equivariance loss":
        given = {"model": model, "data": data, "batch": settings["batch"], "seed": seed}
        given |= {"dropout": settings["label_dropout"], "bf16": settings["bf16"]}
        loss = partial(equivariant_loss, **given)
        settings = {k: settings[k] for k in LOOP} | {"card": described}
        records = list(train(folder, model.denoiser.net, loss, **settings))
        ema = Denoiser(records[-1].ema, model.denoiser.coefficients, model.denoiser.c_noise)
    else:
        if way == "turned images":
            settings["augment"] = partial(turned_images, seed=seed)
        run = (folder, model.denoiser, data.train, model.density)
        records = list(train(*run, **settings))
        ema = records[-1].ema
    log = [{"step": r.step, "loss": r.loss, "heldout": r.heldout} for r in records]
    return replace(model, denoiser=ema.eval().requires_grad_(False), log=log), steadiness(records)


def steadiness(records: Sequence) -> dict[str, float]:
    """Of the second half of a training: deviation of loss and of log gradient norm.

    Both between records.  "More stable" is a claim about these numbers.
    """
    half = records[len(records) // 2 :]
    loss = torch.tensor([r.loss for r in half], dtype=torch.float64)
    norm = torch.tensor([r.grad_norm for r in half], dtype=torch.float64).log()
    few = len(half) < 2
    return {
        "loss": float(loss.mean()),
        "loss_std": math.nan if few else float(loss.std()),
        "grad_std": math.nan if few else float(norm.std()),
        "heldout": half[-1].heldout,
    }


def averaged(sampler: Sampler) -> Sampler:
    """The sampler, its denoiser averaged over quarter turns: it commutes with them."""

    def run(denoise, schedule, z: Tensor, noise: Callable) -> Tensor:
        return sampler(c4_averaged(denoise), schedule, z, noise)

    return run


def limited(sampler: Sampler) -> Sampler:
    """The sampler from noise without the frequency of Nyquist.

    A circular ideal filter takes that wave away, which has no phase to shift; a network of such
    filters cannot predict it, and would leave it in the picture.
    """

    def run(denoise, schedule, z: Tensor, noise: Callable) -> Tensor:
        rows, columns = (resample.ideal(n, nyquist=0.0).to(z) for n in z.shape[-2:])
        there = resample.along_axes(z, rows, columns)
        z = resample.along_axes(there, rows.mT / 2, columns.mT / 2)
        return sampler(denoise, schedule, z, noise)

    return run


def equivariances(model: Model, average: bool = False) -> dict[str, float]:
    """EQ-T and EQ-R in dB of a model's network, its borders made circular, as in `measured`.

    average: of the network averaged over quarter turns.
    """
    C, H, _ = model.shape
    net = measured.told(measured.without_borders(model.denoiser.net).eval())
    quarters = c4_averaged(lambda x, sigma: net(x))
    f = (lambda x: quarters(x, 1.0)) if average else net
    found = measured.eq_t_row(f, H, C)
    return found | {f"EQ-R, {name}": dB for name, dB in measured.eq_r_row(f, H, C).items()}


@torch.no_grad()
def followed(
    model: Model,
    sampler: Sampler,
    move: Callable[[Tensor], Tensor],
    labels: Tensor | None,
    n: int,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """n images sample(T z), and T sample(z): a sampling from noise that was moved, or moved after.

    move: T, of images; labels: None, or at least n; sampler: one without fresh noise, which would
    have to be moved, too.
    """
    net = model.denoiser.net
    index = torch.arange(n, device=next(net.parameters()).device)
    D = model.denoiser.eval()
    D = D if labels is None else guided(D, labels[:n].to(index), 1.0, net.classes)
    z = rng.normal(seed, 0, index, model.shape, rng.START)
    noise = samplers.seeded_noise(seed, index)
    first, last = (sampler(clipped(D), model.schedule, x, noise) for x in (move(z), z))
    return first, move(last)


def runs(model: Model, sampler: Sampler, labels: Tensor | None, seed: int = 0) -> dict[str, float]:
    """How well whole samplings follow what is done to their noise: `followed`, for `MOVES`.

    In dB of a peak of 2 inside the disc, over `RUNS` images.  "other noise": unrelated samples of
    the same classes, which is what nothing in common means.
    """
    n, mask = RUNS if labels is None else min(RUNS, len(labels)), disc(model.shape[-1])
    found = {
        name: psnr2(*followed(model, sampler, T, labels, n, seed), mask)
        for name, T in MOVES.items()
    }
    (_, y), (_, other) = (
        followed(model, sampler, lambda x: x, labels, n, k) for k in (seed, seed + 1)
    )
    return found | {"other noise": psnr2(other, y, mask)}


def rows(
    dataset: str,
    budget,
    seeds: Sequence[int],
    load: Callable,
    train: Callable,
    folder: Path,
    say: Callable = print,
) -> Iterator[dict]:
    """Rows of budget.trial_arms for every training seed, kept in folder/trial.jsonl.

    load(seed): images; train: as `Lesson.train`; say: told of each arm.  What is there is not made
    again; rows of another budget or dataset stay there, and are not given.
    """
    path = folder / "trial.jsonl"
    same = {"dataset": dataset} | {name: getattr(budget, name) for name in SAME}
    same = files.finite(same)  # as JSON gives it back
    every = recorded.read(path, "delete it, and it is made again", FIELDS)
    known = [row for row in every if row["trial"] == same]
    yield from known
    for seed in seeds:
        done = {row["arm"] for row in known if row["training"] == seed}
        if not (asked := [arm for arm in budget.trial_arms if arm not in done]):
            continue
        data = load(seed)
        n = min(budget.metric_samples, len(data.heldout), len(data.train))
        against = reference(data, spaces.of(data.name, data.shape[0], best_device()), n)
        judge, inception = spaces.judge(data.name, best_device()), scored.inception()
        drawn = budget.metric_samples if inception else n
        real = scored.side(data.train, inception, say) if inception else None
        for arm in asked:
            # What the network is before it is trained; then what became of it.
            average = arm in AVERAGED
            start = fresh(arm, data, budget, seed)
            measured.awake(start.denoiser.net, seed)
            before = equivariances(start, average)
            model, steady = trained(arm, data, budget, seed, train)
            say(f"trial: measures {arm}, training {seed}")
            sampler, labels = respaced(budget.sample_steps), asked_labels(data, drawn)
            sampler = averaged(sampler) if average else sampler
            sampler = limited(sampler) if arm in CIRCULAR else sampler
            calls = (drawn + 2 * (len(MOVES) + 1) * RUNS) * budget.sample_steps
            with counted(model.denoiser, say, f"trial: draws with {arm}", calls):
                images = generate(model, drawn, sampler=sampler, labels=labels)
                followed = runs(model, sampler, labels, seed)
            row = {"arm": arm, "training": seed, "trial": same, "eq": equivariances(model, average)}
            row |= {"before": before, "steady": steady, "runs": followed}
            row |= measure(images, against, judge, labels)
            row |= {"scores": scored.scores(images, real, inception, say) if inception else {}}
            # Keep what there is.
            every.append(files.finite(row))
            recorded.write(path, every)
            yield every[-1]
