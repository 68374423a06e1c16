"""The group of all commands: errors as one sentence, exit codes, signals, output that never fails.

Exit codes: 0 done; 1 failed on the way; 2 refused, since the arguments or what they name are wrong;
130 stopped by Ctrl-C, 143 by SIGTERM, 129 as its terminal closed; 141 nobody reads the output any
more (`| head -1`).
"""

import atexit
import contextlib
import getpass
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import NoReturn

import click

from diffutils.weights import surroundings

PACKAGE = str(Path(__file__).resolve().parents[2])
ENDS = ("SIGTERM", "SIGHUP")  # the second one not on Windows
LONGEST = 600  # characters of a message
REFUSED = (ValueError, FileNotFoundError, FileExistsError, NotADirectoryError, BlockingIOError)
GOES_ON = "what was finished is kept, and the same command goes on or starts anew"
SETTINGS = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
SETTINGS += ("MPLCONFIGDIR", "XDG_CACHE_HOME")
NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "unable to allocate")


class Ended(click.ClickException):
    """The end of a command: a sentence, and an exit code."""

    def __init__(self, message: str, code: int):
        super().__init__(shown(message))
        self.exit_code = code

    def show(self, file=None) -> None:
        """As click's; of several processes the first one says what ends them all."""
        if surroundings.is_first() or self.exit_code == 1:
            super().show(file)


class Terminated(KeyboardInterrupt):
    """A signal that ends a command as Ctrl-C does, so that it leaves neither locks nor children."""


def _remember(context: click.Context, option, value: bool) -> None:
    context.meta["debug"] = value or context.meta.get("debug", False)


DEBUG = click.Option(
    ["--debug"], is_flag=True, expose_value=False, callback=_remember, is_eager=True,
    help="Also show where in the program an error arose.",
)  # fmt: skip


class Course(click.Group):
    """Commands that answer an error with one sentence; --debug, anywhere, adds its traceback."""

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.params.append(DEBUG)

    def add_command(self, command: click.Command, name: str | None = None) -> None:
        """Add a command that takes --debug too, unless it hands unknown options on."""
        super().add_command(command, name)
        for each in (command, *getattr(command, "commands", {}).values()):
            if not each.context_settings.get("ignore_unknown_options"):
                each.params.append(DEBUG)

    def main(self, *arguments, **settings):
        """As click's; text that the output has no letters for is written with question marks."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        with terminated():
            try:
                return super().main(*arguments, **settings)
            except OSError as error:  # of the output itself: --help into a full disk
                silence()
                sys.exit(141 if isinstance(error, BrokenPipeError) else 1)

    def invoke(self, context: click.Context):
        """Call the command.  Raises: click's exceptions alone."""
        try:
            at_home()
            return super().invoke(context)
        except click.ClickException as error:
            error.message = shown(error.message)
            raise
        except (click.Abort, click.exceptions.Exit):
            raise
        except BrokenPipeError:
            silence()
            raise click.exceptions.Exit(141) from None
        except KeyboardInterrupt as stop:
            logging.disable()  # what libraries would say of a kernel that went with us
            number = getattr(stop, "number", signal.SIGINT)
            raise Ended(f"stopped: {str(stop) or GOES_ON}", 128 + number) from None
        except Exception as error:
            if context.meta.get("debug"):
                traceback.print_exc()
            raise Ended(sentence(error), code_of(error)) from None


def sentence(error: Exception) -> str:
    """What an error says to the user."""
    said = str(error) or type(error).__name__
    if isinstance(error, MemoryError) or any(words in said.lower() for words in NO_MEMORY):
        cure = "take fewer or smaller images, a smaller batch or a smaller network"
        return f"the memory does not suffice ({said.splitlines()[0]}); {cure}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if expected(error):
        return said
    return f"{type(error).__name__}: {said}; call it again with --debug to see where this arose"


def code_of(error: Exception) -> int:
    """2 for what was refused, 1 for what failed."""
    return 2 if isinstance(error, REFUSED) and expected(error) else 1


def expected(error: Exception) -> bool:
    """Whether the sentence is for users: of the system, or raised by this package itself."""
    if not isinstance(error, ValueError | OSError | FloatingPointError):
        return False
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, OSError) or not frames or frames[-1].filename.startswith(PACKAGE)


def shown(message: str) -> str:
    """A message in one line of readable length, without what would steer a terminal."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(str(message).split()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2]} ... {line[-LONGEST // 2 :]}"


def at_home() -> None:
    """Give libraries a folder for their settings, where the user has no home that can be written.

    A user whom the system does not know gets it as home, and a name.
    """
    try:
        getpass.getuser()
    except (KeyError, OSError):
        os.environ["USER"] = str(os.getuid())
    try:
        if Path.home().is_dir() and os.access(Path.home(), os.W_OK):
            return
        names = SETTINGS
    except RuntimeError:
        names = ("HOME", *SETTINGS)
    place = tempfile.mkdtemp(prefix="diffutils-home-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    for name in names:
        os.environ.setdefault(name, place)


def silence() -> None:
    """Point streams that cannot be written at nothing, or Python's end would fail on them again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextlib.contextmanager
def terminated():
    """Raise `Terminated` where SIGTERM, or the end of the terminal, finds the main thread."""

    def stop(number, frame):
        error = Terminated()
        error.number = number
        raise error

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ENDS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] is not signal.SIG_IGN:  # of nohup
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, before[number])


def become(command: list[str], folder: Path, environment=os.environ) -> NoReturn:
    """Run a command in this process's place, in a folder: signals and the terminal are its own."""
    if os.name == "nt":  # there exec would return to the shell at once
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(subprocess.run(command, cwd=folder, env=environment).returncode)
    os.chdir(folder)
    os.execve(command[0], command, environment)
