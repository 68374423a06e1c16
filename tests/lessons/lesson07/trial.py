# Answers to lesson 07, right and wrong, of somebody who knew its tasks and not its checks.

# %% 7.1 right: two loops over places and weights
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    out = 0 * fine
    for k in range(2 * n):
        for i in range(len(h)):
            out[k] += h[i] * fine[(k + i - c) % (2 * n)]
    return 2 * out

# %% 7.1 right: shifts by roll, of torch or of numpy
def doubled(x, h):
    roll = torch.roll if torch.is_tensor(x) else np.roll
    c = len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = 2 * x
    return sum(h[i] * roll(fine, c - i) for i in range(len(h)))

# %% 7.1 right: Fourier transform of the filter and of the numbers
def doubled(x, h):
    a, b = np.asarray(x), np.asarray(h)
    n, c = len(a), len(b) // 2
    fine = np.zeros(2 * n)
    fine[::2] = a
    kernel = np.zeros(2 * n)
    kernel[: len(b)] = b
    kernel = np.roll(kernel, -c)
    out = 2 * np.fft.ifft(np.fft.fft(fine) * np.fft.fft(kernel)).real
    return torch.from_numpy(out) if torch.is_tensor(x) else out

# %% 7.1 right: each number spreads the filter around its own place
def doubled(x, h):
    n, c = len(x), len(h) // 2
    out = 0 * x.repeat(2)
    for j in range(n):
        for i in range(len(h)):
            out[(2 * j + c - i) % (2 * n)] += 2 * h[i] * x[j]
    return out

# %% 7.1 right: circular padding and conv1d, numpy there and back
def doubled(x, h):
    tx, th = torch.as_tensor(x), torch.as_tensor(h)
    c = len(th) // 2
    fine = torch.stack([tx, torch.zeros_like(tx)], dim=1).reshape(1, 1, -1)
    if c:
        fine = torch.cat([fine[..., -c:], fine, fine[..., :c]], dim=-1)
    out = 2 * torch.nn.functional.conv1d(fine, th.reshape(1, 1, -1))[0, 0]
    return out if torch.is_tensor(x) else out.numpy()

# %% 7.1 right: F.pad with mode circular
import torch.nn.functional as F

def doubled(x, h):
    as_array = isinstance(x, np.ndarray)
    if as_array:
        x, h = torch.tensor(x), torch.tensor(h)
    c = len(h) // 2
    fine = torch.zeros(2 * len(x), dtype=x.dtype)
    fine[0::2] = x
    padded = F.pad(fine[None, None], (c, c), mode="circular")
    y = 2 * F.conv1d(padded, h[None, None]).flatten()
    return y.numpy() if as_array else y

# %% 7.1 right: a circulant matrix
def doubled(x, h):
    n, c = len(x), len(h) // 2
    matrix = np.zeros((2 * n, 2 * n))
    for k in range(2 * n):
        for i, weight in enumerate(h):
            matrix[k, (k + i - c) % (2 * n)] += float(weight)
    if torch.is_tensor(x):
        matrix = torch.from_numpy(matrix)
    return 2 * matrix[:, ::2] @ x

# %% 7.1 right: einsum over a table of places
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for i in range(len(h))] for k in range(2 * n)]
    if torch.is_tensor(x):
        return 2 * torch.einsum("ki,i->k", fine[torch.tensor(places)], h)
    return 2 * np.einsum("ki,i->k", fine[np.array(places)], h)

# %% 7.1 right: table of places times h
def doubled(x, h):
    size, c = 2 * len(x), (len(h) - 1) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = (np.arange(size)[:, None] + np.arange(len(h))[None, :] - c) % size
    return fine[places] @ h * 2

# %% 7.1 right: three periods side by side, np.convolve, the middle one
def doubled(x, h):
    a, b = np.array(x), np.array(h)
    n = len(a)
    fine = np.zeros(2 * n)
    fine[::2] = a
    out = 2 * np.convolve(np.tile(fine, 3), b, mode="same")[2 * n : 4 * n]
    return torch.tensor(out) if torch.is_tensor(x) else out

# %% 7.1 right: no zeros at all, only the places where a number is
def doubled(x, h):
    n, c = len(x), len(h) // 2
    values = []
    for k in range(2 * n):
        total = 0.0
        for i in range(len(h)):
            place = (k + i - c) % (2 * n)
            if place % 2 == 0:
                total += float(h[i]) * float(x[place // 2])
        values.append(2 * total)
    if torch.is_tensor(x):
        return torch.tensor(values, dtype=torch.float64)
    return np.array(values)

# %% 7.1 right: even and odd results by half of the weights each
def doubled(x, h):
    roll = torch.roll if torch.is_tensor(x) else np.roll
    c, out = len(h) // 2, 0 * x.repeat(2)
    for i in range(len(h)):
        d = i - c
        if d % 2 == 0:
            out[::2] += h[i] * roll(x, -d // 2)
        else:
            out[1::2] += h[i] * roll(x, -(d + 1) // 2)
    return 2 * out

# %% 7.1 right: the symmetric filter in pairs around its middle
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    y = h[c] * fine
    for d in range(1, c + 1):
        left = fine[[(k - d) % (2 * n) for k in range(2 * n)]]
        right = fine[[(k + d) % (2 * n) for k in range(2 * n)]]
        y = y + h[c + d] * (left + right)
    return y * 2

# %% 7.1 right: helpers, and the factor as the ratio of the sizes
def with_zeros(x):
    fine = 0 * x.repeat(2)
    for j in range(len(x)):
        fine[2 * j] = x[j]
    return fine

def around(signal, weights):
    size, c = len(signal), len(weights) // 2
    result = 0 * signal
    for i, weight in enumerate(weights):
        result = result + weight * signal[[(k + i - c) % size for k in range(size)]]
    return result

def doubled(x, h):
    fine = with_zeros(x)
    return len(fine) / len(x) * around(fine, h)

# %% 7.1 wrong: factor forgotten
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: factor 4, as for images
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 4 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: root of 2, keeps the power
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 2**0.5 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: half instead of twice
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return sum(h[i] * fine[places[i]] for i in range(len(h))) / 2

# %% 7.1 wrong: factor twice, in the numbers and at the end
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = 2 * x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: zero before each number
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[1::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: all zeros at the end
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[:n] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: each number twice instead of zeros
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    fine[1::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: zeros beyond the ends instead of going around
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    out = 0 * fine
    for k in range(2 * n):
        for i in range(len(h)):
            if 0 <= k + i - c < 2 * n:
                out[k] += h[i] * fine[k + i - c]
    return 2 * out

# %% 7.1 wrong: np.convolve same, which ends in zeros
def doubled(x, h):
    fine = np.zeros(2 * len(x))
    fine[::2] = np.asarray(x)
    weights = np.asarray(h)
    c = len(weights) // 2
    out = 2 * np.convolve(fine, weights)[c : c + len(fine)]
    return torch.from_numpy(out) if torch.is_tensor(x) else out

# %% 7.1 wrong: mirrored at the ends
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    last = 2 * n - 1
    out = 0 * fine
    for k in range(2 * n):
        for i in range(len(h)):
            place = abs(k + i - c)
            place = place if place <= last else 2 * last - place
            out[k] += 2 * h[i] * fine[place]
    return out

# %% 7.1 wrong: last place held at the ends
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[min(max(k + i - c, 0), 2 * n - 1) for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: no % at all, negative places are fine and the others crash
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[k + i - c for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: centre forgotten
def doubled(x, h):
    n = len(x)
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: middle counted from 1
def doubled(x, h):
    n, c = len(x), (len(h) + 1) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: middle of the numbers instead of the filter's
def doubled(x, h):
    n = len(x)
    c = n // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: counts around n, not 2n
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % n for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: filters first, then puts the zeros in
def doubled(x, h):
    n, c = len(x), len(h) // 2
    places = [[(k + i - c) % n for k in range(n)] for i in range(len(h))]
    fine = 0 * x.repeat(2)
    fine[::2] = 2 * sum(h[i] * x[places[i]] for i in range(len(h)))
    return fine

# %% 7.1 wrong: always a tensor
def doubled(x, h):
    x, h = torch.as_tensor(x), torch.as_tensor(h)
    n, c = len(x), len(h) // 2
    fine = torch.zeros(2 * n, dtype=torch.float64)
    fine[::2] = x
    return 2 * sum(h[i] * torch.roll(fine, c - i) for i in range(len(h)))

# %% 7.1 wrong: always an array
def doubled(x, h):
    x, h = np.asarray(x), np.asarray(h)
    n, c = len(x), len(h) // 2
    fine = np.zeros(2 * n)
    fine[::2] = x
    return 2 * sum(h[i] * np.roll(fine, c - i) for i in range(len(h)))

# %% 7.1 wrong: torch.roll, crashes on arrays
def doubled(x, h):
    c = len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    return 2 * sum(h[i] * torch.roll(fine, c - i) for i in range(len(h)))

# %% 7.1 wrong: a list
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    taps = range(len(h))
    return [2 * sum(h[i] * fine[(k + i - c) % (2 * n)] for i in taps) for k in range(2 * n)]

# %% 7.1 wrong: three weights hard-coded
def doubled(x, h):
    n = len(x)
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - 1) % (2 * n) for k in range(2 * n)] for i in range(3)]
    return 2 * sum(h[i] * fine[places[i]] for i in range(3))

# %% 7.1 wrong: the worked filter, h not looked at
def doubled(x, h):
    n = len(x)
    fine = 0 * x.repeat(2)
    fine[::2] = x
    for j in range(n):
        fine[2 * j + 1] = (x[j] + x[(j + 1) % n]) / 2
    return fine

# %% 7.1 wrong: last weight forgotten
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h) - 1))

# %% 7.1 wrong: factor from the two means, 0 over 0 where the mean is 0
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    y = sum(h[i] * fine[places[i]] for i in range(len(h)))
    return y * x.mean() / y.mean()

# %% 7.1 wrong: adds the mean that is missing
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    y = sum(h[i] * fine[places[i]] for i in range(len(h)))
    return y + (x.mean() - y.mean())

# %% 7.1 wrong: divides by the middle weight, 2 in the worked value
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return sum(h[i] * fine[places[i]] for i in range(len(h))) / h[c]

# %% 7.1 wrong: divides by the weights that met a number, not one factor
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine, ones = 0 * x.repeat(2), 0 * x.repeat(2)
    fine[::2] = x
    ones[::2] = 1
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    y = sum(h[i] * fine[places[i]] for i in range(len(h)))
    share = sum(h[i] * ones[places[i]] for i in range(len(h)))
    return y / share

# %% 7.1 wrong: x.repeat(2) taken for each number twice, which it is in numpy alone
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = x.repeat(2)
    fine[1::2] = 0
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: doubles the caller's weights in place
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    h *= 2
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: doubles the caller's numbers in place
def doubled(x, h):
    n, c = len(x), len(h) // 2
    x *= 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: filtered in place, reads what it has written
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    for k in range(2 * n):
        fine[k] = 2 * sum(h[i] * fine[(k + i - c) % (2 * n)] for i in range(len(h)))
    return fine

# %% 7.1 wrong: no zero after the last number, 2n - 1 of them
def doubled(x, h):
    size, c = 2 * len(x) - 1, len(h) // 2
    fine = 0 * x.repeat(2)[:size]
    fine[::2] = x
    places = [[(k + i - c) % size for k in range(size)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: filter twice
def doubled(x, h):
    n, c = len(x), len(h) // 2
    y = 0 * x.repeat(2)
    y[::2] = 2 * x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    for _ in range(2):
        y = sum(h[i] * y[places[i]] for i in range(len(h)))
    return y

# %% 7.1 wrong: single precision zeros
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = torch.zeros(2 * n) if torch.is_tensor(x) else np.zeros(2 * n, dtype=np.float32)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(float(h[i]) * fine[places[i]] for i in range(len(h)))

# %% 7.1 wrong: a row of 2n, not 2n numbers
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[None, places[i]] for i in range(len(h)))

# %% 7.1 wrong: a list of lists as places, for torch one index of each axis
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    table = fine[[[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]]
    return 2 * h @ table

# %% 7.1 wrong: prints and returns nothing
def doubled(x, h):
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    print(2 * sum(h[i] * fine[places[i]] for i in range(len(h))))

# %% 7.1 wrong: filter at the start of the circle in the Fourier transform, not around 0
def doubled(x, h):
    a, b = np.asarray(x), np.asarray(h)
    fine = np.zeros(2 * len(a))
    fine[::2] = a
    out = 2 * np.fft.ifft(np.fft.fft(fine) * np.fft.fft(b, 2 * len(a))).real
    return torch.from_numpy(out) if torch.is_tensor(x) else out

# %% 7.2 right: impulses from eye, columns side by side
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.stack([resample(eye[j]) for j in range(n)], dim=1)

# %% 7.2 right: a loop, rows stacked and transposed
def matrix_of(resample, n):
    answers = []
    for j in range(n):
        impulse = torch.zeros(n, dtype=torch.float64)
        impulse[j] = 1.0
        answers.append(resample(impulse))
    return torch.stack(answers).T

# %% 7.2 right: m from a first call with zeros, then a matrix filled by columns
def matrix_of(resample, n):
    m = len(resample(torch.zeros(n, dtype=torch.float64)))
    U = torch.zeros(m, n, dtype=torch.float64)
    for j in range(n):
        e = torch.zeros(n, dtype=torch.float64)
        e[j] = 1
        U[:, j] = resample(e)
    return U

# %% 7.2 right: column_stack
def matrix_of(resample, n):
    return torch.column_stack([resample(row) for row in torch.eye(n).double()])

# %% 7.2 right: cat of columns
def matrix_of(resample, n):
    rows = torch.eye(n, dtype=torch.float64).unbind()
    return torch.cat([resample(e).unsqueeze(1) for e in rows], dim=1)

# %% 7.2 right: numpy in between
def matrix_of(resample, n):
    columns = [resample(torch.from_numpy(e)).numpy() for e in np.eye(n)]
    return torch.from_numpy(np.stack(columns, axis=1))

# %% 7.2 right: number by number
def matrix_of(resample, n):
    answers = [resample(e) for e in torch.eye(n, dtype=torch.float64)]
    m = answers[0].shape[0]
    U = torch.empty((m, n), dtype=torch.float64)
    for i in range(m):
        for j in range(n):
            U[i, j] = answers[j][i]
    return U

# %% 7.2 right: sum of outer products, answer times impulse
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return sum(torch.outer(resample(e), e) for e in eye)

# %% 7.2 right: einsum of answers and impulses
def matrix_of(resample, n):
    E = torch.eye(n, dtype=torch.float64)
    answers = torch.stack([resample(e) for e in E])
    return torch.einsum("jm,jn->mn", answers, E)

# %% 7.2 right: one_hot and map
def matrix_of(resample, n):
    places = torch.arange(n)
    impulses = torch.nn.functional.one_hot(places, n).to(torch.float64)
    return torch.vstack(list(map(resample, impulses))).mT

# %% 7.2 right: differences of steps
def matrix_of(resample, n):
    steps = torch.tril(torch.ones(n, n, dtype=torch.float64))
    answers = torch.stack([resample(step) for step in steps])
    before = torch.cat([torch.zeros_like(answers[:1]), answers[:-1]])
    return (answers - before).T

# %% 7.2 right: a random orthogonal basis, turned back
def matrix_of(resample, n):
    generator = torch.Generator().manual_seed(1)
    square = torch.randn(n, n, dtype=torch.float64, generator=generator)
    Q, _ = torch.linalg.qr(square)
    return torch.stack([resample(Q[:, j].contiguous()) for j in range(n)], dim=1) @ Q.T

# %% 7.2 right: difference of two answers, one place raised by 1
def matrix_of(resample, n):
    def ramp():
        return torch.linspace(-1, 1, n, dtype=torch.float64)

    base = resample(ramp()).clone()
    columns = []
    for j in range(n):
        x = ramp()
        x[j] += 1
        columns.append(resample(x) - base)
    return torch.stack(columns, 1)

# %% 7.2 right: one buffer for all impulses, each answer cloned
def matrix_of(resample, n):
    e, columns = torch.zeros(n, dtype=torch.float64), []
    for j in range(n):
        e.zero_()
        e[j] = 1
        columns.append(resample(e).clone())
    return torch.stack(columns, dim=-1)

# %% 7.2 right: nested lists of numbers
def matrix_of(resample, n):
    columns = []
    for j in range(n):
        impulse = torch.tensor([float(i == j) for i in range(n)], dtype=torch.float64)
        columns.append(resample(impulse).tolist())
    return torch.tensor([list(row) for row in zip(*columns)], dtype=torch.float64)

# %% 7.2 wrong: answers as rows, transposed
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.stack([resample(e) for e in eye])

# %% 7.2 wrong: float32 impulses
def matrix_of(resample, n):
    return torch.stack([resample(e) for e in torch.eye(n)], dim=1)

# %% 7.2 wrong: float32 impulses, converted at the end
def matrix_of(resample, n):
    return torch.stack([resample(e) for e in torch.eye(n)], dim=1).double()

# %% 7.2 wrong: whole numbers as impulses
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.int64)
    return torch.stack([resample(e) for e in eye], dim=1).to(torch.float64)

# %% 7.2 wrong: result in float32
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.stack([resample(e) for e in eye], dim=1).float()

# %% 7.2 wrong: all impulses in one call
def matrix_of(resample, n):
    return resample(torch.eye(n, dtype=torch.float64))

# %% 7.2 wrong: all impulses in one call, and transposed
def matrix_of(resample, n):
    return resample(torch.eye(n, dtype=torch.float64)).T

# %% 7.2 wrong: m taken for 2n
def matrix_of(resample, n):
    U = torch.zeros(2 * n, n, dtype=torch.float64)
    for j in range(n):
        e = torch.zeros(n, dtype=torch.float64)
        e[j] = 1
        U[:, j] = resample(e)
    return U

# %% 7.2 wrong: m taken for n
def matrix_of(resample, n):
    U = torch.zeros(n, n, dtype=torch.float64)
    for j, e in enumerate(torch.eye(n, dtype=torch.float64)):
        U[:, j] = resample(e)
    return U

# %% 7.2 wrong: the worked value, each number twice
def matrix_of(resample, n):
    return torch.eye(n, dtype=torch.float64).repeat_interleave(2, 0)

# %% 7.2 wrong: one buffer, answers that are views of it
def matrix_of(resample, n):
    e, columns = torch.zeros(n, dtype=torch.float64), []
    for j in range(n):
        e[j] = 1
        columns.append(resample(e))
        e[j] = 0
    return torch.stack(columns, dim=1)

# %% 7.2 wrong: impulse never taken back, sums of columns
def matrix_of(resample, n):
    e, columns = torch.zeros(n, dtype=torch.float64), []
    for j in range(n):
        e[j] = 1
        columns.append(resample(e.clone()))
    return torch.stack(columns, dim=1)

# %% 7.2 wrong: one impulse and its shifts, as if every function was shift invariant
def matrix_of(resample, n):
    e = torch.zeros(n, dtype=torch.float64)
    e[0] = 1
    first = resample(e)
    step = len(first) // n
    return torch.stack([torch.roll(first, step * j) for j in range(n)], dim=1)

# %% 7.2 wrong: one x and a division, rank 1
def matrix_of(resample, n):
    x = torch.linspace(1, 2, n, dtype=torch.float64)
    return torch.outer(resample(x), x) / (x @ x)

# %% 7.2 wrong: ones instead of an impulse
def matrix_of(resample, n):
    ones = torch.ones(n, dtype=torch.float64)
    return torch.stack([resample(ones) for _ in range(n)], dim=1)

# %% 7.2 wrong: a row of numbers in one call
def matrix_of(resample, n):
    return resample(torch.arange(n, dtype=torch.float64))

# %% 7.2 wrong: last column forgotten
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.stack([resample(eye[j]) for j in range(n - 1)], dim=1)

# %% 7.2 wrong: first column forgotten
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.stack([resample(eye[j]) for j in range(1, n)], dim=1)

# %% 7.2 wrong: counts impulses from 1, the last is the first
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.stack([resample(eye[(j + 1) % n]) for j in range(n)], dim=1)

# %% 7.2 wrong: columns in the reverse order
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.stack([resample(e) for e in eye.flip(0)], dim=1)

# %% 7.2 wrong: a list of columns
def matrix_of(resample, n):
    return [resample(e) for e in torch.eye(n, dtype=torch.float64)]

# %% 7.2 wrong: an array, which does not multiply a tensor
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return np.stack([resample(e).numpy() for e in eye], axis=1)

# %% 7.2 wrong: an array goes into resample
def matrix_of(resample, n):
    columns = [torch.as_tensor(resample(e)) for e in np.eye(n)]
    return torch.stack(columns, dim=1)

# %% 7.2 right: vmap
def matrix_of(resample, n):
    return torch.func.vmap(resample)(torch.eye(n, dtype=torch.float64)).T

# %% 7.2 right: Jacobian
def matrix_of(resample, n):
    x = torch.zeros(n, dtype=torch.float64)
    return torch.autograd.functional.jacobian(resample, x)

# %% 7.2 wrong: the pseudo-inverse
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.linalg.pinv(torch.stack([resample(e) for e in eye], dim=1))

# %% 7.2 wrong: rows that sum to 1
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    U = torch.stack([resample(e) for e in eye], dim=1)
    return U / U.sum(1, keepdim=True)

# %% 7.2 wrong: reshaped instead of transposed
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.cat([resample(e) for e in eye]).reshape(-1, n)

# %% 7.2 wrong: all answers in one row
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.cat([resample(e) for e in eye])

# %% 7.2 wrong: impulses as columns (n, 1)
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.cat([resample(eye[:, j : j + 1]) for j in range(n)], dim=1)

# %% 7.2 wrong: impulses as rows (1, n)
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.cat([resample(eye[j : j + 1]) for j in range(n)]).T

# %% 7.2 wrong: an axis too many
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.stack([resample(e)[:, None] for e in eye], dim=1)

# %% 7.2 wrong: rounded to whole numbers
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    return torch.stack([resample(e).round() for e in eye], dim=1)

# %% 7.2 wrong: impulses with the mean 1
def matrix_of(resample, n):
    impulses = n * torch.eye(n, dtype=torch.float64)
    return torch.stack([resample(e) for e in impulses], dim=1)

# %% 7.2 wrong: a function instead of the matrix
def matrix_of(resample, n):
    return lambda x: resample(x)

# %% 7.2 wrong: prints and returns nothing
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    print(torch.stack([resample(e) for e in eye], dim=1))

# %% 7.2 wrong: random numbers, one for each column, not divided out
def matrix_of(resample, n):
    noise = torch.randn(n, n, dtype=torch.float64)
    return torch.stack([resample(x) for x in noise], dim=1)

# %% 7.2 wrong: the product with its own transpose
def matrix_of(resample, n):
    eye = torch.eye(n, dtype=torch.float64)
    U = torch.stack([resample(e) for e in eye], dim=1)
    return U @ U.T

# %% 7.2 wrong: impulse as long as the answer
def matrix_of(resample, n):
    m = len(resample(torch.zeros(n, dtype=torch.float64)))
    eye = torch.eye(m, dtype=torch.float64)
    return torch.stack([resample(e) for e in eye], dim=1)

# %% 7.3 right: two sums, a quotient, a logarithm
def decibels(moved_first, moved_last, mask):
    error = (mask * (moved_last - moved_first).square()).sum()
    signal = (mask * moved_last.square()).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 right: difference of two logarithms
def decibels(moved_first, moved_last, mask):
    signal = torch.sum(mask * moved_last**2)
    error = torch.sum(mask * (moved_first - moved_last) ** 2)
    return 10 * torch.log10(signal) - 10 * torch.log10(error)

# %% 7.3 right: einsum
def decibels(moved_first, moved_last, mask):
    d = moved_first - moved_last
    signal = torch.einsum("hw,bchw,bchw->", mask, moved_last, moved_last)
    error = torch.einsum("hw,bchw,bchw->", mask, d, d)
    return 10 * (signal / error).log10()

# %% 7.3 right: numpy
def decibels(moved_first, moved_last, mask):
    a, b, w = (t.detach().numpy().astype(np.float64) for t in (moved_first, moved_last, mask))
    return 10 * np.log10(np.sum(w * b**2) / np.sum(w * (a - b) ** 2))

# %% 7.3 right: math.log10 of an ordinary number
import math

def decibels(moved_first, moved_last, mask):
    signal = float((moved_last**2 * mask).sum())
    error = float(((moved_first - moved_last) ** 2 * mask).sum())
    return 10.0 * math.log10(signal / error)

# %% 7.3 right: a loop over samples that adds up both
def decibels(moved_first, moved_last, mask):
    signal = error = 0
    for first, last in zip(moved_first, moved_last):
        signal = signal + (mask * last**2).sum()
        error = error + (mask * (first - last) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 right: a loop over samples and channels
def decibels(moved_first, moved_last, mask):
    B, C = moved_last.shape[:2]
    pairs = [(moved_first[b, c], moved_last[b, c]) for b in range(B) for c in range(C)]
    signal = sum(float((mask * last * last).sum()) for _, last in pairs)
    error = sum(float((mask * (first - last) ** 2).sum()) for first, last in pairs)
    return 10 * float(np.log10(signal / error))

# %% 7.3 right: means of both, the count goes away
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).mean()
    error = (mask * (moved_first - moved_last) ** 2).mean()
    return 10 * torch.log10(signal / error)

# %% 7.3 right: averages weighted by the mask
def decibels(moved_first, moved_last, mask):
    weight = mask.expand_as(moved_last)

    def power(images):
        return (weight * images**2).sum() / weight.sum()

    return 10 * torch.log10(power(moved_last) / power(moved_first - moved_last))

# %% 7.3 right: 20 times the logarithm of two norms under the root of the mask
def decibels(moved_first, moved_last, mask):
    root = mask.sqrt()
    signal = torch.linalg.vector_norm(root * moved_last)
    error = torch.linalg.vector_norm(root * (moved_first - moved_last))
    return 20 * torch.log10(signal / error)

# %% 7.3 right: error over signal, with a minus
def decibels(moved_first, moved_last, mask):
    error = (mask[None, None] * (moved_first - moved_last) ** 2).sum()
    signal = (mask[None, None] * moved_last**2).sum()
    return -10 * torch.log10(error / signal)

# %% 7.3 right: squares summed over samples and channels first, the mask after
def decibels(moved_first, moved_last, mask):
    signal = moved_last.pow(2).sum(dim=(0, 1))
    error = (moved_first - moved_last).pow(2).sum(dim=(0, 1))
    return 10 * torch.log10((mask * signal).sum() / (mask * error).sum())

# %% 7.3 right: flat images times the flat mask
def decibels(moved_first, moved_last, mask):
    last = moved_last.flatten(2)
    d = moved_first.flatten(2) - last
    weights = mask.flatten()
    ratio = (last**2 @ weights).sum() / (d**2 @ weights).sum()
    return (10 * ratio.log10()).item()

# %% 7.3 right: natural logarithm over ln 10
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last * moved_last).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return 10 * (signal / error).log() / np.log(10)

# %% 7.3 right: tensordot in double precision
def decibels(moved_first, moved_last, mask):
    a, b, w = moved_first.double(), moved_last.double(), mask.double()
    signal = torch.tensordot(b**2, w, dims=2).sum()
    error = torch.tensordot((a - b) ** 2, w, dims=2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: mask forgotten
def decibels(moved_first, moved_last, mask):
    signal = (moved_last**2).sum()
    error = ((moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: mask on the error alone
def decibels(moved_first, moved_last, mask):
    signal = (moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: mask on the signal alone
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = ((moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: mask squared too
def decibels(moved_first, moved_last, mask):
    signal = ((mask * moved_last) ** 2).sum()
    error = ((mask * (moved_first - moved_last)) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: mask squared by mse_loss
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).mean()
    error = torch.nn.functional.mse_loss(mask * moved_first, mask * moved_last)
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: mask as yes or no, above 0
def decibels(moved_first, moved_last, mask):
    inside = mask > 0
    signal = (moved_last[..., inside] ** 2).sum()
    error = ((moved_first - moved_last)[..., inside] ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: mask as yes or no, from a half on
def decibels(moved_first, moved_last, mask):
    inside = (mask >= 0.5).to(mask.dtype)
    signal = (inside * moved_last**2).sum()
    error = (inside * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: outside of the mask
def decibels(moved_first, moved_last, mask):
    signal = ((1 - mask) * moved_last**2).sum()
    error = ((1 - mask) * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: mask transposed
def decibels(moved_first, moved_last, mask):
    signal = (mask.T * moved_last**2).sum()
    error = (mask.T * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: mask with an axis in the wrong place
def decibels(moved_first, moved_last, mask):
    weight = mask[:, None]
    signal = (weight * moved_last**2).sum()
    error = (weight * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: power of f(T x)
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_first**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: error over signal
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(error / signal)

# %% 7.3 wrong: natural logarithm
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log(signal / error)

# %% 7.3 wrong: logarithm to base 2
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log2(signal / error)

# %% 7.3 wrong: 20 times, of a ratio of powers
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return 20 * torch.log10(signal / error)

# %% 7.3 wrong: 10 forgotten
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return torch.log10(signal / error)

# %% 7.3 wrong: the ratio itself
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return signal / error

# %% 7.3 wrong: 10 inside the logarithm
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return torch.log10(10 * signal / error)

# %% 7.3 wrong: root of both sums
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum().sqrt()
    error = (mask * (moved_first - moved_last) ** 2).sum().sqrt()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: a logarithm of each sample, averaged
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum(dim=(1, 2, 3))
    error = (mask * (moved_first - moved_last) ** 2).sum(dim=(1, 2, 3))
    return (10 * torch.log10(signal / error)).mean()

# %% 7.3 wrong: one number for each sample
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum(dim=(1, 2, 3))
    error = (mask * (moved_first - moved_last) ** 2).sum(dim=(1, 2, 3))
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: ratios of the samples averaged
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum(dim=(1, 2, 3))
    error = (mask * (moved_first - moved_last) ** 2).sum(dim=(1, 2, 3))
    return 10 * torch.log10((signal / error).mean())

# %% 7.3 wrong: a logarithm of each channel, averaged
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum(dim=(0, 2, 3))
    error = (mask * (moved_first - moved_last) ** 2).sum(dim=(0, 2, 3))
    return 10 * torch.log10(signal / error).mean()

# %% 7.3 wrong: the first sample alone
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last[0] ** 2).sum()
    error = (mask * (moved_first[0] - moved_last[0]) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: the first channel alone
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last[:, 0] ** 2).sum()
    error = (mask * (moved_first[:, 0] - moved_last[:, 0]) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: PSNR, greatest value instead of the power
def decibels(moved_first, moved_last, mask):
    mse = (mask * (moved_first - moved_last) ** 2).sum() / mask.expand_as(moved_last).sum()
    return 10 * torch.log10(moved_last.max() ** 2 / mse)

# %% 7.3 wrong: signal per pixel inside, error per pixel of all
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum() / mask.expand_as(moved_last).sum()
    error = (mask * (moved_first - moved_last) ** 2).mean()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: mean of the signal subtracted, a variance
def decibels(moved_first, moved_last, mask):
    signal = (mask * (moved_last - moved_last.mean()) ** 2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: difference of the squares
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first**2 - moved_last**2)).sum().abs()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: absolute values instead of squares
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last.abs()).sum()
    error = (mask * (moved_first - moved_last).abs()).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: square of the sum
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last).sum() ** 2
    error = (mask * (moved_first - moved_last)).sum() ** 2
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: something small added to the error
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(signal / (error + 1e-6))

# %% 7.3 wrong: signal and error over error
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10((signal + error) / error)

# %% 7.3 wrong: quotient of logarithms
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(signal) / torch.log10(error)

# %% 7.3 wrong: a ratio of each pixel, averaged
def decibels(moved_first, moved_last, mask):
    ratio = moved_last**2 / (moved_first - moved_last) ** 2
    return 10 * torch.log10((mask * ratio).sum() / mask.sum())

# %% 7.3 wrong: takes the difference in the caller's images
def decibels(moved_first, moved_last, mask):
    moved_first -= moved_last
    signal = (mask * moved_last**2).sum()
    error = (mask * moved_first**2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: squares the caller's images in place
def decibels(moved_first, moved_last, mask):
    error = (mask * (moved_first - moved_last) ** 2).sum()
    signal = moved_last.square_().mul_(mask).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: whole decibels
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return round(float(10 * torch.log10(signal / error)))

# %% 7.3 wrong: a text with the unit
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return f"{10 * torch.log10(signal / error):.1f} dB"

# %% 7.3 wrong: four axes of one number
def decibels(moved_first, moved_last, mask):
    axes = (0, 1, 2, 3)
    signal = (mask * moved_last**2).sum(dim=axes, keepdim=True)
    error = (mask * (moved_first - moved_last) ** 2).sum(dim=axes, keepdim=True)
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: prints and returns nothing
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    print(10 * torch.log10(signal / error))

# %% 7.3 wrong: channels averaged before the squares
def decibels(moved_first, moved_last, mask):
    first, last = moved_first.mean(1), moved_last.mean(1)
    signal = (mask * last**2).sum()
    error = (mask * (first - last) ** 2).sum()
    return 10 * torch.log10(signal / error)

# %% 7.3 wrong: minus and power in the wrong order
def decibels(moved_first, moved_last, mask):
    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last**2)).sum().abs()
    return 10 * torch.log10(signal / error)

# %% 7.4 right: average pool and repeat_interleave
def cells(z, w):
    mean = torch.nn.functional.avg_pool2d(w, kernel_size=2)
    spread = (z / 2 - mean).repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    return spread + w

# %% 7.4 right: nearest interpolation of z and of the means
import torch.nn.functional as F

def cells(z, w):
    big_z = F.interpolate(z, scale_factor=2, mode="nearest")
    big_mean = F.interpolate(F.avg_pool2d(w, 2), scale_factor=2, mode="nearest")
    return big_z / 2 + w - big_mean

# %% 7.4 right: six axes
def cells(z, w):
    B, C, H, W = z.shape
    blocks = w.reshape(B, C, H, 2, W, 2)
    blocks = blocks - blocks.mean(dim=(3, 5), keepdim=True)
    return (blocks + 0.5 * z[:, :, :, None, :, None]).reshape(B, C, 2 * H, 2 * W)

# %% 7.4 right: four slices with step 2
def cells(z, w):
    offsets = [(0, 0), (0, 1), (1, 0), (1, 1)]
    mean = sum(w[:, :, a::2, b::2] for a, b in offsets) / 4
    out = torch.empty_like(w)
    for a, b in offsets:
        out[:, :, a::2, b::2] = z / 2 + w[:, :, a::2, b::2] - mean
    return out

# %% 7.4 right: a loop over pixels
def cells(z, w):
    H, W = z.shape[-2:]
    result = w.clone()
    for i in range(H):
        for j in range(W):
            block = w[..., 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            mean = block.mean(dim=(-2, -1), keepdim=True)
            pixel = z[..., i : i + 1, j : j + 1] / 2
            result[..., 2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = pixel + block - mean
    return result

# %% 7.4 right: kron with a block of ones
def cells(z, w):
    ones = torch.ones(2, 2, dtype=z.dtype)
    return torch.kron(z / 2 - torch.nn.functional.avg_pool2d(w, 2), ones) + w

# %% 7.4 right: convolutions with ones, down and up
import torch.nn.functional as F

def cells(z, w):
    C = z.shape[1]
    ones = torch.ones(C, 1, 2, 2, dtype=w.dtype)
    sums = F.conv2d(w, ones, stride=2, groups=C)
    return w + F.conv_transpose2d(z / 2 - sums / 4, ones, stride=2, groups=C)

# %% 7.4 right: four cells as channels and back by pixel_shuffle
import torch.nn.functional as F

def cells(z, w):
    B, C, H, W = z.shape
    four = F.pixel_unshuffle(w, 2).reshape(B, C, 4, H, W)
    four = four - four.mean(2, keepdim=True) + z.unsqueeze(2) / 2
    return F.pixel_shuffle(four.reshape(B, 4 * C, H, W), 2)

# %% 7.4 right: numpy
def cells(z, w):
    zn, wn = z.numpy(), w.numpy()
    B, C, H, W = zn.shape
    mean = wn.reshape(B, C, H, 2, W, 2).mean(axis=(3, 5))
    shared = zn / 2 - mean
    return torch.from_numpy(shared.repeat(2, axis=2).repeat(2, axis=3) + wn)

# %% 7.4 right: matrices on both sides
def cells(z, w):
    H, W = z.shape[-2:]
    rows = torch.eye(H, dtype=z.dtype).repeat_interleave(2, 0)
    columns = torch.eye(W, dtype=z.dtype).repeat_interleave(2, 0)
    mean = rows.T @ w @ columns / 4
    return w + rows @ (z / 2 - mean) @ columns.T

# %% 7.4 right: lists of indices
def cells(z, w):
    H, W = z.shape[2], z.shape[3]
    i = torch.arange(2 * H) // 2
    j = torch.arange(2 * W) // 2
    mean = torch.nn.functional.adaptive_avg_pool2d(w, (H, W))
    return z[:, :, i][:, :, :, j] / 2 + w - mean[:, :, i[:, None], j]

# %% 7.4 right: einsum up, unfold down
def cells(z, w):
    B, C, H, W = z.shape
    mean = w.unfold(2, 2, 2).unfold(3, 2, 2).mean((-2, -1))
    ones = torch.ones(2, dtype=z.dtype)
    up = torch.einsum("bchw,i,j->bchiwj", z - 2 * mean, ones, ones)
    return w + up.reshape(B, C, 2 * H, 2 * W) / 2

# %% 7.4 right: what w has too much of, as a sum over 2
def coarse(fine):
    return (fine[..., ::2, :] + fine[..., 1::2, :]).unfold(-1, 2, 2).sum(-1) / 2

def cells(z, w):
    missing = z - coarse(w)
    block = missing[..., :, None, :, None].expand(*missing.shape[:-1], 2, missing.shape[-1], 2)
    return w + block.reshape(w.shape) / 2

# %% 7.4 right: number by number, over all axes
def cells(z, w):
    B, C, H, W = z.shape
    out = torch.zeros(B, C, 2 * H, 2 * W, dtype=z.dtype)
    for b in range(B):
        for c in range(C):
            for r in range(2 * H):
                for q in range(2 * W):
                    i, j = r // 2, q // 2
                    mean = w[b, c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean()
                    out[b, c, r, q] = z[b, c, i, j] / 2 + w[b, c, r, q] - mean
    return out

# %% 7.4 wrong: z not halved
def cells(z, w):
    shared = z - torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: a quarter of z
def cells(z, w):
    shared = z / 4 - torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: z over the root of 2
def cells(z, w):
    shared = z / 2**0.5 - torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: mean of w forgotten
def cells(z, w):
    return (z / 2).repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: mean of w added
def cells(z, w):
    shared = z / 2 + torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: w itself forgotten
def cells(z, w):
    shared = z / 2 - torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1)

# %% 7.4 wrong: half of everything
def cells(z, w):
    shared = z - torch.nn.functional.avg_pool2d(w, 2)
    return (shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w) / 2

# %% 7.4 wrong: sum of the four instead of their mean
def cells(z, w):
    shared = z / 2 - 4 * torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: sum over 2 instead of the mean
def cells(z, w):
    shared = z / 2 - 2 * torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: mean of all of w
def cells(z, w):
    big = z.repeat_interleave(2, -2).repeat_interleave(2, -1)
    return big / 2 + w - w.mean()

# %% 7.4 wrong: mean of each image
def cells(z, w):
    big = z.repeat_interleave(2, -2).repeat_interleave(2, -1)
    return big / 2 + w - w.mean(dim=(-2, -1), keepdim=True)

# %% 7.4 wrong: mean over the channels
def cells(z, w):
    big = z.repeat_interleave(2, -2).repeat_interleave(2, -1)
    return big / 2 + w - w.mean(dim=1, keepdim=True)

# %% 7.4 wrong: images side by side instead of cells
def cells(z, w):
    shared = z / 2 - torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat(1, 1, 2, 2) + w

# %% 7.4 wrong: z side by side, means in their place
def cells(z, w):
    mean = torch.nn.functional.avg_pool2d(w, 2)
    big_mean = mean.repeat_interleave(2, -2).repeat_interleave(2, -1)
    return z.repeat(1, 1, 2, 2) / 2 + w - big_mean

# %% 7.4 wrong: six axes in the wrong order
def cells(z, w):
    B, C, H, W = z.shape
    blocks = w.reshape(B, C, 2, H, 2, W)
    blocks = blocks - blocks.mean(dim=(2, 4), keepdim=True)
    return (blocks + z[:, :, None, :, None, :] / 2).reshape(B, C, 2 * H, 2 * W)

# %% 7.4 wrong: mean over rows alone
def cells(z, w):
    B, C, H, W = z.shape
    blocks = w.reshape(B, C, H, 2, W, 2)
    blocks = blocks - blocks.mean(dim=3, keepdim=True)
    return (blocks + z[:, :, :, None, :, None] / 2).reshape(w.shape)

# %% 7.4 wrong: pairs of the last axis alone
def cells(z, w):
    B, C, H, W = z.shape
    blocks = w.reshape(B, C, H, 2, W, 2)
    blocks = blocks - blocks.mean(dim=5, keepdim=True)
    return (blocks + z[:, :, :, None, :, None] / 2).reshape(w.shape)

# %% 7.4 wrong: smooth interpolation
def cells(z, w):
    shared = z / 2 - torch.nn.functional.avg_pool2d(w, 2)
    up = torch.nn.functional.interpolate(shared, scale_factor=2, mode="bilinear")
    return up + w

# %% 7.4 wrong: z smooth, means in blocks
import torch.nn.functional as F

def cells(z, w):
    up = F.interpolate(z, scale_factor=2, mode="bilinear", align_corners=False)
    return up / 2 + w - F.interpolate(F.avg_pool2d(w, 2), scale_factor=2)

# %% 7.4 wrong: a sliding mean, step 1
def cells(z, w):
    mean = torch.nn.functional.avg_pool2d(w, 3, stride=1, padding=1)
    return z.repeat_interleave(2, -2).repeat_interleave(2, -1) / 2 + w - mean

# %% 7.4 wrong: noise of its own
def cells(z, w):
    w = torch.randn_like(w)
    shared = z / 2 - torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: more noise on top
def cells(z, w):
    shared = z / 2 - torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w + torch.randn_like(w)

# %% 7.4 wrong: takes the mean off the caller's w
def cells(z, w):
    mean = torch.nn.functional.avg_pool2d(w, 2)
    w -= mean.repeat_interleave(2, -2).repeat_interleave(2, -1)
    return z.repeat_interleave(2, -2).repeat_interleave(2, -1) / 2 + w

# %% 7.4 wrong: halves the caller's z
def cells(z, w):
    z /= 2
    shared = z - torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: writes the cells into w
def cells(z, w):
    for a in range(2):
        for b in range(2):
            mean = torch.nn.functional.avg_pool2d(w, 2)
            w[..., a::2, b::2] += z / 2 - mean
    return w

# %% 7.4 wrong: square images alone
def cells(z, w):
    B, C, H, _ = z.shape
    blocks = w.reshape(B, C, H, 2, H, 2)
    blocks = blocks - blocks.mean(dim=(3, 5), keepdim=True)
    return (blocks + z[:, :, :, None, :, None] / 2).reshape(B, C, 2 * H, 2 * H)

# %% 7.4 wrong: one channel alone
def cells(z, w):
    ones = torch.ones(1, 1, 2, 2, dtype=w.dtype)
    sums = torch.nn.functional.conv2d(w, ones, stride=2)
    return w + torch.nn.functional.conv_transpose2d(z / 2 - sums / 4, ones, stride=2)

# %% 7.4 wrong: float32 block of ones in a convolution, crashes in double
def cells(z, w):
    C = z.shape[1]
    ones = torch.ones(C, 1, 2, 2)
    sums = torch.nn.functional.conv2d(w, ones, stride=2, groups=C)
    return w + torch.nn.functional.conv_transpose2d(z / 2 - sums / 4, ones, stride=2, groups=C)

# %% 7.4 wrong: rows and columns mixed up
def cells(z, w):
    shared = (z / 2 - torch.nn.functional.avg_pool2d(w, 2)).transpose(-1, -2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: wrong axes repeated
def cells(z, w):
    shared = z / 2 - torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, 1).repeat_interleave(2, 2) + w

# %% 7.4 wrong: half of w, as of z
def cells(z, w):
    shared = z / 2 - torch.nn.functional.avg_pool2d(w, 2) / 2
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w / 2

# %% 7.4 wrong: w of one standard deviation in each block
def cells(z, w):
    B, C, H, W = z.shape
    blocks = w.reshape(B, C, H, 2, W, 2)
    blocks = blocks - blocks.mean(dim=(3, 5), keepdim=True)
    blocks = blocks / blocks.std(dim=(3, 5), keepdim=True)
    return (blocks + z[:, :, :, None, :, None] / 2).reshape(w.shape)

# %% 7.4 wrong: z minus, w plus
def cells(z, w):
    shared = -z / 2 - torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: the coarse noise back instead of the cells
def cells(z, w):
    shared = z / 2 - torch.nn.functional.avg_pool2d(w, 2)
    fine = shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w
    return 2 * torch.nn.functional.avg_pool2d(fine, 2)

# %% 7.4 wrong: greatest of the four instead of the mean
def cells(z, w):
    shared = z / 2 - torch.nn.functional.max_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: mean of three, one slice forgotten
def cells(z, w):
    mean = (w[..., ::2, ::2] + w[..., 1::2, ::2] + w[..., ::2, 1::2]) / 3
    return (z / 2 - mean).repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: always double precision
def cells(z, w):
    shared = z.double() / 2 - torch.nn.functional.avg_pool2d(w.double(), 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w.double()

# %% 7.4 wrong: an array
def cells(z, w):
    zn, wn = z.numpy(), w.numpy()
    B, C, H, W = zn.shape
    shared = zn / 2 - wn.reshape(B, C, H, 2, W, 2).mean(axis=(3, 5))
    return shared.repeat(2, axis=2).repeat(2, axis=3) + wn

# %% 7.4 wrong: prints and returns nothing
def cells(z, w):
    shared = z / 2 - torch.nn.functional.avg_pool2d(w, 2)
    print(shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w)

# %% 7.4 wrong: arguments the other way round
def cells(w, z):
    shared = z / 2 - torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w

# %% 7.4 wrong: last cell chosen so that the sum fits
def cells(z, w):
    out = w.clone()
    others = w[..., ::2, ::2] + w[..., ::2, 1::2] + w[..., 1::2, ::2]
    out[..., 1::2, 1::2] = 2 * z - others
    return out

# %% 7.4 wrong: first sample alone, no batch
def cells(z, w):
    shared = z[0] / 2 - torch.nn.functional.avg_pool2d(w[0], 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w[0]

# %% 7.5 right: noise first
def turned_step(x_next, D, turn):
    e = x_next - D
    return turn(D) + e

# %% 7.5 right: picture out, turned picture in
def turned_step(x_next, D, turn):
    return x_next + turn(D) - D

# %% 7.5 right: change of the picture alone
def turned_step(x_next, D, turn):
    change = D - turn(D)
    return x_next - change

# %% 7.5 right: torch.sub and torch.add
def turned_step(x_next, D, turn):
    noise = torch.sub(x_next, D)
    return torch.add(turn(D), noise)

# %% 7.5 right: a copy of the state, changed in place
def turned_step(x_next, D, turn):
    state = x_next.clone()
    state -= D
    state += turn(D)
    return state

# %% 7.5 right: turn gets a copy
def turned_step(x_next, D, turn):
    noise = x_next - D
    picture = turn(D.clone())
    return picture + noise

# %% 7.5 right: sample by sample after one turn of all
def turned_step(x_next, D, turn):
    pictures = turn(D)
    states = [p + (x - d) for p, x, d in zip(pictures, x_next, D)]
    return torch.stack(states)

# %% 7.5 right: stack and sum with signs
def turned_step(x_next, D, turn):
    parts = torch.stack([x_next, -D, turn(D)])
    return parts.sum(dim=0)

# %% 7.5 right: einsum with weights 1, -1, 1
def turned_step(x_next, D, turn):
    weights = torch.tensor([1.0, -1.0, 1.0], dtype=x_next.dtype)
    return torch.einsum("k,kbchw->bchw", weights, torch.stack((x_next, D, turn(D))))

# %% 7.5 right: numpy
def turned_step(x_next, D, turn):
    noise = x_next.numpy() - D.numpy()
    return torch.from_numpy(turn(D).numpy() + noise)

# %% 7.5 right: helpers for both parts
def split(state, picture):
    return picture, state - picture

def join(picture, noise):
    return picture + noise

def turned_step(x_next, D, turn):
    picture, noise = split(x_next, D)
    return join(turn(picture), noise)

# %% 7.5 right: alpha of -1
def turned_step(x_next, D, turn):
    return torch.add(x_next, D, alpha=-1).add(turn(D))

# %% 7.5 right: filled pixel by pixel
def turned_step(x_next, D, turn):
    turned, out = turn(D), torch.empty_like(x_next)
    for i in range(x_next.shape[-2]):
        for j in range(x_next.shape[-1]):
            noise = x_next[..., i, j] - D[..., i, j]
            out[..., i, j] = turned[..., i, j] + noise
    return out

# %% 7.5 right: without gradients
def turned_step(x_next, D, turn):
    with torch.no_grad():
        eps = -(D - x_next)
        return eps + turn(D)

# %% 7.5 wrong: turns the state, noise and all
def turned_step(x_next, D, turn):
    return turn(x_next)

# %% 7.5 wrong: picture alone
def turned_step(x_next, D, turn):
    return turn(D)

# %% 7.5 wrong: nothing turned
def turned_step(x_next, D, turn):
    return D + (x_next - D)

# %% 7.5 wrong: noise turned, picture as it was
def turned_step(x_next, D, turn):
    return D + turn(x_next - D)

# %% 7.5 wrong: both turned, one after the other
def turned_step(x_next, D, turn):
    e = x_next - D
    return turn(D) + turn(e)

# %% 7.5 wrong: old picture left in
def turned_step(x_next, D, turn):
    return x_next + turn(D)

# %% 7.5 wrong: noise with the wrong sign
def turned_step(x_next, D, turn):
    e = D - x_next
    return turn(D) + e

# %% 7.5 wrong: turned picture taken out, the old put in
def turned_step(x_next, D, turn):
    return x_next - turn(D) + D

# %% 7.5 wrong: turned picture subtracted for the noise
def turned_step(x_next, D, turn):
    turned = turn(D)
    return turned + (x_next - turned)

# %% 7.5 wrong: turned twice
def turned_step(x_next, D, turn):
    return x_next - D + turn(turn(D))

# %% 7.5 wrong: turn called twice, result right
def turned_step(x_next, D, turn):
    change = turn(D) - D
    assert change.shape == turn(D).shape
    return x_next + change

# %% 7.5 wrong: turn called on each sample
def turned_step(x_next, D, turn):
    pictures = torch.cat([turn(D[b : b + 1]) for b in range(len(D))])
    return x_next - D + pictures

# %% 7.5 wrong: turn called on each sample without a batch
def turned_step(x_next, D, turn):
    return torch.stack([x - d + turn(d) for x, d in zip(x_next, D)])

# %% 7.5 wrong: first sample alone
def turned_step(x_next, D, turn):
    return x_next[:1] - D[:1] + turn(D[:1])

# %% 7.5 wrong: picture and state in one batch, not D alone
def turned_step(x_next, D, turn):
    picture, _ = turn(torch.cat([D, x_next])).chunk(2)
    return picture + x_next - D

# %% 7.5 wrong: state and noise turned, picture from their difference
def turned_step(x_next, D, turn):
    e = x_next - D
    return turn(x_next) - turn(e) + e

# %% 7.5 wrong: turns the state and adds the noise
def turned_step(x_next, D, turn):
    return turn(x_next) + x_next - D

# %% 7.5 wrong: turns the state, takes the picture out
def turned_step(x_next, D, turn):
    return turn(x_next) - D

# %% 7.5 wrong: turns the state minus the picture
def turned_step(x_next, D, turn):
    return turn(x_next - D)

# %% 7.5 wrong: new noise instead of the old
def turned_step(x_next, D, turn):
    e = x_next - D
    return turn(D) + e.std() * torch.randn_like(e)

# %% 7.5 wrong: more noise on top
def turned_step(x_next, D, turn):
    return x_next - D + turn(D) + torch.randn_like(D)

# %% 7.5 wrong: in place of the caller's state
def turned_step(x_next, D, turn):
    x_next -= D
    x_next += turn(D)
    return x_next

# %% 7.5 wrong: turned picture written into the caller's D
def turned_step(x_next, D, turn):
    e = x_next - D
    D[:] = turn(D)
    return D + e

# %% 7.5 wrong: adds the noise to what turn returned, which may be D itself
def turned_step(x_next, D, turn):
    turned = turn(D)
    turned += x_next
    turned -= D
    return turned

# %% 7.5 wrong: flips, whatever turn does
def turned_step(x_next, D, turn):
    return x_next - D + D.flip(-1)

# %% 7.5 wrong: rotates by a quarter, whatever turn does
def turned_step(x_next, D, turn):
    return x_next - D + torch.rot90(D, 1, dims=(-2, -1))

# %% 7.5 wrong: picture and noise
def turned_step(x_next, D, turn):
    return turn(D), x_next - D

# %% 7.5 wrong: prints and returns nothing
def turned_step(x_next, D, turn):
    print(x_next - D + turn(D))

# %% 7.5 wrong: an array
def turned_step(x_next, D, turn):
    return (x_next - D + turn(D)).numpy()

# %% 7.5 wrong: half of each picture
def turned_step(x_next, D, turn):
    return x_next - D + (D + turn(D)) / 2

# %% 7.5 wrong: noise counted twice
def turned_step(x_next, D, turn):
    e = x_next - D
    return x_next - D + turn(D) + e

# %% 7.5 wrong: the noise over the picture, a quotient
def turned_step(x_next, D, turn):
    return turn(D) * x_next / D

# %% 7.5 wrong: arguments mixed up
def turned_step(x_next, D, turn):
    return D - x_next + turn(x_next)

# %% 7.5 wrong: noise with its mean taken off
def turned_step(x_next, D, turn):
    e = x_next - D
    return turn(D) + e - e.mean()

# %% 7.5 wrong: clipped to the range of pictures
def turned_step(x_next, D, turn):
    return (x_next - D + turn(D)).clamp(-1, 1)

# %% 7.5 wrong: turn without its argument
def turned_step(x_next, D, turn):
    return x_next - D + turn

# %% 7.5 wrong: a turn back as well, called twice
def turned_step(x_next, D, turn):
    e = turn(turn(x_next - D))
    return turn(D) + e
