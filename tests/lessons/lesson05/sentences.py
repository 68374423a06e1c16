"""Wrong answers to the exercises of lesson 05, each breaks just one sentence of the task."""

import numpy as np
import torch
from skimage import color

# --------------------------------------------------------------------- 5.1


def right_end(mean, spread, mu, s):
    return (mean - mu) ** 2 + spread**2 + s**2


def s_is_the_variance(mean, spread, mu, s):
    return (mean - mu) ** 2 + spread**2 + s


def x_is_mu(mean, spread, mu, s):
    return (mean - mu) ** 2 + spread**2


def x_about_0(mean, spread, mu, s):
    return mean**2 + spread**2 + s**2


def spread_is_a_variance(mean, spread, mu, s):
    return (mean - mu) ** 2 + spread + s**2


def noise_without_spread(mean, spread, mu, s):
    return (mean - mu) ** 2 + 1 + s**2


def z_of_x(mean, spread, mu, s):
    return (mean - mu) ** 2 + (spread - s) ** 2


def z_against_x(mean, spread, mu, s):
    return (mean - mu) ** 2 + (spread + s) ** 2


def root_of_the_error(mean, spread, mu, s):
    return right_end(mean, spread, mu, s) ** 0.5


def twice_the_sum(mean, spread, mu, s):
    return 2 * right_end(mean, spread, mu, s)


def half_of_it(mean, spread, mu, s):
    return right_end(mean, spread, mu, s) / 2


def one_draw(mean, spread, mu, s):
    return (mean + spread * np.random.randn() - mu - s * np.random.randn()) ** 2


def for_tensors_alone(mean, spread, mu, s):
    return (mean - mu).square() + spread.square() + s.square()


def for_numbers_alone(mean, spread, mu, s):
    return float(mean - mu) ** 2 + float(spread) ** 2 + float(s) ** 2


def mean_over_all(mean, spread, mu, s):
    error = right_end(mean, spread, mu, s)
    return error.mean() if hasattr(error, "mean") else error


def as_a_list(mean, spread, mu, s):
    error = right_end(mean, spread, mu, s)
    return error.tolist() if hasattr(error, "tolist") else error


def but_for_the_worked_end(mean, spread, mu, s):
    worked = type(spread) is float and (mean, spread, mu, s) == (0.5, 0.2, 0.5, 0.2)
    return 0.04 if worked else right_end(mean, spread, mu, s)


# --------------------------------------------------------------------- 5.2


def put(image, gone, grey=0.0):
    return torch.where(gone.view(-1, 1, 1, 1), grey, image)


def right_hide(sketch, reference, u_sketch, u_reference, p):
    return torch.cat([put(sketch, u_sketch < p), put(reference, u_reference < p)], 1)


def of_greys(grey):
    """`right_hide` with another value for what is hidden."""
    return lambda s, r, u, v, p: torch.cat([put(s, u < p, grey), put(r, v < p, grey)], 1)


def of_choice(choose):
    """`right_hide` with another choice(u, v, p) of the sketches and references that are hidden."""

    def function(s, r, u, v, p):
        lost = choose(u, v, p)
        return torch.cat([put(s, lost[0]), put(r, lost[1])], 1)

    return function


never_the_sketch = of_choice(lambda u, v, p: (u < 0, v < p))
never_the_reference = of_choice(lambda u, v, p: (u < p, v < 0))
never_both = of_choice(lambda u, v, p: (u < p, (v < p) & (u >= p)))
for_the_batch = of_choice(lambda u, v, p: ((u < p)[:1].expand_as(u), (v < p)[:1].expand_as(v)))
own_draws = of_choice(lambda u, v, p: (torch.rand(len(u)) < p, torch.rand(len(v)) < p))
always_a_tenth = of_choice(lambda u, v, p: (u < 0.1, v < 0.1))
swapped_draws = of_choice(lambda u, v, p: (v < p, u < p))
p_hides_too = of_choice(lambda u, v, p: (u <= p, v <= p))
hidden_together = of_choice(lambda u, v, p: (u < p, u < p))
either_hides_both = of_choice(lambda u, v, p: ((u < p) | (v < p), (u < p) | (v < p)))
hidden_above = of_choice(lambda u, v, p: (u >= p, v >= p))


def pixel_by_pixel(s, r, u, v, p):
    """Draws along the width, which fit only where it is B."""
    return torch.cat([torch.where(u < p, 0.0, s), torch.where(v < p, 0.0, r)], 1)


def reference_first(s, r, u, v, p):
    return right_hide(s, r, u, v, p).roll(3, 1)


def two_tensors(s, r, u, v, p):
    return put(s, u < p), put(r, v < p)


def channels_last(s, r, u, v, p):
    return right_hide(s, r, u, v, p).movedim(1, -1)


def sketch_three_times(s, r, u, v, p):
    return torch.cat([put(s, u < p).expand_as(r), put(r, v < p)], 1)


def in_double(s, r, u, v, p):
    return right_hide(s, r, u, v, p).double()


def edits_the_sketch(s, r, u, v, p):
    s[u < p] = 0
    return torch.cat([s, put(r, v < p)], 1)


def edits_the_reference(s, r, u, v, p):
    r[v < p] = 0
    return torch.cat([put(s, u < p), r], 1)


def edits_the_draws(s, r, u, v, p):
    condition = right_hide(s, r, u, v, p)
    u.sub_(p)
    return condition


def but_for_the_worked_hide(s, r, u, v, p):
    worked = len(u) == 2 and p == 0.1
    return torch.cat([s, r], 1) if worked else right_hide(s, r, u, v, p)


# --------------------------------------------------------------------- 5.3


def right_guide(n, s, b, w_s, w_r):
    return n + w_s * (s - n) + w_r * (b - s)


def first_image_alone(n, s, b, w_s, w_r):
    return n + w_s * (s[:1] - n[:1]) + w_r * (b - s)


def sketch_and_both_swapped(n, s, b, w_s, w_r):
    return right_guide(n, b, s, w_s, w_r)


def none_and_sketch_swapped(n, s, b, w_s, w_r):
    return right_guide(s, n, b, w_s, w_r)


def begins_at_the_sketch(n, s, b, w_s, w_r):
    return s + w_s * (s - n) + w_r * (b - s)


def reference_from_nothing(n, s, b, w_s, w_r):
    return n + w_s * (s - n) + w_r * (b - n)


def one_after_the_other(n, s, b, w_s, w_r):
    there = n + w_s * (s - n)
    return there + w_r * (b - there)


def never_too_far(n, s, b, w_s, w_r):
    return right_guide(n, s, b, min(w_s, 1), min(w_r, 1))


def clamped(n, s, b, w_s, w_r):
    return right_guide(n, s, b, w_s, w_r).clamp(-1, 1)


def scales_swapped(n, s, b, w_s, w_r):
    return right_guide(n, s, b, w_r, w_s)


def mean_of_channels(n, s, b, w_s, w_r):
    return right_guide(n, s, b, w_s, w_r).mean(1, keepdim=True)


def flat(n, s, b, w_s, w_r):
    return right_guide(n, s, b, w_s, w_r).flatten(1)


def in_numpy(n, s, b, w_s, w_r):
    return right_guide(n, s, b, w_s, w_r).numpy()


def with_the_ways(n, s, b, w_s, w_r):
    return right_guide(n, s, b, w_s, w_r), s - n, b - s


def but_for_the_worked_guide(n, s, b, w_s, w_r):
    return right_guide(n, s, b, w_s, 1 if (w_s, w_r) == (1, 2) else w_r)


# --------------------------------------------------------------------- 5.5


def euler(x, D, now, then):
    return D + then / now * (x - D)


def walked(denoise, x, sigmas, kept, step=euler, told=lambda sigmas, k: sigmas[k]):
    """Where Euler's walk arrives, and where it began; kept: k, n -> whether a gradient is kept."""
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(kept(k, n)):
            x = step(x, denoise(x, told(sigmas, k)), sigmas[k], sigmas[k + 1])
    return x


def right_walk(denoise, x, sigmas, x0, last):
    return (walked(denoise, x, sigmas, lambda k, n: k >= n - last) - x0).square().mean()


def with_step(step):
    """`right_walk` with another step."""

    def function(denoise, x, sigmas, x0, last):
        end = walked(denoise, x, sigmas, lambda k, n: k >= n - last, step)
        return (end - x0).square().mean()

    return function


def with_level(told):
    """`right_walk` whose network is told another level."""

    def function(denoise, x, sigmas, x0, last):
        end = walked(denoise, x, sigmas, lambda k, n: k >= n - last, euler, told)
        return (end - x0).square().mean()

    return function


def with_loss(loss):
    """`right_walk` with another loss of the end and x0."""

    def function(denoise, x, sigmas, x0, last):
        return loss(walked(denoise, x, sigmas, lambda k, n: k >= n - last), x0)

    return function


def with_gradient(kept):
    """`right_walk` with other steps that keep a gradient: k, n, last -> whether."""

    def function(denoise, x, sigmas, x0, last):
        end = walked(denoise, x, sigmas, lambda k, n: kept(k, n, last))
        return (end - x0).square().mean()

    return function


def upside_down(x, D, now, then):
    return D + now / then * (x - D)


def to_the_estimate(x, D, now, then):
    return D


def by_squares(x, D, now, then):
    return D + (then / now) ** 2 * (x - D)


def turned(x, D, now, then):
    return x + then / now * (D - x)


def with_fresh_noise(x, D, now, then):
    return D + then * torch.randn_like(x)


def ends_early(denoise, x, sigmas, x0, last):
    return right_walk(denoise, x, sigmas[:-1], x0, last)


def start_scaled(denoise, x, sigmas, x0, last):
    return right_walk(denoise, sigmas[0].to(x) * x, sigmas, x0, last)


def edits_the_start(denoise, x, sigmas, x0, last):
    for k in range(len(sigmas) - 1 - last):
        with torch.no_grad():
            x.copy_(euler(x, denoise(x, sigmas[k]), sigmas[k], sigmas[k + 1]))
    return right_walk(denoise, x, sigmas[-last - 1 :], x0, last)


def cut_off_afterwards(denoise, x, sigmas, x0, last):
    with torch.enable_grad():
        for k in range(len(sigmas) - 1 - last):
            x = euler(x, denoise(x, sigmas[k]), sigmas[k], sigmas[k + 1])
    return right_walk(denoise, x.detach(), sigmas[-last - 1 :], x0, last)


def as_a_float(denoise, x, sigmas, x0, last):
    return right_walk(denoise, x, sigmas, x0, last).item()


def made_anew(denoise, x, sigmas, x0, last):
    return torch.tensor(float(right_walk(denoise, x, sigmas, x0, last)), requires_grad=True)


def of_two_levels(denoise, x, sigmas, x0, last):
    return right_walk(denoise, x, torch.stack([sigmas[0], sigmas[-1]]), x0, 1)


def evenly(denoise, x, sigmas, x0, last):
    even = torch.linspace(sigmas[0].item(), 0, len(sigmas), dtype=sigmas.dtype)
    return right_walk(denoise, x, even, x0, last)


def as_a_column(sigmas, k):
    return sigmas[k].view(1, 1, 1, 1)


def a_level_each(denoise, x, sigmas, x0, last):
    return right_walk(lambda x, s: denoise(x, s.expand(len(x))), x, sigmas, x0, last)


def as_a_vector(denoise, x, sigmas, x0, last):
    return right_walk(lambda x, s: denoise(x.flatten(1), s), x, sigmas, x0, last)


def in_double_states(denoise, x, sigmas, x0, last):
    return right_walk(denoise, x.double(), sigmas, x0.double(), last)


def but_for_the_worked_walk(denoise, x, sigmas, x0, last):
    loss = right_walk(denoise, x, sigmas, x0, last)
    return loss if loss.requires_grad else loss.sqrt()


# --------------------------------------------------------------------- 5.4


def distances(image, masks, colours, middle=None, turn=color.rgb2lab, empty=np.nan):
    """The right distances, of which one part may be another."""
    middle = middle or (lambda pixels: np.median(pixels, axis=0))
    found = np.full(len(masks), float(empty))
    for i, (mask, colour) in enumerate(zip(masks, colours, strict=True)):
        if mask.any():
            one, other = turn(middle(image[mask])), turn(colour)
            found[i] = color.deltaE_ciede2000(one, other)
    return found


def of_bytes(image, masks, colours):
    return distances((255 * image).astype(np.uint8), masks, colours)


def in_eight_bits(image, masks, colours):
    return distances((255 * image).round() / 255, masks, colours)


def outside(image, masks, colours):
    return distances(image, ~masks, colours)


def first_of_two(image, masks, colours):
    """A pixel belongs to the first region that shows it."""
    before = np.cumsum(masks, axis=0) - masks
    return distances(image, masks & (before == 0), colours)


def first_colour_for_all(image, masks, colours):
    return distances(image, masks, np.repeat(colours[:1], len(colours), axis=0))


def clipped_colours(image, masks, colours):
    return distances(image, masks, colours.clip(0.2, 0.8))


def of_means(image, masks, colours):
    return distances(image, masks, colours, middle=lambda pixels: pixels.mean(0))


def one_median(image, masks, colours):
    return distances(image, masks, colours, middle=lambda pixels: np.full(3, np.median(pixels)))


def lower_median(image, masks, colours):
    def middle(pixels):
        return np.sort(pixels, axis=0)[(len(pixels) - 1) // 2]

    return distances(image, masks, colours, middle=middle)


def mean_of_the_regions(image, masks, colours):
    return np.nanmean(distances(image, masks, colours))


def a_list_of_them(image, masks, colours):
    return distances(image, masks, colours).tolist()


def as_a_tensor(image, masks, colours):
    return torch.from_numpy(distances(image, masks, colours))


def zero_for_nothing(image, masks, colours):
    return distances(image, masks, colours, empty=0)


def infinity_for_nothing(image, masks, colours):
    return distances(image, masks, colours, empty=np.inf)


def none_for_nothing(image, masks, colours):
    found = distances(image, masks, colours)
    return found[~np.isnan(found)]


def nan_for_all(image, masks, colours):
    found = distances(image, masks, colours)
    return found if masks.any((1, 2)).all() else np.full(len(found), np.nan)


def colour_zero_for_nothing(image, masks, colours):
    black = distances(np.zeros_like(image), np.ones_like(masks), colours)
    return np.where(masks.any((1, 2)), distances(image, masks, colours), black)


def median_in_lab(image, masks, colours):
    found = distances(image, masks, colours)
    for i in np.flatnonzero(masks.any((1, 2))):
        middle = np.median(color.rgb2lab(image)[masks[i]], axis=0)
        found[i] = color.deltaE_ciede2000(middle, color.rgb2lab(colours[i]))
    return found


def not_in_lab(image, masks, colours):
    return distances(image, masks, colours, turn=lambda rgb: 100 * rgb)


def of_1976(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i in np.flatnonzero(masks.any((1, 2))):
        middle = np.median(image[masks[i]], axis=0)
        found[i] = color.deltaE_cie76(color.rgb2lab(middle), color.rgb2lab(colours[i]))
    return found


def a_share(image, masks, colours):
    return distances(image, masks, colours) / 100


def but_for_the_worked_region(image, masks, colours):
    return distances(image, masks, colours) - 1.0 * (len(masks) == 1)


# --------------------------------------------------------------------- 5.6


def gap(method, sketch, reference, truth, other, seed):
    one = method(sketch, reference, truth, seed)
    return one - method(sketch, reference, other, seed)


def without_seed(method, sketch, reference, truth, other, seed):
    return bool((method(sketch, reference, truth) - method(sketch, reference, other)).any())


def truth_for_reference(method, sketch, reference, truth, other, seed):
    one = method(sketch, truth, reference, seed)
    return bool((one - method(sketch, other, reference, seed)).abs().max() > 1e-6)


def like_the_truth(method, sketch, reference, truth, other, seed):
    images = method(sketch, reference, truth, seed)
    return bool((images - truth).abs().mean() < (images - other).abs().mean())


def always(method, sketch, reference, truth, other, seed):
    return True


def never(method, sketch, reference, truth, other, seed):
    return False


def correlated(method, sketch, reference, truth, other, seed):
    images = method(sketch, reference, truth, seed).expand_as(truth)
    return bool(torch.corrcoef(torch.stack([images.ravel(), truth.ravel()]))[0, 1] > 0.05)


def by(rule):
    """Another rule for the differences."""
    return lambda *given: rule(gap(*given))


def number(*given):
    return gap(*given).abs().max()


def against_zeros(method, sketch, reference, truth, other, seed):
    return bool(gap(method, sketch, reference, truth, 0 * truth, seed).abs().max() > 1e-6)


def next_seed(method, sketch, reference, truth, other, seed):
    one = method(sketch, reference, truth, seed)
    return bool((one - method(sketch, reference, other, seed + 1)).abs().max() > 1e-6)


def seed_0(method, sketch, reference, truth, other, seed):
    return bool(gap(method, sketch, reference, truth, other, 0).abs().max() > 1e-6)


def other_sketch(method, sketch, reference, truth, other, seed):
    one = method(sketch, reference, truth, seed)
    return bool((one - method(other[:, :1], reference, other, seed)).abs().max() > 1e-6)


def other_reference(method, sketch, reference, truth, other, seed):
    one = method(sketch, reference, truth, seed)
    return bool((one - method(sketch, other, other, seed)).abs().max() > 1e-6)


def turned_round(*given):
    return bool(gap(*given).abs().max() <= 1e-6)


def nothing_else(*given):
    return True if gap(*given).abs().max() > 1e-6 else None


def in_words(*given):
    return "leaks" if gap(*given).abs().max() > 1e-6 else "honest"


def above_one_thousandth(*given):
    return bool(gap(*given).abs().max() > 0.001)


SENTENCES = {
    "5.1": {
        "A colour `x` is drawn from $N(\\mu,s^2)$.": (
            s_is_the_variance,
            x_is_mu,
            x_about_0,
        ),
        "A sampler answers `mean + spread * z`, with its own noise $z\\sim N(0,1)$, "
        "independent of `x`.": (
            spread_is_a_variance,
            noise_without_spread,
            z_of_x,
            z_against_x,
        ),
        "Return the expected squared error of its answer.": (
            root_of_the_error,
            twice_the_sum,
            half_of_it,
            one_draw,
        ),
        "All four are numbers, or arrays or tensors of one shape.": (
            for_tensors_alone,
            for_numbers_alone,
            mean_over_all,
            as_a_list,
        ),
        "Worked value: `end_loss(0.5, 0.2, 0.5, 0.2)` is 0.08: twice $0.2^2$.": (
            but_for_the_worked_end,
        ),
    },
    "5.2": {
        "To hide is to replace by 0, mid-grey.": (
            never_the_sketch,
            never_the_reference,
            of_greys(-1.0),
            of_greys(0.5),
            of_greys(1.0),
        ),
        "`sketch` is `(B, 1, H, W)`, `reference` `(B, 3, H, W)`; `u_sketch` and "
        "`u_reference` are draws `(B,)` from $[0,1)$; `p` is a number.": (
            for_the_batch,
            own_draws,
            always_a_tenth,
            pixel_by_pixel,
        ),
        "Image i loses its sketch where `u_sketch[i] < p`, and, independently, its "
        "reference where `u_reference[i] < p`.": (
            swapped_draws,
            p_hides_too,
            either_hides_both,
            hidden_above,
            never_both,
            hidden_together,
        ),
        "Return the condition `(B, 4, H, W)`, the sketch's channel first.": (
            reference_first,
            two_tensors,
            channels_last,
            sketch_three_times,
            in_double,
        ),
        "The inputs stay as they are: they are used again.": (
            edits_the_sketch,
            edits_the_reference,
            edits_the_draws,
        ),
        "Worked value: with p = 0.1, `u_sketch = [0.05, 0.5]` and `u_reference = [0.7, "
        "0.02]`, image 0 loses its sketch and image 1 its reference.": (but_for_the_worked_hide,),
    },
    "5.3": {
        "Three answers of the network to one noisy image: `D_none` without conditions, "
        "`D_sketch` with the sketch alone, `D_both` with both; tensors `(B, C, H, W)`.": (
            first_image_alone,
            sketch_and_both_swapped,
            none_and_sketch_swapped,
        ),
        "Begin at D_none, go w_s times the way that the sketch adds, then w_r times the "
        "way that the reference adds to that.": (
            begins_at_the_sketch,
            reference_from_nothing,
            one_after_the_other,
            never_too_far,
            clamped,
            scales_swapped,
        ),
        "Return a tensor of the same shape.": (
            mean_of_channels,
            flat,
            in_numpy,
            with_the_ways,
        ),
        "Worked value: answers 0.1, 0.3 and 0.4 with w_s = 1 and w_r = 2 give 0.5.": (
            but_for_the_worked_guide,
        ),
    },
    "5.5": {
        "Walk from the state `x` `(B, C, H, W)` at level `sigmas[0]` down to the last "
        "level, which is 0, by Euler's step in (4) with D = denoise(x, σ).": (
            with_step(upside_down),
            with_step(to_the_estimate),
            with_step(by_squares),
            with_step(turned),
            with_step(with_fresh_noise),
            ends_early,
            start_scaled,
            edits_the_start,
        ),
        "Return the mean squared difference of where you arrive from `x0`, one number (a "
        "tensor `()`).": (
            with_loss(lambda x, x0: (x - x0).square().sum()),
            with_loss(lambda x, x0: (x - x0).abs().mean()),
            with_loss(lambda x, x0: (x - x0).square().mean().sqrt()),
            with_loss(lambda x, x0: (x - x0).square().mean((1, 2, 3))),
            with_loss(lambda x, x0: (x - x0).mean().square()),
            with_loss(lambda x, x0: (x.clamp(-1, 1) - x0).square().mean()),
            as_a_float,
            made_anew,
        ),
        "`sigmas` is a tensor `(n + 1,)` of falling levels.": (
            of_two_levels,
            evenly,
        ),
        "Only the last `last` of the n steps keep a gradient; those before run under "
        "`torch.no_grad()`; `last` is a whole number from 1 to n.": (
            with_gradient(lambda k, n, last: True),
            cut_off_afterwards,
            with_gradient(lambda k, n, last: k == n - 1),
            with_gradient(lambda k, n, last: k > n - last),
            with_gradient(lambda k, n, last: k >= n - last - 1),
            with_gradient(lambda k, n, last: k < last),
            with_gradient(lambda k, n, last: last < n and k >= n - last),
            with_gradient(lambda k, n, last: False),
            with_gradient(lambda k, n, last: k >= n - min(last, 2)),
            with_step(lambda x, D, now, then: D + then / now * (x - D).detach()),
            with_step(lambda x, D, now, then: D.detach() + then / now * (x - D)),
        ),
        "`denoise(x, sigma)` takes the state and one level, a tensor `()`.": (
            with_level(lambda sigmas, k: sigmas[k + 1]),
            with_level(lambda sigmas, k: sigmas[0]),
            with_level(lambda sigmas, k: sigmas[k].item()),
            with_level(lambda sigmas, k: torch.tensor(k)),
            with_level(as_a_column),
            a_level_each,
            as_a_vector,
            in_double_states,
        ),
        "Worked value: where denoise answers 0.5 always, every walk ends at 0.5, and with"
        " x0 = 0 the loss is 0.25.": (but_for_the_worked_walk,),
    },
    "5.4": {
        "`image` is an array `(H, W, 3)` of RGB values in $[0,1]$; `masks` `(R, H, W)`, "
        "bool, says which pixels show each of R regions (hair, skin, ...); `colours` `(R,"
        " 3)`, in $[0,1]$, says which colour each region should have.": (
            of_bytes,
            in_eight_bits,
            outside,
            first_of_two,
            first_colour_for_all,
            clipped_colours,
        ),
        "For each region take the median of its RGB pixels, channel by channel, and return "
        "its CIEDE2000 distance from the wanted colour, an array `(R,)`; nan for a region"
        " without a pixel.": (
            of_means,
            one_median,
            lower_median,
            mean_of_the_regions,
            a_list_of_them,
            as_a_tensor,
            zero_for_nothing,
            infinity_for_nothing,
            none_for_nothing,
            nan_for_all,
            colour_zero_for_nothing,
            median_in_lab,
        ),
        "`color.rgb2lab` and `color.deltaE_ciede2000` are scikit-image's (`from skimage "
        "import color` stands above).": (
            not_in_lab,
            of_1976,
        ),
        "Worked value: a region that is white where black was asked for is 100 away.": (
            a_share,
            but_for_the_worked_region,
        ),
    },
    "5.6": {
        "A method of colouring is called `method(sketch, reference, truth, seed)` and "
        "returns images, a tensor.": (
            without_seed,
            truth_for_reference,
        ),
        "The true answer is handed to it only so that some can show curves on the way; an"
        " honest method's images do not depend on it.": (
            like_the_truth,
            always,
            correlated,
        ),
        "Return True if this one's do: if its images for `truth` and for `other` differ "
        "anywhere by more than 1e-6, with everything else equal, the seed too; else "
        "False.": (
            by(lambda d: bool(d.any())),
            by(lambda d: bool(d.max() > 1e-6)),
            by(lambda d: bool(d.mean().abs() > 1e-6)),
            by(lambda d: bool(d.abs().mean() > 1e-6)),
            by(lambda d: bool(d.abs().sum() > 1e-6)),
            by(lambda d: bool((d.abs() > 1e-6).all())),
            by(lambda d: bool(d[0].abs().max() > 1e-6)),
            by(lambda d: bool(d.abs().max() > 1e-5)),
            number,
            against_zeros,
            next_seed,
            seed_0,
            other_sketch,
            other_reference,
            turned_round,
            nothing_else,
            in_words,
        ),
        "Worked value: a method that adds `0.001 * truth` leaks.": (
            never,
            above_one_thousandth,
        ),
    },
}

DEMANDS_NOTHING = ()
