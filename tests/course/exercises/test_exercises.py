"""Every exercise: the course's answer and others pass, every mistake is named, folds are right."""

import math
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from scipy import stats

from diffutils import samplers
from diffutils.course.exercises import folds
from diffutils.course.exercises.verdict import RIGHT, WRONG, judge
from diffutils.lessons import exercises

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
EXERCISES = exercises()
every = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
mistakes = pytest.mark.parametrize(
    ("exercise", "mistake"),
    [pytest.param(e, m, id=f"{e.id}-{m.name}") for e in EXERCISES.values() for m in e.mistakes],
)

# ------------------------------------------------------- right answers, written in other ways


def forward_by_angle(x0, abar, noise):
    angle = math.acos(math.sqrt(abar))
    return x0 * math.cos(angle) + noise * math.sin(angle)


def forward_by_numpy(x0, abar, noise):
    factor = np.sqrt(abar)
    x_t = factor * x0
    return x_t + np.sqrt(1 - factor**2) * noise


def guess_band_by_band(x, abar, world):
    logs, answers = [], []
    for w, m, s in zip(*world, strict=True):
        v = abar * s * s + (1 - abar)
        logs.append(math.log(w / math.sqrt(v)) - (x - math.sqrt(abar) * m) ** 2 / v / 2)
        answers.append(m + math.sqrt(abar) * s * s / v * (x - math.sqrt(abar) * m))
    total = np.logaddexp.reduce(logs)
    return sum(np.exp(log - total) * answer for log, answer in zip(logs, answers, strict=True))


def guess_by_torch(x, abar, world):
    w, m, s = (torch.tensor(part) for part in world)
    seen = torch.distributions.Normal(abar**0.5 * m, (abar * s**2 + 1 - abar).sqrt())
    shares = (w.log() + seen.log_prob(torch.tensor(x)[:, None])).softmax(1)
    away = torch.tensor(x)[:, None] / abar**0.5 - m
    return (shares * (m + s**2 / (s**2 + (1 - abar) / abar) * away)).sum(1).numpy()


def tweedie_by_noise(x, clean, abar):
    eps = (x - abar**0.5 * clean) / (1 - abar) ** 0.5
    return -eps / (1 - abar) ** 0.5


def tweedie_in_sigma(x, clean, abar):
    sigma2 = (1 - abar) / abar
    return (clean - x / np.sqrt(abar)) / sigma2 / np.sqrt(abar)


def step_in_sigma(x, clean, now, then, eta, z):
    s, t = np.sqrt(1 / now - 1), np.sqrt(1 / then - 1)
    up = eta * t * np.sqrt(np.clip(1 - t**2 / s**2, 0, None))
    d = (x / np.sqrt(now) - clean) / s
    return np.sqrt(then) * (clean + np.sqrt(t**2 - up**2) * d + up * z)


def step_by_weights(x, clean, now, then, eta, z):
    var = eta**2 * max(0.0, (1 - then) * (then - now) / (1 - now) / then)
    of_x = math.sqrt((1 - then - var) / (1 - now))
    return of_x * x + (math.sqrt(then) - of_x * math.sqrt(now)) * clean + math.sqrt(var) * z


def units_by_snr(x_t, abar):
    return x_t * abar**-0.5, (1 / abar - 1) ** 0.5


def units_by_tensor(x_t, abar):
    sigma = torch.tensor(1 / abar - 1, dtype=torch.float64).sqrt()
    return [x_t * math.sqrt(1 + float(sigma) ** 2), sigma]


def bend_by_share(betas, last):
    root = torch.cumprod(torch.sqrt(1 - betas), 0)
    share = (root - root[-1]) / (root[0] - root[-1])
    new = share * root[0] + (1 - share) * last**0.5
    return 1 - torch.cat([new[:1], new[1:] / new[:-1]]) ** 2


def bend_by_loop(betas, last):
    roots = (1 - betas).cumprod(0).sqrt().tolist()
    high, low, before, result = roots[0], roots[-1], 1.0, []
    for root in roots:
        new = math.sqrt(last) + (root - low) / (high - low) * (high - math.sqrt(last))
        result.append(1 - (new / before) ** 2)
        before = new
    return torch.tensor(result, dtype=betas.dtype)


def posterior_by_precision(betas, t, x0, x_t):
    if t == 0:
        return x0, 0.0
    before = torch.prod(1 - betas[:t])
    variance = 1 / ((1 - betas[t]) / betas[t] + 1 / (1 - before))
    mean = (1 - betas[t]).sqrt() / betas[t] * x_t + before.sqrt() / (1 - before) * x0
    return mean * variance, variance


def posterior_by_lists(betas, t, x0, x_t):
    abar = [1.0]
    for beta in betas.tolist():
        abar.append(abar[-1] * (1 - beta))
    b, before, after = float(betas[t]), abar[t], abar[t + 1]
    mean = (before**0.5 * b * x0 + (1 - b) ** 0.5 * (1 - before) * x_t) / (1 - after)
    return mean, torch.tensor((1 - before) * b / (1 - after), dtype=torch.float64)


def loss_by_mse(net, x0, t, noise, betas):
    abar = torch.exp(torch.log1p(-betas).cumsum(0))[t][:, None, None, None]
    return torch.nn.functional.mse_loss(net(abar**0.5 * x0 + (1 - abar) ** 0.5 * noise, t), noise)


def loss_one_by_one(net, x0, t, noise, betas):
    total = 0.0
    for i in range(len(x0)):
        abar = torch.prod(1 - betas[: t[i] + 1])
        x_t = abar.sqrt() * x0[i : i + 1] + (1 - abar).sqrt() * noise[i : i + 1]
        total += float(((net(x_t, t[i : i + 1]) - noise[i : i + 1]) ** 2).mean())
    return total / len(x0)


def clipped_by_mean_shift(x, t, eps, betas, z):
    abar = torch.prod(1 - betas[: t + 1])
    before = torch.prod(1 - betas[:t])
    x0 = torch.clip(x / abar**0.5 - (1 / abar - 1) ** 0.5 * eps, -1, 1)
    noise = (x - abar.sqrt() * x0) / (1 - abar).sqrt()  # what the clipped estimate implies
    mean = (x - betas[t] / (1 - abar).sqrt() * noise) / (1 - betas[t]).sqrt()
    return mean + ((1 - before) / (1 - abar) * betas[t]).sqrt() * z


def clipped_with_if(x, t, eps, betas, z):
    abar = torch.cumprod(1 - betas, 0)
    x0 = (x - torch.sqrt(1 - abar[t]) * eps) / torch.sqrt(abar[t])
    x0 = torch.minimum(torch.maximum(x0, -torch.ones_like(x0)), torch.ones_like(x0))
    if t == 0:
        return x0
    mean, variance = posterior_by_precision(betas, t, x0, x)
    return torch.normal(mean * 0, 0.0) + mean + z * variance.sqrt()


def linear_by_cov(x, sigmas):
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T))
    return (eigenvalues / (eigenvalues + sigmas[:, None] ** 2)).mean(1)


def linear_by_trace(x, sigmas):
    cov = np.cov(x.numpy(), rowvar=False)
    eye = np.eye(len(cov))
    found = [np.trace(cov @ np.linalg.inv(cov + float(s) ** 2 * eye)) / len(cov) for s in sigmas]
    return torch.tensor(found, dtype=torch.float64)


def average_by_lerp(averaged, weights, k, decay):
    return averaged.lerp(weights, 1 - min(decay, (k + 1) / (k + 10)))


def average_with_if(averaged, weights, k, decay):
    d = (1 + k) / (10 + k)
    if d > decay:
        d = decay
    new = averaged.clone()
    new += (1 - d) * (weights - averaged)
    return new


def average_by_memory(averaged, weights, k, decay):
    memory = min((10 + k) / 9, 1 / (1 - decay))
    return averaged + (weights - averaged) / memory


def guide_in_one_batch(D, x, sigma, labels, w, null):
    labels = torch.cat([labels, torch.full_like(labels, null)])
    c, u = D(torch.cat([x, x]), sigma, labels).chunk(2)
    return w * c + (1 - w) * u


def guide_from_conditional(D, x, sigma, labels, w, null):
    c, u = D(x, sigma, labels), D(x, sigma, labels.clone().fill_(null))
    return c + (w - 1) * (c - u)


def respaced_by_loop(T, n):
    found = []
    for i in range(n):
        found.append(round(T - i * T / n) - 1)
    return torch.tensor(found)


def respaced_from_the_low_end(T, n):
    return (torch.linspace(0, T, n + 1, dtype=torch.float64)[1:].round().flip(0) - 1).long()


def fresh_noise_by_sigma(abar_t, abar_s, eta):
    now, then = math.sqrt(1 / abar_t - 1), math.sqrt(1 / abar_s - 1)
    return eta * math.sqrt(abar_s) * then * math.sqrt(1 - then**2 / now**2)


def fresh_noise_by_variance(abar_t, abar_s, eta):
    variance = (1 - abar_s) / (1 - abar_t) * (abar_s - abar_t) / abar_s
    return np.sqrt(eta**2 * variance)


def jump_by_image(x_t, eps, abar_t, abar_s, sigma, z):
    x0 = x_t * abar_t**-0.5 - (1 / abar_t - 1) ** 0.5 * eps
    return math.sqrt(abar_s) * x0 + math.sqrt(max(0, 1 - abar_s - sigma**2)) * eps + sigma * z


def jump_in_sigma(x_t, eps, abar_t, abar_s, sigma, z):
    keep = (abar_s / abar_t) ** 0.5
    along = math.sqrt(1 - abar_s - sigma**2) - keep * math.sqrt(1 - abar_t)
    return keep * x_t + along * eps + sigma * z


def slerp_one_by_one(a, b, t):
    rows = []
    for x, y in zip(a, b, strict=True):
        cosine = float((x * y).sum() / (x.norm() * y.norm()))
        w = math.acos(min(1.0, max(-1.0, cosine)))
        if w < 1e-6:
            rows.append(x + t * (y - x))
        else:
            rows.append((math.sin((1 - t) * w) * x + math.sin(t * w) * y) / math.sin(w))
    return torch.stack(rows)


def slerp_of_the_library(a, b, t):
    return samplers.slerp(a, b, t)


def frechet_written_out(x, y):
    spread = x.var(0) + y.var(0) - 2 * (x.var(0) * y.var(0)).sqrt()
    return ((x.mean(0) - y.mean(0)) ** 2 + spread).sum()


def frechet_by_numpy(x, y):
    x, y = x.numpy(), y.numpy()
    means, stds = x.mean(0) - y.mean(0), x.std(0, ddof=1) - y.std(0, ddof=1)
    return float(means @ means + stds @ stds)


def interval_by_scipy(values, share=0.95):
    return stats.t.interval(share, len(values) - 1, np.mean(values), stats.sem(values))


def interval_by_table(values, share=0.95):
    n = len(values)
    mean = sum(values) / n
    error = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
    k = stats.t(n - 1).isf((1 - share) / 2)
    return mean - k * error, mean + k * error


def precondition_by_precision(sigma, sigma_data):
    c_skip = 1 / (1 + (sigma / sigma_data) ** 2)
    c_out = (1 / sigma**2 + 1 / sigma_data**2) ** -0.5
    return c_skip, c_out, torch.rsqrt(sigma.square() + sigma_data**2)


def precondition_step_by_step(sigma, sigma_data):
    c_skip = 1 - sigma**2 / (sigma_data**2 + sigma**2)
    left = (1 - c_skip) ** 2 * sigma_data**2 + c_skip**2 * sigma**2
    return [c_skip, left.sqrt(), 1 / torch.hypot(sigma, torch.full_like(sigma, sigma_data))]


def sigma_of_by_odds(p, c):
    return c / (1 / p - 1)


def sigma_of_by_logit(p, c):
    return torch.exp(math.log(c) + torch.logit(torch.as_tensor(p, dtype=torch.float64)))


def straightness_by_polyfit(x, y):
    slope, intercept = np.polyfit(x, y, 1)
    residual = y.numpy() - (intercept + slope * x.numpy())
    return 1 - residual.var() / y.numpy().var()


def straightness_by_correlation(x, y):
    return torch.corrcoef(torch.stack([x, y]))[0, 1] ** 2


def straightness_of_the_line(x, y):
    a = torch.stack([x, torch.ones_like(x)], 1)
    line = a @ torch.linalg.lstsq(a, y[:, None]).solution
    return float(line.var() / y.var())


def heun_by_average_of_ends(x, sigma, sigma_next, D):
    step = torch.as_tensor(sigma_next - sigma, dtype=x.dtype)
    first = x + step * (x - D(x, sigma)) / sigma
    if not sigma_next:
        return first
    second = x + step * (first - D(first, sigma_next)) / sigma_next
    return (first + second) / 2


def heun_by_correction(x, sigma, sigma_next, D):
    image, ratio = D(x, sigma), sigma_next / sigma
    x_next = ratio * x + (1 - ratio) * image
    if sigma_next > 0:
        d_next = x_next / sigma_next - D(x_next, sigma_next) / sigma_next
        x_next = x_next + 0.5 * (sigma_next - sigma) * (d_next - (x - image) / sigma)
    return x_next


def weight_by_distributions(sigma, c, P_mean, P_std):
    drawn = torch.distributions.Normal(P_mean, P_std).log_prob(sigma.log())
    u = sigma.log() - math.log(c)
    return (drawn + u + 2 * torch.nn.functional.softplus(-u)).exp()


def weight_per_sigma(sigma, c, P_mean, P_std):
    z = (np.log(sigma.numpy()) - P_mean) / P_std
    normal = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi * P_std**2) / sigma.numpy()
    return torch.from_numpy(normal) * (sigma + c) ** 2 / c


ANSWERS = {
    "1.1": (forward_by_angle, forward_by_numpy),
    "1.2": (guess_band_by_band, guess_by_torch),
    "1.3": (tweedie_by_noise, tweedie_in_sigma),
    "1.4": (step_in_sigma, step_by_weights),
    "1.5": (units_by_snr, units_by_tensor),
    "1.6": (bend_by_share, bend_by_loop),
    "2.1": (posterior_by_precision, posterior_by_lists),
    "2.2": (loss_by_mse, loss_one_by_one),
    "2.3": (clipped_by_mean_shift, clipped_with_if),
    "2.4": (linear_by_cov, linear_by_trace),
    "2.5": (average_by_lerp, average_with_if, average_by_memory),
    "2.6": (guide_in_one_batch, guide_from_conditional),
    "3.1": (respaced_by_loop, respaced_from_the_low_end),
    "3.2": (fresh_noise_by_sigma, fresh_noise_by_variance),
    "3.3": (jump_by_image, jump_in_sigma),
    "3.4": (slerp_one_by_one, slerp_of_the_library),
    "3.5": (frechet_written_out, frechet_by_numpy),
    "3.6": (interval_by_scipy, interval_by_table),
    "4.2": (precondition_by_precision, precondition_step_by_step),
    "4.3": (sigma_of_by_odds, sigma_of_by_logit),
    "4.5": (straightness_by_polyfit, straightness_by_correlation, straightness_of_the_line),
    "4.1": (heun_by_average_of_ends, heun_by_correction),
    "4.4": (weight_by_distributions, weight_per_sigma),
}

# ------------------------------------------------------- the tests


@every
def test_an_exercise_is_complete(exercise):
    assert 1 <= exercise.difficulty <= 3
    assert 5 <= exercise.minutes <= 20
    assert len(exercise.mistakes) >= 5
    for part in (m.name for m in exercise.mistakes), (m.hint for m in exercise.mistakes):
        assert len(set(part)) == len(exercise.mistakes)
    for words in (*(m.hint for m in exercise.mistakes), *(c.about for c in exercise.cases())):
        assert words[-1] == "." and len(words) <= 200


def test_every_lesson_has_at_least_five():
    assert set(ANSWERS) == set(EXERCISES)
    for lesson in {id.split(".")[0] for id in EXERCISES}:
        numbers = [int(id.split(".")[1]) for id in EXERCISES if id.startswith(f"{lesson}.")]
        assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 5


@every
def test_the_reference_passes(exercise):
    verdict = judge(exercise, exercise.reference)
    assert verdict.status == RIGHT, verdict


@every
def test_other_right_answers_pass(exercise):
    for answer in ANSWERS[exercise.id]:
        verdict = judge(exercise, answer)
        assert verdict.status == RIGHT, (answer, verdict)


@mistakes
def test_a_mistake_gets_its_own_hint(exercise, mistake):
    verdict = judge(exercise, mistake.function)
    assert (verdict.status, verdict.mistake, verdict.words) == (WRONG, mistake.name, mistake.hint)


@pytest.mark.parametrize("hidden", [None, 5], ids=["None", "a number"])
def test_guidance_says_how_a_label_is_hidden(hidden):
    def guide(D, x, sigma, labels, w, null):
        without = D(x, sigma, hidden)
        return without + w * (D(x, sigma, labels) - without)

    verdict = judge(EXERCISES["2.6"], guide)
    assert verdict.status == WRONG and "holds `null` everywhere" in verdict.words


def test_heun_says_why_the_last_step_has_no_second_slope():
    def heun(x, sigma, sigma_next, D):
        d = (x - D(x, sigma)) / sigma
        euler = x + (sigma_next - sigma) * d
        d_next = (euler - D(euler, sigma_next)) / sigma_next
        return x + (sigma_next - sigma) * (d + d_next) / 2

    verdict = judge(EXERCISES["4.1"], heun)
    assert verdict.status == WRONG and "NaN" in verdict.words
    assert "last step is Euler's alone" in verdict.words


# ------------------------------------------------------- the notebooks


def lesson_notebook(number: str):
    (path,) = NOTEBOOKS.glob(f"{int(number):02}_*.ipynb")
    return nbformat.read(path, as_version=4)


NAMES = {  # what a stub may use of the lesson's import cell
    "1": {"math": math, "np": np, "torch": torch},
    "2": {"np": np, "torch": torch},
    "3": {"np": np, "torch": torch},
    "4": {"np": np, "torch": torch},
}


@pytest.mark.parametrize("number", ["1", "2", "3", "4"])
def test_folded_solutions_pass_and_stubs_are_open(number):
    notebook = lesson_notebook(number)
    found, names = folds.solutions(notebook), dict(NAMES[number])
    assert list(found) == [id for id in EXERCISES if id.startswith(f"{number}.")]
    for cell in notebook.cells:
        if not (id := folds.exercise_id(cell)):
            continue
        stub = cell.source[: folds.CHECK.search(cell.source).start()]
        name = folds.CHECK.search(cell.source)[0].split()[0]
        open_names = dict(names)
        exec(stub, open_names)
        assert judge(EXERCISES[id], open_names[name]).status == "not attempted"
        exec(found[id], names)
        assert judge(EXERCISES[id], names[name]).status == RIGHT, id


@pytest.mark.parametrize("number", ["1", "2", "3", "4"])
def test_the_text_of_an_exercise_agrees_with_its_registration(number):
    cells = lesson_notebook(number).cells
    for before, cell, after in zip(cells, cells[1:], cells[2:], strict=False):
        if not (id := folds.exercise_id(cell)):
            continue
        exercise = EXERCISES[id]
        title = f"Exercise {id} · {exercise.title[0].upper()}{exercise.title[1:]}"
        assert f"### {title} ({'★' * exercise.difficulty}, {exercise.minutes} min)" in before.source
        assert "Worked value" in before.source
        for fold in ("Hint 1", "Hint 2", "Solution"):
            assert after.source.count(f"<details><summary>{fold}</summary>") == 1
