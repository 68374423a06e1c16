"""Today's code beside an older commit's: its own files, in turn, and nothing left behind."""

import subprocess
from contextlib import contextmanager

import pytest

from diffutils.course.speed import against
from diffutils.weights.files import CHECKOUT


@pytest.fixture
def repository(tmp_path):
    """A checkout of two commits, of which the first says 1 and the second says 2."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    mine = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "init", "-q", folder], check=True)
    for number in "12":
        (folder / "said.txt").write_text(number)
        against.git(folder, "add", ".")
        against.git(folder, *mine, "commit", "-q", "-m", number)
    return folder


def test_a_worktree_holds_the_commit_and_is_gone_afterwards(repository):
    commit = against.resolved(repository, "HEAD~1")
    assert len(commit) == 40
    with pytest.raises(KeyError), against.worktree(repository, commit) as tree:
        assert (tree / "said.txt").read_text() == "1"
        raise KeyError
    assert not tree.exists()
    assert against.git(repository, "worktree", "list").count("\n") == 1
    assert (repository / "said.txt").read_text() == "2"


@pytest.mark.parametrize("commit", ["HEAD~9", "--help", "", "a\0b", "said.txt"])
def test_what_is_no_commit_is_refused(repository, commit):
    with pytest.raises(ValueError, match="git knows no commit"):
        against.resolved(repository, commit)


def test_an_installed_copy_has_no_commits(tmp_path):
    for checkout in (None, tmp_path):
        with pytest.raises(ValueError, match="needs the course's git checkout"):
            against.resolved(checkout, "HEAD")


def test_processes_take_turns_and_the_first_round_does_not_count(repository, monkeypatch):
    said = []

    @contextmanager
    def process(tree, batch, size):
        def ask(name):
            said.append((tree / "said.txt").read_text())
            return float(len(said))

        yield ask

    monkeypatch.setattr(against, "process", process)
    monkeypatch.setattr(against, "NAMES", ("fit",))
    seconds = against.rounds(repository, against.resolved(repository, "HEAD~1"), 2, 4, 16)
    assert "".join(said) == "122112"
    assert seconds == {"then/fit": [4.0, 5.0], "now/fit": [3.0, 6.0]}


def test_a_process_measures_the_code_that_it_was_given(tmp_path):
    with against.process(CHECKOUT, 2, 16) as ask:
        assert min(map(ask, against.NAMES)) > 0
    (tmp_path / "diffutils").mkdir()
    (tmp_path / "diffutils" / "__init__.py").write_text("raise ImportError('of another time')")
    words = "cannot be measured: ImportError: of another time"
    with pytest.raises(RuntimeError, match=words), against.process(tmp_path, 2, 16):
        pass


def test_the_code_of_another_place_is_not_measured(tmp_path, monkeypatch):
    """As where the tree has no package, and an installed one is found instead."""
    monkeypatch.setattr(against, "__file__", str(tmp_path / "says.py"))
    (tmp_path / "says.py").write_text("print('\"/elsewhere/diffutils/__init__.py\"')")
    words = "imported /elsewhere/diffutils/__init__.py, not the code in"
    with pytest.raises(RuntimeError, match=words), against.process(tmp_path, 2, 16):
        pass
