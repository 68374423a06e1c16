# Answers to lesson 03, right and wrong, of somebody who knew the lesson and not its checks.
# Behind => stands the name that the check found, read over by a person.

# %% 3.1 right: float64 arange, rounded
def respaced(T, n):
    i = torch.arange(n, dtype=torch.float64)
    return torch.round(T - 1 - i * (T / n)).to(torch.int64)

# %% 3.1 right: list comprehension with Python's round
def respaced(T, n):
    return torch.tensor([round(T - i * T / n) - 1 for i in range(n)])

# %% 3.1 right: whole-number arithmetic, halves one way
def respaced(T, n):
    i = torch.arange(n)
    return T - 1 - (2 * i * T + n) // (2 * n)

# %% 3.1 right: NumPy rint, turned into a tensor at the end
def respaced(T, n):
    steps = T - np.arange(n) * T / n
    return torch.from_numpy(np.rint(steps).astype(np.int64)) - 1

# %% 3.1 right: linspace down to T/n - 1
def respaced(T, n):
    return torch.linspace(T - 1, T / n - 1, n, dtype=torch.float64).round().long()

# %% 3.1 right: counts upwards from T/n and flips
def respaced(T, n):
    k = torch.arange(1, n + 1).double()
    return ((k * T / n).round().long() - 1).flip(0)

# %% 3.1 right: floor(x + 0.5) in a plain loop
def respaced(T, n):
    out = []
    for i in range(n):
        out.append(math.floor(T - i * T / n + 0.5) - 1)
    return torch.tensor(out, dtype=torch.long)

# %% 3.1 right: exact fractions
def respaced(T, n):
    from fractions import Fraction

    gap = Fraction(T, n)
    return torch.as_tensor([int(round(T - 1 - k * gap)) for k in range(n)])

# %% 3.1 right: NumPy arange from T downwards, cut to n
def respaced(T, n):
    t = np.round(np.arange(T, 0, -T / n))[:n] - 1
    return torch.tensor(t).long()

# %% 3.1 right: running float position, only the output is rounded
def respaced(T, n):
    where, ts = float(T), []
    while len(ts) < n:
        ts.append(int(where + 0.5) - 1)
        where = T - len(ts) * T / n
    return torch.LongTensor(ts)

# %% 3.1 wrong: spaced from 0 upwards (leading), does not begin at T - 1 => leading, rounded
def respaced(T, n):
    return (torch.arange(n, dtype=torch.float64) * T / n).round().long().flip(0)

# %% 3.1 wrong: forgets that we count from 0, begins at T => T itself
def respaced(T, n):
    return (T - torch.arange(n, dtype=torch.float64) * T / n).round().long()

# %% 3.1 wrong: lowest first => upwards
def respaced(T, n):
    return ((T - torch.arange(n, dtype=torch.float64) * T / n).round().long() - 1).flip(0)

# %% 3.1 wrong: returns floats => another dtype
def respaced(T, n):
    return (T - torch.arange(n) * T / n).round() - 1

# %% 3.1 wrong: returns a list => another type
def respaced(T, n):
    return [round(T - i * T / n) - 1 for i in range(n)]

# %% 3.1 wrong: cuts off instead of rounding => cut, not rounded
def respaced(T, n):
    return (T - torch.arange(n) * T / n).long() - 1

# %% 3.1 wrong: rounds up instead of to the nearest => rounded up
def respaced(T, n):
    return torch.ceil(T - torch.arange(n, dtype=torch.float64) * T / n).long() - 1

# %% 3.1 wrong: whole-number gap T // n => whole steps
def respaced(T, n):
    return T - 1 - torch.arange(n) * (T // n)

# %% 3.1 wrong: gap rounded before it is multiplied => rounded steps
def respaced(T, n):
    return T - 1 - torch.arange(n) * round(T / n)

# %% 3.1 wrong: linspace to both ends, T - 1 and 0 => down to 0
def respaced(T, n):
    return torch.linspace(T - 1, 0, n).round().long()

# %% 3.1 wrong: gap (T - 1) / n => T - 1 shared out
def respaced(T, n):
    return torch.linspace(T - 1, 0, n + 1, dtype=torch.float64)[:n].round().long()

# %% 3.1 wrong: n + 1 values, the last one is -1 => another shape
def respaced(T, n):
    return (T - torch.arange(n + 1, dtype=torch.float64) * T / n).round().long() - 1

# %% 3.1 wrong: the worked example, whatever T and n => another shape
def respaced(T, n):
    return torch.tensor([9, 7, 5, 3, 1])

# %% 3.1 wrong: rounding errors accumulate, next from the rounded last => rounded steps
def respaced(T, n):
    t, out = T - 1, []
    for _ in range(n):
        out.append(t)
        t = round(t - T / n)
    return torch.tensor(out)

# %% 3.1 wrong: gap upside down, n / T => n / T
def respaced(T, n):
    return (T - torch.arange(n, dtype=torch.float64) * n / T).round().long() - 1

# %% 3.1 wrong: prints and returns nothing
def respaced(T, n):
    print((T - torch.arange(n) * T / n).round().long() - 1)

# %% 3.1 wrong: shape (n, 1) => another shape
def respaced(T, n):
    t = (T - torch.arange(n, dtype=torch.float64) * T / n).round().long() - 1
    return t[:, None]

# %% 3.1 wrong: subtracts the one twice => offset
def respaced(T, n):
    return (T - 1 - torch.arange(n, dtype=torch.float64) * T / n).round().long() - 1

# %% 3.1 wrong: never visits timestep 0
def respaced(T, n):
    t = (T - torch.arange(n, dtype=torch.float64) * T / n).round().long() - 1
    return t.clamp(min=1)

# %% 3.1 wrong: a random subset, sorted => random
def respaced(T, n):
    return torch.randperm(T)[:n].sort(descending=True).values

# %% 3.1 wrong: slices every T // n, wrong count where T is no multiple => another shape
def respaced(T, n):
    return torch.arange(T - 1, -1, -(T // n))

# %% 3.1 wrong: never ends, the counter is not moved => endless
def respaced(T, n):
    t, out = T, []
    while t > 0:
        out = [round(t) - 1]
    return torch.tensor(out)

# %% 3.1 wrong: arguments swapped => another shape
def respaced(T, n):
    return (n - torch.arange(T, dtype=torch.float64) * n / T).round().long() - 1

# %% 3.1 wrong: typo in a name
def respaced(T, n):
    step = T / n
    return (T - torch.arange(n) * stpe).round().long() - 1

# %% 3.2 right: variance first, then the mean
def factors(abar_t, abar_s, fresh):
    B = math.sqrt(max(0, (1 - abar_s - fresh**2) / (1 - abar_t)))
    A = math.sqrt(abar_s) - B * math.sqrt(abar_t)
    return A, B

# %% 3.2 right: NumPy, the root of a clipped number
def factors(abar_t, abar_s, fresh):
    left = np.clip(1 - abar_s - fresh**2, 0, None)
    B = np.sqrt(left) / np.sqrt(1 - abar_t)
    return np.sqrt(abar_s) - B * np.sqrt(abar_t), B

# %% 3.2 right: torch scalars
def factors(abar_t, abar_s, fresh):
    t, s, f = (torch.tensor(v, dtype=torch.double) for v in (abar_t, abar_s, fresh))
    B = torch.relu(1 - s - f * f).sqrt() / (1 - t).sqrt()
    return s.sqrt() - B * t.sqrt(), B

# %% 3.2 right: an if in place of max
def factors(abar_t, abar_s, fresh):
    rest = 1 - abar_s - fresh**2
    if rest < 0:
        rest = 0
    of_xt = (rest / (1 - abar_t)) ** 0.5
    of_x0 = abar_s**0.5 - abar_t**0.5 * of_xt
    return of_x0, of_xt

# %% 3.2 right: standard deviations named
def factors(abar_t, abar_s, fresh):
    noise_t, noise_s = (1 - abar_t) ** 0.5, (1 - abar_s) ** 0.5
    old = max(noise_s**2 - fresh**2, 0) ** 0.5
    B = old / noise_t
    return abar_s**0.5 - B * abar_t**0.5, B

# %% 3.2 right: a list
def factors(abar_t, abar_s, fresh):
    b = (max(1 - abar_s - fresh * fresh, 0.0) / (1 - abar_t)) ** 0.5
    return [abar_s**0.5 - b * abar_t**0.5, b]

# %% 3.2 right: by lesson 01's factor of the old noise
def factors(abar_t, abar_s, fresh):
    old = np.sqrt(max(1 - abar_s - fresh**2, 0))  # of eps
    # eps = (x_t - sqrt(abar_t) x0) / sqrt(1 - abar_t)
    of_xt = old / np.sqrt(1 - abar_t)
    of_x0 = np.sqrt(abar_s) - old * np.sqrt(abar_t) / np.sqrt(1 - abar_t)
    return of_x0, of_xt

# %% 3.2 right: difference of squares
def factors(abar_t, abar_s, fresh):
    room = math.sqrt(1 - abar_s)
    B = math.sqrt(max((room - fresh) * (room + fresh), 0) / (1 - abar_t))
    return math.sqrt(abar_s) - B * math.sqrt(abar_t), B

# %% 3.2 right: a helper for roots
def factors(abar_t, abar_s, fresh):
    root = lambda v: max(v, 0) ** 0.5
    of_xt = root(1 - abar_s - fresh**2) / root(1 - abar_t)
    return root(abar_s) - of_xt * root(abar_t), of_xt

# %% 3.2 right: a tensor of two numbers
def factors(abar_t, abar_s, fresh):
    b = math.sqrt(max(1 - abar_s - fresh**2, 0) / (1 - abar_t))
    return torch.tensor([math.sqrt(abar_s) - b * math.sqrt(abar_t), b], dtype=torch.float64)

# %% 3.2 wrong: factors of lesson 01, of x0 and eps => factors of x0 and eps
def factors(abar_t, abar_s, fresh):
    of_xt = max(1 - abar_s - fresh**2, 0) ** 0.5
    of_x0 = abar_s**0.5
    return of_x0, of_xt

# %% 3.2 wrong: right B, A forgets what x_t brings => image of x_t forgotten
def factors(abar_t, abar_s, fresh):
    of_xt = (max(1 - abar_s - fresh**2, 0) / (1 - abar_t)) ** 0.5
    of_x0 = abar_s**0.5
    return of_x0, of_xt

# %% 3.2 wrong: the fresh noise on top => fresh noise on top
def factors(abar_t, abar_s, fresh):
    B = ((1 - abar_s) / (1 - abar_t)) ** 0.5
    return abar_s**0.5 - B * abar_t**0.5, B

# %% 3.2 wrong: fresh not squared => fresh not squared
def factors(abar_t, abar_s, fresh):
    B = (max(1 - abar_s - fresh, 0) / (1 - abar_t)) ** 0.5
    return abar_s**0.5 - B * abar_t**0.5, B

# %% 3.2 wrong: standard deviations subtracted => subtracted outside
def factors(abar_t, abar_s, fresh):
    B = ((1 - abar_s) ** 0.5 - fresh) / (1 - abar_t) ** 0.5
    return abar_s**0.5 - B * abar_t**0.5, B

# %% 3.2 wrong: no max, complex numbers
def factors(abar_t, abar_s, fresh):
    B = ((1 - abar_s - fresh**2) / (1 - abar_t)) ** 0.5
    return abar_s**0.5 - B * abar_t**0.5, B

# %% 3.2 wrong: no max, math.sqrt raises
def factors(abar_t, abar_s, fresh):
    B = math.sqrt((1 - abar_s - fresh**2) / (1 - abar_t))
    return math.sqrt(abar_s) - B * math.sqrt(abar_t), B

# %% 3.2 wrong: no max, NumPy's NaN => not 0 at the end
def factors(abar_t, abar_s, fresh):
    B = np.sqrt((1 - abar_s - fresh**2) / (1 - abar_t))
    return np.sqrt(abar_s) - B * np.sqrt(abar_t), B

# %% 3.2 wrong: the root of B is missing => variance for c_t
def factors(abar_t, abar_s, fresh):
    B = max(1 - abar_s - fresh**2, 0) / (1 - abar_t)
    return abar_s**0.5 - B * abar_t**0.5, B

# %% 3.2 wrong: ** 1/2 => c_t halved
def factors(abar_t, abar_s, fresh):
    B = (max(1 - abar_s - fresh**2, 0) / (1 - abar_t)) ** 1/2
    return abar_s**0.5 - B * abar_t**0.5, B

# %% 3.2 wrong: B forgotten in A => c_t forgotten in c_0
def factors(abar_t, abar_s, fresh):
    B = (max(1 - abar_s - fresh**2, 0) / (1 - abar_t)) ** 0.5
    return abar_s**0.5 - abar_t**0.5, B

# %% 3.2 wrong: A as a difference of variances => variances in c_0
def factors(abar_t, abar_s, fresh):
    B = (max(1 - abar_s - fresh**2, 0) / (1 - abar_t)) ** 0.5
    return np.sqrt(abar_s - B**2 * abar_t), B

# %% 3.2 wrong: no roots in A => no roots in c_0
def factors(abar_t, abar_s, fresh):
    B = (max(1 - abar_s - fresh**2, 0) / (1 - abar_t)) ** 0.5
    return abar_s - B * abar_t, B

# %% 3.2 wrong: B is not divided by the noise of x_t => factor of eps
def factors(abar_t, abar_s, fresh):
    B = max(1 - abar_s - fresh**2, 0) ** 0.5
    return abar_s**0.5 - B * abar_t**0.5, B

# %% 3.2 wrong: divided by 1 - abar_t without its root => root above alone
def factors(abar_t, abar_s, fresh):
    B = max(1 - abar_s - fresh**2, 0) ** 0.5 / (1 - abar_t)
    return abar_s**0.5 - B * abar_t**0.5, B

# %% 3.2 wrong: plus in A => image added
def factors(abar_t, abar_s, fresh):
    B = (max(1 - abar_s - fresh**2, 0) / (1 - abar_t)) ** 0.5
    return abar_s**0.5 + B * abar_t**0.5, B

# %% 3.2 wrong: B first => order
def factors(abar_t, abar_s, fresh):
    B = (max(1 - abar_s - fresh**2, 0) / (1 - abar_t)) ** 0.5
    return B, abar_s**0.5 - B * abar_t**0.5

# %% 3.2 wrong: lesson 02's posterior, fresh is not used => posterior
def factors(abar_t, abar_s, fresh):
    alpha = abar_t / abar_s
    of_x0 = abar_s**0.5 * (1 - alpha) / (1 - abar_t)
    of_xt = abs(alpha)**0.5 * (1 - abar_s) / (1 - abar_t)
    return of_x0, of_xt

# %% 3.2 wrong: levels swapped => swapped levels
def factors(abar_t, abar_s, fresh):
    B = (max(1 - abar_t - fresh**2, 0) / (1 - abar_s)) ** 0.5
    return abar_t**0.5 - B * abar_s**0.5, B

# %% 3.2 wrong: + fresh**2 => fresh added
def factors(abar_t, abar_s, fresh):
    B = ((1 - abar_s + fresh**2) / (1 - abar_t)) ** 0.5
    return abar_s**0.5 - B * abar_t**0.5, B

# %% 3.2 wrong: A + B = 1 => rest to 1
def factors(abar_t, abar_s, fresh):
    B = (max(1 - abar_s - fresh**2, 0) / (1 - abar_t)) ** 0.5
    return 1 - B, B

# %% 3.2 wrong: B alone => c_t alone
def factors(abar_t, abar_s, fresh):
    return (max(1 - abar_s - fresh**2, 0) / (1 - abar_t)) ** 0.5

# %% 3.2 wrong: prints, returns nothing
def factors(abar_t, abar_s, fresh):
    B = (max(1 - abar_s - fresh**2, 0) / (1 - abar_t)) ** 0.5
    print(abar_s**0.5 - B * abar_t**0.5, B)

# %% 3.3 right: the covariances, as in the hints
def ddpm_noise(abar_t, abar_s):
    a = abar_t / abar_s
    B = math.sqrt(a) * (1 - abar_s) / (1 - abar_t)
    return math.sqrt(max(1 - abar_s - B**2 * (1 - abar_t), 0))

# %% 3.3 right: lesson 01's formula with eta = 1
def ddpm_noise(abar_t, abar_s):
    return math.sqrt((1 - abar_s) / (1 - abar_t) * (1 - abar_t / abar_s))

# %% 3.3 right: lesson 02's beta tilde of a long step
def ddpm_noise(abar_t, abar_s):
    beta = 1 - abar_t / abar_s
    return ((1 - abar_s) / (1 - abar_t) * beta) ** 0.5

# %% 3.3 right: what a regression of x_s on x_t leaves over
def ddpm_noise(abar_t, abar_s):
    var_s, var_t = 1 - abar_s, 1 - abar_t
    cov = np.sqrt(abar_t / abar_s) * var_s
    return np.sqrt(np.maximum(var_s - cov**2 / var_t, 0))

# %% 3.3 right: by the correlation
def ddpm_noise(abar_t, abar_s):
    rho2 = abar_t / abar_s * (1 - abar_s) / (1 - abar_t)
    return ((1 - abar_s) * (1 - rho2)) ** 0.5

# %% 3.3 right: precisions
def ddpm_noise(abar_t, abar_s):
    if abar_s == 1:
        return 0.0
    a = abar_t / abar_s
    precision = 1 / (1 - abar_s) + a / (1 - a)
    return precision**-0.5

# %% 3.3 right: in sigma
def ddpm_noise(abar_t, abar_s):
    s2, t2 = (1 - abar_s) / abar_s, (1 - abar_t) / abar_t
    return (abar_s * s2 * (1 - s2 / t2)) ** 0.5

# %% 3.3 right: torch
def ddpm_noise(abar_t, abar_s):
    t, s = torch.tensor(abar_t).double(), torch.tensor(abar_s).double()
    return torch.sqrt((1 - s) * (1 - t / s) / (1 - t))

# %% 3.3 right: by the factors of exercise 3.2, solved for fresh
def ddpm_noise(abar_t, abar_s):
    B = (abar_t / abar_s) ** 0.5 * (1 - abar_s) / (1 - abar_t)
    left = (1 - abar_s) - (1 - abar_t) * B * B
    return left**0.5 if left > 0 else 0.0

# %% 3.3 right: one fraction
def ddpm_noise(abar_t, abar_s):
    return ((1 - abar_s) * (abar_s - abar_t) / abar_s / (1 - abar_t)) ** 0.5

# %% 3.3 wrong: the variance => variance
def ddpm_noise(abar_t, abar_s):
    a = abar_t / abar_s
    B = a**0.5 * (1 - abar_s) / (1 - abar_t)
    return 1 - abar_s - B**2 * (1 - abar_t)

# %% 3.3 wrong: returns B => c_t itself
def ddpm_noise(abar_t, abar_s):
    return (abar_t / abar_s) ** 0.5 * (1 - abar_s) / (1 - abar_t)

# %% 3.3 wrong: noise of the way up => forward noise
def ddpm_noise(abar_t, abar_s):
    return (1 - abar_t / abar_s) ** 0.5

# %% 3.3 wrong: B = sqrt(a) => variance of x_s forgotten
def ddpm_noise(abar_t, abar_s):
    B = (abar_t / abar_s) ** 0.5
    return max(1 - abar_s - B**2 * (1 - abar_t), 0) ** 0.5

# %% 3.3 wrong: not divided by the variance of x_t => variance of x_t forgotten
def ddpm_noise(abar_t, abar_s):
    B = (abar_t / abar_s) ** 0.5 * (1 - abar_s)
    return (1 - abar_s - B**2 * (1 - abar_t)) ** 0.5

# %% 3.3 wrong: a without its root => root of the ratio forgotten
def ddpm_noise(abar_t, abar_s):
    a = abar_t / abar_s
    B = a * (1 - abar_s) / (1 - abar_t)
    return (1 - abar_s - B**2 * (1 - abar_t)) ** 0.5

# %% 3.3 wrong: a = abar_t => bar of t alone
def ddpm_noise(abar_t, abar_s):
    B = abar_t**0.5 * (1 - abar_s) / (1 - abar_t)
    return max(1 - abar_s - B**2 * (1 - abar_t), 0) ** 0.5

# %% 3.3 wrong: B not squared
def ddpm_noise(abar_t, abar_s):
    B = (abar_t / abar_s) ** 0.5 * (1 - abar_s) / (1 - abar_t)
    return (1 - abar_s - B * (1 - abar_t)) ** 0.5

# %% 3.3 wrong: all of the noise => all noise of s
def ddpm_noise(abar_t, abar_s):
    return (1 - abar_s) ** 0.5

# %% 3.3 wrong: how much of the old noise stays => what is kept
def ddpm_noise(abar_t, abar_s):
    cov = (abar_t / abar_s) ** 0.5 * (1 - abar_s)
    return cov / (1 - abar_t) ** 0.5

# %% 3.3 wrong: ratio of the noises upside down
def ddpm_noise(abar_t, abar_s):
    return np.sqrt((1 - abar_t) / (1 - abar_s) * (1 - abar_t / abar_s))

# %% 3.3 wrong: only the ratio of noises => first factor only
def ddpm_noise(abar_t, abar_s):
    return ((1 - abar_s) / (1 - abar_t)) ** 0.5

# %% 3.3 wrong: difference of the levels => fading forgotten
def ddpm_noise(abar_t, abar_s):
    return ((1 - abar_s) / (1 - abar_t) * (abar_s - abar_t)) ** 0.5

# %% 3.3 wrong: second root missing => second root
def ddpm_noise(abar_t, abar_s):
    return ((1 - abar_s) / (1 - abar_t)) ** 0.5 * (1 - abar_t / abar_s)

# %% 3.3 wrong: ** 1/2 => half
def ddpm_noise(abar_t, abar_s):
    return ((1 - abar_s) * (1 - abar_t / abar_s) / (1 - abar_t)) ** 1/2

# %% 3.3 wrong: brackets of a Python fraction missing => variance of x_s forgotten
def ddpm_noise(abar_t, abar_s):
    return np.sqrt((1 - abar_s / 1 - abar_t) * (1 - abar_t / abar_s))

# %% 3.3 wrong: in the units of sigma => other units
def ddpm_noise(abar_t, abar_s):
    s2, t2 = 1 / abar_s - 1, 1 / abar_t - 1
    return (s2 * (1 - s2 / t2)) ** 0.5

# %% 3.3 wrong: none => none
def ddpm_noise(abar_t, abar_s):
    return 0.0

# %% 3.3 wrong: levels swapped
def ddpm_noise(abar_t, abar_s):
    return ((1 - abar_t) * (1 - abar_s / abar_t) / (1 - abar_s)) ** 0.5

# %% 3.3 wrong: the share that stays => share that stays
def ddpm_noise(abar_t, abar_s):
    return ((1 - abar_s) / (1 - abar_t) * (abar_t / abar_s)) ** 0.5

# %% 3.3 wrong: the worked value always
def ddpm_noise(abar_t, abar_s):
    return 0.612

# %% 3.3 wrong: returns the pair of B and the noise => with c_t
def ddpm_noise(abar_t, abar_s):
    B = (abar_t / abar_s) ** 0.5 * (1 - abar_s) / (1 - abar_t)
    return B, max(1 - abar_s - B**2 * (1 - abar_t), 0) ** 0.5

# %% 3.3 wrong: rounded to three digits => rounded
def ddpm_noise(abar_t, abar_s):
    return round(((1 - abar_s) * (1 - abar_t / abar_s) / (1 - abar_t)) ** 0.5, 3)

# %% 3.4 right: one sample after the other
def slerp(a, b, t):
    out = []
    for x, y in zip(a, b):
        c = float((x * y).sum() / (x.norm() * y.norm()))
        th = math.acos(max(-1.0, min(1.0, c)))
        if math.sin(th) < 1e-6:
            out.append((1 - t) * x + t * y)
        else:
            out.append((math.sin((1 - t) * th) * x + math.sin(t * th) * y) / math.sin(th))
    return torch.stack(out)

# %% 3.4 right: cosine_similarity and where
def slerp(a, b, t):
    cosine = torch.nn.functional.cosine_similarity(a.flatten(1), b.flatten(1), dim=1)
    angle = torch.acos(cosine.clip(-1, 1))[:, None, None, None]
    s = torch.sin(angle)
    arc = (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / s
    return torch.where(s.abs() < 1e-6, torch.lerp(a, b, t), arc)

# %% 3.4 right: sinc needs no special case
def slerp(a, b, t):
    dims = (1, 2, 3)
    cosine = (a * b).sum(dims, keepdim=True) / (a * a).sum(dims, keepdim=True).sqrt()
    cosine = cosine / (b * b).sum(dims, keepdim=True).sqrt()
    angle = cosine.clamp(-1, 1).acos() / math.pi
    whole = torch.sinc(angle)
    of_a = (1 - t) * torch.sinc((1 - t) * angle) / whole
    of_b = t * torch.sinc(t * angle) / whole
    return of_a * a + of_b * b

# %% 3.4 right: angle by atan2 of difference and sum of the unit vectors
def slerp(a, b, t):
    u = a.flatten(1) / a.flatten(1).norm(dim=1, keepdim=True)
    v = b.flatten(1) / b.flatten(1).norm(dim=1, keepdim=True)
    angle = 2 * torch.atan2((u - v).norm(dim=1), (u + v).norm(dim=1))
    angle = angle.reshape(-1, 1, 1, 1)
    safe = torch.where(angle == 0, torch.ones_like(angle), angle)
    of_a = torch.where(angle == 0, 1 - t, ((1 - t) * safe).sin() / safe.sin())
    of_b = torch.where(angle == 0, t, (t * safe).sin() / safe.sin())
    return of_a * a + of_b * b

# %% 3.4 right: all in float64, back at the end
def slerp(a, b, t):
    x, y = a.double(), b.double()
    dot = torch.einsum("bchw,bchw->b", x, y)
    la, lb = (torch.einsum("bchw,bchw->b", v, v).sqrt() for v in (x, y))
    th = (dot / la / lb).clamp(-1, 1).acos().view(len(a), 1, 1, 1)
    same = th < 1e-7
    th = th.masked_fill(same, 1.0)
    arc = ((1 - t) * th).sin() / th.sin() * x + (t * th).sin() / th.sin() * y
    return torch.where(same, x, arc).to(a.dtype)

# %% 3.4 right: NumPy inside
def slerp(a, b, t):
    x, y = a.cpu().numpy().astype(float), b.cpu().numpy().astype(float)
    cosine = (x * y).sum((1, 2, 3)) / np.sqrt((x**2).sum((1, 2, 3)) * (y**2).sum((1, 2, 3)))
    angle = np.arccos(np.clip(cosine, -1, 1)).reshape(-1, 1, 1, 1)
    line = np.sin(angle) < 1e-7
    bottom = np.where(line, 1, np.sin(angle))
    of_a = np.where(line, 1 - t, np.sin((1 - t) * angle) / bottom)
    of_b = np.where(line, t, np.sin(t * angle) / bottom)
    return torch.from_numpy(of_a * x + of_b * y).to(a)

# %% 3.4 right: rotation, cos(t angle) a plus the part of b across a
def slerp(a, b, t):
    shape = a.shape
    x, y = a.flatten(1).double(), b.flatten(1).double()
    c = (x * y).sum(1, keepdim=True) / (x.norm(dim=1, keepdim=True) * y.norm(dim=1, keepdim=True))
    c = c.clamp(-1, 1)
    th = c.acos()
    flat = th.sin() < 1e-7
    ratio = torch.where(flat, t, (t * th).sin() / th.sin().masked_fill(flat, 1))
    out = ((t * th).cos() - c * ratio) * x + ratio * y
    return out.view(shape).to(a.dtype)

# %% 3.4 right: mask assignment for the pairs with themselves
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / x.norm(dim=1) / y.norm(dim=1)
    angle = torch.arccos(torch.clamp(cosine, min=-1, max=1))[:, None]
    out = (torch.sin((1 - t) * angle) * x + torch.sin(t * angle) * y) / torch.sin(angle)
    same = (angle.sin().abs() < 1e-6)[:, 0]
    out[same] = x[same]
    return out.reshape(a.shape)

# %% 3.4 wrong: the straight line => straight line
def slerp(a, b, t):
    return (1 - t) * a + t * b

# %% 3.4 wrong: one angle for the whole batch => one angle
def slerp(a, b, t):
    cosine = (a * b).sum() / (a.norm() * b.norm())
    angle = cosine.clamp(-1, 1).acos()
    if angle.sin().abs() < 1e-6:
        return (1 - t) * a + t * b
    return ((1 - t) * angle).sin() / angle.sin() * a + (t * angle).sin() / angle.sin() * b

# %% 3.4 wrong: no special case, 0/0 for a noise with itself => divided by sin(0)
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    angle = cosine.clamp(-1, 1).acos().view(-1, 1, 1, 1)
    return ((1 - t) * angle).sin() / angle.sin() * a + (t * angle).sin() / angle.sin() * b

# %% 3.4 wrong: special case only if the whole batch is equal => only as a whole
def slerp(a, b, t):
    if torch.equal(a, b):
        return a
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    angle = cosine.clamp(-1, 1).acos().view(-1, 1, 1, 1)
    return ((1 - t) * angle).sin() / angle.sin() * a + (t * angle).sin() / angle.sin() * b

# %% 3.4 wrong: straight line for all as soon as one sample has angle 0 => line for the whole batch
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    angle = cosine.clamp(-1, 1).acos().view(-1, 1, 1, 1)
    if (angle.sin().abs() < 1e-6).any():
        return (1 - t) * a + t * b
    return ((1 - t) * angle).sin() / angle.sin() * a + (t * angle).sin() / angle.sin() * b

# %% 3.4 wrong: straight line already below half a radian
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    angle = cosine.clamp(-1, 1).acos().view(-1, 1, 1, 1)
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
    return torch.where(angle < 0.5, (1 - t) * a + t * b, arc)

# %% 3.4 wrong: returns a wherever the cosine is above 0.9
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = ((x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))).view(-1, 1, 1, 1)
    angle = cosine.clamp(-1, 1).acos()
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
    return torch.where(cosine > 0.9, a, arc)

# %% 3.4 wrong: sine kept from 0 by 1e-6, a noise with itself gives 0
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    angle = cosine.clamp(-1, 1).acos().view(-1, 1, 1, 1)
    s = angle.sin() + 1e-6
    return ((1 - t) * angle).sin() / s * a + (t * angle).sin() / s * b

# %% 3.4 wrong: nan_to_num turns a noise with itself into 0 => nothing for itself
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    angle = cosine.clamp(-1, 1).acos().view(-1, 1, 1, 1)
    out = ((1 - t) * angle).sin() / angle.sin() * a + (t * angle).sin() / angle.sin() * b
    return out.nan_to_num(0.0)

# %% 3.4 wrong: lengths forgotten in the cosine => not normed
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    angle = (x * y).sum(1).clamp(-1, 1).acos().view(-1, 1, 1, 1)
    of_a, of_b = ((1 - t) * angle).sin() / angle.sin(), (t * angle).sin() / angle.sin()
    line = angle.sin().abs() < 1e-6
    return torch.where(line, (1 - t) * a + t * b, of_a * a + of_b * b)

# %% 3.4 wrong: divides by the squared length of a instead of both lengths => length of a twice
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    angle = ((x * y).sum(1) / (x * x).sum(1)).clamp(-1, 1).acos().view(-1, 1, 1, 1)
    of_a, of_b = ((1 - t) * angle).sin() / angle.sin(), (t * angle).sin() / angle.sin()
    line = angle.sin().abs() < 1e-6
    return torch.where(line, (1 - t) * a + t * b, of_a * a + of_b * b)

# %% 3.4 wrong: walks between unit vectors, lengths are lost => unit length
def slerp(a, b, t):
    a = a / a.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    b = b / b.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    angle = (a * b).sum((1, 2, 3), keepdim=True).clamp(-1, 1).acos()
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
    return torch.where(angle.sin().abs() < 1e-6, a, arc)

# %% 3.4 wrong: t and 1 - t swapped => swapped
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    angle = cosine.clamp(-1, 1).acos().view(-1, 1, 1, 1)
    of_a, of_b = (t * angle).sin() / angle.sin(), ((1 - t) * angle).sin() / angle.sin()
    line = angle.sin().abs() < 1e-6
    return torch.where(line, a, of_a * a + of_b * b)

# %% 3.4 wrong: division by the sine forgotten => not divided by sin
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    angle = cosine.clamp(-1, 1).acos().view(-1, 1, 1, 1)
    arc = ((1 - t) * angle).sin() * a + (t * angle).sin() * b
    return torch.where(angle.sin().abs() < 1e-6, a, arc)

# %% 3.4 wrong: an angle for every pixel, inner product over channels only => angle of each pixel
def slerp(a, b, t):
    cosine = (a * b).sum(1, keepdim=True) / (a.norm(dim=1) * b.norm(dim=1))[:, None]
    angle = cosine.clamp(-1, 1).acos()
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
    return torch.where(angle.sin().abs() < 1e-6, (1 - t) * a + t * b, arc)

# %% 3.4 wrong: angle stays (B,), meets the last axis => angle along the width
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    angle = ((x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))).clamp(-1, 1).acos()
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
    return torch.where(angle.sin().abs() < 1e-6, a, arc)

# %% 3.4 wrong: cosine clamped to 0 ... 1, no angle above 90 degrees => clamped to 0..1
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    angle = cosine.clamp(0, 1).acos().view(-1, 1, 1, 1)
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
    return torch.where(angle.sin().abs() < 1e-6, a, arc)

# %% 3.4 wrong: angle in degrees => degrees
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    angle = torch.rad2deg(cosine.clamp(-1, 1).acos()).view(-1, 1, 1, 1)
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
    return torch.where(angle.sin().abs() < 1e-6, a, arc)

# %% 3.4 wrong: acos forgotten
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    angle = ((x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))).view(-1, 1, 1, 1)
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
    return torch.where(angle.sin().abs() < 1e-6, a, arc)

# %% 3.4 wrong: always a right angle, the worked example => quarter circle
def slerp(a, b, t):
    return math.cos(t * math.pi / 2) * a + math.sin(t * math.pi / 2) * b

# %% 3.4 wrong: straight line brought back to the length of a
def slerp(a, b, t):
    line = (1 - t) * a + t * b
    return line * (a.flatten(1).norm(dim=1) / line.flatten(1).norm(dim=1)).view(-1, 1, 1, 1)

# %% 3.4 wrong: returns the flat shape (B, C H W) => another shape
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1, keepdim=True) / (x.norm(dim=1) * y.norm(dim=1))[:, None]
    angle = cosine.clamp(-1, 1).acos()
    arc = (((1 - t) * angle).sin() * x + (t * angle).sin() * y) / angle.sin()
    return torch.where(angle.sin().abs() < 1e-6, x, arc)

# %% 3.4 wrong: mean of the angles of the batch
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    angle = cosine.clamp(-1, 1).acos().mean()
    if angle < 1e-6:
        return a.clone()
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()

# %% 3.4 wrong: multiplies a and b in place => edited in place
def slerp(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))
    angle = cosine.clamp(-1, 1).acos().view(-1, 1, 1, 1)
    of_a, of_b = ((1 - t) * angle).sin() / angle.sin(), (t * angle).sin() / angle.sin()
    line = angle.sin().abs() < 1e-6
    a *= torch.where(line, 1 - t, of_a)
    b *= torch.where(line, t, of_b)
    return a + b

# %% 3.5 right: var and sqrt
def frechet_diagonal(x, y):
    means = ((x.mean(dim=0) - y.mean(dim=0)) ** 2).sum()
    return means + ((x.var(dim=0).sqrt() - y.var(dim=0).sqrt()) ** 2).sum()

# %% 3.5 right: trace written out, s1^2 + s2^2 - 2 s1 s2
def frechet_diagonal(x, y):
    d = x.mean(0) - y.mean(0)
    s1, s2 = x.std(0), y.std(0)
    return d @ d + (s1**2 + s2**2 - 2 * s1 * s2).sum()

# %% 3.5 right: NumPy with ddof=1
def frechet_diagonal(x, y):
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    dm = x.mean(axis=0) - y.mean(axis=0)
    ds = x.std(axis=0, ddof=1) - y.std(axis=0, ddof=1)
    return float(np.sum(dm**2 + ds**2))

# %% 3.5 right: loop over features
def frechet_diagonal(x, y):
    total = 0.0
    for j in range(x.shape[1]):
        p, q = x[:, j], y[:, j]
        total = total + (p.mean() - q.mean()) ** 2 + (p.std() - q.std()) ** 2
    return total

# %% 3.5 right: one vector of means and deviations, its squared distance
def frechet_diagonal(x, y):
    u, v = (torch.cat([f.mean(0), f.std(0)]) for f in (x, y))
    return torch.dist(u, v) ** 2

# %% 3.5 right: mse_loss with reduction sum
def frechet_diagonal(x, y):
    from torch.nn.functional import mse_loss

    return (mse_loss(x.mean(0), y.mean(0), reduction="sum")
            + mse_loss(x.std(0), y.std(0), reduction="sum"))

# %% 3.5 right: own standard deviation with N - 1
def frechet_diagonal(x, y):
    def moments(f):
        m = f.sum(0) / len(f)
        return m, (((f - m) ** 2).sum(0) / (len(f) - 1)) ** 0.5

    (m1, s1), (m2, s2) = moments(x), moments(y)
    return torch.sum((m1 - m2).pow(2) + (s1 - s2).pow(2))

# %% 3.5 right: std_mean, a Python number
def frechet_diagonal(x, y):
    (sx, mx), (sy, my) = torch.std_mean(x, 0), torch.std_mean(y, 0)
    return sum(float(v) ** 2 for v in [*(mx - my), *(sx - sy)])

# %% 3.5 wrong: difference of variances, squared => variances
def frechet_diagonal(x, y):
    return (x.mean(0) - y.mean(0)).square().sum() + (x.var(0) - y.var(0)).square().sum()

# %% 3.5 wrong: deviations not squared, absolute difference => spreads not squared
def frechet_diagonal(x, y):
    return (x.mean(0) - y.mean(0)).square().sum() + (x.std(0) - y.std(0)).abs().sum()

# %% 3.5 wrong: difference of variances not squared => variances, not squared
def frechet_diagonal(x, y):
    return (x.mean(0) - y.mean(0)).square().sum() + (x.var(0) - y.var(0)).abs().sum()

# %% 3.5 wrong: divides by N in the standard deviation => divided by N
def frechet_diagonal(x, y):
    s1, s2 = x.std(0, unbiased=False), y.std(0, unbiased=False)
    return (x.mean(0) - y.mean(0)).square().sum() + (s1 - s2).square().sum()

# %% 3.5 wrong: mean over features instead of the sum => mean of features
def frechet_diagonal(x, y):
    return (x.mean(0) - y.mean(0)).square().mean() + (x.std(0) - y.std(0)).square().mean()

# %% 3.5 wrong: root of the distance => root
def frechet_diagonal(x, y):
    d2 = (x.mean(0) - y.mean(0)).square().sum() + (x.std(0) - y.std(0)).square().sum()
    return d2.sqrt()

# %% 3.5 wrong: wrong axis, statistics of rows
def frechet_diagonal(x, y):
    n = min(len(x), len(y))
    x, y = x[:n], y[:n]
    return (x.mean(1) - y.mean(1)).square().sum() + (x.std(1) - y.std(1)).square().sum()

# %% 3.5 wrong: mean and deviation over everything at once => one mean for all
def frechet_diagonal(x, y):
    return (x.mean() - y.mean()) ** 2 + (x.std() - y.std()) ** 2

# %% 3.5 wrong: no sum, one value a feature => another shape
def frechet_diagonal(x, y):
    return (x.mean(0) - y.mean(0)).square() + (x.std(0) - y.std(0)).square()

# %% 3.5 wrong: means only => means only
def frechet_diagonal(x, y):
    return (x.mean(0) - y.mean(0)).square().sum()

# %% 3.5 wrong: deviations only => spreads only
def frechet_diagonal(x, y):
    return (x.std(0) - y.std(0)).square().sum()

# %% 3.5 wrong: sums first, then squares => squared last
def frechet_diagonal(x, y):
    return (x.mean(0) - y.mean(0)).sum().square() + (x.std(0) - y.std(0)).sum().square()

# %% 3.5 wrong: medians for means => medians
def frechet_diagonal(x, y):
    dm = x.median(0).values - y.median(0).values
    return dm.square().sum() + (x.std(0) - y.std(0)).square().sum()

# %% 3.5 wrong: minus between the two parts => subtracted
def frechet_diagonal(x, y):
    return (x.mean(0) - y.mean(0)).square().sum() - (x.std(0) - y.std(0)).square().sum()

# %% 3.5 wrong: deviations added instead of subtracted => sum of deviations
def frechet_diagonal(x, y):
    return (x.mean(0) - y.mean(0)).square().sum() + (x.std(0) + y.std(0)).square().sum()

# %% 3.5 wrong: trace with 2 s1^2 s2^2, root forgotten => variances multiplied
def frechet_diagonal(x, y):
    v1, v2 = x.var(0), y.var(0)
    return (x.mean(0) - y.mean(0)).square().sum() + (v1 + v2 - 2 * v1 * v2).sum()

# %% 3.5 wrong: trace without the factor 2 => 2 forgotten
def frechet_diagonal(x, y):
    v1, v2 = x.var(0), y.var(0)
    return (x.mean(0) - y.mean(0)).square().sum() + (v1 + v2 - (v1 * v2).sqrt()).sum()

# %% 3.5 wrong: pairs row with row, fails for N != M
def frechet_diagonal(x, y):
    return (x - y).mean(0).square().sum() + (x.std(0) - y.std(0)).square().sum()

# %% 3.5 wrong: y cut to the length of x
def frechet_diagonal(x, y):
    n = min(len(x), len(y))
    x, y = x[:n], y[:n]
    return (x.mean(0) - y.mean(0)).square().sum() + (x.std(0) - y.std(0)).square().sum()

# %% 3.5 wrong: typo, deviation of x twice => means only
def frechet_diagonal(x, y):
    return (x.mean(0) - y.mean(0)).square().sum() + (x.std(0) - x.std(0)).square().sum()

# %% 3.5 wrong: standardises x in place first => edited in place
def frechet_diagonal(x, y):
    m = x.mean(0)
    x -= m
    return (m - y.mean(0)).square().sum() + (x.std(0) - y.std(0)).square().sum()

# %% 3.5 wrong: returns zero => constant
def frechet_diagonal(x, y):
    return torch.tensor(0.0)

# %% 3.6 right: spelled out
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    factor = stats.t.ppf(1 - (1 - share) / 2, k - 1)
    half = factor * np.std(values, ddof=1) / np.sqrt(k)
    return np.mean(values) - half, np.mean(values) + half

# %% 3.6 right: stats.t.interval with the standard error
def interval(values, share=0.95):
    from scipy import stats

    return stats.t.interval(share, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))

# %% 3.6 right: the upper tail, isf
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.isf((1 - share) / 2, k - 1) * values.std(ddof=1) * k**-0.5
    m = values.mean()
    return m - half, m + half

# %% 3.6 right: both quantiles, the low one is negative
def interval(values, share=0.95):
    from scipy import stats

    k, out = len(values), (1 - share) / 2
    error = (values.var(ddof=1) / k) ** 0.5
    low, high = (values.mean() + stats.t.ppf(p, k - 1) * error for p in (out, 1 - out))
    return low, high

# %% 3.6 right: the statistics module
def interval(values, share=0.95):
    import statistics

    from scipy import stats

    v = [float(x) for x in values]
    half = stats.t.ppf(0.5 + share / 2, len(v) - 1) * statistics.stdev(v) / math.sqrt(len(v))
    return statistics.mean(v) - half, statistics.mean(v) + half

# %% 3.6 right: sum of squares by hand
def interval(values, share=0.95):
    from scipy.stats import t

    k = len(values)
    mean = sum(values) / k
    square = sum((v - mean) ** 2 for v in values) / (k * (k - 1))
    half = float(t.ppf((1 + share) / 2, df=k - 1)) * math.sqrt(square)
    return float(mean - half), float(mean + half)

# %% 3.6 right: a frozen distribution and a tuple comprehension
def interval(values, share=0.95):
    from scipy import stats

    k = values.size
    dist = stats.t(df=k - 1, loc=values.mean(), scale=values.std(ddof=1) / k**0.5)
    return tuple(dist.ppf(p) for p in ((1 - share) / 2, (1 + share) / 2))

# %% 3.6 wrong: 1.96 of the normal distribution => always 1.96
def interval(values, share=0.95):
    k = len(values)
    half = 1.96 * values.std(ddof=1) / k**0.5
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: normal quantile instead of Student's => normal
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.norm.ppf((1 + share) / 2) * values.std(ddof=1) / k**0.5
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: ppf(share), all 5 % on one side => one side
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf(share, k - 1) * values.std(ddof=1) / k**0.5
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: k degrees of freedom => degrees of freedom
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k) * values.std(ddof=1) / k**0.5
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: std divides by k => divided by n
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std() / k**0.5
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: not divided by the root of k => spread of runs
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std(ddof=1)
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: divided by k instead of its root => divided by k
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std(ddof=1) / k
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: k**1/2 is k / 2 => k halved
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std(ddof=1) / (k**1/2)
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: root of k - 1 => root of k - 1
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std(ddof=1) / (k - 1) ** 0.5
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: variance instead of standard deviation => variance
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.var(ddof=1) / k**0.5
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: 0.975 whatever share is => share ignored
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf(0.975, k - 1) * values.std(ddof=1) / k**0.5
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: 4.303, the factor of three runs, for any k => always 4.303
def interval(values, share=0.95):
    half = 4.302653 * values.std(ddof=1) / len(values) ** 0.5
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: high end first => order
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std(ddof=1) / k**0.5
    return values.mean() + half, values.mean() - half

# %% 3.6 wrong: returns mean and half width => mean and half
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std(ddof=1) / k**0.5
    return values.mean(), half

# %% 3.6 wrong: around the median => median
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std(ddof=1) / k**0.5
    return np.median(values) - half, np.median(values) + half

# %% 3.6 wrong: ppf of the lower tail, ends come out swapped => order
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 - share) / 2, k - 1) * values.std(ddof=1) / k**0.5
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: smallest and largest run => smallest and largest
def interval(values, share=0.95):
    return values.min(), values.max()

# %% 3.6 wrong: quantiles of the runs themselves => percentiles
def interval(values, share=0.95):
    return tuple(np.quantile(values, [(1 - share) / 2, (1 + share) / 2]))

# %% 3.6 wrong: low end cut at 0
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std(ddof=1) / k**0.5
    return max(values.mean() - half, 0.0), values.mean() + half

# %% 3.6 wrong: 1 / 2 of the tail missing, ppf(1 - (1 - share))
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf(1 - (1 - share) * 2, k - 1) * values.std(ddof=1) / k**0.5
    return values.mean() - half, values.mean() + half

# %% 3.6 wrong: half an interval, the mean and the high end
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std(ddof=1) / k**0.5
    return values.mean(), values.mean() + half

# %% 3.6 wrong: centres the runs in place => edited in place
def interval(values, share=0.95):
    from scipy import stats

    k, m = len(values), values.mean()
    values -= m
    half = stats.t.ppf((1 + share) / 2, k - 1) * (values @ values / (k - 1) / k) ** 0.5
    return m - half, m + half

# %% 3.6 wrong: stats is never imported
def interval(values, share=0.95):
    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std(ddof=1) / k**0.5
    return values.mean() - half, values.mean() + half

# %% 3.1 right: numerator and denominator with divmod
def respaced(T, n):
    def nearest(a, b):
        q, r = divmod(a, b)
        return q + (2 * r > b)

    return torch.tensor([T - 1 - nearest(i * T, n) for i in range(n)], dtype=torch.int64)

# %% 3.1 right: torch.div with rounding_mode floor, on twice the numbers
def respaced(T, n):
    k = torch.arange(n, 0, -1)
    return torch.div(2 * k * T + n, 2 * n, rounding_mode="floor") - 1

# %% 3.4 right: normalize, then clamp, sines by torch.where
def slerp(a, b, t):
    from torch.nn.functional import normalize

    cosine = (normalize(a.flatten(1)) * normalize(b.flatten(1))).sum(-1)
    angle = cosine.clamp(-1, 1).arccos().unsqueeze(-1).unsqueeze(-1).unsqueeze(-1)
    line = angle < 1e-6
    s = torch.where(line, torch.ones_like(angle), angle.sin())
    of_a = torch.where(line, torch.full_like(angle, 1 - t), ((1 - t) * angle).sin() / s)
    of_b = torch.where(line, torch.full_like(angle, t), (t * angle).sin() / s)
    return of_a * a + of_b * b

# %% 3.4 right: comprehension, a pair with itself is returned first
def slerp(a, b, t):
    def one(x, y):
        if torch.equal(x, y):
            return x
        x64, y64 = x.double(), y.double()
        th = torch.acos(((x64 * y64).sum() / x64.norm() / y64.norm()).clamp(-1, 1))
        return (((1 - t) * th).sin() * x64 / th.sin() + (t * th).sin() * y64 / th.sin()).to(x.dtype)

    return torch.stack([one(x, y) for x, y in zip(a, b)])

# %% 3.4 right: batched matrix product for the inner product
def slerp(a, b, t):
    x, y = a.flatten(1).double(), b.flatten(1).double()
    dot = torch.bmm(x[:, None, :], y[:, :, None])
    size = (x.square().sum(1) * y.square().sum(1)).sqrt()[:, None, None]
    th = (dot / size).clamp(-1, 1).acos()[..., None]
    w = torch.where(th.sin() < 1e-7, (1 - t), torch.sin((1 - t) * th) / th.sin())
    v = torch.where(th.sin() < 1e-7, t, torch.sin(t * th) / th.sin())
    return (w * a + v * b).to(a.dtype)

# %% 3.5 right: mean of squares with float64, variance by N / (N - 1)
def frechet_diagonal(x, y):
    def parts(f):
        f = f.double()
        n, m = f.shape[0], f.mean(0)
        var = (f.square().mean(0) - m.square()) * n / (n - 1)
        return m, var.clamp(min=0).sqrt()

    (a, s), (b, r) = parts(x), parts(y)
    return ((a - b) ** 2 + (s - r) ** 2).sum()

# %% 3.5 right: norm squared
def frechet_diagonal(x, y):
    return (x.mean(0) - y.mean(0)).norm() ** 2 + (x.std(0) - y.std(0)).norm() ** 2

# %% 3.5 right: transposed, statistics along the last axis
def frechet_diagonal(x, y):
    x, y = x.T, y.T
    moved = x.mean(-1) - y.mean(-1)
    wider = x.std(-1, correction=1) - y.std(-1, correction=1)
    return torch.dot(moved, moved) + torch.dot(wider, wider)

# %% 3.6 right: variance over k, its root
def interval(values, share=0.95):
    from scipy import stats

    runs = np.asarray(values, dtype=float)
    k, m = runs.shape[0], runs.mean()
    error = math.sqrt(runs.var(ddof=1) / k)
    q = stats.t(k - 1).ppf(1 - 0.5 * (1 - share))
    return m - q * error, m + q * error

# %% 3.6 right: std over k turned into std over k - 1
def interval(values, share=0.95):
    from scipy import stats

    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std() / (k - 1) ** 0.5
    return values.mean() - half, values.mean() + half

# %% 3.6 right: torch for mean and std
def interval(values, share=0.95):
    from scipy import stats

    v = torch.tensor(values, dtype=torch.float64)
    half = float(stats.t.ppf((1 + share) / 2, len(v) - 1)) * v.std().item() / len(v) ** 0.5
    return v.mean().item() - half, v.mean().item() + half
