# Answers to lesson 05, right and wrong, of somebody who knew its tasks and not its checks.

# %% 5.1 right: bias squared plus both variances
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2 + spread**2 + s**2

# %% 5.1 right: second moments, multiplied out
def end_loss(mean, spread, mu, s):
    second_y = mean**2 + spread**2
    second_x = mu**2 + s**2
    return second_y - 2 * mean * mu + second_x

# %% 5.1 right: products instead of powers
def end_loss(mean, spread, mu, s):
    d = mean - mu
    return d * d + spread * spread + s * s

# %% 5.1 right: sum over a comprehension
def end_loss(mean, spread, mu, s):
    return sum(v**2 for v in (mu - mean, spread, s))

# %% 5.1 right: running total in a loop
def end_loss(mean, spread, mu, s):
    total = 0.0
    for part in [mean - mu, spread, s]:
        total = total + part * part
    return total

# %% 5.1 right: average over the four corners z, e = +-1, exact for a square
def end_loss(mean, spread, mu, s):
    total = 0
    for z in (-1, 1):
        for e in (-1, 1):
            total = total + ((mean + spread * z) - (mu + s * e)) ** 2
    return total / 4

# %% 5.1 right: third binomial formula
def end_loss(mean, spread, mu, s):
    d = mean - mu
    return (d + s) * (d - s) + spread**2 + 2 * s**2

# %% 5.1 right: built-in pow, named parts
def end_loss(mean, spread, mu, s):
    bias = pow(mean - mu, 2)
    variance_of_answer = pow(spread, 2)
    variance_of_colour = pow(s, 2)
    return bias + variance_of_answer + variance_of_colour

# %% 5.1 right: tensors by their methods, anything else by operators
def end_loss(mean, spread, mu, s):
    if all(torch.is_tensor(v) for v in (mean, spread, mu, s)):
        return (mean - mu).square().add(spread.square()).add(s.square())
    return (mean - mu) ** 2 + spread**2 + s**2

# %% 5.1 right: variance of the difference, (spread + s)^2 - 2 spread s
def end_loss(mean, spread, mu, s):
    var = (spread + s) ** 2 - 2 * spread * s
    return var + (mu - mean) ** 2

# %% 5.1 right: functools.reduce with a helper
from functools import reduce

def sq(v):
    return v * v

def end_loss(mean, spread, mu, s):
    return reduce(lambda a, b: a + b, map(sq, (mean - mu, spread, s)))

# %% 5.1 wrong: adds the means
def end_loss(mean, spread, mu, s):
    return (mean + mu) ** 2 + spread**2 + s**2

# %% 5.1 wrong: forgets the square of the difference
def end_loss(mean, spread, mu, s):
    return (mean - mu) + spread**2 + s**2

# %% 5.1 wrong: forgets the colour's own variance
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2 + spread**2

# %% 5.1 wrong: forgets the spread of the answer
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2 + s**2

# %% 5.1 wrong: only the bias
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2

# %% 5.1 wrong: variances subtracted
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2 + spread**2 - s**2

# %% 5.1 wrong: same noise in both, (spread - s)^2
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2 + (spread - s) ** 2

# %% 5.1 wrong: standard deviations added before the square
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2 + (spread + s) ** 2

# %% 5.1 wrong: standard deviations unsquared
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2 + spread + s

# %% 5.1 wrong: spread unsquared
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2 + spread + s**2

# %% 5.1 wrong: s taken for a variance already
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2 + spread**2 + s

# %% 5.1 wrong: root of the mean squared error
def end_loss(mean, spread, mu, s):
    return ((mean - mu) ** 2 + spread**2 + s**2) ** 0.5

# %% 5.1 wrong: no bias term
def end_loss(mean, spread, mu, s):
    return spread**2 + s**2

# %% 5.1 wrong: twice the spread squared, forgets that s may differ
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2 + 2 * spread**2

# %% 5.1 wrong: twice s squared
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2 + 2 * s**2

# %% 5.1 wrong: squares of the means subtracted
def end_loss(mean, spread, mu, s):
    return mean**2 - mu**2 + spread**2 + s**2

# %% 5.1 wrong: cross term without its 2
def end_loss(mean, spread, mu, s):
    return mean**2 + spread**2 - mean * mu + mu**2 + s**2

# %% 5.1 wrong: everything in one bracket
def end_loss(mean, spread, mu, s):
    return (mean - mu + spread - s) ** 2

# %% 5.1 wrong: variances multiplied
def end_loss(mean, spread, mu, s):
    return (mean - mu) ** 2 + spread**2 * s**2

# %% 5.1 wrong: halved, as in a loss of one half
def end_loss(mean, spread, mu, s):
    return 0.5 * ((mean - mu) ** 2 + spread**2 + s**2)

# %% 5.1 wrong: absolute instead of squared difference
def end_loss(mean, spread, mu, s):
    return abs(mean - mu) + spread**2 + s**2

# %% 5.1 wrong: one number also for tensors
def end_loss(mean, spread, mu, s):
    loss = (mean - mu) ** 2 + spread**2 + s**2
    return loss.mean() if hasattr(loss, "mean") else loss

# %% 5.1 wrong: Monte Carlo with a hundred draws
def end_loss(mean, spread, mu, s):
    total = 0.0
    for _ in range(100):
        y = mean + spread * np.random.randn()
        x = mu + s * np.random.randn()
        total = total + (y - x) ** 2
    return total / 100

# %% 5.1 wrong: one draw, no expectation
def end_loss(mean, spread, mu, s):
    z = torch.randn(()).item()
    return (mean + spread * z - mu) ** 2 + s**2

# %% 5.1 wrong: in units of the colour's variance
def end_loss(mean, spread, mu, s):
    return ((mean - mu) ** 2 + spread**2) / s**2 + 1

# %% 5.1 wrong: ^ of the maths class as a product by two
def end_loss(mean, spread, mu, s):
    return (mean - mu) * 2 + spread * 2 + s * 2

# %% 5.1 wrong: spread compared with the mean instead of mu
def end_loss(mean, spread, mu, s):
    return (mean - s) ** 2 + (spread - mu) ** 2

# %% 5.1 wrong: prints it
def end_loss(mean, spread, mu, s):
    print((mean - mu) ** 2 + spread**2 + s**2)

# %% 5.2 right: where, then cat
def hide(sketch, reference, u_sketch, u_reference, p):
    no_sketch = (u_sketch < p)[:, None, None, None]
    no_reference = (u_reference < p)[:, None, None, None]
    s = torch.where(no_sketch, torch.zeros_like(sketch), sketch)
    r = torch.where(no_reference, torch.zeros_like(reference), reference)
    return torch.cat([s, r], dim=1)

# %% 5.2 right: multiplies by a bool that says what stays
def hide(sketch, reference, u_sketch, u_reference, p):
    s = sketch * (u_sketch >= p).view(-1, 1, 1, 1)
    r = reference * (u_reference >= p).view(-1, 1, 1, 1)
    return torch.cat((s, r), 1)

# %% 5.2 right: clones, index assignment
def hide(sketch, reference, u_sketch, u_reference, p):
    sketch, reference = sketch.clone(), reference.clone()
    sketch[u_sketch < p] = 0
    reference[u_reference < p] = 0
    return torch.cat([sketch, reference], 1)

# %% 5.2 right: a loop over the images into a copy
def hide(sketch, reference, u_sketch, u_reference, p):
    out = torch.cat([sketch, reference], 1).clone()
    for i in range(len(out)):
        if u_sketch[i] < p:
            out[i, 0] = 0.0
        if u_reference[i] < p:
            out[i, 1:] = 0.0
    return out

# %% 5.2 right: einsum with the weights 0 and 1
def hide(sketch, reference, u_sketch, u_reference, p):
    keep_s = 1 - (u_sketch < p).to(sketch.dtype)
    keep_r = 1 - (u_reference < p).to(reference.dtype)
    s = torch.einsum("b,bchw->bchw", keep_s, sketch)
    r = torch.einsum("b,bchw->bchw", keep_r, reference)
    return torch.cat([s, r], 1)

# %% 5.2 right: NumPy there and back
def hide(sketch, reference, u_sketch, u_reference, p):
    s, r = (t.detach().cpu().numpy().copy() for t in (sketch, reference))
    s[u_sketch.cpu().numpy() < p] = 0
    r[u_reference.cpu().numpy() < p] = 0
    return torch.from_numpy(np.concatenate([s, r], axis=1)).to(sketch.device)

# %% 5.2 right: masked_fill
def hide(sketch, reference, u_sketch, u_reference, p):
    return torch.cat(
        [
            sketch.masked_fill(u_sketch.lt(p).reshape(-1, 1, 1, 1), 0),
            reference.masked_fill(u_reference.lt(p).reshape(-1, 1, 1, 1), 0),
        ],
        dim=1,
    )

# %% 5.2 right: a buffer of zeros, into which the shown parts are copied
def hide(sketch, reference, u_sketch, u_reference, p):
    B, _, H, W = sketch.shape
    out = sketch.new_zeros(B, 4, H, W)
    show_s, show_r = ~(u_sketch < p), ~(u_reference < p)
    out[show_s, :1] = sketch[show_s]
    out[show_r, 1:] = reference[show_r]
    return out

# %% 5.2 right: first cat, then one mask (B, 4)
def hide(sketch, reference, u_sketch, u_reference, p):
    condition = torch.cat([sketch, reference], 1)
    u = torch.stack([u_sketch, u_reference, u_reference, u_reference], 1)
    return condition * (u >= p)[:, :, None, None]

# %% 5.2 right: comprehension over the batch
def hide(sketch, reference, u_sketch, u_reference, p):
    return torch.stack(
        [
            torch.cat([s * 0 if a < p else s, r * 0 if b < p else r])
            for s, r, a, b in zip(sketch, reference, u_sketch, u_reference)
        ]
    )

# %% 5.2 right: index_fill with a helper, defensive
def hide(sketch, reference, u_sketch, u_reference, p):
    assert sketch.shape[1] == 1 and reference.shape[1] == 3

    def part(image, u):
        gone = (u.flatten() < p).nonzero().flatten()
        return image.index_fill(0, gone, 0.0)

    return torch.cat([part(sketch, u_sketch), part(reference, u_reference)], dim=-3)

# %% 5.2 right: repeats the mask to four channels
def hide(sketch, reference, u_sketch, u_reference, p):
    gone = torch.stack([u_sketch < p, u_reference < p], 1)
    gone = gone.repeat_interleave(torch.tensor([1, 3], device=gone.device), 1)
    return torch.cat([sketch, reference], 1).masked_fill(gone[..., None, None], 0.0)

# %% 5.2 wrong: > instead of <
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) > p, 0.0, sketch)
    r = torch.where(u_reference.view(-1, 1, 1, 1) > p, 0.0, reference)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: <= instead of <, hides at p = 0 and u = 0
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) <= p, 0.0, sketch)
    r = torch.where(u_reference.view(-1, 1, 1, 1) <= p, 0.0, reference)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: the arguments of where swapped
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) < p, sketch, 0.0)
    r = torch.where(u_reference.view(-1, 1, 1, 1) < p, reference, 0.0)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: one draw for both, the sketch's
def hide(sketch, reference, u_sketch, u_reference, p):
    gone = u_sketch.view(-1, 1, 1, 1) < p
    return torch.cat([sketch, reference], 1).masked_fill(gone, 0.0)

# %% 5.2 wrong: one draw for both, the reference's
def hide(sketch, reference, u_sketch, u_reference, p):
    keep = (u_reference >= p)[:, None, None, None]
    return torch.cat([sketch * keep, reference * keep], 1)

# %% 5.2 wrong: draws swapped
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_reference.view(-1, 1, 1, 1) < p, 0.0, sketch)
    r = torch.where(u_sketch.view(-1, 1, 1, 1) < p, 0.0, reference)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: reference first
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) < p, 0.0, sketch)
    r = torch.where(u_reference.view(-1, 1, 1, 1) < p, 0.0, reference)
    return torch.cat([r, s], 1)

# %% 5.2 wrong: edits both inputs in place
def hide(sketch, reference, u_sketch, u_reference, p):
    sketch[u_sketch < p] = 0
    reference[u_reference < p] = 0
    return torch.cat([sketch, reference], 1)

# %% 5.2 wrong: clones the sketch alone, edits the reference in place
def hide(sketch, reference, u_sketch, u_reference, p):
    sketch = sketch.clone()
    sketch[u_sketch < p] = 0
    reference[u_reference < p] = 0
    return torch.cat([sketch, reference], 1)

# %% 5.2 wrong: mul_ in place
def hide(sketch, reference, u_sketch, u_reference, p):
    sketch.mul_((u_sketch >= p).view(-1, 1, 1, 1))
    reference = reference * (u_reference >= p).view(-1, 1, 1, 1)
    return torch.cat([sketch, reference], 1)

# %% 5.2 wrong: hides only where both draws are small
def hide(sketch, reference, u_sketch, u_reference, p):
    gone = ((u_sketch < p) & (u_reference < p)).view(-1, 1, 1, 1)
    return torch.cat([sketch, reference], 1).masked_fill(gone, 0.0)

# %% 5.2 wrong: hides both where either draw is small
def hide(sketch, reference, u_sketch, u_reference, p):
    gone = ((u_sketch < p) | (u_reference < p)).view(-1, 1, 1, 1)
    return torch.cat([sketch, reference], 1).masked_fill(gone, 0.0)

# %% 5.2 wrong: elif, never hides both
def hide(sketch, reference, u_sketch, u_reference, p):
    out = torch.cat([sketch, reference], 1)
    for i in range(len(out)):
        if u_sketch[i] < p:
            out[i, :1] = 0
        elif u_reference[i] < p:
            out[i, 1:] = 0
    return out

# %% 5.2 wrong: the whole batch where any draw is small
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.zeros_like(sketch) if (u_sketch < p).any() else sketch
    r = torch.zeros_like(reference) if (u_reference < p).any() else reference
    return torch.cat([s, r], 1)

# %% 5.2 wrong: -1, black, instead of grey
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) < p, -1.0, sketch)
    r = torch.where(u_reference.view(-1, 1, 1, 1) < p, -1.0, reference)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: 0.5 taken for mid-grey
def hide(sketch, reference, u_sketch, u_reference, p):
    s = sketch.masked_fill(u_sketch.view(-1, 1, 1, 1) < p, 0.5)
    r = reference.masked_fill(u_reference.view(-1, 1, 1, 1) < p, 0.5)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: white, 1, for the sketch
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) < p, 1.0, sketch)
    r = torch.where(u_reference.view(-1, 1, 1, 1) < p, 0.0, reference)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: noise instead of grey
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) < p, torch.randn_like(sketch), sketch)
    r = torch.where(u_reference.view(-1, 1, 1, 1) < p, torch.randn_like(reference), reference)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: draws anew
def hide(sketch, reference, u_sketch, u_reference, p):
    s = sketch * (torch.rand(len(sketch)) >= p).view(-1, 1, 1, 1)
    r = reference * (torch.rand(len(reference)) >= p).view(-1, 1, 1, 1)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: scales up what is left, as dropout does
def hide(sketch, reference, u_sketch, u_reference, p):
    s = sketch * (u_sketch >= p).view(-1, 1, 1, 1) / (1 - p)
    r = reference * (u_reference >= p).view(-1, 1, 1, 1) / (1 - p)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: only the sketch is ever hidden
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) < p, 0.0, sketch)
    return torch.cat([s, reference], 1)

# %% 5.2 wrong: only the reference is ever hidden
def hide(sketch, reference, u_sketch, u_reference, p):
    r = torch.where(u_reference.view(-1, 1, 1, 1) < p, 0.0, reference)
    return torch.cat([sketch, r], 1)

# %% 5.2 wrong: of the reference only the first channel is hidden
def hide(sketch, reference, u_sketch, u_reference, p):
    out = torch.cat([sketch, reference], 1)
    out[u_sketch < p, 0] = 0
    out[u_reference < p, 1] = 0
    return out

# %% 5.2 wrong: slice 1:3 forgets the blue channel
def hide(sketch, reference, u_sketch, u_reference, p):
    out = torch.cat([sketch, reference], 1)
    out[u_sketch < p, :1] = 0
    out[u_reference < p, 1:3] = 0
    return out

# %% 5.2 wrong: multiplies by the draw itself
def hide(sketch, reference, u_sketch, u_reference, p):
    s = sketch * torch.where(u_sketch < p, 0.0, u_sketch).view(-1, 1, 1, 1)
    r = reference * torch.where(u_reference < p, 0.0, u_reference).view(-1, 1, 1, 1)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: a pair instead of one tensor
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) < p, 0.0, sketch)
    r = torch.where(u_reference.view(-1, 1, 1, 1) < p, 0.0, reference)
    return s, r

# %% 5.2 wrong: the sketch three times, (B, 6, H, W)
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) < p, 0.0, sketch).expand(-1, 3, -1, -1)
    r = torch.where(u_reference.view(-1, 1, 1, 1) < p, 0.0, reference)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: adds sketch and reference by broadcasting
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) < p, 0.0, sketch)
    r = torch.where(u_reference.view(-1, 1, 1, 1) < p, 0.0, reference)
    return s + r

# %% 5.2 wrong: the reference at p squared
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) < p, 0.0, sketch)
    r = torch.where(u_reference.view(-1, 1, 1, 1) < p * p, 0.0, reference)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: the mean of the picture instead of 0
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) < p, sketch.mean(), sketch)
    r = torch.where(u_reference.view(-1, 1, 1, 1) < p, reference.mean(), reference)
    return torch.cat([s, r], 1)

# %% 5.2 wrong: p fixed at 0.1
def hide(sketch, reference, u_sketch, u_reference, p):
    s = torch.where(u_sketch.view(-1, 1, 1, 1) < 0.1, 0.0, sketch)
    r = torch.where(u_reference.view(-1, 1, 1, 1) < 0.1, 0.0, reference)
    return torch.cat([s, r], 1)

# %% 5.3 right: as the sentence says
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_s * (D_sketch - D_none) + w_r * (D_both - D_sketch)

# %% 5.3 right: weights of the three answers
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return (1 - w_s) * D_none + (w_s - w_r) * D_sketch + w_r * D_both

# %% 5.3 right: named ways
def guide(D_none, D_sketch, D_both, w_s, w_r):
    way_sketch = D_sketch - D_none
    way_reference = D_both - D_sketch
    out = D_none + way_sketch * w_s
    out = out + way_reference * w_r
    return out

# %% 5.3 right: lerp for the first way
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return torch.lerp(D_none, D_sketch, float(w_s)) + float(w_r) * (D_both - D_sketch)

# %% 5.3 right: torch.add with alpha
def guide(D_none, D_sketch, D_both, w_s, w_r):
    out = torch.add(D_none, D_sketch - D_none, alpha=w_s)
    return torch.add(out, D_both - D_sketch, alpha=w_r)

# %% 5.3 right: einsum over a stack
def guide(D_none, D_sketch, D_both, w_s, w_r):
    D = torch.stack([D_none, D_sketch, D_both])
    w = torch.tensor([1 - w_s, w_s - w_r, w_r], dtype=D.dtype, device=D.device)
    return torch.einsum("k,kbchw->bchw", w, D)

# %% 5.3 right: NumPy there and back
def guide(D_none, D_sketch, D_both, w_s, w_r):
    n, s, b = (D.detach().cpu().numpy() for D in (D_none, D_sketch, D_both))
    out = n + float(w_s) * (s - n) + float(w_r) * (b - s)
    return torch.from_numpy(out).to(D_none.device)

# %% 5.3 right: a loop over the levels of knowledge
def guide(D_none, D_sketch, D_both, w_s, w_r):
    answers = [D_none, D_sketch, D_both]
    out = D_none
    for w, before, after in zip((w_s, w_r), answers, answers[1:]):
        out = out + w * (after - before)
    return out

# %% 5.3 right: a clone, changed in place
def guide(D_none, D_sketch, D_both, w_s, w_r):
    out = D_none.detach().clone()
    out += w_s * (D_sketch - D_none)
    out += w_r * (D_both - D_sketch)
    return out

# %% 5.3 right: from the sketch's answer, both ways signed
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_sketch + (w_s - 1) * (D_sketch - D_none) - w_r * (D_sketch - D_both)

# %% 5.3 right: image by image into a buffer
def guide(D_none, D_sketch, D_both, w_s, w_r):
    assert D_none.shape == D_sketch.shape == D_both.shape
    out = torch.empty_like(D_none)
    for i, (n, s, b) in enumerate(zip(D_none, D_sketch, D_both)):
        out[i] = n.add(s.sub(n).mul(w_s)).add(b.sub(s).mul(w_r))
    return out

# %% 5.3 right: differences by torch.diff
def guide(D_none, D_sketch, D_both, w_s, w_r):
    ways = torch.stack([D_none, D_sketch, D_both], -1).diff(dim=-1)
    return D_none + w_s * ways[..., 0] + w_r * ways[..., 1]

# %% 5.3 wrong: reference's way from D_none
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_s * (D_sketch - D_none) + w_r * (D_both - D_none)

# %% 5.3 wrong: sign of the reference's way
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_s * (D_sketch - D_none) + w_r * (D_sketch - D_both)

# %% 5.3 wrong: sign of the sketch's way
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_s * (D_none - D_sketch) + w_r * (D_both - D_sketch)

# %% 5.3 wrong: both signs
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none - w_s * (D_sketch - D_none) - w_r * (D_both - D_sketch)

# %% 5.3 wrong: scales swapped
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_r * (D_sketch - D_none) + w_s * (D_both - D_sketch)

# %% 5.3 wrong: begins at D_sketch
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_sketch + w_s * (D_sketch - D_none) + w_r * (D_both - D_sketch)

# %% 5.3 wrong: begins at D_both
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_both + w_s * (D_sketch - D_none) + w_r * (D_both - D_sketch)

# %% 5.3 wrong: begins at nothing
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return w_s * (D_sketch - D_none) + w_r * (D_both - D_sketch)

# %% 5.3 wrong: sketch's scale forgotten
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_sketch + w_r * (D_both - D_sketch)

# %% 5.3 wrong: reference's scale forgotten
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_s * (D_sketch - D_none) + (D_both - D_sketch)

# %% 5.3 wrong: one scale for both, the sketch's
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_s * (D_both - D_none)

# %% 5.3 wrong: one scale for both, the reference's
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_r * (D_sketch - D_none) + w_r * (D_both - D_sketch)

# %% 5.3 wrong: scales 1 + w
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + (1 + w_s) * (D_sketch - D_none) + (1 + w_r) * (D_both - D_sketch)

# %% 5.3 wrong: w - 1 for the reference
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_s * (D_sketch - D_none) + (w_r - 1) * (D_both - D_sketch)

# %% 5.3 wrong: the second way from the point already reached
def guide(D_none, D_sketch, D_both, w_s, w_r):
    here = D_none + w_s * (D_sketch - D_none)
    return here + w_r * (D_both - here)

# %% 5.3 wrong: scales multiplied
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_s * ((D_sketch - D_none) + w_r * (D_both - D_sketch))

# %% 5.3 wrong: clamps to the range of images
def guide(D_none, D_sketch, D_both, w_s, w_r):
    out = D_none + w_s * (D_sketch - D_none) + w_r * (D_both - D_sketch)
    return out.clamp(-1, 1)

# %% 5.3 wrong: changes D_sketch in place and uses it again
def guide(D_none, D_sketch, D_both, w_s, w_r):
    D_sketch -= D_none
    return D_none + w_s * D_sketch + w_r * (D_both - D_sketch)

# %% 5.3 wrong: weighted mean, divided by the sum of the scales
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + (w_s * (D_sketch - D_none) + w_r * (D_both - D_sketch)) / (w_s + w_r)

# %% 5.3 wrong: brackets forgotten
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_s * D_sketch - D_none + w_r * D_both - D_sketch

# %% 5.3 wrong: differences forgotten
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_s * D_sketch + w_r * D_both

# %% 5.3 wrong: weights of the three do not sum to one
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return (1 - w_s - w_r) * D_none + (w_s - w_r) * D_sketch + w_r * D_both

# %% 5.3 wrong: reference only, no sketch
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_r * (D_both - D_sketch)

# %% 5.3 wrong: one number
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return (D_none + w_s * (D_sketch - D_none) + w_r * (D_both - D_sketch)).mean()

# %% 5.3 wrong: the mean over the batch
def guide(D_none, D_sketch, D_both, w_s, w_r):
    out = D_none + w_s * (D_sketch - D_none) + w_r * (D_both - D_sketch)
    return out.mean(0, keepdim=True)

# %% 5.3 wrong: reference guided from none, then the sketch, roles swapped
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + w_r * (D_both - D_none) + w_s * (D_both - D_sketch)

# %% 5.3 wrong: whole-number scales
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return D_none + int(w_s) * (D_sketch - D_none) + int(w_r) * (D_both - D_sketch)

# %% 5.3 wrong: lerp with its weight on the wrong end
def guide(D_none, D_sketch, D_both, w_s, w_r):
    return torch.lerp(D_sketch, D_none, float(w_s)) + w_r * (D_both - D_sketch)

# %% 5.5 right: one loop, set_grad_enabled
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for i in range(n):
        with torch.set_grad_enabled(i >= n - last):
            D = denoise(x, sigmas[i])
            x = D + (sigmas[i + 1] / sigmas[i]) * (x - D)
    return ((x - x0) ** 2).mean()

# %% 5.5 right: two loops
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    with torch.no_grad():
        for i in range(n - last):
            D = denoise(x, sigmas[i])
            x = D + sigmas[i + 1] / sigmas[i] * (x - D)
    for i in range(n - last, n):
        D = denoise(x, sigmas[i])
        x = D + sigmas[i + 1] / sigmas[i] * (x - D)
    return (x - x0).pow(2).mean()

# %% 5.5 right: nullcontext, pairs of levels by zip
from contextlib import nullcontext

def walk_loss(denoise, x, sigmas, x0, last):
    pairs = list(zip(sigmas[:-1], sigmas[1:]))
    for k, (now, then) in enumerate(pairs):
        with nullcontext() if len(pairs) - k <= last else torch.no_grad():
            D = denoise(x, now)
            x = D + then / now * (x - D)
    return torch.mean(torch.square(x - x0))

# %% 5.5 right: inner step function and mse_loss
import torch.nn.functional as F

def walk_loss(denoise, x, sigmas, x0, last):
    def step(x, k):
        D = denoise(x, sigmas[k])
        return D + sigmas[k + 1] / sigmas[k] * (x - D)

    n = sigmas.shape[0] - 1
    for k in range(n):
        if k < n - last:
            with torch.no_grad():
                x = step(x, k)
        else:
            x = step(x, k)
    return F.mse_loss(x, x0)

# %% 5.5 right: Euler by the derivative
def walk_loss(denoise, x, sigmas, x0, last):
    steps = sigmas.numel() - 1
    for k in range(steps):
        with torch.set_grad_enabled(k + last >= steps):
            slope = (x - denoise(x, sigmas[k])) / sigmas[k]
            x = x + (sigmas[k + 1] - sigmas[k]) * slope
    return (x - x0).square().mean()

# %% 5.5 right: the last step lands on D, for its level is 0
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n - 1):
        with torch.set_grad_enabled(n - k <= last):
            D = denoise(x, sigmas[k])
            x = D + (x - D) * (sigmas[k + 1] / sigmas[k])
    end = denoise(x, sigmas[n - 1])
    return (end - x0).square().mean()

# %% 5.5 right: recursion
def walk_loss(denoise, x, sigmas, x0, last):
    if len(sigmas) == 1:
        return (x - x0).square().mean()
    with torch.set_grad_enabled(len(sigmas) - 1 <= last):
        D = denoise(x, sigmas[0])
        x = D + sigmas[1] / sigmas[0] * (x - D)
    return walk_loss(denoise, x, sigmas[1:], x0, min(last, len(sigmas) - 1))

# %% 5.5 right: ratios beforehand, lerp
def walk_loss(denoise, x, sigmas, x0, last):
    ratios = (sigmas[1:] / sigmas[:-1]).to(x.dtype)
    for left, sigma, ratio in zip(range(len(ratios), 0, -1), sigmas, ratios):
        with torch.set_grad_enabled(left <= last):
            x = torch.lerp(denoise(x, sigma), x, ratio)
    return torch.nn.functional.mse_loss(x, x0)

# %% 5.5 right: no_grad as a decorator
def walk_loss(denoise, x, sigmas, x0, last):
    def walk(x, levels):
        for a, b in zip(levels, levels[1:]):
            D = denoise(x, a)
            x = D + b / a * (x - D)
        return x

    n = len(sigmas) - 1
    x = torch.no_grad()(walk)(x, sigmas[: n - last + 1])
    x = walk(x, sigmas[n - last :])
    return (x - x0).square().mean()

# %% 5.5 right: weights of state and answer; einsum for the squares
def walk_loss(denoise, x, sigmas, x0, last):
    assert 1 <= last <= len(sigmas) - 1
    k, n = 0, len(sigmas) - 1
    while k < n:
        r = sigmas[k + 1] / sigmas[k]
        with torch.set_grad_enabled(k >= n - last):
            x = (1 - r) * denoise(x, sigmas[k]) + r * x
        k += 1
    d = x - x0
    return torch.einsum("bchw,bchw->", d, d) / d.numel()

# %% 5.5 right: negative indices count the steps that are left
def walk_loss(denoise, x, sigmas, x0, last):
    for left in range(len(sigmas) - 1, 0, -1):
        sigma, sigma_next = sigmas[-left - 1], sigmas[-left]
        with torch.set_grad_enabled(left <= last):
            D = denoise(x, sigma)
            x = D + sigma_next / sigma * (x - D)
    return (x0 - x).square().sum() / x0.numel()

# %% 5.5 wrong: one step too many with a gradient
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last - 1):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: one step too few with a gradient, none for last = 1
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k > n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: counts the levels, not the steps
def walk_loss(denoise, x, sigmas, x0, last):
    for k in range(len(sigmas) - 1):
        with torch.set_grad_enabled(k >= len(sigmas) - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: the first `last` steps keep a gradient
def walk_loss(denoise, x, sigmas, x0, last):
    for k in range(len(sigmas) - 1):
        with torch.set_grad_enabled(k < last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: condition swapped, gradient in the steps before
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k < n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: torch.no_grad around everything
def walk_loss(denoise, x, sigmas, x0, last):
    with torch.no_grad():
        for k in range(len(sigmas) - 1):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
        return (x - x0).square().mean()

# %% 5.5 wrong: no torch.no_grad at all
def walk_loss(denoise, x, sigmas, x0, last):
    for k in range(len(sigmas) - 1):
        D = denoise(x, sigmas[k])
        x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: the loss itself under no_grad
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    with torch.no_grad():
        loss = (x - x0).square().mean()
    return loss

# %% 5.5 wrong: detaches before the last steps instead of running the others under no_grad
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        if k == n - last and last < n:
            x = x.detach()
        D = denoise(x, sigmas[k])
        x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: detaches the state in every step
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        x = x.detach()
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: the network's input without a gradient, chain through it cut
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x.detach(), sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: ratio upside down
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k] / sigmas[k + 1] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: sign, D - x
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (D - x)
    return (x - x0).square().mean()

# %% 5.5 wrong: from x instead of D
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = x + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: without the ratio, jumps to D in every step
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            x = denoise(x, sigmas[k])
    return (x - x0).square().mean()

# %% 5.5 wrong: asks at the next level
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k + 1])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: always asks at the first level
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[0])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: one level an image, (B,), instead of a tensor ()
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k].expand(len(x)))
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: levels as Python floats
def walk_loss(denoise, x, sigmas, x0, last):
    levels = sigmas.tolist()
    n = len(levels) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, levels[k])
            x = D + levels[k + 1] / levels[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: sum instead of mean
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().sum()

# %% 5.5 wrong: absolute instead of squared
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).abs().mean()

# %% 5.5 wrong: forgets the square
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).mean()

# %% 5.5 wrong: root of the mean
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean().sqrt()

# %% 5.5 wrong: one number an image
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean(dim=(1, 2, 3))

# %% 5.5 wrong: .item(), a float without a gradient
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean().item()

# %% 5.5 wrong: stops one step early
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 2
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: one more question at level 0
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (denoise(x, sigmas[n]) - x0).square().mean()

# %% 5.5 wrong: walks only the last steps
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n - last, n):
        D = denoise(x, sigmas[k])
        x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: ratio to the first level
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[0] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: compares the end with the state at the start
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    start = x
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - start).square().mean()

# %% 5.5 wrong: loss summed over the last steps' answers
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    loss = 0
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
            if k >= n - last:
                loss = loss + (x - x0).square().mean()
    return loss / last

# %% 5.5 wrong: fresh noise in every step
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            x = denoise(x, sigmas[k]) + sigmas[k + 1] * torch.randn_like(x)
    return (x - x0).square().mean()

# %% 5.5 wrong: `last` ignored, only one step has a gradient
def walk_loss(denoise, x, sigmas, x0, last):
    with torch.no_grad():
        for a, b in zip(sigmas[:-2], sigmas[1:-1]):
            D = denoise(x, a)
            x = D + b / a * (x - D)
    return (denoise(x, sigmas[-2]) - x0).square().mean()

# %% 5.5 right: only the question under no_grad, which is enough, since x comes without gradient
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k])
        x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.5 wrong: clamps the answers to [-1, 1]
def walk_loss(denoise, x, sigmas, x0, last):
    n = len(sigmas) - 1
    for k in range(n):
        with torch.set_grad_enabled(k >= n - last):
            D = denoise(x, sigmas[k]).clamp(-1, 1)
            x = D + sigmas[k + 1] / sigmas[k] * (x - D)
    return (x - x0).square().mean()

# %% 5.4 right: a loop into an array of nan
from skimage import color

def region_error(image, masks, colours):
    out = np.full(len(masks), np.nan)
    for i in range(len(masks)):
        pixels = image[masks[i]]
        if len(pixels):
            median = np.median(pixels, axis=0)
            out[i] = color.deltaE_ciede2000(color.rgb2lab(median), color.rgb2lab(colours[i]))
    return out

# %% 5.4 right: comprehension
from skimage import color

def region_error(image, masks, colours):
    lab = color.rgb2lab
    return np.array(
        [
            float(color.deltaE_ciede2000(lab(np.median(image[m], 0)), lab(c)))
            if m.any()
            else np.nan
            for m, c in zip(masks, colours)
        ]
    )

# %% 5.4 right: medians first, then one call for all regions
from skimage import color

def region_error(image, masks, colours):
    some = masks.any(axis=(1, 2))
    medians = np.array([np.median(image[m], axis=0) for m in masks[some]]).reshape(-1, 3)
    out = np.full(len(masks), np.nan)
    if some.any():
        out[some] = color.deltaE_ciede2000(
            color.rgb2lab(medians), color.rgb2lab(np.asarray(colours)[some])
        )
    return out

# %% 5.4 right: nanmedian with where
import warnings

from skimage import color

def region_error(image, masks, colours):
    out = []
    for mask, colour in zip(masks, colours):
        shown = np.where(mask[..., None], image, np.nan).reshape(-1, 3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            median = np.nanmedian(shown, axis=0)
        if np.isnan(median).any():
            out.append(np.nan)
        else:
            out.append(color.deltaE_ciede2000(color.rgb2lab(median), color.rgb2lab(colour)))
    return np.array(out, dtype=float)

# %% 5.4 right: quantile 0.5 in float64
from skimage import color

def region_error(image, masks, colours):
    image, colours = np.asarray(image, np.float64), np.asarray(colours, np.float64)
    found = np.empty(len(masks))
    for i, mask in enumerate(masks):
        if not mask.any():
            found[i] = np.nan
            continue
        middle = np.quantile(image[mask], 0.5, axis=0)
        found[i] = color.deltaE_ciede2000(color.rgb2lab(middle), color.rgb2lab(colours[i]))
    return found

# %% 5.4 right: sorts by hand, mean of the two in the middle
from skimage import color

def region_error(image, masks, colours):
    found = []
    for mask, wanted in zip(masks, colours):
        pixels = np.sort(image[mask].astype(np.float64), axis=0)
        n = len(pixels)
        if n == 0:
            found.append(np.nan)
            continue
        median = (pixels[(n - 1) // 2] + pixels[n // 2]) / 2
        found.append(float(color.deltaE_ciede2000(color.rgb2lab(wanted), color.rgb2lab(median))))
    return np.array(found)

# %% 5.4 right: statistics.median, a channel at a time
import statistics

from skimage import color

def region_error(image, masks, colours):
    errors = np.zeros(len(masks))
    for r, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.sum() == 0:
            errors[r] = np.nan
        else:
            rgb = np.array([statistics.median(image[..., c][mask].tolist()) for c in range(3)])
            errors[r] = color.deltaE_ciede2000(color.rgb2lab(rgb), color.rgb2lab(colour))
    return errors

# %% 5.4 right: flat pixels and torch.quantile
from skimage import color

def region_error(image, masks, colours):
    flat = torch.as_tensor(np.ascontiguousarray(image)).double().reshape(-1, 3)
    which = torch.as_tensor(np.ascontiguousarray(masks)).flatten(1)
    wanted = color.rgb2lab(np.asarray(colours, dtype=float))
    out = np.full(len(which), np.nan)
    for i, m in enumerate(which):
        if m.any():
            median = torch.quantile(flat[m], 0.5, dim=0).numpy()
            out[i] = color.deltaE_ciede2000(color.rgb2lab(median), wanted[i])
    return out

# %% 5.4 right: a masked array
from skimage import color

def region_error(image, masks, colours):
    out = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        hidden = np.repeat(~mask[..., None], 3, axis=-1)
        pixels = np.ma.array(image, mask=hidden).reshape(-1, 3)
        if pixels.count():
            median = np.ma.median(pixels, axis=0).filled(np.nan)
            out[i] = color.deltaE_ciede2000(color.rgb2lab(median), color.rgb2lab(colour))
    return out

# %% 5.4 right: a helper for one region, images of one pixel for skimage
from skimage import color

def region_error(image, masks, colours):
    def one(mask, colour):
        ys, xs = np.nonzero(mask)
        if ys.size == 0:
            return np.nan
        median = np.percentile(image[ys, xs], 50, axis=0)
        a = color.rgb2lab(median.reshape(1, 1, 3))
        b = color.rgb2lab(np.reshape(colour, (1, 1, 3)))
        return color.deltaE_ciede2000(a, b).item()

    return np.array([one(m, c) for m, c in zip(masks, colours)], dtype=np.float64)

# %% 5.4 wrong: mean instead of median
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            pair = color.rgb2lab(image[mask].mean(0)), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede2000(*pair)
    return found

# %% 5.4 wrong: distance in RGB
def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            found[i] = np.linalg.norm(np.median(image[mask], axis=0) - colour)
    return found

# %% 5.4 wrong: distance in RGB, times 100
def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            found[i] = 100 * np.sqrt(np.mean((np.median(image[mask], axis=0) - colour) ** 2))
    return found

# %% 5.4 wrong: deltaE of 1976
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            pair = color.rgb2lab(np.median(image[mask], axis=0)), color.rgb2lab(colour)
            found[i] = color.deltaE_cie76(*pair)
    return found

# %% 5.4 wrong: deltaE of 1994
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            pair = color.rgb2lab(np.median(image[mask], axis=0)), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede94(*pair)
    return found

# %% 5.4 wrong: CIEDE2000 of RGB values, not of Lab
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            found[i] = color.deltaE_ciede2000(np.median(image[mask], axis=0), colour)
    return found

# %% 5.4 wrong: only the image becomes Lab, the wanted colour stays RGB
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            median = color.rgb2lab(np.median(image[mask], axis=0))
            found[i] = color.deltaE_ciede2000(median, colour)
    return found

# %% 5.4 wrong: median over all channels together
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            grey = np.full(3, np.median(image[mask]))
            found[i] = color.deltaE_ciede2000(color.rgb2lab(grey), color.rgb2lab(colour))
    return found

# %% 5.4 wrong: median in Lab instead of RGB
from skimage import color

def region_error(image, masks, colours):
    lab = color.rgb2lab(image)
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            found[i] = color.deltaE_ciede2000(np.median(lab[mask], axis=0), color.rgb2lab(colour))
    return found

# %% 5.4 wrong: median of the pixels' distances
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            wanted = np.tile(color.rgb2lab(colour), (mask.sum(), 1))
            each = color.deltaE_ciede2000(color.rgb2lab(image[mask]), wanted)
            found[i] = np.median(each)
    return found

# %% 5.4 wrong: mean of the pixels' distances
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            wanted = np.tile(color.rgb2lab(colour), (mask.sum(), 1))
            each = color.deltaE_ciede2000(color.rgb2lab(image[mask]), wanted)
            found[i] = each.mean()
    return found

# %% 5.4 wrong: 0 for a region without a pixel
from skimage import color

def region_error(image, masks, colours):
    found = np.zeros(len(masks))
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            pair = color.rgb2lab(np.median(image[mask], axis=0)), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede2000(*pair)
    return found

# %% 5.4 wrong: leaves regions without a pixel out
from skimage import color

def region_error(image, masks, colours):
    found = []
    for mask, colour in zip(masks, colours):
        if mask.any():
            pair = color.rgb2lab(np.median(image[mask], axis=0)), color.rgb2lab(colour)
            found.append(color.deltaE_ciede2000(*pair))
    return np.array(found)

# %% 5.4 wrong: ends at the first region without a pixel
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if not mask.any():
            break
        pair = color.rgb2lab(np.median(image[mask], axis=0)), color.rgb2lab(colour)
        found[i] = color.deltaE_ciede2000(*pair)
    return found

# %% 5.4 wrong: an empty region is taken for black
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        rgb = np.median(image[mask], axis=0) if mask.any() else np.zeros(3)
        found[i] = color.deltaE_ciede2000(color.rgb2lab(rgb), color.rgb2lab(colour))
    return found

# %% 5.4 wrong: mask.all() instead of any()
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.all():
            pair = color.rgb2lab(np.median(image[mask], axis=0)), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede2000(*pair)
    return found

# %% 5.4 wrong: nan for every region if one has no pixel
from skimage import color

def region_error(image, masks, colours):
    if not masks.any(axis=(1, 2)).all():
        return np.full(len(masks), np.nan)
    medians = np.array([np.median(image[m], axis=0) for m in masks])
    return color.deltaE_ciede2000(color.rgb2lab(medians), color.rgb2lab(colours))

# %% 5.4 wrong: median of the whole image
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            median = np.median(image.reshape(-1, 3), axis=0)
            found[i] = color.deltaE_ciede2000(color.rgb2lab(median), color.rgb2lab(colour))
    return found

# %% 5.4 wrong: multiplies by the mask, zeros count
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            median = np.median((image * mask[..., None]).reshape(-1, 3), axis=0)
            found[i] = color.deltaE_ciede2000(color.rgb2lab(median), color.rgb2lab(colour))
    return found

# %% 5.4 wrong: the pixels outside of the mask
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any() and not mask.all():
            pair = color.rgb2lab(np.median(image[~mask], axis=0)), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede2000(*pair)
    return found

# %% 5.4 wrong: paints the rest with nan in place, later regions lose pixels
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        image[~mask] = np.nan
        if not np.isnan(image).all():
            median = np.nanmedian(image.reshape(-1, 3), axis=0)
            found[i] = color.deltaE_ciede2000(color.rgb2lab(median), color.rgb2lab(colour))
    return found

# %% 5.4 wrong: every region against the first colour
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, mask in enumerate(masks):
        if mask.any():
            pair = color.rgb2lab(np.median(image[mask], axis=0)), color.rgb2lab(colours[0])
            found[i] = color.deltaE_ciede2000(*pair)
    return found

# %% 5.4 wrong: one number, the mean over the regions
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            pair = color.rgb2lab(np.median(image[mask], axis=0)), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede2000(*pair)
    return np.nanmean(found)

# %% 5.4 wrong: the lower of the two in the middle, torch.median
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            median = torch.as_tensor(image[mask]).median(0).values.numpy()
            found[i] = color.deltaE_ciede2000(color.rgb2lab(median), color.rgb2lab(colour))
    return found

# %% 5.4 wrong: no average for an even number of pixels, sorted[n // 2]
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            pixels = np.sort(image[mask], axis=0)
            pair = color.rgb2lab(pixels[len(pixels) // 2]), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede2000(*pair)
    return found

# %% 5.4 wrong: forgets to sort
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            pixels = image[mask]
            pair = color.rgb2lab(pixels[len(pixels) // 2]), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede2000(*pair)
    return found

# %% 5.4 wrong: in [0, 1], divided by 100
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            pair = color.rgb2lab(np.median(image[mask], axis=0)), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede2000(*pair) / 100
    return found

# %% 5.4 wrong: takes the image for [-1, 1]
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            pair = color.rgb2lab((np.median(image[mask], axis=0) + 1) / 2), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede2000(*pair)
    return found

# %% 5.4 wrong: HSV instead of Lab
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            pair = color.rgb2hsv(np.median(image[mask], axis=0)), color.rgb2hsv(colour)
            found[i] = 100 * np.linalg.norm(pair[0] - pair[1])
    return found

# %% 5.4 wrong: hue alone, lightness set aside
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            a, b = color.rgb2lab(np.median(image[mask], axis=0)), color.rgb2lab(colour)
            a[0] = b[0] = 50
            found[i] = color.deltaE_ciede2000(a, b)
    return found

# %% 5.4 wrong: each pixel belongs to one region only, argmax over masks
from skimage import color

def region_error(image, masks, colours):
    label = masks.argmax(axis=0)
    found = np.full(len(masks), np.nan)
    for i, colour in enumerate(colours):
        if (label == i).any():
            pair = color.rgb2lab(np.median(image[label == i], axis=0)), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede2000(*pair)
    return found

# %% 5.4 wrong: BGR
from skimage import color

def region_error(image, masks, colours):
    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours)):
        if mask.any():
            pair = color.rgb2lab(np.median(image[mask], axis=0)[::-1]), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede2000(*pair)
    return found

# %% 5.6 right: abs, max, bool
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a - b).abs().max() > 1e-6)

# %% 5.6 right: any of the pixels
def leaks(method, sketch, reference, truth, other, seed):
    difference = method(sketch, reference, truth, seed) - method(sketch, reference, other, seed)
    return torch.any(difference.abs() > 1e-6).item()

# %% 5.6 right: allclose without its relative part
def leaks(method, sketch, reference, truth, other, seed):
    first = method(sketch, reference, truth, seed)
    second = method(sketch, reference, other, seed)
    return not torch.allclose(first, second, rtol=0, atol=1e-6)

# %% 5.6 right: NumPy
def leaks(method, sketch, reference, truth, other, seed):
    a, b = (method(sketch, reference, t, seed).detach().cpu().numpy() for t in (truth, other))
    return bool(np.max(np.abs(a - b)) > 1e-6)

# %% 5.6 right: max and min, without abs
def leaks(method, sketch, reference, truth, other, seed):
    d = method(sketch, reference, other, seed) - method(sketch, reference, truth, seed)
    return d.max().item() > 1e-6 or d.min().item() < -1e-6

# %% 5.6 right: a loop over the images, ends early
def leaks(method, sketch, reference, truth, other, seed):
    with torch.no_grad():
        one = method(sketch, reference, truth, seed)
        two = method(sketch, reference, other, seed)
    for a, b in zip(one, two):
        if (a - b).abs().max() > 1e-6:
            return True
    return False

# %% 5.6 right: any() over flat numbers
def leaks(method, sketch, reference, truth, other, seed):
    run = lambda t: method(sketch, reference, t, seed).flatten()
    return any(d > 1e-6 for d in (run(truth) - run(other)).abs().tolist())

# %% 5.6 right: isclose, all, not
def leaks(method, sketch, reference, truth, other, seed):
    images = [method(sketch, reference, t, seed).detach() for t in (truth, other)]
    same = torch.isclose(images[0], images[1], rtol=0.0, atol=1e-6)
    return not bool(same.all())

# %% 5.6 right: infinity norm of the difference
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return float(torch.linalg.vector_norm(a - b, ord=float("inf"))) > 1e-6

# %% 5.6 right: clones everything it hands out, counts the pixels
def leaks(method, sketch, reference, truth, other, seed):
    def run(t):
        return method(sketch.clone(), reference.clone(), t.clone(), seed).clone()

    a, b = run(truth), run(other)
    assert a.shape == b.shape
    return int(((a - b).abs() > 1e-6).sum()) > 0

# %% 5.6 right: if and else, larger minus smaller
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    gap = torch.maximum(a, b) - torch.minimum(a, b)
    if gap.max() > 1e-6:
        return True
    else:
        return False

# %% 5.6 wrong: forgets abs
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a - b).max() > 1e-6)

# %% 5.6 right: the truth in a tensor ()
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return (a - b).abs().max() > 1e-6

# %% 5.6 wrong: the largest difference itself
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return (a - b).abs().max().item()

# %% 5.6 wrong: a bool a pixel
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return (a - b).abs() > 1e-6

# %% 5.6 wrong: turned around
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a - b).abs().max() <= 1e-6)

# %% 5.6 wrong: allclose without not
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return torch.allclose(a, b, rtol=0, atol=1e-6)

# %% 5.6 wrong: different seeds
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed + 1)
    return bool((a - b).abs().max() > 1e-6)

# %% 5.6 wrong: seed 0 whatever was asked for
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, 0)
    b = method(sketch, reference, other, 0)
    return bool((a - b).abs().max() > 1e-6)

# %% 5.6 wrong: random seeds
def leaks(method, sketch, reference, truth, other, seed):
    rng = np.random.default_rng(seed)
    a = method(sketch, reference, truth, int(rng.integers(2**31)))
    b = method(sketch, reference, other, int(rng.integers(2**31)))
    return bool((a - b).abs().max() > 1e-6)

# %% 5.6 wrong: the mean, positive and negative cancel
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a - b).mean().abs() > 1e-6)

# %% 5.6 wrong: mean of the absolute difference
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a - b).abs().mean() > 1e-6)

# %% 5.6 wrong: sum instead of max
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a - b).abs().sum() > 1e-6)

# %% 5.6 wrong: min instead of max
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a - b).abs().min() > 1e-6)

# %% 5.6 wrong: all instead of any
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool(((a - b).abs() > 1e-6).all())

# %% 5.6 wrong: mean squared difference
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a - b).square().mean() > 1e-6)

# %% 5.6 wrong: largest squared difference
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a - b).square().max() > 1e-6)

# %% 5.6 wrong: any bit that differs, torch.equal
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return not torch.equal(a, b)

# %% 5.6 wrong: allclose with its defaults, 1e-8 and a relative part
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return not torch.allclose(a, b)

# %% 5.6 wrong: allclose with atol 1e-6, the relative part still there
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return not torch.allclose(a, b, atol=1e-6)

# %% 5.6 wrong: bound 1e-3
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a - b).abs().max() > 1e-3)

# %% 5.6 wrong: 1e6
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a - b).abs().max() > 1e6)

# %% 5.6 wrong: truth handed over twice
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, truth, seed)
    return bool((a - b).abs().max() > 1e-6)

# %% 5.6 wrong: zeros instead of the other truth
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, torch.zeros_like(truth), seed)
    return bool((a - b).abs().max() > 1e-6)

# %% 5.6 wrong: exchanges the reference too
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, other, other, seed)
    return bool((a - b).abs().max() > 1e-6)

# %% 5.6 wrong: compares the images with the truth
def leaks(method, sketch, reference, truth, other, seed):
    images = method(sketch, reference, truth, seed)
    return bool((images - truth).abs().max() > 1e-6)

# %% 5.6 wrong: leaks only if the images equal the truth
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a - truth).abs().max() < 1e-6 and (b - other).abs().max() < 1e-6)

# %% 5.6 wrong: only the first image
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)[0]
    b = method(sketch, reference, other, seed)[0]
    return bool((a - b).abs().max() > 1e-6)

# %% 5.6 wrong: only the first channel
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a[:, 0] - b[:, 0]).abs().max() > 1e-6)

# %% 5.6 wrong: compares the means of the images
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return abs(a.mean().item() - b.mean().item()) > 1e-6

# %% 5.6 wrong: difference of absolute values
def leaks(method, sketch, reference, truth, other, seed):
    a = method(sketch, reference, truth, seed)
    b = method(sketch, reference, other, seed)
    return bool((a.abs() - b.abs()).max() > 1e-6)

# %% 5.6 wrong: rounds to 8 bits first
def leaks(method, sketch, reference, truth, other, seed):
    a, b = (method(sketch, reference, t, seed) for t in (truth, other))
    a, b = (((v + 1) * 127.5).round() for v in (a, b))
    return bool((a - b).abs().max() > 0)

# %% 5.6 wrong: and instead of or around max and min
def leaks(method, sketch, reference, truth, other, seed):
    d = method(sketch, reference, truth, seed) - method(sketch, reference, other, seed)
    return bool(d.max() > 1e-6 and d.min() < -1e-6)

# %% 5.6 wrong: the answer depends on the truths, not on the images
def leaks(method, sketch, reference, truth, other, seed):
    method(sketch, reference, truth, seed)
    return bool((truth - other).abs().max() > 1e-6)

# %% 5.6 wrong: the return in the loop, only the first image is looked at
def leaks(method, sketch, reference, truth, other, seed):
    one = method(sketch, reference, truth, seed)
    two = method(sketch, reference, other, seed)
    for a, b in zip(one, two):
        if (a - b).abs().max() > 1e-6:
            return True
        else:
            return False
