"""What the folders around images say: which part is held out, and of which class each image is."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from diffutils.data.own.names import Names, some

STRAYS = 0.1  # share of the images that may lie beside class folders, and are left out
TRAIN = "train[-_]?val|training|train"
HELD = "validation|valid|val|testing|test|dev|evaluation|eval|held[-_]?out|holdout"
ROLES = ("train", "held")
ROLE = re.compile(
    rf"(?<![A-Za-z])(?i:(?P<train>{TRAIN})|(?P<held>{HELD}))(?:[-_]?[sS][eE][tT])?(?![a-z])"
)


@dataclass
class Layout:
    """The images that count, whether each is held out (None: the folders do not say), and classes.

    how: the split in words.  notes: what was decided, and what was left out.
    """

    images: list[str]
    held: dict[str, bool] | None = None
    classes: dict[str, str] = field(default_factory=dict)
    how: str = "one in ten held out, by content"
    notes: list[str] = field(default_factory=list)


def read(name: str, names: Names, label: str | None = None, tables: bool = False) -> Layout:
    """Split and classes as the folders give them.

    label: "folders" takes each first folder for a class, and no split; "none" reads no classes.
    tables: whether labels come from tables, so that folders give the split alone.
    Raises: ValueError for folders that can be read in two ways; it says how to choose.
    """
    # Find the folder that holds all, but for a few images beside it.
    root, (inside, loose), beside = "", _by_top(names.images, ""), []
    while len(inside) == 1 and len(loose) <= STRAYS * len(names.images):
        (top,) = inside
        _refuse_untrained(name, root, top, names)
        root += f"{top}/"
        beside += loose
        inside, loose = _by_top(inside[top], root)
    if label == "folders" and len(inside) < 2:
        few = "fewer than two folders with images to be classes"
        raise ValueError(f"{name} has {few}; leave label out")
    # Find the two parts.
    found = Layout(sorted(names.images))
    parts = {} if label == "folders" else _parts(name, root, inside, found.notes)
    if parts:
        rest = [f"{root}{top}/" for top in sorted({*inside} - {*parts})]
        found.held = {f: parts[top] == "held" for top in parts for f in inside[top]}
        found.images = sorted(found.held)
        if aside := len(names.images) - len(found.images):
            outside = f"{aside} images outside {' and '.join(sorted(parts))}"
            found.notes.append(f"{outside} are left out: {some([*rest, *loose, *beside])}")
        told = (" and ".join(f"{root}{t}/" for t in parts if parts[t] == k) for k in ROLES)
        found.how = "trained on {}, held out {}".format(*told)
    elif root:
        found.how += f", of {root}"
    # Find the classes.
    if label == "none" or tables:
        return found
    if parts:
        _classes_of_parts(name, root, inside, parts, found)
    else:
        files = [f for f in found.images if f.startswith(root)]
        found.classes, found.notes[:0] = _classes(name, root, files, label == "folders")
        lost = [f for f in found.images if f not in found.classes]
        if found.classes and lost:
            found.notes.append(_beside(lost, root))
    return found


def _refuse_untrained(name: str, root: str, top: str, names: Names) -> None:
    """Raise ValueError if `top`, which holds all images, is to be held out from an empty part."""
    beside = {f: f.removeprefix(root) for f in names.bare if f.startswith(root)}
    empty = [f for f, top in beside.items() if _role(top)[0] == "train" and "/" not in top]
    if _role(top)[0] == "held" and empty:
        why = "; ".join(names.left_out)
        raise ValueError(
            f"{name} has images in {root}{top}, but none in {some(empty)}, which should hold those "
            f"to train on; put some in, or give the path of {top} to split its images ({why})"
        )


def _role(folder: str) -> tuple[str, str]:
    """What a folder's name says: "train", "held" or "", and the rest of the name."""
    found = ROLE.search(folder)
    if not found:
        return "", folder
    rest = folder[: found.start()] + "*" + folder[found.end() :]
    return "train" if found["train"] else "held", rest.lower()


def _by_top(files: Iterable[str], root: str) -> tuple[dict[str, list[str]], list[str]]:
    """Files below root/ by their first folder, and those that lie in it without one."""
    inside, loose = defaultdict(list), []
    for file in files:
        top, slash, _ = file.removeprefix(root).partition("/")
        (inside[top] if slash else loose).append(file)
    return dict(inside), loose


def _parts(name: str, root: str, inside: dict[str, list[str]], notes: list[str]) -> dict[str, str]:
    """Which folders are parts of a split, "train" or "held"; empty where there is none."""
    # A pair has one name, but for the word: train and test, seg_train and seg_test.
    kinds = defaultdict(dict)
    for top in inside:
        kind, rest = _role(top)
        if kind:
            kinds[rest][top] = kind
    pairs = {rest: tops for rest, tops in kinds.items() if len({*tops.values()}) == 2}
    if "*" in pairs or len(pairs) == 1:
        return pairs.get("*") or next(iter(pairs.values()))
    alike = {top: kind for tops in kinds.values() for top, kind in tops.items()}
    # One part alone, or several that are no pair, may as well be classes.
    alone = len({*alike.values()}) == 1
    flat = not any(_by_top(inside[t], f"{root}{t}/")[0] for t in alike)
    a_class = "train" in {*alike.values()} and len(inside) - len(alike) > 1 or "*" not in kinds
    if alike and alone and flat and a_class:
        notes.append(f"{some(alike)} is taken for a class, like the folders beside it")
    elif alike:
        raise ValueError(
            f"{name}: the folders {some(root + t for t in inside)} can be read as a split, or as "
            f"classes, since {some(alike)} look like parts; name two of them train and test "
            "to split (links will do), give the path of one, or take all for classes by "
            'label="folders"'
        )
    # The split may lie within the classes.
    for top, files in inside.items():
        below = _by_top(files, f"{root}{top}/")[0]
        if {"train", "held"} <= {_role(folder)[0] for folder in below}:
            raise ValueError(
                f"{name}: {root}{top} holds {some(below)}, which can be read as a split within "
                f"each class, or as nothing but names; put the split above, as in train/{top}, or "
                'take all images of a class for one by label="folders"'
            )
    return {}


def _classes(
    name: str, root: str, files: list[str], forced: bool = False, known: Iterable[str] = ()
) -> tuple[dict[str, str], list[str]]:
    """Class of every file below root/, by its first folder; empty where there are no classes.

    A folder alone is no class, but for one of `known`: its folders are looked at instead.
    """
    # Look below folders that hold all.
    inside, loose = _by_top(files, root)
    while len(inside) == 1 and not loose and not {*inside} & {*known}:
        root += f"{next(iter(inside))}/"
        inside, loose = _by_top(files, root)
    if not inside or len(inside) == 1 and not {*inside} & {*known}:
        return {}, []
    # Leave out a few images beside them; many say that the folders may be no classes.
    if len(loose) > STRAYS * len(files) and not forced:
        raise ValueError(
            f"{name}: {len(loose)} images lie beside the folders {some(root + t for t in inside)}, "
            "which can be read as classes, or as nothing but folders; move the images into them, "
            'choose classes by label="folders", which leaves those images out, or all images '
            'without classes by label="none"'
        )
    notes = []
    below = {t: {*_by_top(of, f"{root}{t}/")[0]} for t, of in inside.items()}
    if deep := [f"{t}/{sub}" for t, subs in below.items() if len(subs) > 1 for sub in sorted(subs)]:
        notes.append(f"folders within classes are not read as classes: {some(deep)}")
    return {f: top for top, of in inside.items() for f in of}, notes


def _classes_of_parts(name: str, root: str, inside: dict, parts: dict, found: Layout) -> None:
    """Put the classes of both parts into `found`; the held-out ones should be among the others."""
    known = set()
    for kind in ROLES:
        for top in (t for t in parts if parts[t] == kind):
            classes, notes = _classes(name, f"{root}{top}/", inside[top], known=known)
            own = {*classes.values()}
            if own and known and not known & own:
                folders = f"the folders of {root}{top} ({some(sorted(own))})"
                found.notes.append(f"{folders} are no classes of the training part, and not read")
                continue
            if lost := [f for f in inside[top] if own and f not in classes]:
                found.notes.append(_beside(lost, f"{root}{top}/"))
            found.notes += notes
            found.classes |= classes
        known = {*found.classes.values()}


def _beside(files: list[str], root: str) -> str:
    place = f" of {root}" if root else ""
    return f"{len(files)} images beside the class folders{place} are left out: {some(files)}"
