"""Today's code beside an older commit's: its own files, in turn, and nothing left behind."""

import subprocess

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


def test_processes_take_turns(repository, monkeypatch):
    said = []

    def child(tree, batch, size):
        said.append((tree / "said.txt").read_text())
        return {"fit": float(said[-1])}

    monkeypatch.setattr(against, "child", child)
    seconds = against.rounds(repository, against.resolved(repository, "HEAD~1"), 3, 4, 16)
    assert "".join(said) == "122112"
    assert seconds == {"then/fit": [1.0] * 3, "now/fit": [2.0] * 3}


def test_a_process_measures_the_code_that_it_was_given(tmp_path):
    seconds = against.child(CHECKOUT, 2, 16)
    assert seconds.keys() == {"training step", "fit", "sampling"} and min(seconds.values()) > 0
    (tmp_path / "diffutils").mkdir()
    (tmp_path / "diffutils" / "__init__.py").write_text("raise ImportError('of another time')")
    with pytest.raises(RuntimeError, match="cannot be measured: ImportError: of another time"):
        against.child(tmp_path, 2, 16)
