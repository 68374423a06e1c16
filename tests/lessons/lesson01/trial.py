# Answers to lesson 01, right and wrong, of somebody who knew the lesson and not its checks.
# Behind => stands the name that the check found, read over by a person.

# %% 1.1 right: math.sqrt on both factors, named helpers
def forward(x0, abar, noise):
    signal = math.sqrt(abar)
    spread = math.sqrt(1 - abar)
    return signal * x0 + spread * noise

# %% 1.1 right: numpy roots made plain floats, array on the left
def forward(x0, abar, noise):
    a, s = float(np.sqrt(abar)), float(np.sqrt(1.0 - abar))
    return x0 * a + noise * s

# %% 1.1 right: ** 0.5 with brackets
def forward(x0, abar, noise):
    abar = float(abar)
    return abar ** 0.5 * x0 + (1 - abar) ** 0.5 * noise

# %% 1.1 right: ** (1 / 2) and a minus of a minus
def forward(x0, abar, noise):
    mean = x0 * float(abar) ** (1 / 2)
    return mean - (-noise) * float(1 - abar) ** (1 / 2)

# %% 1.1 right: angle form, cos and sin of one angle
def forward(x0, abar, noise):
    phi = math.atan2(math.sqrt(1 - abar), math.sqrt(abar))
    return math.cos(phi) * x0 + math.sin(phi) * noise

# %% 1.1 right: sum over a generator of weight times part
def forward(x0, abar, noise):
    weights = (math.sqrt(w) for w in (abar, 1 - abar))
    return sum(w * part for w, part in zip(weights, (x0, noise)))

# %% 1.1 right: a lambda
forward = lambda x0, abar, noise: x0 * math.sqrt(abar) + noise * math.sqrt(1 - abar)

# %% 1.1 right: nested helper and operator module
def forward(x0, abar, noise):
    import operator

    def scaled(what, variance):
        return operator.mul(what, math.pow(variance, 0.5))

    return operator.add(scaled(x0, abar), scaled(noise, 1 - abar))

# %% 1.1 right: branch for tensors and arrays
def forward(x0, abar, noise):
    if isinstance(x0, torch.Tensor):
        return torch.add(x0 * math.sqrt(abar), noise, alpha=math.sqrt(1 - abar))
    return np.sqrt(abar) * x0 + np.sqrt(1 - abar) * noise

# %% 1.1 right: x0 plus the change
def forward(x0, abar, noise):
    keep = math.sqrt(abar)
    return x0 + (keep - 1) * x0 + math.sqrt((1 - keep) * (1 + keep)) * noise

# %% 1.1 wrong: both roots missing => roots forgotten
def forward(x0, abar, noise):
    return abar * x0 + (1 - abar) * noise

# %% 1.1 wrong: root missing at the noise (variance as factor) => variance for noise
def forward(x0, abar, noise):
    return math.sqrt(abar) * x0 + (1 - abar) * noise

# %% 1.1 wrong: root missing at the image => variance for image
def forward(x0, abar, noise):
    return abar * x0 + math.sqrt(1 - abar) * noise

# %% 1.1 wrong: minus between image and noise => minus for plus
def forward(x0, abar, noise):
    return math.sqrt(abar) * x0 - math.sqrt(1 - abar) * noise

# %% 1.1 wrong: factors swapped => swapped
def forward(x0, abar, noise):
    return math.sqrt(1 - abar) * x0 + math.sqrt(abar) * noise

# %% 1.1 wrong: ** 1/2 precedence, halves instead of roots => half for root
def forward(x0, abar, noise):
    return abar ** 1/2 * x0 + (1 - abar) ** 1/2 * noise

# %% 1.1 wrong: 1 - sqrt(abar) for the noise => root of 1 minus root
def forward(x0, abar, noise):
    return math.sqrt(abar) * x0 + (1 - math.sqrt(abar)) * noise

# %% 1.1 wrong: sqrt(1 - abar**2), as if abar were the factor
def forward(x0, abar, noise):
    return abar * x0 + math.sqrt(1 - abar**2) * noise

# %% 1.1 wrong: own random noise instead of the argument => random
def forward(x0, abar, noise):
    fresh = torch.randn_like(x0) if torch.is_tensor(x0) else np.random.normal(size=np.shape(x0))
    return math.sqrt(abar) * x0 + math.sqrt(1 - abar) * fresh

# %% 1.1 wrong: noise forgotten, only the mean => noise forgotten
def forward(x0, abar, noise):
    return math.sqrt(abar) * x0

# %% 1.1 wrong: fading forgotten, image at full strength => not faded
def forward(x0, abar, noise):
    return x0 + math.sqrt(1 - abar) * noise

# %% 1.1 wrong: clamped to the range of images => clamped
def forward(x0, abar, noise):
    x = math.sqrt(abar) * x0 + math.sqrt(1 - abar) * noise
    return x.clamp(-1, 1) if torch.is_tensor(x) else np.clip(x, -1, 1)

# %% 1.1 wrong: prints instead of returning
def forward(x0, abar, noise):
    print(math.sqrt(abar) * x0 + math.sqrt(1 - abar) * noise)

# %% 1.1 wrong: torch.sqrt of a plain number raises TypeError
def forward(x0, abar, noise):
    return torch.sqrt(abar) * x0 + torch.sqrt(1 - abar) * noise

# %% 1.1 wrong: the worked value hard-coded => another type
def forward(x0, abar, noise):
    return 0.94

# %% 1.1 wrong: worked value's factors 0.8 and 0.6 hard-coded
def forward(x0, abar, noise):
    return 0.8 * x0 + 0.6 * noise

# %% 1.1 wrong: pair of signal and noise instead of their sum => another type
def forward(x0, abar, noise):
    return math.sqrt(abar) * x0, math.sqrt(1 - abar) * noise

# %% 1.1 wrong: overwrites the caller's x0 in place => edited in place
def forward(x0, abar, noise):
    x0 *= math.sqrt(abar)
    x0 += math.sqrt(1 - abar) * noise
    return x0

# %% 1.1 wrong: flattens, shape lost => another shape
def forward(x0, abar, noise):
    x = math.sqrt(abar) * x0 + math.sqrt(1 - abar) * noise
    return x.reshape(-1) if hasattr(x, "reshape") and not np.isscalar(x) else x

# %% 1.1 wrong: logarithms fail at abar = 1, the clean frame that the lesson draws
def forward(x0, abar, noise):
    return math.exp(0.5 * math.log(abar)) * x0 + math.exp(0.5 * math.log(1 - abar)) * noise

# %% 1.1 wrong: numpy array comes back for tensors => another type
def forward(x0, abar, noise):
    return np.sqrt(abar) * np.asarray(x0) + np.sqrt(1 - abar) * np.asarray(noise)

# %% 1.1 wrong: one root over the whole sum
def forward(x0, abar, noise):
    return (abar * x0 + (1 - abar) * noise) ** 0.5

# %% 1.1 wrong: typo in a name
def forward(x0, abar, noise):
    return math.sqrt(abar) * x0 + math.sqrt(1 - a_bar) * noise

# %% 1.1 wrong: indexes abar with the last step, as if it were a list
def forward(x0, abar, noise):
    return math.sqrt(abar[-1]) * x0 + math.sqrt(1 - abar[-1]) * noise

# %% 1.2 right: as the stub suggests, row maximum subtracted
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - np.log(variance) / 2 - away**2 / variance / 2
    log_r = log_r - np.max(log_r, axis=1)[:, None]
    r = np.exp(log_r)
    r = r / np.sum(r, axis=1)[:, None]
    answers = means + np.sqrt(abar) * stds**2 * away / variance
    return (r * answers).sum(1)

# %% 1.2 right: logsumexp by np.logaddexp.reduce
def best_guess(x, abar, world):
    w, m, d = world
    v = abar * d**2 + (1 - abar)
    away = x[:, None] - np.sqrt(abar) * m
    log_r = np.log(w) - 0.5 * (np.log(v) + away * away / v)
    r = np.exp(log_r - np.logaddexp.reduce(log_r, axis=1, keepdims=True))
    return np.einsum("nk,nk->n", r, m + np.sqrt(abar) * d * d / v * away)

# %% 1.2 right: scipy's softmax
def best_guess(x, abar, world):
    from scipy.special import softmax
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    r = softmax(np.log(weights / np.sqrt(variance)) - away**2 / (2 * variance), axis=1)
    return (r * (means + np.sqrt(abar) * stds**2 / variance * away)).sum(1)

# %% 1.2 right: scipy norm.logpdf with all constants, logsumexp
def best_guess(x, abar, world):
    from scipy.special import logsumexp
    from scipy.stats import norm
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    log_r = np.log(weights) + norm.logpdf(x[:, None], np.sqrt(abar) * means, np.sqrt(variance))
    r = np.exp(log_r - logsumexp(log_r, axis=1, keepdims=True))
    gain = np.sqrt(abar) * stds**2 / variance
    return np.sum(r * (means + gain * (x[:, None] - np.sqrt(abar) * means)), axis=-1)

# %% 1.2 right: torch inside, numpy out
def best_guess(x, abar, world):
    w, m, d = (torch.as_tensor(np.asarray(part, dtype=float)) for part in world)
    a = float(abar)
    pixel = torch.as_tensor(np.asarray(x, dtype=float))[:, None]
    v = a * d.square() + 1 - a
    away = pixel - math.sqrt(a) * m
    r = torch.softmax(w.log() - 0.5 * v.log() - away.square() / (2 * v), dim=1)
    return (r * (m + math.sqrt(a) * d.square() / v * away)).sum(1).numpy()

# %% 1.2 right: loops over the bands, any number of them
def best_guess(x, abar, world):
    logs, says = [], []
    for w, m, d in zip(*world):
        v = abar * d**2 + 1 - abar
        logs.append(math.log(w) - 0.5 * math.log(v) - (x - math.sqrt(abar) * m) ** 2 / (2 * v))
        says.append(m + math.sqrt(abar) * d**2 / v * (x - math.sqrt(abar) * m))
    top = np.max(logs, axis=0)
    shares = [np.exp(log - top) for log in logs]
    return sum(s * a for s, a in zip(shares, says)) / sum(shares)

# %% 1.2 right: one pixel at a time, comprehension
def best_guess(x, abar, world):
    weights, means, stds = world
    root = np.sqrt(abar)
    v = abar * stds**2 + 1 - abar

    def one(pixel):
        log_r = np.log(weights) - 0.5 * np.log(v) - (pixel - root * means) ** 2 / (2 * v)
        r = np.exp(log_r - log_r.max())
        return np.dot(r / r.sum(), means + root * stds**2 / v * (pixel - root * means))

    return np.array([one(pixel) for pixel in x])

# %% 1.2 right: answers as weighted mean of what is seen and what the band says
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    r /= r.sum(1, keepdims=True)
    answers = (np.sqrt(abar) * stds**2 * x[:, None] + (1 - abar) * means) / variance
    return (r * answers).sum(1)

# %% 1.2 right: arrays with bands first, (K, n)
def best_guess(x, abar, world):
    w, m, d = (part.reshape(-1, 1) for part in world)
    v = abar * d**2 + 1 - abar
    away = x[None, :] - abar**0.5 * m
    log_r = np.log(w) - 0.5 * np.log(v) - 0.5 * away**2 / v
    r = np.exp(log_r - log_r.max(0))
    r = r / r.sum(0)
    return (r * (m + abar**0.5 * d**2 / v * away)).sum(0)

# %% 1.2 right: shares as 1 / sum of ratios; overflow gives the right 0
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    with np.errstate(over="ignore"):
        r = 1 / np.exp(log_r[:, None, :] - log_r[:, :, None]).sum(2)
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r * answers).sum(1)

# %% 1.2 wrong: no shift, NaN far from all bands => underflow
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r)
    r = r / r.sum(1, keepdims=True)
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r * answers).sum(1)

# %% 1.2 wrong: one maximum for all pixels, NaN where pixels differ much => underflow
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max())
    r = r / r.sum(1, keepdims=True)
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r * answers).sum(1)

# %% 1.2 wrong: maximum over pixels (axis 0) changes the shares => largest of the column
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(0, keepdims=True))
    r = r / r.sum(1, keepdims=True)
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r * answers).sum(1)

# %% 1.2 wrong: 1e-12 in the divisor, guess is 0 far away => guarded against 0/0
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    r = weights / np.sqrt(variance) * np.exp(-away**2 / (2 * variance))
    r = r / (r.sum(1, keepdims=True) + 1e-12)
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r * answers).sum(1)

# %% 1.2 wrong: nan_to_num hides the NaN far away
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    r = np.exp(np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance))
    r = np.nan_to_num(r / r.sum(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r * answers).sum(1)

# %% 1.2 wrong: weights of the bands forgotten => weights forgotten
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = -0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1)

# %% 1.2 wrong: weights added without their logarithm => weights without log
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = weights - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1)

# %% 1.2 wrong: -0.5 log variance dropped as if it were a constant => height forgotten
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1)

# %% 1.2 wrong: full log variance instead of half of it => height without root
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1)

# %% 1.2 wrong: factor 2 missing in the exponent => half forgotten
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / variance
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1)

# %% 1.2 wrong: away**2 / 2 * variance, brackets missing => multiplied by the variance
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / 2 * variance
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1)

# %% 1.2 wrong: std instead of variance of the band in the answer => gain with std
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1)

# %% 1.2 wrong: abar instead of its root in the answer => gain without its root
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + abar * stds**2 / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1)

# %% 1.2 wrong: faded mean in the answer => means faded
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = np.sqrt(abar) * means + np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1)

# %% 1.2 wrong: sign in the answer => gain with minus
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means - np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1)

# %% 1.2 wrong: each band says only its mean => means only
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    return (r / r.sum(1, keepdims=True)) @ means

# %% 1.2 wrong: only the likeliest band counts => nearest band only
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return answers[np.arange(len(x)), log_r.argmax(1)]

# %% 1.2 wrong: normalised over everything, not by row => sum over everything
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum() * answers).sum(1)

# %% 1.2 wrong: keepdims forgotten, shapes do not fit => keepdims forgotten
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum(1) * answers).sum(1)

# %% 1.2 wrong: shape (n, 1) comes back => another shape
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1, keepdims=True)

# %% 1.2 wrong: not normalised at all => not normalised
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r * answers).sum(1)

# %% 1.2 wrong: single band of the worked value only
def best_guess(x, abar, world):
    weights, means, stds = world
    m, d = means[0], stds[0]
    return m + np.sqrt(abar) * d**2 / (abar * d**2 + 1 - abar) * (x - np.sqrt(abar) * m)

# %% 1.2 wrong: log_r clipped at -700, shares equal far away
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(np.maximum(log_r, -700))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1)

# %% 1.2 wrong: three bands written out, fails for another number
def best_guess(x, abar, world):
    (w0, w1, w2), (m0, m1, m2), (d0, d1, d2) = world
    logs, says = [], []
    for w, m, d in ((w0, m0, d0), (w1, m1, d1), (w2, m2, d2)):
        v = abar * d**2 + 1 - abar
        logs.append(np.log(w) - 0.5 * np.log(v) - (x - np.sqrt(abar) * m) ** 2 / (2 * v))
        says.append(m + np.sqrt(abar) * d**2 / v * (x - np.sqrt(abar) * m))
    logs, says = np.stack(logs, 1), np.stack(says, 1)
    r = np.exp(logs - logs.max(1, keepdims=True))
    return (r / r.sum(1, keepdims=True) * says).sum(1)

# %% 1.2 wrong: result clipped to [-1, 1]
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return np.clip((r / r.sum(1, keepdims=True) * answers).sum(1), -1, 1)

# %% 1.2 wrong: returns the shares and the answers, not the guess => another type
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return r / r.sum(1, keepdims=True), answers

# %% 1.2 wrong: integration on a fixed grid, breaks far from the bands
def best_guess(x, abar, world):
    weights, means, stds = world
    clean = np.linspace(-3, 3, 2001)
    prior = (weights / stds * np.exp(-((clean[:, None] - means) ** 2) / (2 * stds**2))).sum(1)
    like = np.exp(-((x[:, None] - np.sqrt(abar) * clean) ** 2) / (2 * (1 - abar)))
    return (like * prior) @ clean / (like @ prior)

# %% 1.2 wrong: average over the world, the pixel ignored => mean of the world
def best_guess(x, abar, world):
    weights, means, stds = world
    return np.full(len(x), weights @ means)

# %% 1.3 right: as the equation stands
def tweedie(x, clean, abar):
    return (abar**0.5 * clean - x) / (1 - abar)

# %% 1.3 right: minus the noise over its std
def tweedie(x, clean, abar):
    std = math.sqrt(1 - abar)
    eps = (x - math.sqrt(abar) * clean) / std
    return -eps / std

# %% 1.3 right: two fractions
def tweedie(x, clean, abar):
    variance = 1 - abar
    return math.sqrt(abar) / variance * clean - x / variance

# %% 1.3 right: numpy functions, or torch's for tensors
def tweedie(x, clean, abar):
    if torch.is_tensor(x):
        return torch.sub(clean * math.sqrt(abar), x).div(1 - abar)
    return np.divide(np.subtract(np.sqrt(abar) * clean, x), 1 - abar)

# %% 1.3 right: divided by (abar - 1) with the sign turned
def tweedie(x, clean, abar):
    return (x - clean * math.sqrt(abar)) / (abar - 1)

# %% 1.3 right: lambda with ** -1
tweedie = lambda x, clean, abar: (clean * float(abar) ** 0.5 - x) * (1 - abar) ** -1

# %% 1.3 right: (1 - s)(1 + s) as the divisor
def tweedie(x, clean, abar):
    s = math.sqrt(abar)
    faded = s * clean
    return (faded - x) / ((1 - s) * (1 + s))

# %% 1.3 wrong: sign turned => sign
def tweedie(x, clean, abar):
    return (x - np.sqrt(abar) * clean) / (1 - abar)

# %% 1.3 wrong: divided by the standard deviation => noise, not score
def tweedie(x, clean, abar):
    return (np.sqrt(abar) * clean - x) / np.sqrt(1 - abar)

# %% 1.3 wrong: root missing at abar => alpha-bar for its root
def tweedie(x, clean, abar):
    return (abar * clean - x) / (1 - abar)

# %% 1.3 wrong: brackets missing around the difference => bracket around x
def tweedie(x, clean, abar):
    return np.sqrt(abar) * clean - x / (1 - abar)

# %% 1.3 wrong: brackets missing around 1 - abar => bracket around 1 - abar
def tweedie(x, clean, abar):
    return (np.sqrt(abar) * clean - x) / 1 - abar

# %% 1.3 wrong: not faded => not faded
def tweedie(x, clean, abar):
    return (clean - x) / (1 - abar)

# %% 1.3 wrong: divided by abar => (sqrt(abar) * clean - x) / abar
def tweedie(x, clean, abar):
    return (np.sqrt(abar) * clean - x) / abar

# %% 1.3 wrong: root around the whole product
def tweedie(x, clean, abar):
    return (np.sqrt(abar * np.abs(clean)) - x) / (1 - abar)

# %% 1.3 wrong: variance squared => (sqrt(abar) * clean - x) / (1 - abar)^2
def tweedie(x, clean, abar):
    return (np.sqrt(abar) * clean - x) / (1 - abar) ** 2

# %% 1.3 wrong: multiplied by the variance => (sqrt(abar) * clean - x) * (1 - abar)
def tweedie(x, clean, abar):
    return (np.sqrt(abar) * clean - x) * (1 - abar)

# %% 1.3 wrong: returns the noise of (5), not the score => noise
def tweedie(x, clean, abar):
    return (x - np.sqrt(abar) * clean) / np.sqrt(1 - abar)

# %% 1.3 wrong: root at the pixel instead of the guess => x faded
def tweedie(x, clean, abar):
    return (clean - np.sqrt(abar) * x) / (1 - abar)

# %% 1.3 wrong: x and clean exchanged => x for clean
def tweedie(x, clean, abar):
    return (np.sqrt(abar) * x - clean) / (1 - abar)

# %% 1.3 wrong: worked value hard-coded => another type
def tweedie(x, clean, abar):
    return -0.6 / 0.36

# %% 1.3 wrong: formula of sigma units, abar taken for sigma
def tweedie(x, clean, abar):
    return (clean - x) / abar**2

# %% 1.3 wrong: forgot the return
def tweedie(x, clean, abar):
    score = (np.sqrt(abar) * clean - x) / (1 - abar)

# %% 1.3 wrong: mean over the pixels, shape lost => another type
def tweedie(x, clean, abar):
    return np.mean((np.sqrt(abar) * clean - x) / (1 - abar))

# %% 1.3 wrong: overwrites the caller's x in place => edited in place
def tweedie(x, clean, abar):
    x -= np.sqrt(abar) * clean
    x /= abar - 1
    return x

# %% 1.3 wrong: only the sign, a unit arrow
def tweedie(x, clean, abar):
    return np.sign(np.sqrt(abar) * clean - x)

# %% 1.3 wrong: ** 1/2 precedence => half for root
def tweedie(x, clean, abar):
    return (abar ** 1/2 * clean - x) / (1 - abar)

# %% 1.3 wrong: zeros of the right shape => constant
def tweedie(x, clean, abar):
    return np.zeros_like(x)

# %% 1.3 wrong: integer division
def tweedie(x, clean, abar):
    return (np.sqrt(abar) * clean - x) // (1 - abar)

# %% 1.3 wrong: typo in a name raises NameError
def tweedie(x, clean, abar):
    return (np.sqrt(abar) * claen - x) / (1 - abar)

# %% 1.4 right: max under both roots, math.sqrt
def step_back(x, clean, now, then, eta, z):
    eps = (x - math.sqrt(now) * clean) / math.sqrt(1 - now)
    fresh = eta * math.sqrt(max(0.0, (1 - then) / (1 - now) * (1 - now / then)))
    old = math.sqrt(max(0.0, 1 - then - fresh**2))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 right: np.maximum, names of the equation
def step_back(x, clean, now, then, eta, z):
    eps_hat = (x - np.sqrt(now) * clean) * (1 - now) ** -0.5
    under = np.maximum((1 - then) / (1 - now) * (1 - now / then), 0)
    varsigma = eta * np.sqrt(under)
    stays = np.sqrt(np.maximum(1 - then - varsigma**2, 0))
    return np.sqrt(then) * clean + stays * eps_hat + varsigma * z

# %% 1.4 right: np.clip and variances first
def step_back(x, clean, now, then, eta, z):
    new = eta**2 * np.clip((1 - then) / (1 - now) * (then - now) / then, 0, None)
    old = np.sqrt(np.clip(1 - then - new, 0, None))
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    return np.sqrt(then) * clean + old * eps + np.sqrt(new) * z

# %% 1.4 right: if for the way up
def step_back(x, clean, now, then, eta, z):
    if then <= now:
        fresh = 0.0
    else:
        fresh = eta * math.sqrt((1 - then) * (1 - now / then) / (1 - now))
    noise = (x - math.sqrt(now) * clean) / math.sqrt(1 - now)
    return math.sqrt(then) * clean + math.sqrt(max(1 - then - fresh * fresh, 0)) * noise + fresh * z

# %% 1.4 right: collected as a*x + c*clean + fresh*z
def step_back(x, clean, now, then, eta, z):
    fresh2 = eta**2 * max((1 - then) / (1 - now) * (1 - now / then), 0)
    o = math.sqrt(max(1 - then - fresh2, 0) / (1 - now))
    return o * x + (math.sqrt(then) - o * math.sqrt(now)) * clean + math.sqrt(fresh2) * z

# %% 1.4 right: worked out in sigma and translated back
def step_back(x, clean, now, then, eta, z):
    s_now, s_then = math.sqrt((1 - now) / now), math.sqrt((1 - then) / then)
    d = (x / math.sqrt(now) - clean) / s_now
    fresh = eta * s_then * math.sqrt(max(1 - (s_then / s_now) ** 2, 0))
    left = math.sqrt(max(s_then**2 - fresh**2, 0))
    return math.sqrt(then) * (clean + left * d + fresh * z)

# %% 1.4 right: helper root(v) that takes 0 for negatives
def step_back(x, clean, now, then, eta, z):
    root = lambda v: max(v, 0) ** 0.5
    eps = (x - root(now) * clean) / root(1 - now)
    fresh = eta * root((1 - then) / (1 - now) * (1 - now / then))
    old = root(1 - then - fresh**2)
    return sum((root(then) * clean, old * eps, fresh * z))

# %% 1.4 right: the two roots of varsigma apart, abar ratio by min
def step_back(x, clean, now, then, eta, z):
    ratio = min(now / then, 1.0)
    fresh = eta * np.sqrt((1 - then) / (1 - now)) * np.sqrt(1 - ratio)
    old = np.sqrt(max(1 - then - fresh**2, 0))
    eps = x / np.sqrt(1 - now) - np.sqrt(now / (1 - now)) * clean
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: no max, NaN on the way up => no max on the way up
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt((1 - then) / (1 - now) * (1 - now / then))
    old = np.sqrt(1 - then - fresh**2)
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: max around the root, too late for the NaN => no max on the way up
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.maximum(np.sqrt((1 - then) / (1 - now) * (1 - now / then)), 0)
    old = np.sqrt(1 - then - fresh**2)
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: math.sqrt of a negative number, ValueError on the way up
def step_back(x, clean, now, then, eta, z):
    eps = (x - math.sqrt(now) * clean) / math.sqrt(1 - now)
    fresh = eta * math.sqrt((1 - then) / (1 - now) * (1 - now / then))
    old = math.sqrt(1 - then - fresh**2)
    return math.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: eps not divided by its std => noise not divided
def step_back(x, clean, now, then, eta, z):
    eps = x - np.sqrt(now) * clean
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: eps divided by the variance => noise divided by variance
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / (1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: root missing at now in eps => guess faded by abar
def step_back(x, clean, now, then, eta, z):
    eps = (x - now * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: root of the new noise forgotten => fresh without root
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * max((1 - then) / (1 - now) * (1 - now / then), 0)
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: eta under the root => eta under the root
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = np.sqrt(max(eta * (1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: eta forgotten => eta ignored
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: eta only 0 or 1, anything above 0 counts as 1
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0)) if eta else 0
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: first fraction upside down
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - now) / (1 - then) * (1 - now / then), 0)) if then < 1 else 0
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: then / now under the root, new noise always 0 on the way down => nothing new
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - then / now), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: old noise keeps its full share => noise not shared
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(1 - then)
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: stds subtracted instead of variances => root too early
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(1 - then) - fresh
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: fresh not squared under the root of old => std subtracted
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: root of old forgotten => old without root
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = 1 - then - fresh**2
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: old noise measured with now instead of then => old noise of the old level
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - now - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: z left out, only the mean of the step => no new noise
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    return np.sqrt(then) * clean + np.sqrt(max(1 - then - fresh**2, 0)) * eps

# %% 1.4 wrong: own noise instead of z => random
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * np.random.standard_normal(np.shape(x))

# %% 1.4 wrong: new noise scaled by its variance => variance for std
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh**2 * z

# %% 1.4 wrong: image built at level now => guess of the old level
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(now) * clean + old * eps + fresh * z

# %% 1.4 wrong: root missing in front of clean => guess without root
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return then * clean + old * eps + fresh * z

# %% 1.4 wrong: on the way up the pixel is left where it is
def step_back(x, clean, now, then, eta, z):
    if then < now:
        return x
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt((1 - then) / (1 - now) * (1 - now / then))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: only DDIM, eta and z ignored => nothing new
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    return np.sqrt(then) * clean + np.sqrt(1 - then) * eps

# %% 1.4 wrong: result clipped to [-1, 1] => state clamped
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.clip(np.sqrt(then) * clean + old * eps + fresh * z, -1, 1)

# %% 1.4 wrong: brackets, (1 - then) / 1 - now
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / 1 - now * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 wrong: overwrites the caller's x in place => edited in place
def step_back(x, clean, now, then, eta, z):
    x -= np.sqrt(now) * clean
    x /= np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    return np.sqrt(then) * clean + np.sqrt(max(1 - then - fresh**2, 0)) * x + fresh * z

# %% 1.4 wrong: never returns, waits for then to rise => endless
def step_back(x, clean, now, then, eta, z):
    level = now
    while level != then:
        level = level + (then - now) / 7 * 2
    return np.sqrt(then) * clean

# %% 1.5 right: math.sqrt of the quotient
def in_sigma(x_t, abar):
    sigma = math.sqrt(1 / abar - 1)
    return x_t / math.sqrt(abar), sigma

# %% 1.5 right: x from sigma by sqrt(1 + sigma^2)
def in_sigma(x_t, abar):
    sigma = math.sqrt((1 - abar) / abar)
    x = x_t * math.sqrt(1 + sigma**2)
    return x, sigma

# %% 1.5 right: powers with brackets
def in_sigma(x_t, abar):
    abar = float(abar)
    return x_t * abar ** -0.5, ((1 - abar) / abar) ** 0.5

# %% 1.5 right: quotient of two roots, names of hint 1
def in_sigma(x_t, abar):
    front_of_x0, front_of_noise = math.sqrt(abar), math.sqrt(1 - abar)
    sigma = front_of_noise / front_of_x0
    x = x_t / front_of_x0
    return (x, sigma)

# %% 1.5 right: numpy roots as floats
def in_sigma(x_t, abar):
    root = float(np.sqrt(abar))
    return tuple((x_t / root, float(np.sqrt(1 - abar)) / root))

# %% 1.5 right: logarithm and exponent for x, sigma by math.pow
def in_sigma(x_t, abar):
    x = x_t * math.exp(-0.5 * math.log(abar))
    return x, math.pow((1 - abar) / abar, 0.5)

# %% 1.5 right: tangent of the angle
def in_sigma(x_t, abar):
    angle = math.atan2(math.sqrt(1 - abar), math.sqrt(abar))
    return x_t / math.cos(angle), math.tan(angle)

# %% 1.5 right: lambda
in_sigma = lambda x_t, abar: (x_t / math.sqrt(abar), math.sqrt(1 - abar) / math.sqrt(abar))

# %% 1.5 wrong: sigma and x exchanged => order
def in_sigma(x_t, abar):
    return math.sqrt((1 - abar) / abar), x_t / math.sqrt(abar)

# %% 1.5 wrong: sigma squared returned => variance for std
def in_sigma(x_t, abar):
    return x_t / math.sqrt(abar), (1 - abar) / abar

# %% 1.5 wrong: x divided by abar, root missing => alpha-bar for its root
def in_sigma(x_t, abar):
    return x_t / abar, math.sqrt((1 - abar) / abar)

# %% 1.5 wrong: x multiplied by the root => multiplied
def in_sigma(x_t, abar):
    return x_t * math.sqrt(abar), math.sqrt((1 - abar) / abar)

# %% 1.5 wrong: fraction upside down, root of the SNR => root of SNR
def in_sigma(x_t, abar):
    return x_t / math.sqrt(abar), math.sqrt(abar / (1 - abar))

# %% 1.5 wrong: brackets missing, 1 - abar / abar => x_t / sqrt(abar), 0
def in_sigma(x_t, abar):
    return x_t / math.sqrt(abar), math.sqrt(1 - abar / abar)

# %% 1.5 wrong: ** 1/2 precedence at sigma => half for root
def in_sigma(x_t, abar):
    return x_t / abar ** 0.5, ((1 - abar) / abar) ** 1/2

# %% 1.5 wrong: ** 1/2 precedence at x => x_t * 2 / abar, sqrt((1 - abar) / abar)
def in_sigma(x_t, abar):
    return x_t / (abar ** 1/2), ((1 - abar) / abar) ** 0.5

# %% 1.5 wrong: the textbook's noise std instead of sigma => noise of the textbook
def in_sigma(x_t, abar):
    return x_t / math.sqrt(abar), math.sqrt(1 - abar)

# %% 1.5 wrong: root only over the numerator => x_t / sqrt(abar), sqrt(1 - abar) / abar
def in_sigma(x_t, abar):
    return x_t / math.sqrt(abar), math.sqrt(1 - abar) / abar

# %% 1.5 wrong: root only over the denominator => x_t / sqrt(abar), (1 - abar) / sqrt(abar)
def in_sigma(x_t, abar):
    return x_t / math.sqrt(abar), (1 - abar) / math.sqrt(abar)

# %% 1.5 wrong: x divided by the noise factor => x_t / sqrt(1 - abar), sqrt((1 - abar) / abar)
def in_sigma(x_t, abar):
    return x_t / math.sqrt(1 - abar), math.sqrt((1 - abar) / abar)

# %% 1.5 wrong: only x comes back => another type
def in_sigma(x_t, abar):
    sigma = math.sqrt((1 - abar) / abar)
    return x_t / math.sqrt(abar)

# %% 1.5 wrong: sigma times the shape of x, not a number => another shape
def in_sigma(x_t, abar):
    x = x_t / math.sqrt(abar)
    sigma = math.sqrt((1 - abar) / abar) * (torch.ones_like(x) if torch.is_tensor(x) else np.ones(np.shape(x)))
    return x, sigma

# %% 1.5 wrong: worked value hard-coded => another type
def in_sigma(x_t, abar):
    return 1.175, 0.75

# %% 1.5 wrong: sigma of the worked value hard-coded
def in_sigma(x_t, abar):
    return x_t / math.sqrt(abar), 0.75

# %% 1.5 wrong: estimate of x0 instead of x (noise subtracted)
def in_sigma(x_t, abar):
    sigma = math.sqrt((1 - abar) / abar)
    return x_t / math.sqrt(abar) - sigma, sigma

# %% 1.5 wrong: negative root => x_t / sqrt(abar), -sqrt((1 - abar) / abar)
def in_sigma(x_t, abar):
    return x_t / math.sqrt(abar), -math.sqrt((1 - abar) / abar)

# %% 1.5 wrong: 1 / sqrt(abar) - 1 for sigma => x_t / sqrt(abar), 1 / sqrt(abar) - 1
def in_sigma(x_t, abar):
    return x_t / math.sqrt(abar), 1 / math.sqrt(abar) - 1

# %% 1.5 wrong: abar = 1 / (1 + sigma) solved without the square => variance for std
def in_sigma(x_t, abar):
    sigma = 1 / abar - 1
    return x_t * math.sqrt(1 + sigma), sigma

# %% 1.5 wrong: x is averaged to one number => another type
def in_sigma(x_t, abar):
    x = x_t / math.sqrt(abar)
    return (x if isinstance(x, float) else x.mean()), math.sqrt((1 - abar) / abar)

# %% 1.5 wrong: prints the pair
def in_sigma(x_t, abar):
    print(x_t / math.sqrt(abar), math.sqrt((1 - abar) / abar))

# %% 1.5 wrong: a product instead of a pair => another type
def in_sigma(x_t, abar):
    return (x_t / math.sqrt(abar)) * math.sqrt((1 - abar) / abar)

# %% 1.5 wrong: rounded to two digits
def in_sigma(x_t, abar):
    return x_t / math.sqrt(abar), round(math.sqrt((1 - abar) / abar), 2)

# %% 1.5 wrong: x left alone, sigma only => not rescaled
def in_sigma(x_t, abar):
    return x_t, math.sqrt((1 - abar) / abar)

# %% 1.5 wrong: method .sqrt() of a plain number
def in_sigma(x_t, abar):
    return x_t / abar.sqrt(), ((1 - abar) / abar).sqrt()

# %% 1.6 right: subtract, stretch, add; torch.cat for the one before
def bend(betas, last):
    root = torch.cumprod(1 - betas, dim=0).sqrt()
    end = math.sqrt(last)
    shifted = root - root[-1]
    bent = shifted * ((root[0] - end) / shifted[0]) + end
    abar = bent**2
    before = torch.cat([torch.ones_like(abar[:1]), abar[:-1]])
    return 1 - abar / before

# %% 1.6 right: first beta kept as it is, quotients of neighbours behind it
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    share = (root - root[-1]) / (root[0] - root[-1])
    bent = share * root[0] + (1 - share) * math.sqrt(last)
    return torch.cat([betas[:1], 1 - (bent[1:] / bent[:-1]) ** 2])

# %% 1.6 right: torch.lerp between end and start
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    start, end = root[0], torch.full_like(root[0], math.sqrt(last))
    bent = torch.lerp(end, start, (root - root[-1]) / (start - root[-1]))
    abar = bent.square()
    out = abar.clone()
    out[1:] = abar[1:] / abar[:-1]
    return 1 - out

# %% 1.6 right: numpy inside, tensor of the same type out
def bend(betas, last):
    root = np.sqrt(np.cumprod(1 - betas.double().numpy()))
    bent = np.interp(root, [root[-1], root[0]], [math.sqrt(last), root[0]])
    abar = bent**2
    new = 1 - abar / np.concatenate([[1.0], abar[:-1]])
    return torch.as_tensor(new).to(betas.dtype)

# %% 1.6 right: plain loop over the steps
def bend(betas, last):
    roots, product = [], 1.0
    for b in betas.tolist():
        product *= 1 - b
        roots.append(math.sqrt(product))
    first, final, end = roots[0], roots[-1], math.sqrt(last)
    bent = [end + (r - final) / (first - final) * (first - end) for r in roots]
    before = [1.0] + [b**2 for b in bent[:-1]]
    return torch.tensor([1 - b**2 / a for b, a in zip(bent, before)], dtype=betas.dtype)

# %% 1.6 right: straight line through two points, slope and offset
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = last**0.5
    slope = (root[0] - end) / (root[0] - root[-1])
    offset = end - slope * root[-1]
    abar = (slope * root + offset).pow(2)
    shifted = torch.nn.functional.pad(abar[:-1], (1, 0), value=1.0)
    return (shifted - abar) / shifted

# %% 1.6 right: torch.roll, first entry set to 1
def bend(betas, last):
    root = (1 - betas).cumprod(0) ** 0.5
    end = math.sqrt(last)
    bent = root[0] - (root[0] - root) * (root[0] - end) / (root[0] - root[-1])
    abar = bent * bent
    before = abar.roll(1)
    before[0] = 1
    return 1 - abar / before

# %% 1.6 wrong: only shifted, not stretched => shift only
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = root - root[-1] + end
    abar = bent**2
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])

# %% 1.6 wrong: only stretched by a factor, first value lost => scale only
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    bent = root * math.sqrt(last) / root[-1]
    abar = bent**2
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])

# %% 1.6 wrong: ends at last instead of its root => end without root
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = last
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])

# %% 1.6 wrong: stretches abar, not its root => without root
def bend(betas, last):
    abar = (1 - betas).cumprod(0)
    abar = last + (abar - abar[-1]) * (abar[0] - last) / (abar[0] - abar[-1])
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])

# %% 1.6 wrong: end not subtracted in the stretch, first value moves => stretched too far
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * root[0] / (root[0] - root[-1])
    abar = bent**2
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])

# %% 1.6 wrong: end not added, curve goes down to 0 and below => end not added
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])

# %% 1.6 wrong: stretch factor upside down => stretch upside down
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - root[-1]) / (root[0] - end)
    abar = bent**2
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])

# %% 1.6 wrong: returns abar, not betas => alpha-bars returned
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    return bent**2

# %% 1.6 wrong: 1 - abar, quotient of neighbours forgotten => noise variance returned
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    return 1 - bent**2

# %% 1.6 wrong: quotients of the roots, square forgotten => root of the quotient
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    return 1 - bent / torch.cat([torch.ones_like(bent[:1]), bent[:-1]])

# %% 1.6 wrong: alphas come back instead of betas => alphas returned
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])

# %% 1.6 wrong: first step missing, shape (T - 1,) => another shape
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return 1 - abar[1:] / abar[:-1]

# %% 1.6 wrong: first beta set to 0 => first beta 0
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return 1 - abar / torch.cat([abar[:1], abar[:-1]])

# %% 1.6 wrong: torch.roll without setting the first to 1 => rolled
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return 1 - abar / abar.roll(1)

# %% 1.6 wrong: quotient upside down => quotient upside down
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return 1 - torch.cat([torch.ones_like(abar[:1]), abar[:-1]]) / abar

# %% 1.6 wrong: all betas scaled by one factor, the first too
def bend(betas, last):
    alphas = 1 - betas
    power = math.log(last) / alphas.log().sum()
    return 1 - alphas**power

# %% 1.6 wrong: numpy array comes back => another type
def bend(betas, last):
    root = np.sqrt(np.cumprod(1 - betas.numpy()))
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return 1 - abar / np.append(1.0, abar[:-1])

# %% 1.6 wrong: list comes back => another type
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = (bent**2).tolist()
    return [1 - a / b for a, b in zip(abar, [1.0] + abar[:-1])]

# %% 1.6 wrong: last replaced by the lesson's 1e-8
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(1e-8)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])

# %% 1.6 wrong: only the last step changed, nothing stretched between => last value only
def bend(betas, last):
    abar = (1 - betas).cumprod(0)
    out = betas.clone()
    out[-1] = 1 - last / abar[-2]
    return out

# %% 1.6 wrong: betas clamped to 0.999 => clamped
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return (1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])).clamp(0, 0.999)

# %% 1.6 wrong: cumulated the betas, not the alphas
def bend(betas, last):
    root = betas.cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])

# %% 1.6 wrong: straight line from first to last root, the old curve lost => straight line
def bend(betas, last):
    bent = torch.linspace(float((1 - betas[0]) ** 0.5), math.sqrt(last), len(betas), dtype=betas.dtype)
    abar = bent**2
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])

# %% 1.6 wrong: writes the result into the caller's betas => edited in place
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    betas[1:] = 1 - abar[1:] / abar[:-1]
    return betas

# %% 1.6 wrong: worked value hard-coded => another dtype
def bend(betas, last):
    return torch.tensor([0.19, 0.2585, 0.9625])

# %% 1.6 wrong: curve mirrored, max - root in place of root - root[-1] => rising
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root.max() - root) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])

# %% 1.1 right: docstring, annotations, both factors from one np.sqrt
def forward(x0, abar: float, noise):
    """Equation (2): fade the image, add the noise."""
    fade, spread = np.sqrt([abar, 1 - abar]).tolist()
    return x0 * fade + spread * noise

# %% 1.1 right: mean and variance named, root of the variance at the end
def forward(x0, abar, noise):
    mean, variance = float(abar) ** 0.5 * x0, 1 - abar
    std = math.sqrt(variance)
    return mean + std * noise

# %% 1.1 right: functools.reduce over the two terms
def forward(x0, abar, noise):
    import functools
    terms = [math.sqrt(abar) * x0, math.sqrt(1 - abar) * noise]
    return functools.reduce(lambda a, b: a + b, terms)

# %% 1.1 right: noise factor as root of 1 - factor^2, hint 2 read backwards
def forward(x0, abar, noise):
    a = math.sqrt(abar)
    b = math.sqrt(max(0.0, 1.0 - abar))
    if b == 0.0:
        return a * x0 + 0 * noise
    return (x0 * (a / b) + noise) * b

# %% 1.2 right: np.average with the shifted shares as weights
def best_guess(x, abar, world):
    weights, means, stds = world
    variance = abar * np.square(stds) + 1 - abar
    away = np.subtract.outer(x, np.sqrt(abar) * means)
    log_r = np.log(weights) - 0.5 * np.log(variance) - np.square(away) / (2 * variance)
    r = np.exp(log_r - np.amax(log_r, axis=1, keepdims=True))
    return np.average(means + np.sqrt(abar) * np.square(stds) / variance * away, axis=1, weights=r)

# %% 1.2 right: shift by the likeliest band through take_along_axis
def best_guess(x, abar, world):
    weights, means, stds = world
    root = math.sqrt(abar)
    variance = abar * stds**2 + 1 - abar
    away = x.reshape(-1, 1) - root * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - 0.5 * (away / np.sqrt(variance)) ** 2
    best = np.take_along_axis(log_r, log_r.argmax(1)[:, None], 1)
    r = np.exp(log_r - best)
    return np.sum(r * (means + root * stds**2 / variance * away), 1) / np.sum(r, 1)

# %% 1.2 right: line per band, r @ intercepts + x * (r @ slopes)
def best_guess(x, abar, world):
    weights, means, stds = world
    root, variance = np.sqrt(abar), abar * stds**2 + 1 - abar
    log_r = np.log(weights) - 0.5 * np.log(variance) - (x[:, None] - root * means) ** 2 / (2 * variance)
    log_r -= log_r.max(axis=1, keepdims=True)
    r = np.exp(log_r) / np.exp(log_r).sum(axis=1, keepdims=True)
    slope = root * stds**2 / variance
    intercept = (1 - slope * root) * means
    return r @ intercept + x * (r @ slope)

# %% 1.2 right: constant -0.5 log(2 pi) kept, double loop filled in
def best_guess(x, abar, world):
    weights, means, stds = world
    out = np.empty(len(x))
    for i, pixel in enumerate(x):
        logs, says = [], []
        for w, m, d in zip(weights, means, stds):
            v = abar * d**2 + 1 - abar
            gap = pixel - math.sqrt(abar) * m
            logs.append(math.log(w) - 0.5 * math.log(2 * math.pi * v) - gap**2 / (2 * v))
            says.append(m + math.sqrt(abar) * d**2 / v * gap)
        shares = [math.exp(log - max(logs)) for log in logs]
        out[i] = sum(s * a for s, a in zip(shares, says)) / sum(shares)
    return out

# %% 1.3 right: one over the variance times the bracket
def tweedie(x, clean, abar):
    precision = 1 / (1 - abar)
    return precision * (math.sqrt(abar) * clean - x)

# %% 1.3 right: helper that fades, keywords
def tweedie(x, clean, abar):
    def faded(image, level):
        return image * math.sqrt(level)

    arrow = faded(image=clean, level=abar) - x
    return arrow / (1 - abar)

# %% 1.3 right: divided twice by the standard deviation
def tweedie(x, clean, abar):
    std = float(1 - abar) ** 0.5
    return (float(abar) ** 0.5 * clean - x) / std / std

# %% 1.3 right: copy, then in place on the copy
def tweedie(x, clean, abar):
    out = clean * math.sqrt(abar)
    out = out - x
    out = out / (1.0 - abar)
    return out

# %% 1.3 right: slope of the log of N(x; sqrt(abar) clean, 1 - abar), torch-like names
def tweedie(x, clean, abar):
    loc, scale = math.sqrt(abar) * clean, math.sqrt(1 - abar)
    standard = (x - loc) / scale
    return -1 / scale * standard

# %% 1.4 right: try and except for the way up
def step_back(x, clean, now, then, eta, z):
    try:
        fresh = eta * math.sqrt((1 - then) / (1 - now) * (1 - now / then))
    except ValueError:
        fresh = 0.0
    eps = (x - math.sqrt(now) * clean) / math.sqrt(1 - now)
    old = math.sqrt(max(1 - then - fresh**2, 0))
    return math.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 right: np.where with abs inside the root
def step_back(x, clean, now, then, eta, z):
    q = (1 - then) / (1 - now) * (1 - now / then)
    fresh = float(eta * np.where(q > 0, np.sqrt(np.abs(q)), 0.0))
    left = 1 - then - fresh**2
    old = np.sqrt(left) if left > 0 else 0.0
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 right: NaN replaced by 0 before it is used
def step_back(x, clean, now, then, eta, z):
    with np.errstate(invalid="ignore"):
        spread = np.nan_to_num(np.sqrt((1 - then) / (1 - now) * (1 - np.divide(now, then))))
    fresh = eta * spread
    old = np.sqrt(max(1 - then - fresh**2, 0))
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    return np.sqrt(then) * clean + old * eps + fresh * z

# %% 1.4 right: forward() of exercise 1.1 with the two noises mixed
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    if then == 1:
        return clean + 0 * eps
    share = eta**2 * max((1 - now / then) / (1 - now), 0)
    mixed = math.sqrt(max(1 - share, 0)) * eps + math.sqrt(share) * z
    return forward(clean, then, mixed)

# %% 1.5 right: scale = 1 / sqrt(abar), sigma from scale
def in_sigma(x_t, abar):
    scale = 1 / math.sqrt(abar)
    return scale * x_t, math.sqrt(1 - abar) * scale

# %% 1.5 right: math.hypot(1, sigma) is the factor of x
def in_sigma(x_t, abar):
    sigma = math.sqrt(1 - abar) / math.sqrt(abar)
    return x_t * math.hypot(1.0, sigma), sigma

# %% 1.5 right: sigma^2 first, as (6) stands
def in_sigma(x_t, abar):
    sigma_squared = (1 - abar) / abar
    assert sigma_squared >= 0
    x, sigma = x_t / float(np.sqrt(abar)), float(np.sqrt(sigma_squared))
    return x, sigma

# %% 1.5 right: torch.div for tensors, / otherwise
def in_sigma(x_t, abar):
    root = math.pow(abar, 0.5)
    x = torch.div(x_t, root) if isinstance(x_t, torch.Tensor) else x_t / root
    return x, math.pow(1 / abar - 1, 1 / 2)

# %% 1.5 right: generator unpacked into the pair
def in_sigma(x_t, abar):
    below = math.sqrt(abar)
    x, sigma = (part / below for part in (x_t, math.sqrt(1 - abar)))
    return x, sigma

# %% 1.6 right: loop that fills an empty tensor
def bend(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) / (root[0] - root[-1]) * (root[0] - end)
    new, before = torch.empty_like(betas), 1.0
    for t in range(len(betas)):
        new[t] = 1 - bent[t] ** 2 / before
        before = bent[t] ** 2
    return new

# %% 1.6 right: stack of a comprehension over neighbours
def bend(betas, last):
    root = torch.sqrt(torch.cumprod(1 - betas, 0))
    stretch = (root[0] - last**0.5) / (root[0] - root[-1])
    abar = torch.square((root - root[-1]) * stretch + last**0.5)
    rest = [1 - b / a for a, b in zip(abar[:-1], abar[1:])]
    return torch.stack([1 - abar[0], *rest])

# %% 1.6 right: itertools.accumulate and math, first beta from the product
def bend(betas, last):
    import itertools
    roots = [math.sqrt(p) for p in itertools.accumulate((1 - b for b in betas.tolist()), lambda a, b: a * b)]
    end, top, low = math.sqrt(last), roots[0], roots[-1]
    abar = [1.0] + [((r - low) * (top - end) / (top - low) + end) ** 2 for r in roots]
    return betas.new_tensor([1 - b / a for a, b in zip(abar, abar[1:])])

# %% 1.6 right: slope and offset from a 2 x 2 system, in double
def bend(betas, last):
    root = (1 - betas.double()).cumprod(0).sqrt()
    points = torch.stack([torch.stack([root[0], root[-1]]), torch.ones_like(root[:2])], 1)
    wanted = torch.stack([root[0], torch.full_like(root[0], math.sqrt(last))])
    slope, offset = torch.linalg.solve(points, wanted)
    abar = torch.cat([torch.ones_like(root[:1]), (slope * root + offset) ** 2])
    return (1 - abar[1:] / abar[:-1]).to(betas.dtype)

# %% 1.6 right: np.diff, beta is the drop of abar over the abar before
def bend(betas, last):
    root = np.cumprod(1 - betas.numpy().astype(np.float64)) ** 0.5
    end = np.sqrt(last)
    bent = end + (root[0] - end) * (root - root[-1]) / (root[0] - root[-1])
    abar = np.insert(bent**2, 0, 1.0)
    return torch.from_numpy(-np.diff(abar) / abar[:-1]).type_as(betas)

# %% 1.1 wrong: stub left as it is, the ... not replaced
def forward(x0, abar, noise):
    """x_t from x0 in one go (equation 2)."""
    return ...

# %% 1.4 wrong: only eps filled in, the other ... left
def step_back(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = ...
    old = ...
    return np.sqrt(then) * clean + old * eps + fresh * z
