# Answers to lesson 02, right and wrong, of somebody who knew the lesson and not its checks.
# Behind => stands the name that the check found, read over by a person.

# %% 2.1 right: coefficients named, torch.ones_like at t = 0
def posterior(betas, t, x0, x_t):
    alphas = 1 - betas
    abar = torch.cumprod(alphas, dim=0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[t])
    left = 1 - abar[t]
    mean = (before.sqrt() * betas[t] * x0 + alphas[t].sqrt() * (1 - before) * x_t) / left
    variance = betas[t] * (1 - before) / left
    return mean, variance

# %% 2.1 right: abar with a leading 1, index shifted by one
def posterior(betas, t, x0, x_t):
    abar = torch.cat([torch.ones_like(betas[:1]), (1 - betas).cumprod(0)])
    before, now = abar[t], abar[t + 1]
    variance = (1 - before) / (1 - now) * betas[t]
    of_x0 = torch.sqrt(before) * betas[t] / (1 - now)
    of_xt = torch.sqrt(1 - betas[t]) * (1 - before) / (1 - now)
    return of_x0 * x0 + of_xt * x_t, variance

# %% 2.1 right: product of the slice betas[:t], empty product is 1
def posterior(betas, t, x0, x_t):
    before = (1 - betas[:t]).prod()
    now = before * (1 - betas[t])
    k = betas[t] / (1 - now)
    mean = before ** 0.5 * k * x0 + (1 - betas[t]) ** 0.5 * (1 - before) / (1 - now) * x_t
    return mean, k * (1 - before)

# %% 2.1 right: plain Python floats, variance a float
def posterior(betas, t, x0, x_t):
    alpha = [1 - b for b in betas.tolist()]
    before = math.prod(alpha[:t])
    now = math.prod(alpha[: t + 1])
    b = 1 - alpha[t]
    mean = math.sqrt(before) * b / (1 - now) * x0 + math.sqrt(alpha[t]) * (1 - before) / (1 - now) * x_t
    return mean, (1 - before) / (1 - now) * b

# %% 2.1 right: precisions added, t = 0 treated apart
def posterior(betas, t, x0, x_t):
    if t == 0:
        return x0.clone(), torch.zeros_like(betas[0])
    alpha, before = 1 - betas[t], (1 - betas[:t]).prod()
    precision = alpha / betas[t] + 1 / (1 - before)
    variance = 1 / precision
    mean = variance * (alpha.sqrt() / betas[t] * x_t + before.sqrt() / (1 - before) * x0)
    return mean, variance

# %% 2.1 right: (1 - abar_t) written as alpha (1 - before) + beta
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = torch.where(torch.tensor(t > 0), abar[max(t - 1, 0)], torch.ones_like(abar[0]))
    beta, alpha = betas[t], 1 - betas[t]
    below = alpha * (1 - before) + beta
    mean = (before.sqrt() * beta * x0 + alpha.sqrt() * (1 - before) * x_t) / below
    return mean, beta * (1 - before) / below

# %% 2.1 right: Kalman form, x0's mean plus gain times the surprise
def posterior(betas, t, x0, x_t):
    before = (1 - betas[:t]).prod()
    alpha = 1 - betas[t]
    prior = 1 - before
    gain = alpha.sqrt() * prior / (alpha * prior + betas[t])
    mean = before.sqrt() * x0 + gain * (x_t - alpha.sqrt() * before.sqrt() * x0)
    variance = (1 - gain * alpha.sqrt()) * prior
    return mean, variance

# %% 2.1 right: log of alphas summed, .item() for the variance
def posterior(betas, t, x0, x_t):
    logs = torch.log1p(-betas)
    before, now = logs[:t].sum().exp(), logs[: t + 1].sum().exp()
    w0 = before.sqrt() * betas[t] / (1 - now)
    wt = (0.5 * logs[t]).exp() * (1 - before) / (1 - now)
    return torch.add(w0 * x0, wt * x_t), ((1 - before) / (1 - now) * betas[t]).item()

# %% 2.1 wrong: abar[t - 1] without care for t = 0 => wraps around
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1]
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, (1 - before) / (1 - abar[t]) * betas[t]

# %% 2.1 wrong: before is 0 at t = 0 (nothing left) instead of 1 => first step 0
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.zeros_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, (1 - before) / (1 - abar[t]) * betas[t]

# %% 2.1 wrong: before = abar[max(t - 1, 0)], wrong at t = 0 => first step stays
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[max(t - 1, 0)]
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, (1 - before) / (1 - abar[t]) * betas[t]

# %% 2.1 wrong: roots missing in the mean => roots forgotten
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]) * (1 - before) / (1 - abar[t]) * x_t
    return mean, (1 - before) / (1 - abar[t]) * betas[t]

# %% 2.1 wrong: bar in front of x_t, sqrt(abar_t) for sqrt(alpha_t) => bar too many
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + abar[t].sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, (1 - before) / (1 - abar[t]) * betas[t]

# %% 2.1 wrong: sqrt(abar_t) in front of x0 instead of the step before => abar of t in front of x0
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = abar[t].sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, (1 - before) / (1 - abar[t]) * betas[t]

# %% 2.1 wrong: std instead of variance => std returned
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, ((1 - before) / (1 - abar[t]) * betas[t]).sqrt()

# %% 2.1 wrong: variance is beta, not beta-tilde => beta for beta-tilde
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, betas[t]

# %% 2.1 wrong: fraction of the variance upside down => variance upside down
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, (1 - abar[t]) / (1 - before) * betas[t]

# %% 2.1 wrong: precision returned instead of variance => precision returned
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, (1 - betas[t]) / betas[t] + 1 / (1 - before)

# %% 2.1 wrong: x0 and x_t exchanged => images swapped
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x_t + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x0
    return mean, (1 - before) / (1 - abar[t]) * betas[t]

# %% 2.1 wrong: variance first, mean second => order
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return (1 - before) / (1 - abar[t]) * betas[t], mean

# %% 2.1 wrong: t counted from 1, betas[t - 1] => t counted from 1
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    now, beta = abar[t - 1], betas[t - 1]
    before = abar[t - 2] if t > 1 else torch.ones_like(abar[0])
    mean = before.sqrt() * beta / (1 - now) * x0 + (1 - beta).sqrt() * (1 - before) / (1 - now) * x_t
    return mean, (1 - before) / (1 - now) * beta

# %% 2.1 wrong: before taken as the next step, abar[t + 1]
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t + 1] if t + 1 < len(abar) else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, (1 - before) / (1 - abar[t]) * betas[t]

# %% 2.1 wrong: variance for all steps, shape (T,) => another shape
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    shifted = torch.cat([torch.ones_like(abar[:1]), abar[:-1]])
    before = shifted[t]
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, (1 - shifted) / (1 - abar) * betas

# %% 2.1 wrong: variance in the shape of the image, not a number => another shape
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, ((1 - before) / (1 - abar[t]) * betas[t]).expand(x0.shape)

# %% 2.1 wrong: only the mean comes back => another type
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    return before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t

# %% 2.1 wrong: worked coefficients hard-coded
def posterior(betas, t, x0, x_t):
    return 0.7143 * x0 + 0.2143 * x_t, torch.tensor(0.3214)

# %% 2.1 wrong: precision form without care, NaN at t = 0
def posterior(betas, t, x0, x_t):
    alpha, before = 1 - betas[t], (1 - betas[:t]).prod()
    variance = 1 / (alpha / betas[t] + 1 / (1 - before))
    mean = variance * (alpha.sqrt() / betas[t] * x_t + before.sqrt() / (1 - before) * x0)
    return mean, variance

# %% 2.1 wrong: a random draw comes back instead of the mean => random
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    variance = (1 - before) / (1 - abar[t]) * betas[t]
    return mean + variance.sqrt() * torch.randn_like(mean), variance

# %% 2.1 wrong: brackets missing, 1 - before / 1 - abar => variance, brackets
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, 1 - before / 1 - abar[t] * betas[t]

# %% 2.1 wrong: cumsum instead of cumprod
def posterior(betas, t, x0, x_t):
    abar = 1 - betas.cumsum(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, (1 - before) / (1 - abar[t]) * betas[t]

# %% 2.1 wrong: minus between the two parts of the mean => minus
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 - (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    return mean, (1 - before) / (1 - abar[t]) * betas[t]

# %% 2.2 right: F.mse_loss with reshape
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].reshape(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return torch.nn.functional.mse_loss(net(x_t, t), noise)

# %% 2.2 right: None indexing, ** 2
def loss(net, x0, t, noise, betas):
    abar = torch.cumprod(1 - betas, 0)[t][:, None, None, None]
    x_t = abar ** 0.5 * x0 + (1 - abar) ** 0.5 * noise
    error = net(x_t, t) - noise
    return (error ** 2).mean()

# %% 2.2 right: roots taken before the gather, torch.mean
def loss(net, x0, t, noise, betas):
    abar = torch.exp(torch.log1p(-betas).cumsum(0))
    fade, spread = abar.sqrt().gather(0, t), (1 - abar).sqrt().gather(0, t)
    as_images = lambda v: v.unsqueeze(-1).unsqueeze(-1).unsqueeze(-1)
    return torch.mean(torch.square(noise - net(as_images(fade) * x0 + as_images(spread) * noise, t)))

# %% 2.2 right: sum over everything divided by numel
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0).index_select(0, t).view(len(t), 1, 1, 1)
    guess = net(abar.sqrt() * x0 + (1 - abar).sqrt() * noise, t)
    return (noise - guess).pow(2).sum() / noise.numel()

# %% 2.2 right: einsum for the noising
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t]
    kind = torch.promote_types(abar.dtype, x0.dtype)
    x_t = torch.einsum("b,bchw->bchw", abar.sqrt().to(kind), x0.to(kind))
    x_t = x_t + torch.einsum("b,bchw->bchw", (1 - abar).sqrt().to(kind), noise.to(kind))
    return torch.nn.MSELoss()(net(x_t, t), noise)

# %% 2.2 right: noisy images stacked one by one, one call of the net
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)
    x_t = torch.stack([abar[s].sqrt() * image + (1 - abar[s]).sqrt() * n for image, s, n in zip(x0, t, noise)])
    return (net(x_t, t) - noise).square().mean()

# %% 2.2 right: mean per image, then over the batch
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, *[1] * (x0.dim() - 1))
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    per_image = (net(x_t, t) - noise).square().flatten(1).mean(1)
    return per_image.mean()

# %% 2.2 right: view by x0.shape[0], gap times gap summed over its numel
def loss(net, x0, t, noise, betas):
    alphas = 1 - betas
    abar = torch.cumprod(alphas, dim=0)[t].view(x0.shape[0], 1, 1, 1)
    x_t = torch.sqrt(abar) * x0 + torch.sqrt(1 - abar) * noise
    gap = noise - net(x_t, t)
    return torch.sum(gap * gap) / gap.numel()

# %% 2.2 wrong: sum instead of mean => sum
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t)).square().sum()

# %% 2.2 wrong: one loss for every image, shape (B,) => one loss an image
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t)).square().flatten(1).mean(1)

# %% 2.2 wrong: summed over pixels, mean over the batch (norm of (6) taken literally) => sum an image
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t)).square().flatten(1).sum(1).mean()

# %% 2.2 wrong: L1 loss => L1
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t)).abs().mean()

# %% 2.2 wrong: square of the mean => square of the mean
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t)).mean().square()

# %% 2.2 wrong: root of the mean square => root
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t)).square().mean().sqrt()

# %% 2.2 wrong: bar forgotten, alpha of one step => bar forgotten
def loss(net, x0, t, noise, betas):
    alpha = (1 - betas)[t].view(-1, 1, 1, 1)
    x_t = alpha.sqrt() * x0 + (1 - alpha).sqrt() * noise
    return (noise - net(x_t, t)).square().mean()

# %% 2.2 wrong: view forgotten, (B,) broadcasts along the width
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t]
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t)).square().mean()

# %% 2.2 wrong: root of the noise factor missing => variance for std
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar) * noise
    return (noise - net(x_t, t)).square().mean()

# %% 2.2 wrong: both roots missing => roots forgotten
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar * x0 + (1 - abar) * noise
    return (noise - net(x_t, t)).square().mean()

# %% 2.2 wrong: factors swapped => factors swapped
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = (1 - abar).sqrt() * x0 + abar.sqrt() * noise
    return (noise - net(x_t, t)).square().mean()

# %% 2.2 wrong: t counted from 1, abar[t - 1] => t counted from 1
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t - 1].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t)).square().mean()

# %% 2.2 wrong: net is handed t + 1 => net told another t
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t + 1)).square().mean()

# %% 2.2 wrong: first step of the batch used for all images => one step for all
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t[0]]
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t)).square().mean()

# %% 2.2 wrong: compares with x0 instead of the noise => image as target
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (x0 - net(x_t, t)).square().mean()

# %% 2.2 wrong: net sees the clean image => clean image shown
def loss(net, x0, t, noise, betas):
    return (noise - net(x0, t)).square().mean()

# %% 2.2 wrong: own noise drawn, argument ignored => random
def loss(net, x0, t, noise, betas):
    noise = torch.randn_like(x0)
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t, t)).square().mean()

# %% 2.2 wrong: own noise only in the image, compared with the argument => random
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * torch.randn_like(x0)
    return (noise - net(x_t, t)).square().mean()

# %% 2.2 wrong: the factor of (4) put back, weighted by beta / alpha => factor of (4)
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    beta = betas[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (beta / (2 * (1 - beta) * (1 - abar)) * (noise - net(x_t, t)).square()).mean()

# %% 2.2 wrong: half of the squared error => half
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return 0.5 * (noise - net(x_t, t)).square().mean()

# %% 2.2 wrong: x_t clamped to [-1, 1] => state clamped
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = (abar.sqrt() * x0 + (1 - abar).sqrt() * noise).clamp(-1, 1)
    return (noise - net(x_t, t)).square().mean()

# %% 2.2 wrong: worked value hard-coded => no gradient
def loss(net, x0, t, noise, betas):
    return torch.tensor(4.0)

# %% 2.2 wrong: mean square of the noise, the net never called => no gradient
def loss(net, x0, t, noise, betas):
    return noise.square().mean()

# %% 2.2 wrong: scales the caller's noise in place => edited in place
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    true = noise.clone()
    x_t = noise.mul_((1 - abar).sqrt().to(noise.dtype)).add_((abar.sqrt() * x0).to(noise.dtype))
    return (true - net(x_t, t)).square().mean()

# %% 2.2 wrong: net called without t
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1)
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    return (noise - net(x_t)).square().mean()

# %% 2.3 right: torch.clip, torch.sqrt
def clipped_step(x, t, eps, betas, z):
    abar = torch.cumprod(1 - betas, 0)[t]
    x0_hat = torch.clip((x - torch.sqrt(1 - abar) * eps) / torch.sqrt(abar), min=-1, max=1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance ** 0.5 * z

# %% 2.3 right: minimum of maximum
def clipped_step(x, t, eps, betas, z):
    a = (1 - betas[: t + 1]).prod()
    guess = (x - (1 - a) ** 0.5 * eps) * a ** -0.5
    one = torch.ones_like(guess)
    guess = torch.minimum(torch.maximum(guess, -one), one)
    mean, variance = posterior(betas, t, guess, x)
    return torch.add(mean, z * variance ** 0.5)

# %% 2.3 right: sigma form, x / root - sigma eps
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)[t]
    sigma = ((1 - abar) / abar).sqrt()
    x0_hat = x / abar.sqrt() - sigma * eps
    mean, var = posterior(betas, t, x0_hat.clamp(-1, 1), x)
    return mean + z * math.sqrt(var)

# %% 2.3 right: clamp_ on the fresh estimate only, keywords
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = (x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()
    x0_hat.clamp_(-1, 1)
    mean, variance = posterior(betas=betas, t=t, x0=x0_hat, x_t=x)
    std = variance ** (1 / 2)
    return mean + std * z

# %% 2.3 right: no noise branch at t = 0
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(min=-1).clamp(max=1)
    mean, variance = posterior(betas, t, x0_hat, x)
    if t == 0:
        return mean
    return mean + variance ** 0.5 * z

# %% 2.3 right: torch.where for the two ends
def clipped_step(x, t, eps, betas, z):
    abar = float((1 - betas).cumprod(0)[t])
    x0_hat = (x - math.sqrt(1 - abar) * eps) / math.sqrt(abar)
    x0_hat = torch.where(x0_hat > 1, torch.ones_like(x0_hat), x0_hat)
    x0_hat = torch.where(x0_hat < -1, -torch.ones_like(x0_hat), x0_hat)
    step = posterior(betas, t, x0_hat, x)
    return step[0] + step[1] ** 0.5 * z

# %% 2.3 right: hardtanh is the clip
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)[t]
    x0_hat = torch.nn.functional.hardtanh((x - (1 - abar).sqrt() * eps) / abar.sqrt())
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + torch.as_tensor(variance).sqrt() * z

# %% 2.3 wrong: estimate not clipped => not clipped
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = (x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: result clipped, not the estimate => state clamped instead
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = (x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()
    mean, variance = posterior(betas, t, x0_hat, x)
    return (mean + variance**0.5 * z).clamp(-1, 1)

# %% 2.3 wrong: estimate and result clipped => state clamped
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return (mean + variance**0.5 * z).clamp(-1, 1)

# %% 2.3 wrong: x clipped before use => input clamped
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x = x.clamp(-1, 1)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: clipped to [0, 1] => clipped to [0, 1]
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(0, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: only the upper end clipped => clipped above alone
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(max=1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: tanh instead of clip => tanh for clip
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = torch.tanh((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt())
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: clipped before the division by the root => clipped before dividing
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = (x - (1 - abar[t]).sqrt() * eps).clamp(-1, 1) / abar[t].sqrt()
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: clamp called, its result thrown away => not clipped
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = (x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()
    x0_hat.clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: noise times the variance => variance for std
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance * z

# %% 2.3 wrong: only the mean, z ignored => nothing drawn
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean

# %% 2.3 wrong: variance beta instead of beta-tilde, noise left at t = 0 => beta, and noise at the last step
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + betas[t].sqrt() * z

# %% 2.3 wrong: own noise instead of z => random
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * torch.randn_like(x)

# %% 2.3 wrong: eps used as the fresh noise => guess drawn
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * eps

# %% 2.3 wrong: estimate with plus => noise added to the estimate
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x + (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: root of abar missing in the divisor => root below forgotten
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t]).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: root of 1 - abar missing => root of the noise forgotten
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]) * eps) / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: brackets, only the noise divided => only the noise divided
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = (x - (1 - abar[t]).sqrt() * eps / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: bar forgotten, alpha of one step => bar forgotten
def clipped_step(x, t, eps, betas, z):
    alpha = 1 - betas
    x0_hat = ((x - (1 - alpha[t]).sqrt() * eps) / alpha[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: arguments of posterior exchanged => images swapped
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x, x0_hat)
    return mean + variance**0.5 * z

# %% 2.3 wrong: the direct form (5), nothing clipped => not clipped
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    mean = (x - betas[t] / (1 - abar[t]).sqrt() * eps) / (1 - betas[t]).sqrt()
    _, variance = posterior(betas, t, x, x)
    return mean + variance**0.5 * z

# %% 2.3 wrong: returns the estimate, no step at all => estimate returned
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    return ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)

# %% 2.3 wrong: ** 1/2 precedence, half the variance => half for the root of the variance
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance ** 1/2 * z

# %% 2.3 wrong: returns mean and variance, not a draw => another type
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)
    return posterior(betas, t, x0_hat, x)

# %% 2.3 wrong: posterior asked for t - 1
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = ((x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()).clamp(-1, 1)
    mean, variance = posterior(betas, max(t - 1, 0), x0_hat, x)
    return mean + variance**0.5 * z


# %% 2.4 right: torch.cov of the columns, as hint 2 allows
def best_linear(x, sigmas):
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T)).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s * s)).mean() for s in sigmas])

# %% 2.4 right: broadcast over sigmas, (S, D)
def best_linear(x, sigmas):
    centred = x - x.mean(dim=0, keepdim=True)
    covariance = centred.T @ centred / (x.shape[0] - 1)
    lam = torch.linalg.eigvalsh(covariance).clamp(min=0)
    return (lam / (lam + sigmas[:, None] ** 2)).mean(dim=1)

# %% 2.4 right: singular values of the centred rows, missing ones count as 0
def best_linear(x, sigmas):
    s = torch.linalg.svdvals(x - x.mean(0))
    lam = s.square() / (len(x) - 1)
    return torch.stack([(lam / (lam + sigma**2)).sum() / x.shape[1] for sigma in sigmas])

# %% 2.4 right: no eigenvalues, trace of C (C + s^2 I)^-1 over D
def best_linear(x, sigmas):
    c = x - x.mean(0)
    c = c.T @ c / (len(x) - 1)
    eye = torch.eye(len(c), dtype=c.dtype)
    return torch.stack([torch.trace(torch.linalg.solve(c + s**2 * eye, c)) / len(c) for s in sigmas])

# %% 2.4 right: one minus the missing share s^2 / (lambda + s^2)
def best_linear(x, sigmas):
    x = x - x.mean(0)
    lam = torch.linalg.eigvalsh(x.T.matmul(x).div(len(x) - 1)).clamp(min=0)
    return 1 - (sigmas**2 / (lam[:, None] + sigmas**2)).mean(0)

# %% 2.4 right: numpy inside, tensor out
def best_linear(x, sigmas):
    rows = x.numpy()
    covariance = np.atleast_2d(np.cov(rows, rowvar=False))
    lam = np.clip(np.linalg.eigvalsh(covariance), 0, None)
    values = [float(np.mean(lam / (lam + float(s) ** 2))) for s in sigmas]
    return torch.tensor(values, dtype=x.dtype)

# %% 2.4 right: covariance as second moment minus product of means
def best_linear(x, sigmas):
    n, mean = len(x), x.mean(0)
    covariance = (torch.einsum("ni,nj->ij", x, x) - n * torch.outer(mean, mean)) / (n - 1)
    lam = torch.linalg.eigh(covariance)[0].clamp(min=0)
    return torch.stack([torch.mean(lam / (lam + s.square())) for s in sigmas])

# %% 2.4 wrong: mean image not subtracted => mean kept
def best_linear(x, sigmas):
    covariance = x.T @ x / (len(x) - 1)
    eigenvalues = torch.linalg.eigvalsh(covariance).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: one mean over all pixels subtracted => one mean for all
def best_linear(x, sigmas):
    x = x - x.mean()
    covariance = x.T @ x / (len(x) - 1)
    eigenvalues = torch.linalg.eigvalsh(covariance).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: each image's own mean subtracted (axis 1) => mean of each image
def best_linear(x, sigmas):
    x = x - x.mean(1, keepdim=True)
    covariance = x.T @ x / (len(x) - 1)
    eigenvalues = torch.linalg.eigvalsh(covariance).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: divided by N, not N - 1 (worked value has variances 6 and 2/3) => divided by N
def best_linear(x, sigmas):
    x = x - x.mean(0)
    covariance = x.T @ x / len(x)
    eigenvalues = torch.linalg.eigvalsh(covariance).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: not divided at all => not divided
def best_linear(x, sigmas):
    x = x - x.mean(0)
    covariance = x.T @ x
    eigenvalues = torch.linalg.eigvalsh(covariance).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: divided by D - 1 => divided by D - 1
def best_linear(x, sigmas):
    x = x - x.mean(0)
    covariance = x.T @ x / (x.shape[1] - 1)
    eigenvalues = torch.linalg.eigvalsh(covariance).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: brackets, / len(x) - 1 subtracts 1 => brackets forgotten
def best_linear(x, sigmas):
    x = x - x.mean(0)
    covariance = x.T @ x / len(x) - 1
    eigenvalues = torch.linalg.eigvalsh(covariance).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: sigma not squared => sigma not squared
def best_linear(x, sigmas):
    x = x - x.mean(0)
    eigenvalues = torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s)).mean() for s in sigmas])

# %% 2.4 wrong: the explained share s^2 / (lambda + s^2) => loss of the image
def best_linear(x, sigmas):
    x = x - x.mean(0)
    eigenvalues = torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=0)
    return torch.stack([(s**2 / (eigenvalues + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: sum over eigenvalues => sum
def best_linear(x, sigmas):
    x = x - x.mean(0)
    eigenvalues = torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).sum() for s in sigmas])

# %% 2.4 wrong: mean of lambda over mean of lambda + s^2 => averaged too early
def best_linear(x, sigmas):
    x = x - x.mean(0)
    eigenvalues = torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=0)
    return torch.stack([eigenvalues.mean() / (eigenvalues + s**2).mean() for s in sigmas])

# %% 2.4 wrong: variances of the pixels instead of eigenvalues => pixels alone
def best_linear(x, sigmas):
    variances = x.var(0)
    return torch.stack([(variances / (variances + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: covariance of the images (N, N), x @ x.T => images for pixels
def best_linear(x, sigmas):
    x = x - x.mean(0)
    eigenvalues = torch.linalg.eigvalsh(x @ x.T / (len(x) - 1)).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: torch.cov without the transpose => cov of the rows
def best_linear(x, sigmas):
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x)).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: correlation instead of covariance => standardised
def best_linear(x, sigmas):
    x = (x - x.mean(0)) / x.std(0)
    eigenvalues = torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: mean over the singular values only, wrong if N < D
def best_linear(x, sigmas):
    lam = torch.linalg.svdvals(x - x.mean(0)).square() / (len(x) - 1)
    return torch.stack([(lam / (lam + s**2)).mean() for s in sigmas])

# %% 2.4 wrong: singular values not squared => std for variance
def best_linear(x, sigmas):
    lam = torch.linalg.svdvals(x - x.mean(0)) / (len(x) - 1) ** 0.5
    return torch.stack([(lam / (lam + s**2)).sum() / x.shape[1] for s in sigmas])

# %% 2.4 wrong: only the first sigma => another shape
def best_linear(x, sigmas):
    x = x - x.mean(0)
    eigenvalues = torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=0)
    return (eigenvalues / (eigenvalues + sigmas[0] ** 2)).mean()

# %% 2.4 wrong: averaged over the levels too, one number => one number
def best_linear(x, sigmas):
    x = x - x.mean(0)
    eigenvalues = torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=0)
    return torch.stack([(eigenvalues / (eigenvalues + s**2)).mean() for s in sigmas]).mean()

# %% 2.4 wrong: mean over the wrong axis, shape (D,) => another shape
def best_linear(x, sigmas):
    x = x - x.mean(0)
    lam = torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=0)
    return (lam / (lam + sigmas[:, None] ** 2)).mean(0)

# %% 2.4 wrong: Python list comes back => another type
def best_linear(x, sigmas):
    x = x - x.mean(0)
    lam = torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=0)
    return [float((lam / (lam + s**2)).mean()) for s in sigmas]

# %% 2.4 wrong: (lambda + s)^2 below => square of the sum
def best_linear(x, sigmas):
    x = x - x.mean(0)
    lam = torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=0)
    return torch.stack([(lam / (lam + s) ** 2).mean() for s in sigmas])

# %% 2.4 wrong: fraction upside down
def best_linear(x, sigmas):
    x = x - x.mean(0)
    lam = torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=1e-12)
    return torch.stack([((lam + s**2) / lam).mean() for s in sigmas])

# %% 2.4 wrong: worked value hard-coded => constant
def best_linear(x, sigmas):
    return torch.full_like(sigmas, 0.629)

# %% 2.4 wrong: zeros of the right shape => constant
def best_linear(x, sigmas):
    return torch.zeros(len(sigmas))

# %% 2.5 right: min of decay and the fraction, weights first
def average(averaged, weights, k, decay):
    d = min((k + 1) / (k + 10), decay)
    return (1 - d) * weights + averaged * d

# %% 2.5 right: torch.lerp from weights to the average
def average(averaged, weights, k, decay):
    return torch.lerp(weights, averaged, min(decay, (1 + k) / (10 + k)))

# %% 2.5 right: move by 1 - d towards the weights
def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    return averaged + (1 - d) * (weights - averaged)

# %% 2.5 right: memory m first, as the task tells it
def average(averaged, weights, k, decay):
    m = min((10 + k) / 9, 1 / (1 - decay))
    d = 1 - 1 / m
    return averaged * d + weights * (1 - d)

# %% 2.5 right: 1 - d = 9 / (10 + k), at least 1 - decay
def average(averaged, weights, k, decay):
    take = max(9 / (10 + k), 1 - decay)
    return averaged - take * (averaged - weights)

# %% 2.5 right: clone, then in place on the clone
def average(averaged, weights, k, decay):
    d = min(decay, 1 - 9 / (10 + k))
    new = averaged.clone()
    new.mul_(d).add_(weights, alpha=1 - d)
    return new

# %% 2.5 right: if instead of min
def average(averaged, weights, k, decay):
    warm = (1 + k) / (10 + k)
    if warm < decay:
        d = warm
    else:
        d = decay
    return averaged.mul(d) + weights.mul(1 - d)

# %% 2.5 right: sum of a comprehension
def average(averaged, weights, k, decay):
    d = sorted([decay, (1 + k) / (10 + k)])[0]
    return sum(share * part for share, part in ((d, averaged), (1 - d, weights)))

# %% 2.5 wrong: max instead of min => max for min
def average(averaged, weights, k, decay):
    d = max(decay, (1 + k) / (10 + k))
    return d * averaged + (1 - d) * weights

# %% 2.5 wrong: no warm-up => no warm-up
def average(averaged, weights, k, decay):
    d = decay
    return d * averaged + (1 - d) * weights

# %% 2.5 wrong: never limited by decay => no limit
def average(averaged, weights, k, decay):
    d = (1 + k) / (10 + k)
    return d * averaged + (1 - d) * weights

# %% 2.5 wrong: d and 1 - d exchanged => swapped
def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    return (1 - d) * averaged + d * weights

# %% 2.5 wrong: brackets missing, 1 + k / 10 + k => no warm-up
def average(averaged, weights, k, decay):
    d = min(decay, 1 + k / 10 + k)
    return d * averaged + (1 - d) * weights

# %% 2.5 wrong: k counted from 1 => one update early
def average(averaged, weights, k, decay):
    d = min(decay, k / (9 + k))
    return d * averaged + (1 - d) * weights

# %% 2.5 wrong: one step ahead, (2 + k) / (11 + k) => counted from 1
def average(averaged, weights, k, decay):
    k = k + 1
    d = min(decay, (1 + k) / (10 + k))
    return d * averaged + (1 - d) * weights

# %% 2.5 wrong: overwrites averaged with lerp_ => edited in place
def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    return averaged.lerp_(weights, 1 - d)

# %% 2.5 wrong: overwrites averaged with *= and += => edited in place
def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    averaged *= d
    averaged += (1 - d) * weights
    return averaged

# %% 2.5 wrong: overwrites the weights => edited in place
def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    weights.mul_(1 - d)
    return weights + d * averaged

# %% 2.5 wrong: copies into averaged.data and returns it => edited in place
def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    averaged.data = d * averaged + (1 - d) * weights
    return averaged

# %% 2.5 wrong: memory m used as d => 1/m, limited
def average(averaged, weights, k, decay):
    d = min(decay, 9 / (10 + k))
    return d * averaged + (1 - d) * weights

# %% 2.5 wrong: decay to the power k => power
def average(averaged, weights, k, decay):
    d = decay ** (k + 1)
    return d * averaged + (1 - d) * weights

# %% 2.5 wrong: bias-correction like Adam's
def average(averaged, weights, k, decay):
    new = decay * averaged + (1 - decay) * weights
    return new / (1 - decay ** (k + 1))

# %% 2.5 wrong: running mean over all updates, 1 / (k + 1)
def average(averaged, weights, k, decay):
    return averaged + (weights - averaged) / (k + 1)

# %% 2.5 wrong: both times d, does not add up to 1 => d twice
def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    return d * averaged + d * weights

# %% 2.5 wrong: only d comes back => d returned
def average(averaged, weights, k, decay):
    return min(decay, (1 + k) / (10 + k))

# %% 2.5 wrong: d and the average come back => another type
def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    return d, d * averaged + (1 - d) * weights

# %% 2.5 wrong: worked value, d always 0.1 => a tenth, no limit
def average(averaged, weights, k, decay):
    d = 0.1
    return d * averaged + (1 - d) * weights

# %% 2.5 wrong: the smaller m mistaken, decay compared with m itself
def average(averaged, weights, k, decay):
    m = min(decay, (10 + k) / 9)
    d = 1 - 1 / m
    return d * averaged + (1 - d) * weights

# %% 2.5 wrong: integer division in the warm-up => weights alone
def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) // (10 + k))
    return d * averaged + (1 - d) * weights

# %% 2.5 wrong: weights come back unchanged => weights alone
def average(averaged, weights, k, decay):
    return weights

# %% 2.5 wrong: averaged over all entries, shape lost => another shape
def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    return (d * averaged + (1 - d) * weights).mean()

# %% 2.5 wrong: forgot the return
def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    new = d * averaged + (1 - d) * weights

# %% 2.6 right: weights (1 - w) and w
def guide(D, x, sigma, labels, w, null):
    conditional = D(x, sigma, labels)
    unconditional = D(x, sigma, torch.full_like(labels, null))
    return (1 - w) * unconditional + w * conditional

# %% 2.6 right: torch.lerp
def guide(D, x, sigma, labels, w, null):
    anything = labels.new_full(labels.shape, null)
    return torch.lerp(D(x, sigma, anything), D(x, sigma, labels), w)

# %% 2.6 right: from the conditional side, (w - 1) times the difference
def guide(D, x, sigma, labels, w, null):
    a = D(x, sigma, labels)
    b = D(x, sigma, torch.zeros_like(labels) + null)
    return a + (w - 1) * (a - b)

# %% 2.6 right: null labels by arithmetic, torch.add with alpha
def guide(D, x, sigma, labels, w, null):
    without = D(x, sigma, labels * 0 + null)
    return torch.add(without, D(x, sigma, labels) - without, alpha=w)

# %% 2.6 right: list of nulls made a tensor of the labels' type
def guide(D, x, sigma, labels, w, null):
    any_label = torch.tensor([null] * len(labels), dtype=labels.dtype, device=labels.device)
    with_label, without = (D(x, sigma, y) for y in (labels, any_label))
    return without + w * (with_label - without)

# %% 2.6 right: shortcuts at w = 0 and w = 1
def guide(D, x, sigma, labels, w, null):
    if w == 1:
        return D(x, sigma, labels)
    without = D(x, sigma, torch.full_like(labels, null))
    if w == 0:
        return without
    return without.sub(without, alpha=w).add(D(x, sigma, labels), alpha=w)

# %% 2.6 right: clone and fill_ on the clone
def guide(D, x, sigma, labels, w, null):
    hidden = labels.clone().fill_(null)
    out = [D(x, sigma, y) for y in (hidden, labels)]
    return out[0] + (out[1] - out[0]) * w

# %% 2.6 right: torch.full with dtype and device, nested helper
def guide(D, x, sigma, labels, w, null):
    def ask(y):
        return D(x, sigma, y)

    nobody = torch.full(labels.shape, null, dtype=labels.dtype, device=labels.device)
    base = ask(nobody)
    return base - w * (base - ask(labels))

# %% 2.6 wrong: starts from the conditional answer (convention of Ho and Salimans) => w of the paper
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.full_like(labels, null))
    return with_label + w * (with_label - without)

# %% 2.6 wrong: with and without exchanged => swapped
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, torch.full_like(labels, null))
    without = D(x, sigma, labels)
    return without + w * (with_label - without)

# %% 2.6 wrong: difference with the wrong sign => pushed away
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.full_like(labels, null))
    return without + w * (without - with_label)

# %% 2.6 wrong: brackets, only with_label times w => brackets forgotten
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.full_like(labels, null))
    return without + w * with_label - without

# %% 2.6 wrong: without added to w times with => difference forgotten
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.full_like(labels, null))
    return without + w * with_label

# %% 2.6 wrong: (1 + w) with - w without => w of the paper
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.full_like(labels, null))
    return (1 + w) * with_label - w * without

# %% 2.6 wrong: only the scaled difference => difference only
def guide(D, x, sigma, labels, w, null):
    return w * (D(x, sigma, labels) - D(x, sigma, torch.full_like(labels, null)))

# %% 2.6 wrong: None handed over instead of null labels
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, None)
    return without + w * (with_label - without)

# %% 2.6 wrong: null handed over as a plain number
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, null)
    return without + w * (with_label - without)

# %% 2.6 wrong: null as a tensor of shape (1,), not (B,)
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.tensor([null]))
    return without + w * (with_label - without)

# %% 2.6 wrong: label 0 taken for null => class 0 as any
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.zeros_like(labels))
    return without + w * (with_label - without)

# %% 2.6 wrong: label -1 taken for null
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.full_like(labels, -1))
    return without + w * (with_label - without)

# %% 2.6 wrong: null labels as floats, not whole numbers
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.full(labels.shape, float(null)))
    return without + w * (with_label - without)

# %% 2.6 wrong: overwrites the caller's labels with fill_ => edited in place
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, labels.fill_(null))
    return without + w * (with_label - without)

# %% 2.6 wrong: labels alias, filled before the conditional call => edited in place
def guide(D, x, sigma, labels, w, null):
    hidden = labels
    hidden[:] = null
    without = D(x, sigma, hidden)
    return without + w * (D(x, sigma, labels) - without)

# %% 2.6 wrong: w ignored, conditional answer => w never used
def guide(D, x, sigma, labels, w, null):
    return D(x, sigma, labels)

# %% 2.6 wrong: result clamped to [-1, 1] => clamped
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.full_like(labels, null))
    return (without + w * (with_label - without)).clamp(-1, 1)

# %% 2.6 wrong: w limited to [0, 1], no exaggeration => w limited
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.full_like(labels, null))
    return without + min(max(w, 0), 1) * (with_label - without)

# %% 2.6 wrong: zero image instead of null label
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(torch.zeros_like(x), sigma, labels)
    return without + w * (with_label - without)

# %% 2.6 wrong: null label with sigma 0
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, 0 * sigma, torch.full_like(labels, null))
    return without + w * (with_label - without)

# %% 2.6 wrong: arguments of D in the wrong order
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, labels, sigma)
    without = D(x, torch.full_like(labels, null), sigma)
    return without + w * (with_label - without)

# %% 2.6 wrong: label of the first image for all => one label for all
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels[:1].expand(len(labels)))
    without = D(x, sigma, torch.full_like(labels, null))
    return without + w * (with_label - without)

# %% 2.6 wrong: difference normalised to length 1
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.full_like(labels, null))
    gap = with_label - without
    return without + w * gap / gap.norm()

# %% 2.6 wrong: square of w => w squared
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels)
    without = D(x, sigma, torch.full_like(labels, null))
    return without + w**2 * (with_label - without)

# %% 2.6 wrong: worked value hard-coded
def guide(D, x, sigma, labels, w, null):
    return torch.full_like(x, -0.7)

# %% 2.6 wrong: batch average of the answers, images mixed => another shape
def guide(D, x, sigma, labels, w, null):
    with_label = D(x, sigma, labels).mean(0)
    without = D(x, sigma, torch.full_like(labels, null)).mean(0)
    return without + w * (with_label - without)

# %% 2.6 wrong: waits for the two answers to agree, never ends => endless
def guide(D, x, sigma, labels, w, null):
    hidden = torch.full_like(labels, null)
    while not torch.equal(D(x, sigma, labels), D(x, sigma, hidden)):
        pass
    return D(x, sigma, labels)

# %% 2.1 right: F.pad puts the 1 in front
def posterior(betas, t, x0, x_t):
    alphas = 1 - betas
    abar = torch.nn.functional.pad(alphas.cumprod(0), (1, 0), value=1.0)
    a_s, a_t = abar[t], abar[t + 1]
    c0 = a_s.sqrt() * betas[t]
    ct = alphas[t].sqrt() * (1 - a_s)
    return (c0 * x0 + ct * x_t) / (1 - a_t), betas[t] * (1 - a_s) / (1 - a_t)

# %% 2.1 right: list of abars with 1 in front, torch.sqrt
def posterior(betas, t, x0, x_t):
    abars = [torch.ones_like(betas[0])]
    for beta in betas:
        abars.append(abars[-1] * (1 - beta))
    before, after = abars[t], abars[t + 1]
    mean = torch.sqrt(before) * betas[t] / (1 - after) * x0
    mean = mean + torch.sqrt(1 - betas[t]) * (1 - before) / (1 - after) * x_t
    return mean, (1 - before) / (1 - after) * betas[t]

# %% 2.1 right: numpy for the coefficients, floats out
def posterior(betas, t, x0, x_t):
    b = betas.double().numpy()
    abar = np.concatenate(([1.0], np.cumprod(1 - b)))
    variance = (1 - abar[t]) / (1 - abar[t + 1]) * b[t]
    w0 = np.sqrt(abar[t]) * b[t] / (1 - abar[t + 1])
    wt = np.sqrt(1 - b[t]) * (1 - abar[t]) / (1 - abar[t + 1])
    return float(w0) * x0 + float(wt) * x_t, float(variance)

# %% 2.1 right: before as abar[t] / alpha[t]; 1 at t = 0 by itself
def posterior(betas, t, x0, x_t):
    alpha = 1 - betas
    abar = alpha.cumprod(0)
    before = abar[t] / alpha[t]
    of_x0 = before.sqrt() * betas[t] / (1 - abar[t])
    of_xt = alpha[t].sqrt() * (1 - before) / (1 - abar[t])
    return of_x0 * x0 + of_xt * x_t, (1 - before) / (1 - abar[t]) * betas[t]

# %% 2.1 right: through the noise, equation (5) with the true noise
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = 1.0 if t == 0 else abar[t - 1]
    noise = (x_t - abar[t].sqrt() * x0) / (1 - abar[t]).sqrt()
    mean = (x_t - betas[t] / (1 - abar[t]).sqrt() * noise) / (1 - betas[t]).sqrt()
    return mean, (1 - before) / (1 - abar[t]) * betas[t]

# %% 2.2 right: batch axis moved to the end and back
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t]
    x_t = (abar.sqrt() * x0.movedim(0, -1) + (1 - abar).sqrt() * noise.movedim(0, -1)).movedim(-1, 0)
    return (net(x_t, t) - noise).square().mean()

# %% 2.2 right: vector norm squared over numel
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].unflatten(0, (-1, 1, 1, 1))
    x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    error = (noise - net(x_t, t)).flatten()
    return torch.dot(error, error) / error.numel()

# %% 2.2 right: biased variance plus squared mean of the error
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0).take(t)[..., None, None, None]
    error = net(abar.sqrt() * x0 + (1 - abar).sqrt() * noise, t) - noise
    return error.var(correction=0) + error.mean() ** 2

# %% 2.2 right: expand_as the images, reduction by sum over numel
def loss(net, x0, t, noise, betas):
    abar = (1 - betas).cumprod(0)[t].view(-1, 1, 1, 1).expand_as(x0)
    x_t = torch.sqrt(abar).mul(x0).add(torch.sqrt(1 - abar).mul(noise))
    total = torch.nn.functional.mse_loss(net(x_t, t), noise, reduction="sum")
    return total / x0.numel()

# %% 2.2 right: helper for the forward process, keyword dim
def loss(net, x0, t, noise, betas):
    def diffused(image, level, eps):
        return level ** 0.5 * image + (1 - level) ** 0.5 * eps

    per_image = torch.cumprod(1 - betas, dim=0)[t]
    level = per_image[(...,) + (None,) * 3]
    guess = net(diffused(x0, level, noise), t)
    return torch.mean((guess - noise) ** 2)

# %% 2.3 right: median of -1, estimate and 1 is the clip
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)[t]
    guess = (x - (1 - abar).sqrt() * eps) / abar.sqrt()
    one = torch.ones_like(guess)
    x0_hat = torch.stack([-one, guess, one]).median(0).values
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance ** 0.5 * z

# %% 2.3 right: equations (2) and (3) written out instead of calling posterior
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    now, beta = abar[t], betas[t]
    before = abar[t - 1] if t else torch.ones_like(now)
    x0_hat = ((x - (1 - now).sqrt() * eps) / now.sqrt()).clamp(-1, 1)
    mean = (before.sqrt() * beta * x0_hat + (1 - beta).sqrt() * (1 - before) * x) / (1 - now)
    return mean + ((1 - before) / (1 - now) * beta).sqrt() * z

# %% 2.3 right: nested estimate(), std by exponent 0.5 on a float
def clipped_step(x, t, eps, betas, z):
    level = torch.prod(1 - betas[: t + 1]).item()

    def estimate():
        return torch.clamp(x / level**0.5 - ((1 - level) / level) ** 0.5 * eps, -1.0, 1.0)

    mean, variance = posterior(betas, t, estimate(), x)
    return mean + float(variance) ** 0.5 * z

# %% 2.3 right: boolean masks on the fresh estimate
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    x0_hat = (x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()
    x0_hat[x0_hat > 1] = 1
    x0_hat[x0_hat < -1] = -1
    mean, variance = posterior(betas, t, x0_hat, x)
    return z * variance**0.5 + mean

# %% 2.3 right: relu form of the clip
def clipped_step(x, t, eps, betas, z):
    abar = (1 - betas).cumprod(0)
    raw = (x - (1 - abar[t]).sqrt() * eps) / abar[t].sqrt()
    x0_hat = 1 - torch.relu(2 - torch.relu(raw + 1))
    mean, variance = posterior(betas, t, x0_hat, x)
    return mean + variance.sqrt() * z

# %% 2.3 right: sign times the smaller of size and 1
def clipped_step(x, t, eps, betas, z):
    a = torch.cumprod(1 - betas, dim=0)[t]
    raw = (x - torch.sqrt(1 - a) * eps) / torch.sqrt(a)
    clipped = raw.sign() * raw.abs().clamp(max=1.0)
    draw = lambda mean, variance: mean + variance**0.5 * z
    return draw(*posterior(betas, t, clipped, x))

# %% 2.4 right: singular values of the covariance (it is symmetric, not negative)
def best_linear(x, sigmas):
    x = x - x.mean(0)
    lam = torch.linalg.svdvals(x.T @ x / (len(x) - 1))
    return torch.stack([(lam / (lam + s**2)).mean() for s in sigmas])

# %% 2.4 right: Gram matrix if there are fewer images than pixels
def best_linear(x, sigmas):
    n, d = x.shape
    c = x - x.mean(0)
    small = c @ c.T if n < d else c.T @ c
    lam = torch.linalg.eigvalsh(small / (n - 1)).clamp(min=0)
    return torch.stack([(lam / (lam + s**2)).sum() / d for s in sigmas])

# %% 2.4 right: 1 / (1 + s^2 / lambda), lambda 0 gives 0
def best_linear(x, sigmas):
    x = x - x.mean(0)
    lam = torch.linalg.eigvalsh(x.T @ x / (len(x) - 1)).clamp(min=0)
    return torch.stack([(1 / (1 + s**2 / lam)).mean() for s in sigmas])

# %% 2.4 right: sum of outer products, image by image
def best_linear(x, sigmas):
    mean = x.sum(0) / len(x)
    covariance = sum(torch.outer(row - mean, row - mean) for row in x) / (len(x) - 1)
    lam = torch.linalg.eigvalsh(covariance).clamp(min=0)
    losses = []
    for s in sigmas:
        losses.append((lam / (lam + s**2)).mean())
    return torch.stack(losses)

# %% 2.4 right: in double, torch.cov with rows as observations, cast back
def best_linear(x, sigmas):
    lam = torch.linalg.eigvalsh(torch.cov(x.double().T, correction=1)).clamp(min=0)
    power = sigmas.double().square()
    return torch.mean(lam[None] / (lam[None] + power[:, None]), dim=-1).to(x.dtype)

# %% 2.5 right: comparison without a quotient
def average(averaged, weights, k, decay):
    d = decay if decay * (10 + k) <= 1 + k else (1 + k) / (10 + k)
    return d * averaged + weights - d * weights

# %% 2.5 right: under no_grad, detached copies
def average(averaged, weights, k, decay):
    with torch.no_grad():
        d = float(np.minimum(decay, (1 + k) / (10 + k)))
        return torch.add(averaged.detach() * d, weights.detach(), alpha=1 - d)

# %% 2.5 right: stacked and contracted with the two shares
def average(averaged, weights, k, decay):
    d = min(decay, (1 + k) / (10 + k))
    both = torch.stack([averaged, weights])
    shares = torch.tensor([d, 1 - d], dtype=both.dtype)
    return torch.tensordot(shares, both, dims=1)

# %% 2.5 right: new memory m, weighted by (m - 1) to 1
def average(averaged, weights, k, decay):
    m = (10 + k) / 9
    longest = 1 / (1 - decay)
    if m > longest:
        m = longest
    return ((m - 1) * averaged + weights) / m

# %% 2.6 right: torch.empty_like filled with null, one expression
def guide(D, x, sigma, labels, w, null):
    without = D(x, sigma, torch.empty_like(labels).fill_(null))
    return without.add(D(x, sigma, labels).sub(without).mul(w))

# %% 2.6 right: partial D and a list of shares
def guide(D, x, sigma, labels, w, null):
    import functools
    ask = functools.partial(D, x, sigma)
    hidden = torch.tensor(null, dtype=labels.dtype, device=labels.device).expand(labels.shape)
    return sum(share * ask(y) for share, y in ((1 - w, hidden), (w, labels)))

# %% 2.6 right: stacked answers and einsum
def guide(D, x, sigma, labels, w, null):
    answers = torch.stack([D(x, sigma, torch.full_like(labels, null)), D(x, sigma, labels)])
    shares = torch.tensor([1.0 - w, w], dtype=answers.dtype, device=answers.device)
    return torch.einsum("k,kbchw->bchw", shares, answers)

# %% 2.6 right: where on an always true mask makes the null labels
def guide(D, x, sigma, labels, w, null):
    hidden = torch.where(labels == labels, torch.full_like(labels, null), labels)
    yes, no = D(x, sigma, labels), D(x, sigma, hidden)
    direction = yes - no
    return no + direction * w

# %% 2.1 wrong: variance left as ..., only the mean done
def posterior(betas, t, x0, x_t):
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t > 0 else torch.ones_like(abar[0])
    mean = before.sqrt() * betas[t] / (1 - abar[t]) * x0 + (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t]) * x_t
    variance = ...
    return mean, variance
