"""Parameters of a lesson beside its budget: what is refused, and with which words."""

import pytest

import diffutils as du
from diffutils.course import parameters


@pytest.mark.parametrize("name", ["spirits", "", "folder:", "sprites:x", "npz", 3, None])
def test_unknown_data_sets_are_refused_with_the_list(name):
    with pytest.raises(ValueError, match="choose one of sprites, faces, .*folder:PATH"):
        parameters.dataset(name)


def test_data_sets(tmp_path):
    assert parameters.dataset("cifar10") == "cifar10"
    assert parameters.dataset(f"folder:{tmp_path}") == f"folder:{tmp_path}"
    with pytest.raises(ValueError, match="there is no .*nowhere"):
        parameters.dataset(f"folder:{tmp_path / 'nowhere'}")


def test_a_path_is_kept_in_full(tmp_path, monkeypatch):
    """A notebook may change its working directory; what was meant does not change with it."""
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("folder:mine", "folder:./mine", "folder:mine/../mine"):
        assert parameters.dataset(name) == f"folder:{tmp_path / 'mine'}"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parameters.dataset("folder:~/mine") == f"folder:{tmp_path / 'mine'}"
    (tmp_path / "link").symlink_to("mine")
    assert parameters.dataset("folder:link") == f"folder:{tmp_path / 'link'}"


@pytest.mark.parametrize("value", ["Auto", "always", True, None, 1])
def test_unknown_resume_is_refused(value, tmp_path):
    with pytest.raises(ValueError, match="choose one of auto, never"):
        du.lesson("01", "smoke", run_dir=str(tmp_path / "run"), resume=value)
    assert list(tmp_path.iterdir()) == []


def test_a_parameter_that_papermill_misspells_is_refused(tmp_path, write_notebook):
    """papermill itself only warns, and would run the lesson without it."""
    import papermill

    call = 'import diffutils as du\nlesson = du.lesson("01", "smoke", seed=seed, run_dir=run_dir)'
    path = write_notebook(tmp_path / "01.ipynb", "seed = 0  # s\nrun_dir = None  # r", call)
    given = {"run_dir": str(tmp_path / "run")}
    options = dict(kernel_name="python3", progress_bar=False)
    papermill.execute_notebook(path, tmp_path / "out.ipynb", given | {"seed": 3}, **options)
    with pytest.raises(papermill.PapermillExecutionError, match="no parameter 'sed'; choose from"):
        papermill.execute_notebook(path, tmp_path / "out.ipynb", given | {"sed": 3}, **options)


@pytest.mark.parametrize("seed", [2**53 + 1, str(2**53 + 1), 2**63 - 1, 3.0])
def test_a_seed_arrives_exactly(seed, tmp_path):
    assert du.lesson("02", "smoke", seed=seed, run_dir=str(tmp_path / "run")).seed == int(seed)
