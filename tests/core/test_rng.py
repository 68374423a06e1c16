"""Philox against published and independent numbers; its statistics; independence of the batch."""

import numpy as np
import pytest
import torch
from scipy import stats

from diffutils import rng

# counter, key -> output: the known answers for philox4x32-10 that come with Random123.
KNOWN = [
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


def philox_with_big_integers(counter, key):
    """The paper's rounds on Python's unbounded integers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(q >> 32) ^ c[1] ^ k[0], q % 2**32, (p >> 32) ^ c[3] ^ k[1], p % 2**32]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


@pytest.mark.parametrize("counter, key, answer", KNOWN)
def test_known_answers(counter, key, answer):
    out = rng.philox(tuple(torch.tensor([c]) for c in counter), key[0] | key[1] << 32)
    assert [int(w) for w in out] == answer
    assert philox_with_big_integers(counter, key) == answer


def test_random_counters_against_big_integers():
    draw = np.random.default_rng(0).integers(0, 2**32, (200, 4))
    for seed in (1, 2**32 - 1, 2**63 + 12345, 2**64 - 1):
        out = torch.stack(rng.philox(tuple(torch.from_numpy(draw).T), seed), 1)
        key = (seed % 2**32, seed >> 32)
        want = [philox_with_big_integers([int(x) for x in c], key) for c in draw]
        assert out.tolist() == want


def test_the_counter_is_block_index_step_stream():
    got = rng.words(7, 5, torch.tensor([3]), 6, stream=2)[0].tolist()
    want = [w for block in (0, 1) for w in philox_with_big_integers([block, 3, 5, 2], [7, 0])]
    assert got == want[:6]


def test_uniform_is_uniform_and_never_one():
    u = rng.uniform(0, 0, torch.arange(1000), 100)
    assert u.shape == (1000, 100) and u.dtype == torch.float32
    assert 0 <= float(u.min()) and float(u.max()) < 1
    assert torch.equal(u * 2**24, (u * 2**24).round())
    assert stats.kstest(u.flatten().numpy(), "uniform").pvalue > 0.01


def test_the_largest_word_gives_a_finite_normal_and_a_uniform_below_one(monkeypatch):
    for word in (0, 2**32 - 1):
        fixed = lambda seed, step, index, n, stream, w=word: torch.full((len(index), n), w)  # noqa: E731
        monkeypatch.setattr(rng, "words", fixed)
        assert 0 <= float(rng.uniform(0, 0, torch.arange(1), 1)) < 1
        assert bool(rng.normal(0, 0, torch.arange(1), (4,)).isfinite().all())


@pytest.mark.parametrize("seed, step", [(0, 0), (1, 0), (0, 1), (2**40, 99_999)])
def test_normal_is_normal(seed, step):
    z = rng.normal(seed, step, torch.arange(300), (3, 8, 8)).double()
    n = z.numel()
    assert stats.kstest(z.flatten().numpy(), "norm").pvalue > 0.001
    assert abs(float(z.mean())) < 4 / n**0.5
    assert abs(float(z.var()) - 1) < 4 * (2 / n) ** 0.5
    # the two numbers of one Box-Muller pair, and their squares, are uncorrelated
    a, b = z.flatten(1)[:, 0::2].flatten(), z.flatten(1)[:, 1::2].flatten()
    for x, y in ((a, b), (a**2, b**2)):
        assert abs(float(torch.corrcoef(torch.stack([x, y]))[0, 1])) < 4 / len(a) ** 0.5


def test_neighbouring_keys_are_uncorrelated():
    """Change one of seed, step, index, stream by one: correlations stay within 4 / sqrt(n)."""
    index = torch.arange(1, 201)
    base = rng.normal(3, 8, index, (100,), stream=rng.NOISE).flatten()
    others = {
        "seed": rng.normal(4, 8, index, (100,)),
        "high seed": rng.normal(3 + 2**32, 8, index, (100,)),
        "step": rng.normal(3, 9, index, (100,)),
        "index": rng.normal(3, 8, index + 1, (100,)),
        "stream": rng.normal(3, 8, index, (100,), stream=rng.START),
    }
    for name, other in others.items():
        r = float(torch.corrcoef(torch.stack([base, other.flatten()]))[0, 1])
        assert abs(r) < 4 / len(base) ** 0.5, name


@pytest.mark.parametrize("draw", [
    lambda index: rng.uniform(5, 7, index, 9),
    lambda index: rng.normal(5, 7, index, (3, 4, 4)),
    lambda index: rng.normal(5, 7, index, (3,)),
    lambda index: rng.normal(5, 7, index, ()),
])  # fmt: skip
def test_a_sample_does_not_depend_on_its_batch(draw):
    """Bit for bit: alone, in the whole batch, in another order, repeated."""
    whole = draw(torch.arange(20))
    assert all(torch.equal(draw(torch.tensor([i]))[0], whole[i]) for i in range(20))
    order = torch.tensor([19, 3, 3, 0, 11])
    assert torch.equal(draw(order), whole[order])


def test_more_numbers_begin_with_the_same_numbers():
    index = torch.arange(4)
    assert torch.equal(rng.uniform(0, 0, index, 50)[:, :13], rng.uniform(0, 0, index, 13))


def test_the_global_generator_is_left_alone():
    state = torch.get_rng_state()
    rng.normal(0, 0, torch.arange(3), (5,))
    rng.permutation(0, 0, 10)
    assert torch.equal(torch.get_rng_state(), state)


def test_permutations():
    """Every number once; other epochs and seeds differ; every position is equally likely."""
    for n in (1, 2, 7, 1000):
        assert rng.permutation(0, 0, n).sort().values.tolist() == list(range(n))
    assert not torch.equal(rng.permutation(0, 0, 1000), rng.permutation(0, 1, 1000))
    assert not torch.equal(rng.permutation(0, 0, 1000), rng.permutation(1, 0, 1000))
    counts = torch.zeros(5, 5)
    for epoch in range(800):
        counts[torch.arange(5), rng.permutation(9, epoch, 5)] += 1
    assert stats.chisquare(counts.flatten().numpy()).pvalue > 0.001
