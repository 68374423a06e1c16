"""The sweep's chart and table, against means and numbers worked out by hand."""

import pytest

from diffutils.course.experiments import charts
from diffutils.course.experiments.effects import Effect
from diffutils.viz.paper import figure

FLOOR = 2.0


def row(steps, eta=0.0, seed=0, frechet=4.0, sampler="respaced", **more):
    return (
        dict(
            sampler=sampler,
            steps=steps,
            eta=eta,
            seed=seed,
            N=5000,
            nfe=float(steps),
            frechet=frechet,
            seconds_per_image=0.01,
            kernel=0.5,
            kernel_low=0.25,
            kernel_high=0.75,
            agreement=None,
            frechet_floor=FLOOR,
            kernel_floor=0.125,
            precision=0.75,
            recall=0.5,
        )
        | more
    )


ROWS = [
    row(1000, 1.0, frechet=5.0),
    row(10, 1.0, frechet=30.0),
    row(50, frechet=8.0),
    row(10, frechet=10.0),
    row(10, seed=1, frechet=20.0),
    row(20, 0.5, frechet=16.0),
    row(20, 0.25, frechet=15.0),
    row(50, 1.0, frechet=900.0, sampler="unspaced skip"),
]


def lines_of(fig):
    return {line.get_label(): line for line in fig.axes[0].lines}


def test_lines_go_through_the_means():
    fig = charts.quality_against_calls(ROWS)
    lines = lines_of(fig)
    floor = lines.pop("floor: real against real, N = 5,000")
    assert set(floor.get_ydata()) == {FLOOR} and floor.is_dashed()
    drawn = {name: [*zip(*line.get_data(), strict=True)] for name, line in lines.items()}
    assert list(drawn.items()) == [
        ("DDIM, η = 0", [(10, 15), (50, 8)]),
        ("η = 0.25", [(20, 15)]),
        ("η = 0.5", [(20, 16)]),
        ("DDPM, η = 1", [(10, 30), (1000, 5)]),
        ("steps skipped, formula kept", [(50, 900)]),
    ]
    dots = [tuple(xy) for group in fig.axes[0].collections for xy in group.get_offsets().tolist()]
    assert sorted(dots) == sorted((r["nfe"], r["frechet"]) for r in ROWS)


def test_axes_are_logarithmic_with_plain_numbers():
    fig = charts.quality_against_calls(ROWS)
    fig.draw_without_rendering()
    (ax,) = fig.axes
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [t.get_text() for t in ax.get_xticklabels()] == ["10", "20", "50", "1,000"]
    assert not ax.get_xticklabels(minor=True)
    low, high = ax.get_ylim()
    shown = [t.get_text() for t in ax.get_yticklabels() if low <= t.get_position()[1] <= high]
    assert {"10", "100", "500"} <= set(shown) and low < FLOOR and 900 < high


def test_the_legend_names_every_line_and_covers_no_data():
    fig = charts.quality_against_calls(ROWS)
    fig.draw_without_rendering()
    (ax,) = fig.axes
    legend = ax.get_legend()
    assert [t.get_text() for t in legend.get_texts()] == list(lines_of(fig))
    box, page = legend.get_window_extent(), fig.bbox
    assert box.y1 < ax.xaxis.label.get_window_extent().y0
    assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0
    assert tuple(fig.get_size_inches()) == (6.0, 3.6)


def test_samplers_differ_by_colour_by_dash_and_by_marker():
    looks = [*charts.LOOKS.values(), *charts.BETWEEN]
    assert all(len(set(kind)) == len(looks) == 6 for kind in zip(*looks, strict=True))
    assert len({(color, marker) for color, _, marker in charts.OTHERS}) == 7
    shown = [
        (line.get_color(), line.get_marker())
        for line in lines_of(charts.quality_against_calls(ROWS)).values()
    ]
    assert len({color for color, _ in shown}) == len({marker for _, marker in shown}) == 6


def test_guidance_counts_its_calls():
    fig = charts.quality_against_calls([row(10, nfe=20.0), row(50, nfe=100.0)])
    assert list(lines_of(fig)["DDIM, η = 0"].get_xdata()) == [20, 100]


@pytest.mark.parametrize("least", [-0.25, 0.5])
def test_kernel_distances_around_zero_are_drawn_linear_there(least):
    rows = [row(10, kernel=300.0), row(20, kernel=least)]
    fig = charts.quality_against_calls(rows, "kernel")
    (ax,) = fig.axes
    low, high = ax.get_ylim()
    assert ax.get_yscale() == "symlog" and low < min(least, 0) and 300 < high < 3000
    height = ax.transScale.transform([(1, y) for y in (0, 1.5, 3, 300)])[:, 1]
    assert height[2] - height[1] == pytest.approx(height[1] - height[0])  # 3 = 300 / 100
    assert height[3] - height[2] < 10 * (height[2] - height[0])
    assert "kernel distance" in ax.get_ylabel()
    assert list(lines_of(fig)["0: no difference"].get_ydata()) == [0, 0]


def test_distances_that_are_all_zero_or_below():
    rows = [row(10, kernel=-1.0, kernel_floor=0.0)]
    (ax,) = charts.quality_against_calls(rows, "kernel").axes
    assert ax.get_yscale() == "linear" and ax.get_ylim()[0] < -1


def test_it_draws_into_given_axes():
    fig, (left, right) = figure(1, 2)
    assert charts.quality_against_calls(ROWS, "kernel", right) is fig
    assert not left.lines and len(right.lines) == 6


@pytest.mark.parametrize("draw", [charts.quality_against_calls, charts.table, charts.full_table])
def test_rows_that_say_nothing_are_refused(draw):
    with pytest.raises(ValueError, match="there are no rows; run a sweep"):
        draw([])
    with pytest.raises(ValueError, match="N = 150, 5000, but a distance depends on N"):
        draw([row(10), row(20, N=150)])


def test_table_of_the_main_numbers():
    """Ratios to a floor of 2, means over trainings of the means over seeds."""
    rows = [*ROWS, row(50, 1.0, frechet=6.0, training=1), row(50, 1.0, frechet=10.0, nfe=1000.0)]
    header, rule, *lines = charts.table(rows).splitlines()
    assert header.split() == ["Fréchet", "/", "floor,", "by", "NFE", "10", "20", "50", "1,000"]
    assert set(rule) == {"-"} and len({line.rindex("  ") for line in lines}) == 1
    assert [" ".join(line.split()) for line in lines] == [
        "DDIM, η = 0 7.5 - 4.0 -",  # 10 and 20 over 2 x 2
        "η = 0.25 - 7.5 - -",
        "η = 0.5 - 8.0 - -",
        "DDPM, η = 1 15.0 - 3.0 3.8",
        "steps skipped, formula kept - - 450.0 -",
    ]


def test_full_table():
    rows = [
        row(1000, 1.0, frechet=1234.5, agreement=0.5, kernel=-0.00123456),
        row(10, frechet=3.0, agreement=0.9, kernel=1.0, kernel_low=0.5, nfe=20.0),
        row(
            10,
            seed=1,
            agreement=0.8,
            kernel=2.0,
            kernel_high=3.0,
            seconds_per_image=0.02,
            nfe=20.0,
            frechet_floor=1.0,
            precision=0.25,
            recall=0.3,
        ),
        row(10, seed=2, frechet=3.5, agreement=0.85, kernel=1.5, seconds_per_image=9.0, nfe=20.0),
        row(50, 1.0, sampler="unspaced skip"),
    ]
    skip = "steps skipped, formula kept"
    header, rule, *lines = charts.full_table(rows).splitlines()
    assert header.split() == [
        "sampler",
        "steps",
        "NFE",
        "Fréchet",
        "/",
        "floor",
        "kernel",
        "(range)",
        "precision",
        "recall",
        "agreement",
        "ms",
        "/",
        "image",
        "rows",
    ]
    assert set(rule) == {"-"} and len(rule) >= max(map(len, lines))
    assert [" ".join(line.split()) for line in lines] == [
        # ratios 3/2, 4/1 and 3.5/2; the median of 10, 20 and 9,000 ms
        "DDIM, η = 0 10 20 3.50 2.4 1.50 (0.250 to 3.00) 0.58 0.43 85.0% 20.0 3",
        "DDPM, η = 1 1,000 1,000 1,234 617.2 -0.00123 (0.250 to 0.750) 0.75 0.50 50.0% 10.0 1",
        f"{skip} 50 50 4.00 2.0 0.500 (0.250 to 0.750) 0.75 0.50 - 10.0 1",
    ]
    assert len({line.rindex(" ") for line in lines}) == 1  # columns stand under each other


def walks(*names):
    return [row(n, sampler=name, frechet=10.0 + i) for i, name in enumerate(names) for n in (5, 9)]


def test_other_samplers_have_looks_of_their_own():
    names = [
        "Heun, rho = 7",
        "Euler, rho = 7",
        "Heun, phi*",
        "Euler, phi*",
        "Heun, tabulated",
        "Heun, log",
        "mine",
    ]
    fig = charts.quality_against_calls([*ROWS[:2], *walks(*names)])
    lines = lines_of(fig)
    assert list(lines)[:-1] == ["DDPM, η = 1", *names]  # in the order in which they appear
    look = {name: (line.get_color(), line.get_marker()) for name, line in lines.items()}
    assert look["Heun, rho = 7"] == look["Euler, rho = 7"]
    assert lines["Euler, phi*"].is_dashed() and not lines["Heun, phi*"].is_dashed()
    others = ["DDPM, η = 1", *names[::2], "Heun, log"]
    assert len({look[name] for name in others}) == len({look[name][0] for name in others}) == 6


def test_with_other_samplers_nothing_is_cut_off():
    names = [
        f"{solver}, {grid}"
        for grid in ("rho = 7", "phi*", "tabulated", "log")
        for solver in ("Euler", "Heun")
    ]
    fig = charts.quality_against_calls([*ROWS, *walks(*names)])
    fig.draw_without_rendering()
    (ax,) = fig.axes
    box, page = ax.get_legend().get_window_extent(), fig.bbox
    assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0
    assert box.y1 < ax.xaxis.label.get_window_extent().y0
    assert ax.get_window_extent().height > 180


def test_table_of_other_samplers():
    rows = [*walks("Heun, phi*", "Euler, log"), row(10)]
    for table, times in ((charts.full_table, 2), (charts.table, 1)):
        names = [line.split("  ")[0] for line in table(rows).splitlines()[2:]]
        assert names == ["DDIM, η = 0", *["Heun, phi*"] * times, *["Euler, log"] * times]


def test_arms_crossed_with_walks():
    """Ratios to the floor of 2: of training 0 (2 + 4)/2, of training 1 5, their mean 4."""
    rows = [
        row(9, sampler="Heun, a", arm="one", training=0, frechet=4.0),
        row(9, sampler="Heun, a", arm="one", training=0, frechet=8.0, seed=1),
        row(9, sampler="Heun, a", arm="one", training=1, frechet=10.0),
        row(9, 1.0, arm="two", training=0, frechet=5.0),
        row(9, sampler="Heun, a", arm="unnamed", training=0),
    ]
    walks = {"a": {"sampler": "Heun, a"}, "eta 1": {"sampler": "respaced", "eta": 1.0}}
    header, _, *lines = charts.crossed(rows, ["one", "none", "two"], walks).splitlines()
    assert header.split() == ["arm", "a", "eta", "1", "trainings"]
    assert [line.split() for line in lines] == [["one", "4.0", "-", "2"], ["two", "-", "2.5", "1"]]


def test_effects_as_a_table():
    """0.31 -/+ 0.01; of three such changes as the second none holds after Holm, p = 0.0247 each."""
    far = Effect("grid", "Heun", {0: 0.30, 1: 0.31, 2: 0.32}, {}, "trainings")
    shift = 0.02484 + 1e-4
    small = Effect("grid", "Euler", {k: shift + x for k, x in enumerate((-0.01, 0, 0.01))}, {}, "")
    left = Effect("other", "Heun", {}, {3: "no row of x"}, "trainings")
    header, _, *lines = charts.effects_table([far, small, left]).splitlines()
    assert header.split("  ")[0] == "change of" and header.endswith("verdict")
    assert [" ".join(line.split()) for line in lines] == [
        "grid Heun +36% (+33% to +40%) farther",
        "grid Euler +2.5% (+0.0% to +5.1%) farther, by less than a tenth",
        "other Heun - not run",
        "left out of the trainings: 3 (no row of x)",
    ]
    lines = charts.effects_table([far, *[small] * 3]).splitlines()
    assert lines[3].endswith("  equivalent within a tenth")
    few = charts.effects_table([small], [far, *[small] * 3]).splitlines()  # drawn with others
    assert few[2].endswith("equivalent within a tenth") and len(few) == 3


def test_effects_beside_their_ratio():
    above = Effect("grid", "Heun", {0: 0.9, 1: 0.9}, {}, "trainings")
    kernel = Effect("grid", "Heun", {0: 4.0, 1: 4.0}, {}, "trainings", relative=False)
    header, _, line = charts.beside_table([above], [kernel]).splitlines()
    assert header.endswith("  kernel distance, difference") and "above the floor" in header
    assert " ".join(line.split()) == "grid Heun +146% (+146% to +146%) +4 (+4 to +4)"


def test_kernel_distances_as_a_table():
    """Means over rows, whatever the floor."""
    rows = [row(9, kernel=far, seed=k) for k, far in enumerate((3.0, 6.0))] + [
        row(5, 1.0, kernel=-0.5)
    ]
    header, _, ddim, ddpm = charts.table(rows, "kernel").splitlines()
    assert header.split() == ["kernel", "distance,", "by", "NFE", "5", "9"]
    assert ddim.split()[-2:] == ["-", "4.50"] and ddpm.split()[-2:] == ["-0.500", "-"]
    with pytest.raises(ValueError, match="no metric 'fid'; choose from frechet, kernel"):
        charts.table(rows, "fid")


def test_rows_that_lack_numbers_are_refused_by_name():
    row = {"sampler": "a", "eta": 0.0, "nfe": 9, "N": 4, "frechet": 2.0, "frechet_floor": 1.0}
    with pytest.raises(ValueError, match="row 1 has no steps, kernel, "):
        charts.full_table([row])
    with pytest.raises(ValueError, match="row 1 has no N, sampler"):
        charts.table([{}])
    with pytest.raises(ValueError, match="no metric 'fid'; choose from frechet, kernel"):
        charts.quality_against_calls([row], "fid")
