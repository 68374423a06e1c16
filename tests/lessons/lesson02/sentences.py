"""Wrong functions that break just one sentence of a task of lesson 02."""

import torch


def symbols(betas, t):
    """beta_t, alpha_t, abar_t and the abar of the step before."""
    abar = (1 - betas).cumprod(0)
    return betas[t], 1 - betas[t], abar[t], abar[t - 1] if t > 0 else torch.ones_like(abar[0])


def posterior(betas, t, x0, x_t):
    b, a, A, P = symbols(betas, t)
    mean = (P.sqrt() * b * x0 + a.sqrt() * (1 - P) * x_t) / (1 - A)
    return mean, (1 - P) / (1 - A) * b


def noisy(x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    return abar.sqrt() * x0 + (1 - abar).sqrt() * noise


def loss(net, x0, t, noise, betas):
    return (noise - net(noisy(x0, t, noise, betas), t)).square().mean()


def estimate(x, t, eps, betas):
    abar = (1 - betas).cumprod(0)[t]
    return (x - (1 - abar).sqrt() * eps) / abar.sqrt()


def step(x, t, eps, betas, z):
    mean, variance = posterior(betas, t, estimate(x, t, eps, betas).clamp(-1, 1), x)
    return mean + variance.sqrt() * z


def best_linear(x, sigmas):
    return shares(torch.linalg.eigvalsh(torch.cov(x.T)).clamp(min=0), sigmas)


def shares(eigenvalues, sigmas):
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas])


def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    return d * averaged + (1 - d) * weights


def with_d(d):
    """`average` with another d of k and the decay."""
    return lambda averaged, weights, k, decay: d(k, decay) * averaged + (1 - d(k, decay)) * weights


def guide(D, x, sigma, labels, w, null):
    without = D(x, sigma, torch.full_like(labels, null))
    return without + w * (D(x, sigma, labels) - without)


# ---------------------------------------------------------------------- wrong ones


def mean_alone(betas, t, x0, x_t):
    return posterior(betas, t, x0, x_t)[0], betas[t]


def variance_alone(betas, t, x0, x_t):
    return x0, posterior(betas, t, x0, x_t)[1]


def small_betas_alone(betas, t, x0, x_t):
    return posterior(betas.clamp(max=0.05), t, x0, x_t)


def counted_from_1(betas, t, x0, x_t):
    return posterior(betas, t - 1, x0, x_t)


def wraps_around(betas, t, x0, x_t):
    b, a, A, _ = symbols(betas, t)
    P = (1 - betas).cumprod(0)[t - 1]
    return (P.sqrt() * b * x0 + a.sqrt() * (1 - P) * x_t) / (1 - A), (1 - P) / (1 - A) * b


def flat_mean(betas, t, x0, x_t):
    mean, variance = posterior(betas, t, x0, x_t)
    return mean.flatten(), variance


def single_precision(betas, t, x0, x_t):
    mean, variance = posterior(betas, t, x0, x_t)
    return mean.float(), variance


def variance_of_each(betas, t, x0, x_t):
    mean, variance = posterior(betas, t, x0, x_t)
    return mean, variance * torch.ones_like(x0)


def standard_deviation(betas, t, x0, x_t):
    mean, variance = posterior(betas, t, x0, x_t)
    return mean, variance**0.5


def worked_only(betas, t, x0, x_t):
    return 0.7143 * x0 + 0.2143 * x_t, 0.3214


def first_step_of_all(net, x0, t, noise, betas):
    return (noise - net(noisy(x0, t[:1].expand_as(t), noise, betas), t)).square().mean()


def loss_from_1(net, x0, t, noise, betas):
    return (noise - net(noisy(x0, t - 1, noise, betas), t)).square().mean()


def guess_of_the_image(net, x0, t, noise, betas):
    return (x0 - net(noisy(x0, t, noise, betas), t)).square().mean()


def first_image(net, x0, t, noise, betas):
    return loss(net, x0[:1], t[:1], noise[:1], betas)


def first_channel(net, x0, t, noise, betas):
    return (noise - net(noisy(x0, t, noise, betas), t))[:, :1].square().mean()


def one_an_image(net, x0, t, noise, betas):
    return (noise - net(noisy(x0, t, noise, betas), t)).square().mean((1, 2, 3))


def summed(net, x0, t, noise, betas):
    return (noise - net(noisy(x0, t, noise, betas), t)).square().sum()


def an_item(*arguments):
    return loss(*arguments).item()


def without_gradient(*arguments):
    with torch.no_grad():
        return loss(*arguments)


def made_anew(*arguments):
    return torch.tensor(float(loss(*arguments)), requires_grad=True)


def absolute(net, x0, t, noise, betas):
    return (noise - net(noisy(x0, t, noise, betas), t)).abs().mean()


def always_four(net, x0, t, noise, betas):
    return 4 + 0 * loss(net, x0, t, noise, betas)


def swapped_factors(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    return (noise - net((1 - abar).sqrt() * x0 + abar.sqrt() * noise, t)).square().mean()


def direct_form(x, t, eps, betas, z):
    mean, variance = posterior(betas, t, estimate(x, t, eps, betas), x)
    return mean + variance.sqrt() * z


def clipped_to_0_1(x, t, eps, betas, z):
    mean, variance = posterior(betas, t, estimate(x, t, eps, betas).clamp(0, 1), x)
    return mean + variance.sqrt() * z


def state_clipped(x, t, eps, betas, z):
    return direct_form(x, t, eps, betas, z).clamp(-1, 1)


def mean_returned(x, t, eps, betas, z):
    return step(x, t, eps, betas, 0 * z)


def own_noise(x, t, eps, betas, z):
    return step(x, t, eps, betas, torch.randn_like(z))


GENERATOR = torch.Generator().manual_seed(0)


def noise_of_a_generator(x, t, eps, betas, z):
    return step(x, t, eps, betas, torch.randn(z.shape, generator=GENERATOR, dtype=z.dtype))


def beta_as_variance(x, t, eps, betas, z):
    mean, _ = posterior(betas, t, estimate(x, t, eps, betas).clamp(-1, 1), x)
    return mean + betas[t].sqrt() * (t > 0) * z


def one_number_drawn(x, t, eps, betas, z):
    return step(x, t, eps, betas, z.flatten()[0].expand_as(z))


def single_step(x, t, eps, betas, z):
    return step(x, t, eps, betas, z).float()


def noise_at_the_end(x, t, eps, betas, z):
    mean, variance = posterior(betas, t, estimate(x, t, eps, betas).clamp(-1, 1), x)
    return mean + (variance if t else betas[t]).sqrt() * z


def but_for_the_worked_step(x, t, eps, betas, z):
    return step(x, t, eps, betas, z) + 0.01 * (x.numel() == 2 and float(eps[0]) == -1)


def images_as_columns(x, sigmas):
    return shares(torch.linalg.eigvalsh(torch.cov(x)).clamp(min=0), sigmas)


def first_level(x, sigmas):
    return best_linear(x, sigmas)[:1]


def a_list(x, sigmas):
    return best_linear(x, sigmas).tolist()


def sorted_levels(x, sigmas):
    return best_linear(x, sigmas.sort().values)


def pixels_alone(x, sigmas):
    return shares(x.var(0), sigmas)


def about_zero(x, sigmas):
    return shares(torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=0), sigmas)


def divided_by_N(x, sigmas):
    return shares(torch.linalg.eigvalsh(torch.cov(x.T, correction=0)).clamp(min=0), sigmas)


def sigma_as_it_is(x, sigmas):
    return best_linear(x, sigmas**0.5)


def eigenvalues_summed(x, sigmas):
    return best_linear(x, sigmas) * x.shape[1]


def edits_the_average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    return averaged.mul_(d).add_((1 - d) * weights)


def edits_the_weights(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    return weights.mul_(1 - d).add_(d * averaged)


def one_mean(averaged, weights, k, decay):
    return average(averaged, weights, k, decay).mean()


def d_alone(averaged, weights, k, decay):
    return min(decay, (1 + k) / (10 + k))


def double(averaged, weights, k, decay):
    return average(averaged.double(), weights.double(), k, decay)


def swapped(averaged, weights, k, decay):
    return average(weights, averaged, k, decay)


def papers_w(D, x, sigma, labels, w, null):
    return guide(D, x, sigma, labels, w + 1, null)


def conditional_alone(D, x, sigma, labels, w, null):
    return D(x, sigma, labels)


def for_small_w(D, x, sigma, labels, w, null):
    return guide(D, x, sigma, labels, min(w, 5), null)


def no_level(D, x, sigma, labels, w, null):
    return guide(D, x, torch.zeros_like(sigma), labels, w, null)


def one_label(D, x, sigma, labels, w, null):
    return guide(D, x, sigma, labels[:1].expand_as(labels), w, null)


def first_of_batch(D, x, sigma, labels, w, null):
    return guide(D, x[:2], sigma, labels[:2], w, null)


def hidden_by(label):
    """`guide` with another label for "any"."""

    def function(D, x, sigma, labels, w, null):
        without = D(x, sigma, label(labels, null))
        return without + w * (D(x, sigma, labels) - without)

    return function


SENTENCES = {
    "2.1": {
        "Write (2) and (3).": (mean_alone, variance_alone),
        "`betas` is a tensor `(T,)` of numbers between 0 and 1; **in code $t$ counts from 0**, so "
        "`betas[t]` belongs to step $t+1$.": (counted_from_1, wraps_around, small_betas_alone),
        "`x0` and `x_t` are tensors of one shape; return the mean in that shape and dtype, and the "
        "variance as one number: a float or a tensor without axes.": (
            flat_mean, single_precision, variance_of_each, standard_deviation,
        ),
        "Worked value: `betas = [0.36, 0.75]`, `t = 1` give mean $0.7143\\,x_0+0.2143\\,x_t$ and "
        "variance 0.3214.": (worked_only,),
        "In all exercises replace the `...`; whatever `du.check` says, the lesson goes on.": (),
    },
    "2.2": {
        "Write (6) for a batch: images `x0` and `noise` `(B, C, H, W)`, a step `t` `(B,)` for each "
        "image, counted from 0 as before, `betas` `(T,)`; `net(x_t, t)` guesses the noise.": (
            first_step_of_all, loss_from_1, guess_of_the_image, first_image,
        ),
        "Return one number, the mean over all pixels, as a tensor with its gradient (no `.item()`, "
        "no `no_grad`): a network is trained with it.": (
            first_channel, one_an_image, summed, an_item, without_gradient, made_anew,
        ),
        "Worked value: a network that always says 0, with noise 2 everywhere, costs 4.": (
            absolute, always_four,
        ),
        "And for data that is one single image a perfect network exists: its loss must be 0.": (
            swapped_factors,
        ),
    },
    "2.3": {
        "Write the $\\hat x_0$ form: estimate, clip to $[-1,1]$, draw from your `posterior` (call "
        "it, or write it out) with the standard noise `z`.": (
            direct_form, clipped_to_0_1, state_clipped, mean_returned, own_noise,
            noise_of_a_generator, beta_as_variance,
        ),
        "`x`, `eps` and `z` have one shape and dtype, and so has the result.": (
            one_number_drawn, single_step,
        ),
        "Worked value: betas of 2.1, `t = 1`, `x = 1`, `eps = -1`: the estimate 4.79 is clipped to "
        "1, the result is 0.929 + 0.567 `z`.": (but_for_the_worked_step,),
        "At $t=0$ nothing random is left.": (noise_at_the_end,),
    },
    "2.4": {
        "Images are rows of `x` `(N, D)`, $N, D\\ge2$.": (images_as_columns,),
        "Return the loss of the best linear denoiser at every one of `sigmas` `(S,)`, as such a "
        "tensor: the mean of $\\lambda/(\\lambda+\\sigma^2)$ over the eigenvalues of the "
        "covariance, which divides by $N-1$.": (
            first_level, a_list, sorted_levels, pixels_alone, about_zero, divided_by_N,
            sigma_as_it_is,
        ),
        "Worked value: the four points (±3, 0), (0, ±1) have variances 6 and 2/3; at σ = 1 the "
        "loss is 0.629.": (eigenvalues_summed,),
    },
    "2.5": {
        "An average with the factor $d$ remembers about $m=1/(1-d)$ updates.": (
            with_d(lambda k, decay: 1 - min(decay, (1 + k) / (10 + k))),
        ),
        "After update `k`, counted from 0, it shall remember $m=(10+k)/9$, but never more than "
        "with $d$ = `decay` (0 ≤ `decay` < 1).": (
            with_d(lambda k, decay: decay),
            with_d(lambda k, decay: (1 + k) / (10 + k)),
            with_d(lambda k, decay: min(decay, (2 + k) / (11 + k))),
            with_d(lambda k, decay: min(decay or 1, (1 + k) / (10 + k))),
        ),
        "Find $d$ and return the new average; both tensors have one shape and dtype, so has the "
        "result, and neither may be changed.": (
            edits_the_average, edits_the_weights, one_mean, d_alone, double,
        ),
        "Worked value: average 1, weights 0, `k = 0`, `decay = 0.999` give 0.1.": (swapped,),
    },
    "2.6": {
        "Write (7).": (papers_w, conditional_alone, for_small_w),
        "`D(x, sigma, labels)` estimates the images `x` `(B, C, H, W)` for any $B$; `sigma` is a "
        "tensor without axes, `labels` a tensor `(B,)` of whole numbers, `w` a number.": (
            no_level, one_label, first_of_batch,
        ),
        'The label `null` means "any" and is handed over like any other, in a tensor `(B,)` of '
        "whole numbers.": (
            hidden_by(lambda labels, null: null),
            hidden_by(lambda labels, null: None),
            hidden_by(lambda labels, null: torch.zeros_like(labels)),
            hidden_by(lambda labels, null: torch.ones(len(labels)) * null),
            hidden_by(lambda labels, null: torch.tensor([null])),
        ),
        "Worked value: if the network says 0.1 with the label and 0.5 without, $w=3$ gives "
        "−0.7.": (lambda D, x, sigma, labels, w, null: -guide(D, x, sigma, labels, w, null),),
    },
}  # fmt: skip

DEMANDS_NOTHING = (
    "In all exercises replace the `...`; whatever `du.check` says, the lesson goes on.",
)
