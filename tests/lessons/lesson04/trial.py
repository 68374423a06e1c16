# Answers to lesson 04, right and wrong, of somebody who knew the lesson and not its checks.
# Behind => stands the name that the check found, read over by a person.

# %% 4.1 right: one helper for the slope
def heun_step(x, sigma, sigma_next, D):
    def slope(y, s):
        return (y - D(y, s)) / s

    h = sigma_next - sigma
    d = slope(x, sigma)
    end = x + h * d
    if sigma_next == 0:
        return end
    return x + h * 0.5 * (d + slope(end, sigma_next))

# %% 4.1 right: returns D itself where sigma_next is 0
def heun_step(x, sigma, sigma_next, D):
    guess = D(x, sigma)
    if sigma_next == 0:
        return guess
    d = (x - guess) / sigma
    euler = x + (sigma_next - sigma) * d
    d2 = (euler - D(euler, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (d + d2) / 2

# %% 4.1 right: Euler's end plus half the change of slope
def heun_step(x, sigma, sigma_next, D):
    dt = sigma_next - sigma
    d = (x - D(x, sigma)) / sigma
    out = x + dt * d
    if sigma_next > 0:
        d_next = (out - D(out, sigma_next)) / sigma_next
        out = out + dt * (d_next - d) / 2
    return out

# %% 4.1 right: Euler's end as a blend of x and the guess
def heun_step(x, sigma, sigma_next, D):
    r = sigma_next / sigma
    g = D(x, sigma)
    euler = r * x + (1 - r) * g
    if r == 0:
        return euler
    first, second = (x - g) / sigma, (euler - D(euler, sigma_next)) / sigma_next
    return x - (sigma - sigma_next) * (first / 2 + second / 2)

# %% 4.1 right: mean of two steps from the old x
def heun_step(x, sigma, sigma_next, D):
    h = sigma_next - sigma
    one = x + h * (x - D(x, sigma)) / sigma
    if not sigma_next:
        return one
    two = x + h * (one - D(one, sigma_next)) / sigma_next
    return (one + two) / 2

# %% 4.1 right: loop over both ends, sum of the slopes
def heun_step(x, sigma, sigma_next, D):
    slopes, y = [], x
    for s in (sigma, sigma_next):
        if s == 0:
            break
        slopes.append((y - D(y, s)) / s)
        y = x + (sigma_next - sigma) * slopes[0]
    return x + (sigma_next - sigma) * sum(slopes) / len(slopes)

# %% 4.1 right: lambda for the slope, early exit first
def heun_step(x, sigma, sigma_next, D):
    f = lambda y, s: (y - D(y, s)) / s
    k1 = f(x, sigma)
    if sigma_next <= 0:
        return x - sigma * k1
    k2 = f(x - (sigma - sigma_next) * k1, sigma_next)
    return x - (sigma - sigma_next) * (k1 + k2) / 2

# %% 4.1 wrong: no special case, 0/0 at sigma_next = 0 => 0/0 at the end
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: Euler only => Euler
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    return x + (sigma_next - sigma) * d

# %% 4.1 wrong: second step goes on from Euler's end => from Euler's end
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    return euler + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: sum of the slopes, not their mean => no half
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next)

# %% 4.1 wrong: bracket missing, only the second slope is halved => second half on top
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next / 2)

# %% 4.1 wrong: second slope alone => second slope only
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    return x + (sigma_next - sigma) * (euler - D(euler, sigma_next)) / sigma_next

# %% 4.1 wrong: second slope divides by the old sigma => divided by old sigma
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (euler - D(euler, sigma_next)) / sigma
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: D at Euler's end asked with the old sigma => D at old level
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (euler - D(euler, sigma)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: D asked at the old x => D of old x
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (euler - D(x, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: second slope starts from the old x => D of new x only
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (x - D(euler, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: sign of the step, goes up => wrong way
def heun_step(x, sigma, sigma_next, D):
    h = sigma - sigma_next
    d = (x - D(x, sigma)) / sigma
    euler = x + h * d
    if sigma_next == 0:
        return euler
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    return x + h * (d + d_next) / 2

# %% 4.1 wrong: slope is (D - x) / sigma => wrong way
def heun_step(x, sigma, sigma_next, D):
    d = (D(x, sigma) - x) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (D(euler, sigma_next) - euler) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: Euler already below sigma_next = 0.05 => Euler at small sigma_next
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next < 0.05:
        return euler
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: Euler whenever sigma_next is below 1 (int) => Euler at small sigma_next
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if int(sigma_next) == 0:
        return euler
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: returns the old x at sigma_next = 0 => last step left out
def heun_step(x, sigma, sigma_next, D):
    if sigma_next == 0:
        return x
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: second slope set to 0 at the end, half a step => last step corrected
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    d_next = (euler - D(euler, sigma_next)) / sigma_next if sigma_next else 0
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: midpoint rule instead of Heun => midpoint
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    if sigma_next == 0:
        return x - sigma * d
    mid = (sigma + sigma_next) / 2
    y = x + (mid - sigma) * d
    return x + (sigma_next - sigma) * (y - D(y, mid)) / mid

# %% 4.1 wrong: changes x in place => edited in place
def heun_step(x, sigma, sigma_next, D):
    h = sigma_next - sigma
    d = (x - D(x, sigma)) / sigma
    euler = x + h * d
    if sigma_next == 0:
        return euler
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    x += h * (d + d_next) / 2
    return x

# %% 4.1 wrong: own D for N(0, 1), ignores the one that is given
def heun_step(x, sigma, sigma_next, D):
    own = lambda y, s: y / (1 + s**2)
    d = (x - own(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (euler - own(euler, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: only the special case's branch returns
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    x = x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: D's arguments swapped
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(sigma, x)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (euler - D(sigma_next, euler)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: division by sigma forgotten in both slopes => not divided
def heun_step(x, sigma, sigma_next, D):
    d = x - D(x, sigma)
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = euler - D(euler, sigma_next)
    return x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.1 wrong: returns Euler's and Heun's end => another type
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler, euler
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    return euler, x + (sigma_next - sigma) * (d + d_next) / 2

# %% 4.2 right: torch.hypot and its powers
def precondition(sigma, sigma_data):
    h = torch.hypot(sigma, torch.full_like(sigma, float(sigma_data)))
    return (sigma_data / h) ** 2, sigma * sigma_data / h, h.reciprocal()

# %% 4.2 right: rsqrt
def precondition(sigma, sigma_data):
    c_in = torch.rsqrt(sigma.square() + sigma_data**2)
    c_skip = sigma_data**2 * c_in**2
    c_out = sigma * sigma_data * c_in
    return c_skip, c_out, c_in

# %% 4.2 right: ratio of noise and data
def precondition(sigma, sigma_data):
    r = sigma / sigma_data
    c_skip = 1 / (1 + r * r)
    c_out = sigma / (1 + r * r).sqrt()
    c_in = 1 / (sigma_data * (1 + r * r).sqrt())
    return c_skip, c_out, c_in

# %% 4.2 right: c_out from its parabola at the best c_skip
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    c_skip = sigma_data**2 / total
    other = sigma**2 / total
    c_out = (other**2 * sigma_data**2 + c_skip**2 * sigma**2) ** 0.5
    return c_skip, c_out, total**-0.5

# %% 4.2 right: c_out = sigma times the root of c_skip
def precondition(sigma, sigma_data):
    c_skip = sigma_data**2 / (sigma_data**2 + sigma**2)
    return c_skip, sigma * torch.sqrt(c_skip), torch.sqrt(c_skip) / sigma_data

# %% 4.2 right: in float64, back to the type of sigma
def precondition(sigma, sigma_data):
    s = sigma.double()
    v = s.pow(2) + float(sigma_data) ** 2
    out = sigma_data**2 / v, s * sigma_data / v.sqrt(), 1 / v.sqrt()
    return tuple(o.to(sigma.dtype) for o in out)

# %% 4.2 right: variances as resistances in parallel
def precondition(sigma, sigma_data):
    parallel = 1 / (1 / sigma**2 + 1 / sigma_data**2)
    c_skip = parallel / sigma**2
    c_out = parallel**0.5
    c_in = c_out / (sigma * sigma_data)
    return c_skip, c_out, c_in

# %% 4.2 right: angle, cosine and sine
def precondition(sigma, sigma_data):
    angle = torch.atan(sigma.double() / sigma_data)
    c_skip = angle.cos() ** 2
    c_out = sigma_data * angle.sin()
    c_in = angle.cos() / sigma_data
    return c_skip.to(sigma), c_out.to(sigma), c_in.to(sigma)

# %% 4.2 wrong: c_skip upside down, sigma**2 over the total => noise on top
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return sigma**2 / total, sigma * sigma_data / total**0.5, 1 / total**0.5

# %% 4.2 wrong: root of the total missing in c_in => variance in c_in
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, sigma * sigma_data / total**0.5, 1 / total

# %% 4.2 wrong: root of the total missing in c_out => c_out over variance
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, sigma * sigma_data / total, 1 / total**0.5

# %% 4.2 wrong: c_in multiplies instead of dividing => c_in upside down
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, sigma * sigma_data / total**0.5, total**0.5

# %% 4.2 wrong: standard deviations added, not variances => total of spreads
def precondition(sigma, sigma_data):
    total = (sigma + sigma_data) ** 2
    return sigma_data**2 / total, sigma * sigma_data / total**0.5, 1 / total**0.5

# %% 4.2 wrong: c_skip = 0, wish 3 ignored => nothing skipped
def precondition(sigma, sigma_data):
    c_in = 1 / (sigma**2 + sigma_data**2) ** 0.5
    return torch.zeros_like(sigma), torch.full_like(sigma, sigma_data), c_in

# %% 4.2 wrong: c_skip = 1, the network predicts noise, wish 3 ignored => all skipped
def precondition(sigma, sigma_data):
    c_in = 1 / (sigma**2 + sigma_data**2) ** 0.5
    return torch.ones_like(sigma), sigma.clone(), c_in

# %% 4.2 wrong: data of spread 1, sigma_data ignored => sigma_data 1
def precondition(sigma, sigma_data):
    total = sigma**2 + 1
    return 1 / total, sigma / total**0.5, 1 / total**0.5

# %% 4.2 wrong: sigma_data = 0.5 hard-coded => sigma_data 0.5
def precondition(sigma, sigma_data):
    sigma_data = 0.5
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, sigma * sigma_data / total**0.5, 1 / total**0.5

# %% 4.2 wrong: negative c_out => negative root
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, -sigma * sigma_data / total**0.5, 1 / total**0.5

# %% 4.2 wrong: negative c_in => negative c_in
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, sigma * sigma_data / total**0.5, -1 / total**0.5

# %% 4.2 wrong: order c_in, c_out, c_skip => order
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return 1 / total**0.5, sigma * sigma_data / total**0.5, sigma_data**2 / total

# %% 4.2 wrong: c_skip with sigma_data instead of its square => spread on top of c_skip
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return sigma_data / total, sigma * sigma_data / total**0.5, 1 / total**0.5

# %% 4.2 wrong: c_out squared, its variance => variance in c_out
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, sigma**2 * sigma_data**2 / total, 1 / total**0.5

# %% 4.2 wrong: c_out forgets sigma_data => c_out without sigma_data
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, sigma / total**0.5, 1 / total**0.5

# %% 4.2 wrong: c_skip with root, as if signal and input were matched => root in c_skip
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return sigma_data / total**0.5, sigma * sigma_data / total**0.5, 1 / total**0.5

# %% 4.2 wrong: ** 1/2 for the root => roots halved, in brackets
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    root = total ** 1/2
    return sigma_data**2 / total, sigma * sigma_data / root, 1 / root

# %% 4.2 wrong: always shaped (B, 1, 1, 1) => another shape
def precondition(sigma, sigma_data):
    sigma = sigma.view(-1, 1, 1, 1)
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, sigma * sigma_data / total**0.5, 1 / total**0.5

# %% 4.2 wrong: mean level of the batch for all
def precondition(sigma, sigma_data):
    s = torch.ones_like(sigma) * sigma.mean()
    total = s**2 + sigma_data**2
    return sigma_data**2 / total, s * sigma_data / total**0.5, 1 / total**0.5

# %% 4.2 wrong: squares sigma in place => edited in place
def precondition(sigma, sigma_data):
    root = (sigma.square() + sigma_data**2).sqrt()
    c_out = sigma * sigma_data / root
    total = sigma.pow_(2) + sigma_data**2
    return sigma_data**2 / total, c_out, 1 / root

# %% 4.2 wrong: c_skip and c_in only, c_out left out => another type
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, 1 / total**0.5

# %% 4.2 wrong: c_skip kept at 0.001 or more
def precondition(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    c_skip = (sigma_data**2 / total).clamp(min=1e-3)
    return c_skip, sigma * sigma_data / total**0.5, 1 / total**0.5

# %% 4.2 wrong: Python numbers, fails for more than one level => another type
def precondition(sigma, sigma_data):
    s = float(sigma)
    total = s**2 + sigma_data**2
    return sigma_data**2 / total, s * sigma_data / math.sqrt(total), 1 / math.sqrt(total)

# %% 4.3 right: p / (1 - p) first
def sigma_of(p, c):
    return p / (1 - p) * c

# %% 4.3 right: a lambda
sigma_of = lambda p, c: -p * c / (p - 1)

# %% 4.3 right: c / (1 - p) less c
def sigma_of(p, c):
    rest = 1 - p
    return c * (1 - rest) / rest

# %% 4.3 right: names for top and bottom
def sigma_of(p, c):
    top = p * c
    bottom = 1.0 - p
    sigma = top / bottom
    return sigma

# %% 4.3 right: logit, tensors and numbers apart
def sigma_of(p, c):
    if isinstance(p, torch.Tensor):
        return torch.exp(torch.logit(p) + math.log(c))
    return c * p / (1 - p)

# %% 4.3 right: 1 / (1 - p) with power -1
def sigma_of(p, c):
    return c * p * (1 - p) ** -1

# %% 4.3 right: in float64, back to the type of p
def sigma_of(p, c):
    if not torch.is_tensor(p):
        return float(c) * float(p) / (1.0 - float(p))
    q = p.double()
    return (c * q / (1 - q)).to(p.dtype)

# %% 4.3 right: element by element
def sigma_of(p, c):
    def one(v):
        return c * v / (1 - v)

    if isinstance(p, torch.Tensor):
        return torch.tensor([one(v) for v in p.flatten().tolist()], dtype=p.dtype).view(p.shape)
    return one(p)

# %% 4.3 wrong: bracket missing, c * p / 1 - p => brackets
def sigma_of(p, c):
    return c * p / 1 - p

# %% 4.3 wrong: plus in the denominator => plus
def sigma_of(p, c):
    return c * p / (1 + p)

# %% 4.3 wrong: upside down => upside down
def sigma_of(p, c):
    return c * (1 - p) / (p + 1e-12)

# %% 4.3 wrong: c forgotten => c forgotten
def sigma_of(p, c):
    return p / (1 - p)

# %% 4.3 wrong: p forgotten on top => p lost on top
def sigma_of(p, c):
    return c / (1 - p)

# %% 4.3 wrong: sign, negative levels => negative
def sigma_of(p, c):
    return c * p / (p - 1)

# %% 4.3 wrong: the ruler itself, not its inverse => forth, not back
def sigma_of(p, c):
    return p / (p + c)

# %% 4.3 wrong: solved for a denominator of c - p => c for 1
def sigma_of(p, c):
    return c * p / (c - p + 1e-12)

# %% 4.3 wrong: 0.3 whatever c is => c is 0.3
def sigma_of(p, c):
    return 0.3 * p / (1 - p)

# %% 4.3 wrong: the worked value
def sigma_of(p, c):
    return c + 0 * p

# %% 4.3 wrong: p kept between 0.01 and 0.99
def sigma_of(p, c):
    p = p.clamp(0.01, 0.99) if torch.is_tensor(p) else min(max(p, 0.01), 0.99)
    return c * p / (1 - p)

# %% 4.3 wrong: small number in the denominator, 0.001
def sigma_of(p, c):
    return c * p / (1 - p + 1e-3)

# %% 4.3 wrong: tensors only
def sigma_of(p, c):
    return c * p / torch.ones_like(p).sub(p)

# %% 4.3 wrong: numbers only, math.exp
def sigma_of(p, c):
    if p == 0:
        return 0.0
    return math.exp(math.log(c) + math.log(p) - math.log(1 - p))

# %% 4.3 wrong: Python floats in a list => another type
def sigma_of(p, c):
    if torch.is_tensor(p):
        return [c * v / (1 - v) for v in p.flatten().tolist()]
    return c * p / (1 - p)

# %% 4.3 wrong: loses the shape of p => another shape
def sigma_of(p, c):
    p = torch.as_tensor(p, dtype=torch.float32).flatten()
    return c * p / (1 - p)

# %% 4.3 wrong: logarithm of the level => logarithm
def sigma_of(p, c):
    if torch.is_tensor(p):
        return (c * p / (1 - p)).log()
    return math.log(c * p / (1 - p) + 1e-12)

# %% 4.3 wrong: level cut at 1
def sigma_of(p, c):
    s = c * p / (1 - p)
    return s.clamp(max=1.0) if torch.is_tensor(s) else min(s, 1.0)

# %% 4.3 wrong: c squared
def sigma_of(p, c):
    return c**2 * p / (1 - p)

# %% 4.3 wrong: whole-number division
def sigma_of(p, c):
    return c * p // (1 - p)

# %% 4.3 wrong: multiplies p in place => edited in place
def sigma_of(p, c):
    rest = 1 - p
    p *= c
    return p / rest

# %% 4.3 wrong: searches a table of 1000 levels, nearest only
def sigma_of(p, c):
    levels = torch.linspace(0.002, 80, 1000)
    table = levels / (levels + c)
    if torch.is_tensor(p):
        near = (table - p.flatten()[:, None]).abs().argmin(1)
        return levels[near].view(p.shape).to(p.dtype)
    return float(levels[(table - p).abs().argmin()])

# %% 4.3 wrong: never ends, the two ends of the search do not move => endless
def sigma_of(p, c):
    low, high = 0.0, 1e6
    while high - low > 1e-9:
        middle = (low + high) / 2
        above = middle / (middle + c) > p
    return middle

# %% 4.4 right: torch.distributions.Normal and sigmoid
def other_weight(sigma, c, P_mean, P_std):
    u = sigma.log()
    normal = torch.distributions.Normal(P_mean, P_std).log_prob(u).exp()
    logistic = torch.sigmoid(u - math.log(c)) * torch.sigmoid(math.log(c) - u)
    return normal / logistic

# %% 4.4 right: logistic density as sigma c / (sigma + c)**2
def other_weight(sigma, c, P_mean, P_std):
    z = (torch.log(sigma) - P_mean) / P_std
    normal = torch.exp(-0.5 * z * z) / (P_std * math.sqrt(2 * math.pi))
    return normal * (sigma + c) ** 2 / (sigma * c)

# %% 4.4 right: both densities per unit of sigma
def other_weight(sigma, c, P_mean, P_std):
    p = torch.distributions.LogNormal(float(P_mean), float(P_std)).log_prob(sigma).exp()
    q = c / (sigma + c) ** 2
    return p / q

# %% 4.4 right: difference of log densities
def other_weight(sigma, c, P_mean, P_std):
    u = sigma.log()
    log_p = -((u - P_mean) ** 2) / (2 * P_std**2) - math.log(P_std) - 0.5 * math.log(2 * math.pi)
    log_q = math.log(c) + u - 2 * (sigma + c).log()
    return (log_p - log_q).exp()

# %% 4.4 right: -z**2 / 2, minus after the power
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = np.exp(1.0) ** (-z**2 / 2) / P_std / np.sqrt(2 * np.pi)
    phi = sigma / (sigma + c)
    return normal / (phi - phi**2)

# %% 4.4 right: level by level with math
def other_weight(sigma, c, P_mean, P_std):
    out = []
    for s in sigma.tolist():
        z = (math.log(s) - P_mean) / P_std
        normal = math.exp(-z * z / 2) / (P_std * math.sqrt(2 * math.pi))
        phi = s / (s + c)
        out.append(normal / (phi * (1 - phi)))
    return torch.tensor(out, dtype=sigma.dtype)

# %% 4.4 right: scipy's normal and logistic densities
def other_weight(sigma, c, P_mean, P_std):
    from scipy import stats

    u = np.log(sigma.double().numpy())
    ratio = stats.norm.pdf(u, P_mean, P_std) / stats.logistic.pdf(u, loc=np.log(c))
    return torch.from_numpy(ratio).to(sigma.dtype)

# %% 4.4 right: 1 - phi as c / (sigma + c)
def other_weight(sigma, c, P_mean, P_std):
    a, b = sigma / (sigma + c), c / (sigma + c)
    z2 = ((sigma.log() - P_mean) / P_std).square()
    return (-z2 / 2).exp().div(P_std * (2 * torch.pi) ** 0.5) / (a * b)

# %% 4.4 wrong: q / p => upside down
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return phi * (1 - phi) / normal

# %% 4.4 wrong: p only => phi uniform
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    return (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)

# %% 4.4 wrong: product instead of quotient => product
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return normal * phi * (1 - phi)

# %% 4.4 wrong: bracket missing, normal / phi * (1 - phi) => odds
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return normal / phi * (1 - phi)

# %% 4.4 wrong: logarithm of sigma forgotten => sigma, not its log
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: log10 => log10
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log10() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: only p per unit of sigma, factor 1/sigma does not cancel => normal per sigma
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (sigma * P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: only q per unit of sigma => logistic per sigma
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    return normal / (c / (sigma + c) ** 2)

# %% 4.4 wrong: 1 / P_std missing => spread not in front
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (2 * np.pi) ** 0.5
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: root of 2 pi missing => 2 pi without its root
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * 2 * np.pi)
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: 2 * np.pi ** 0.5, root of pi only => factor
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * 2 * np.pi ** 0.5)
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: normal not normalised at all => not normalised
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    phi = sigma / (sigma + c)
    return (-(z**2) / 2).exp() / (phi * (1 - phi))

# %% 4.4 wrong: exponent without the half => half forgotten
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2)).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: sign of the exponent, (-z)**2 => plus z^2
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = ((-z) ** 2 / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: z divided by the variance => variance in z
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std**2
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: P_std as a variance => spread is a variance
def other_weight(sigma, c, P_mean, P_std):
    u = sigma.log() - P_mean
    normal = (-(u**2) / (2 * P_std)).exp() / (2 * np.pi * P_std) ** 0.5
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: distribution function instead of density for q => phi for its density
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    return normal / (sigma / (sigma + c))

# %% 4.4 wrong: c = 0.3 hard-coded => c is 0.3
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + 0.3)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: EDM's -1.2 and 1.2 hard-coded => EDM's numbers
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() + 1.2) / 1.2
    normal = (-(z**2) / 2).exp() / (1.2 * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: P_mean added => plus P_mean
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() + P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: normal around ln c instead of P_mean => normal around ln c
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma / c).log() / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: weights normalised to mean 1 => mean 1
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    w = normal / (phi * (1 - phi))
    return w / w.mean()

# %% 4.4 wrong: weights cut at 1
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return (normal / (phi * (1 - phi))).clamp(max=1.0)

# %% 4.4 wrong: mean over the batch, one number => another shape
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    return (normal / (phi * (1 - phi))).mean()

# %% 4.4 wrong: takes the logarithm in place => edited in place
def other_weight(sigma, c, P_mean, P_std):
    phi = sigma / (sigma + c)
    z = (sigma.log_() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: math.log of a tensor, single levels only
def other_weight(sigma, c, P_mean, P_std):
    z = (math.log(sigma) - P_mean) / P_std
    normal = math.exp(-z * z / 2) / (P_std * math.sqrt(2 * math.pi))
    phi = sigma / (sigma + c)
    return normal / (phi * (1 - phi))

# %% 4.4 wrong: EDM's lambda put in as well
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * np.pi) ** 0.5)
    phi = sigma / (sigma + c)
    lam = (sigma**2 + 0.25) / (0.5 * sigma) ** 2
    return lam * normal / (phi * (1 - phi))

# %% 4.5 right: square of the correlation
def straightness(x, y):
    x, y = x - x.mean(), y - y.mean()
    return (x * y).sum() ** 2 / ((x * x).sum() * (y * y).sum())

# %% 4.5 right: np.corrcoef
def straightness(x, y):
    return np.corrcoef(x.double().numpy(), y.double().numpy())[0, 1] ** 2

# %% 4.5 right: np.polyfit of degree 1
def straightness(x, y):
    x, y = x.double().numpy(), y.double().numpy()
    slope, at0 = np.polyfit(x, y, 1)
    rest = y - (slope * x + at0)
    return float(1 - np.sum(rest**2) / np.sum((y - y.mean()) ** 2))

# %% 4.5 right: torch.linalg.lstsq with a column of ones
def straightness(x, y):
    A = torch.stack([x, torch.ones_like(x)], 1)
    fit = torch.linalg.lstsq(A, y[:, None]).solution
    rest = y - (A @ fit)[:, 0]
    return 1 - rest.square().sum() / (y - y.mean()).square().sum()

# %% 4.5 right: variances of rest and y, both over n - 1
def straightness(x, y):
    slope = ((x - x.mean()) * (y - y.mean())).mean() / (x - x.mean()).pow(2).mean()
    line = y.mean() + slope * (x - x.mean())
    return 1 - (y - line).var() / y.var()

# %% 4.5 right: scipy's linregress
def straightness(x, y):
    from scipy import stats

    return float(stats.linregress(x.numpy(), y.numpy()).rvalue ** 2)

# %% 4.5 right: school formula with sums, in float64
def straightness(x, y):
    n, x, y = len(x), x.double(), y.double()
    m = (n * (x * y).sum() - x.sum() * y.sum()) / (n * (x * x).sum() - x.sum() ** 2)
    b = (y.sum() - m * x.sum()) / n
    left = sum((float(v) - float(m * u + b)) ** 2 for u, v in zip(x, y))
    return 1 - left / float(((y - y.mean()) ** 2).sum())

# %% 4.5 right: explained over all, kept within 0 and 1
def straightness(x, y):
    x, y = x - x.mean(), y - y.mean()
    line = (x @ y) / (x @ x) * x
    return ((line @ line) / (y @ y)).clamp(0, 1)

# %% 4.5 right: cosine of the centred vectors, squared
def straightness(x, y):
    return torch.cosine_similarity(x - x.mean(), y - y.mean(), dim=0).square()

# %% 4.5 wrong: correlation not squared => correlation
def straightness(x, y):
    x, y = x - x.mean(), y - y.mean()
    return (x * y).sum() / ((x * x).sum() * (y * y).sum()).sqrt()

# %% 4.5 wrong: 1 - forgotten => what is left
def straightness(x, y):
    x, y = x - x.mean(), y - y.mean()
    slope = (x * y).sum() / (x * x).sum()
    return (y - slope * x).square().sum() / y.square().sum()

# %% 4.5 wrong: fraction upside down
def straightness(x, y):
    x, y = x - x.mean(), y - y.mean()
    slope = (x * y).sum() / (x * x).sum()
    return 1 - y.square().sum() / ((y - slope * x).square().sum() + 1e-12)

# %% 4.5 wrong: line through the origin => through the origin
def straightness(x, y):
    slope = (x * y).sum() / (x * x).sum()
    rest = y - slope * x
    return 1 - rest.square().sum() / (y - y.mean()).square().sum()

# %% 4.5 wrong: y varies around 0, not around its mean => total from 0
def straightness(x, y):
    u, v = x - x.mean(), y - y.mean()
    rest = v - (u * v).sum() / (u * u).sum() * u
    return 1 - rest.square().sum() / y.square().sum()

# %% 4.5 wrong: mean over n above, var over n - 1 below => n and n - 1
def straightness(x, y):
    u, v = x - x.mean(), y - y.mean()
    rest = v - (u * v).sum() / (u * u).sum() * u
    return 1 - rest.square().mean() / y.var()

# %% 4.5 wrong: slope from mean over n and var over n - 1 => slope, n and n - 1
def straightness(x, y):
    u, v = x - x.mean(), y - y.mean()
    rest = v - (u * v).mean() / x.var() * u
    return 1 - rest.square().sum() / v.square().sum()

# %% 4.5 wrong: adds first, then squares => constant
def straightness(x, y):
    x, y = x - x.mean(), y + 0.0
    slope = (x * y).sum() / (x * x).sum()
    rest = y - slope * x
    return 1 - rest.sum() ** 2 / y.sum() ** 2

# %% 4.5 wrong: absolute values instead of squares => not squared
def straightness(x, y):
    x, y = x - x.mean(), y - y.mean()
    slope = (x * y).sum() / (x * x).sum()
    return 1 - (y - slope * x).abs().sum() / y.abs().sum()

# %% 4.5 wrong: standard deviations instead of variances => spreads compared
def straightness(x, y):
    x, y = x - x.mean(), y - y.mean()
    slope = (x * y).sum() / (x * x).sum()
    return 1 - (y - slope * x).std() / y.std()

# %% 4.5 wrong: slope divided by sum y^2, x fitted on y => slope of x on y
def straightness(x, y):
    x, y = x - x.mean(), y - y.mean()
    slope = (x * y).sum() / (y * y).sum()
    return 1 - (y - slope * x).square().sum() / y.square().sum()

# %% 4.5 wrong: line from the first to the last point => ends joined
def straightness(x, y):
    slope = (y[-1] - y[0]) / (x[-1] - x[0])
    rest = y - (y[0] + slope * (x - x[0]))
    return 1 - rest.square().sum() / (y - y.mean()).square().sum()

# %% 4.5 wrong: places 0, 1, 2, ... instead of x
def straightness(x, y):
    x = torch.arange(len(y)).to(y)
    x, y = x - x.mean(), y - y.mean()
    slope = (x * y).sum() / (x * x).sum()
    return 1 - (y - slope * x).square().sum() / y.square().sum()

# %% 4.5 wrong: sorts x and y, each by itself => sorted
def straightness(x, y):
    x, y = x.sort().values, y.sort().values
    x, y = x - x.mean(), y - y.mean()
    slope = (x * y).sum() / (x * x).sum()
    return 1 - (y - slope * x).square().sum() / y.square().sum()

# %% 4.5 wrong: distance from the diagonal, no fit => line not fitted
def straightness(x, y):
    return 1 - (y - x).square().sum() / (y - y.mean()).square().sum()

# %% 4.5 wrong: parabola, polyfit of degree 2 => parabola
def straightness(x, y):
    x, y = x.double().numpy(), y.double().numpy()
    rest = y - np.polyval(np.polyfit(x, y, 2), x)
    return float(1 - np.sum(rest**2) / np.sum((y - y.mean()) ** 2))

# %% 4.5 wrong: adjusted R^2 => adjusted
def straightness(x, y):
    n = len(x)
    x, y = x - x.mean(), y - y.mean()
    r2 = (x * y).sum() ** 2 / ((x * x).sum() * (y * y).sum())
    return 1 - (1 - r2) * (n - 1) / (n - 2)

# %% 4.5 wrong: median of y for its mean below
def straightness(x, y):
    u, v = x - x.mean(), y - y.mean()
    rest = v - (u * v).sum() / (u * u).sum() * u
    return 1 - rest.square().sum() / (y - y.median()).square().sum()

# %% 4.5 wrong: returns the slope => slope
def straightness(x, y):
    x, y = x - x.mean(), y - y.mean()
    return (x * y).sum() / (x * x).sum()

# %% 4.5 wrong: no sum, one value a point => another shape
def straightness(x, y):
    x, y = x - x.mean(), y - y.mean()
    slope = (x * y).sum() / (x * x).sum()
    return 1 - (y - slope * x) ** 2 / (y**2).sum()

# %% 4.5 wrong: takes the means away in place => edited in place
def straightness(x, y):
    x -= x.mean()
    y -= y.mean()
    slope = (x * y).sum() / (x * x).sum()
    return 1 - (y - slope * x).square().sum() / y.square().sum()

# %% 4.5 wrong: centres x only
def straightness(x, y):
    x = x - x.mean()
    slope = (x * y).sum() / (x * x).sum()
    rest = y - slope * x
    return 1 - rest.square().sum() / (y - y.mean()).square().sum()

# %% 4.5 wrong: falling lines count as 0
def straightness(x, y):
    x, y = x - x.mean(), y - y.mean()
    r = (x * y).sum() / ((x * x).sum() * (y * y).sum()).sqrt()
    return r.clamp(min=0) ** 2

# %% 4.5 wrong: whole matrix of correlations => another shape
def straightness(x, y):
    return torch.corrcoef(torch.stack([x, y])) ** 2

# %% 4.5 wrong: cut to two digits
def straightness(x, y):
    x, y = x - x.mean(), y - y.mean()
    return round(float((x * y).sum() ** 2 / ((x * x).sum() * (y * y).sum())), 2)

# %% 4.1 right: solution's order, halves of both slopes
def heun_step(x, sigma, sigma_next, D):
    step = sigma_next - sigma
    d = (x - D(x, sigma)) / sigma
    x_e = x + step * d
    if sigma_next == 0.0:
        return x_e
    d2 = x_e / sigma_next - D(x_e, sigma_next) / sigma_next
    return x + step * d / 2 + step * d2 / 2

# %% 4.1 right: average of the slopes in one expression, conditional
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    e = x + (sigma_next - sigma) * d
    d2 = d if sigma_next == 0 else (e - D(e, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (0.5 * d + 0.5 * d2)

# %% 4.1 right: a helper that moves the old x along a slope
def heun_step(x, sigma, sigma_next, D):
    def move(d):
        return x + (sigma_next - sigma) * d

    d = (x - D(x, sigma)) / sigma
    if not sigma_next > 0:
        return move(d)
    e = move(d)
    return move((d + (e - D(e, sigma_next)) / sigma_next) / 2)

# %% 4.1 wrong: returns a flat tensor => another shape
def heun_step(x, sigma, sigma_next, D):
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler.reshape(-1)
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    return (x + (sigma_next - sigma) * (d + d_next) / 2).reshape(-1)

# %% 4.2 right: c_in first, the others from it
def precondition(sigma, sigma_data):
    c_in = (sigma * sigma + sigma_data * sigma_data) ** -0.5
    return (c_in * sigma_data) ** 2, c_in * sigma * sigma_data, c_in

# %% 4.2 right: exp of logs
def precondition(sigma, sigma_data):
    s, d = sigma.double().log(), math.log(sigma_data)
    total = torch.logaddexp(2 * s, torch.full_like(s, 2 * d))
    logs = 2 * d - total, s + d - total / 2, -total / 2
    return tuple(v.exp().to(sigma.dtype) for v in logs)

# %% 4.2 right: NumPy, level by level in a helper
def precondition(sigma, sigma_data):
    def three(s):
        v = s * s + sigma_data**2
        return sigma_data**2 / v, s * sigma_data / math.sqrt(v), 1 / math.sqrt(v)

    rows = np.array([three(s) for s in sigma.flatten().tolist()])
    return tuple(torch.tensor(rows[:, k], dtype=sigma.dtype).view(sigma.shape) for k in range(3))

# %% 4.3 right: divides by (1 - p) / c
def sigma_of(p, c):
    return p / ((1 - p) / c)

# %% 4.3 right: ratio form, sigma / c = p / (1 - p), pow
def sigma_of(p, c):
    odds = p * pow(1 - p, -1)
    return odds * c

# %% 4.3 right: c / (1 - p) - c in float64
def sigma_of(p, c):
    if torch.is_tensor(p):
        return (c / (1 - p.double()) - c).to(p.dtype)
    return c / (1 - p) - c

# %% 4.4 right: cosh form of the logistic density
def other_weight(sigma, c, P_mean, P_std):
    u = torch.log(sigma)
    q = 0.25 / torch.cosh((u - math.log(c)) / 2) ** 2
    z = (u - P_mean) / P_std
    return torch.exp(-z.square() / 2) / (math.sqrt(2 * math.pi) * P_std * q)

# %% 4.4 right: helper functions for p and q
def other_weight(sigma, c, P_mean, P_std):
    def p(u):
        return (2 * np.pi * P_std**2) ** -0.5 * (-((u - P_mean) ** 2) / (2 * P_std**2)).exp()

    def q(s):
        phi = s / (s + c)
        return phi * (1 - phi)

    return p(sigma.log()) / q(sigma)

# %% 4.4 right: 2 + ratio + its inverse for 1 / q
def other_weight(sigma, c, P_mean, P_std):
    z = (sigma.log() - P_mean) / P_std
    normal = torch.exp(-(z**2) / 2) / (P_std * (2 * math.pi) ** 0.5)
    return normal * (2 + sigma / c + c / sigma)

# %% 4.5 right: one minus rest over total, loops
def straightness(x, y):
    u, v = x.tolist(), y.tolist()
    n = len(u)
    mu, mv = sum(u) / n, sum(v) / n
    slope = sum((a - mu) * (b - mv) for a, b in zip(u, v)) / sum((a - mu) ** 2 for a in u)
    left = sum((b - mv - slope * (a - mu)) ** 2 for a, b in zip(u, v))
    return 1 - left / sum((b - mv) ** 2 for b in v)

# %% 4.5 right: slope times the slope of the other fit
def straightness(x, y):
    x, y = x.double() - x.double().mean(), y.double() - y.double().mean()
    xy = torch.dot(x, y)
    return (xy / torch.dot(x, x)) * (xy / torch.dot(y, y))

# %% 4.5 right: torch.corrcoef, one entry
def straightness(x, y):
    return torch.corrcoef(torch.stack((x, y)))[0, 1].pow(2)

# %% 4.6 right: logs, mean, std, three expm1
def change(a, b, t):
    d = torch.log(a) - torch.log(b)
    m = d.mean()
    h = t * d.std() / math.sqrt(len(d))
    return torch.expm1(m), torch.expm1(m - h), torch.expm1(m + h)

# %% 4.6 right: log of the ratio, plain floats
def change(a, b, t):
    ratio = torch.log(a / b)
    n = a.shape[0]
    m, s = float(ratio.mean()), float(ratio.std())
    h = t * s / n**0.5
    return math.exp(m) - 1, math.exp(m - h) - 1, math.exp(m + h) - 1

# %% 4.6 right: NumPy with ddof=1
def change(a, b, t):
    d = np.log(a.numpy()) - np.log(b.numpy())
    h = t * np.std(d, ddof=1) / np.sqrt(d.size)
    low, high = d.mean() - h, d.mean() + h
    return np.exp(d.mean()) - 1, np.exp(low) - 1, np.exp(high) - 1

# %% 4.6 right: the statistics module
def change(a, b, t):
    import statistics

    d = [math.log(x) - math.log(y) for x, y in zip(a.tolist(), b.tolist())]
    m = statistics.fmean(d)
    h = t * statistics.stdev(d) / math.sqrt(len(d))
    return tuple(math.expm1(v) for v in (m, m - h, m + h))

# %% 4.6 right: sum of squares by hand, on tensors
def change(a, b, t):
    d = a.log() - b.log()
    n = len(d)
    m = d.sum() / n
    s = (((d - m) ** 2).sum() / (n - 1)) ** 0.5
    h = t * s / n**0.5
    return [torch.exp(m) - 1, torch.exp(m - h) - 1, torch.exp(m + h) - 1]

# %% 4.6 right: one ratio, divided and multiplied by another
def change(a, b, t):
    d = (a / b).log()
    ratio = torch.exp(d.mean())
    off = torch.exp(t * d.std() / len(d) ** 0.5)
    return ratio - 1, ratio / off - 1, ratio * off - 1

# %% 4.6 right: a helper for the last step
def change(a, b, t):
    def share(x):
        return float(np.exp(x)) - 1

    d = (a.log() - b.log()).numpy()
    m = np.mean(d)
    h = t * d.std(ddof=1) / len(d) ** 0.5
    return share(m), share(m - h), share(m + h)

# %% 4.6 right: standard error by scipy
def change(a, b, t):
    from scipy import stats

    d = np.log(np.asarray(a) / np.asarray(b))
    m, se = d.mean(), stats.sem(d)
    return np.expm1(m), np.expm1(m - t * se), np.expm1(m + t * se)

# %% 4.6 right: one stacked tensor
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std() / d.numel() ** 0.5
    return torch.stack((m, m - h, m + h)).exp() - 1

# %% 4.6 right: variance of the mean first
def change(a, b, t):
    d = torch.log(a) - torch.log(b)
    var_of_mean = d.var() / len(d)
    h = t * var_of_mean.sqrt()
    return d.mean().exp() - 1, (d.mean() - h).exp() - 1, (d.mean() + h).exp() - 1

# %% 4.6 right: fractional powers, base 10
def change(a, b, t):
    d = torch.log10(a) - torch.log10(b)
    m = d.mean().item()
    h = t * d.std().item() / len(d) ** 0.5
    return 10**m - 1, 10 ** (m - h) - 1, 10 ** (m + h) - 1

# %% 4.6 wrong: ratio of the two means in place of m => ratio of means
def change(a, b, t):
    d = a.log() - b.log()
    m = torch.log(a.mean() / b.mean())
    h = t * d.std() / len(d) ** 0.5
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: ratios without logarithms => no logarithms
def change(a, b, t):
    r = a / b
    m = r.mean() - 1
    h = t * r.std() / len(r) ** 0.5
    return m, m - h, m + h

# %% 4.6 wrong: np.std divides by n => divided by n
def change(a, b, t):
    d = np.log(a.numpy()) - np.log(b.numpy())
    m, h = d.mean(), t * np.std(d) / np.sqrt(len(d))
    return np.exp(m) - 1, np.exp(m - h) - 1, np.exp(m + h) - 1

# %% 4.6 wrong: not divided by the root of n => no root of n
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std()
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: divided by n => over n
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std() / len(d)
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: unpaired, variances added => unpaired
def change(a, b, t):
    la, lb = a.log(), b.log()
    m = la.mean() - lb.mean()
    h = t * torch.sqrt(la.var() / len(la) + lb.var() / len(lb))
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: spreads of both logs subtracted => spreads subtracted
def change(a, b, t):
    la, lb = a.log(), b.log()
    m = la.mean() - lb.mean()
    h = t * (la.std() - lb.std()) / len(la) ** 0.5
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: ln b - ln a => b over a
def change(a, b, t):
    d = b.log() - a.log()
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: h taken back by itself and added => symmetric
def change(a, b, t):
    d = a.log() - b.log()
    c = d.mean().exp() - 1
    h = (t * d.std() / len(d) ** 0.5).exp() - 1
    return c, c - h, c + h

# %% 4.6 wrong: h added outside of exp => h after exp
def change(a, b, t):
    d = a.log() - b.log()
    m = d.mean()
    h = t * d.std() / len(d) ** 0.5
    return torch.exp(m) - 1, torch.exp(m) - h - 1, torch.exp(m) + h - 1

# %% 4.6 wrong: log10, then exp => log10
def change(a, b, t):
    d = torch.log10(a / b)
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: high end second => ends swapped
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return m.exp() - 1, (m + h).exp() - 1, (m - h).exp() - 1

# %% 4.6 wrong: low, middle, high => low end first
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return (m - h).exp() - 1, m.exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: -1 forgotten => -1 forgotten
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return m.exp(), (m - h).exp(), (m + h).exp()

# %% 4.6 wrong: -1 inside of exp => exp(m - 1)
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return torch.exp(m - 1), torch.exp(m - h - 1), torch.exp(m + h - 1)

# %% 4.6 wrong: per cent => per cent
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return tuple(100 * (x.exp() - 1) for x in (m, m - h, m + h))

# %% 4.6 wrong: logarithms returned => logarithms returned
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return m, m - h, m + h

# %% 4.6 wrong: t not used => t left out
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), d.std() / len(d) ** 0.5
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: looks the factor up itself, 95 % => own factor
def change(a, b, t):
    from scipy import stats

    d = a.log() - b.log()
    t = stats.t.ppf(0.975, len(d) - 1)
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: median of the log ratios => torch's median
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.median(), t * d.std() / len(d) ** 0.5
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: differences in shares of the mean of b => share of the mean
def change(a, b, t):
    d = (a - b) / b.mean()
    h = t * d.std() / len(d) ** 0.5
    return d.mean(), d.mean() - h, d.mean() + h

# %% 4.6 wrong: variance for s => variance
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.var() / len(d) ** 0.5
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: n**1/2 in brackets => n halved
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std() / (len(d) ** 1 / 2)
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: change and half width alone
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return m.exp() - 1, h

# %% 4.6 wrong: logs taken in place => edited in place
def change(a, b, t):
    d = a.log_() - b.log_()
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1

# %% 4.6 wrong: low end cut at 0
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return m.exp() - 1, ((m - h).exp() - 1).clamp(min=0), (m + h).exp() - 1

# %% 4.6 wrong: h doubled where the interval is asked for
def change(a, b, t):
    d = a.log() - b.log()
    m, h = d.mean(), t * d.std() / len(d) ** 0.5
    return m.exp() - 1, (m - 2 * h).exp() - 1, (m + 2 * h).exp() - 1

# %% 4.6 wrong: np.var of both logs, which divides by n => unpaired, by n
def change(a, b, t):
    la, lb = np.log(a.numpy()), np.log(b.numpy())
    m = la.mean() - lb.mean()
    h = t * np.sqrt((np.var(la) + np.var(lb)) / len(la))
    return np.exp(m) - 1, np.exp(m - h) - 1, np.exp(m + h) - 1

# %% 4.6 wrong: one value a training, no mean => another shape
def change(a, b, t):
    d = a.log() - b.log()
    h = t * d.std() / len(d) ** 0.5
    return d.exp() - 1, (d - h).exp() - 1, (d + h).exp() - 1
