"""Heroes, monsters and plants: parts of `sprites`, pixel art written as text.

A part is `(y, x, art)` on a 12 x 12 canvas; `x=None` centres it. Rows are separated by `/`; a row
that ends in `|` is mirrored. Letters: `a b c d` are four materials of the palette, shaded later;
capitals ask for a highlight of that material; `k` dark, `w` white, `g` glass, `.` leaves what is
there, `_` erases; `1 2 3 4` paint a, b, c, d only over a material or glass. A family is a list of
slots, painted in order; a shape takes one part from each slot.
"""

NONE = (0, 0, ".")

HERO_HEADS = [
    (2, 2, ".dddddd./ddddkddk/ddddkddk/.dddddd."),
    (2, 2, ".dddddd./ddkddkdd/ddkddkdd/.dddddd."),
    (2, 2, ".dddddd./ddddkddk/dccccccc/.cccccc."),
    (2, 2, ".dddddd./dkwkkwkd/dddddddd/.dddddd."),
]
HERO_HATS = [
    (1, 1, "..aaaaaa../.aAaaaaaa./.aaa....../.aa......."),
    (0, 1, "....aa..../...aAaa.../aaaaaaaaaa"),
    (0, 2, "a..aa..a/aAaaaaaa/acaaccaa"),
    (1, 1, "..aaaaaa../.aAaaaaaa./.aa....aa./.aa....aa."),
    (1, 1, "..aaaaaa.../.aAaaaaaaa"),
    (0, 1, "w........w/wwaaaaaaww/.aAaaaaaa."),
    (1, 1, "..aaaaaa../.aAaaaaaa./aaa....../aaa......./aaa......./.aa......"),
    (1, 1, "..aaaaaa../.aAaaaaaa./.cccccccc./cc......../.c........"),
]
HERO_BODIES = [
    (6, 2, "bbBbbbbb/dbccccbd/.bbbbbb."),
    (6, 2, "bBbccbbb/dbbccbbd/.bbbbbb."),
    (6, 2, ".bbBbbb./cccccccc/dbbbbbbd/.cccccc."),
    (6, 2, ".bbbbbb./dbBccbbd/bbbccbbb"),
]
HERO_LEGS = [
    (9, 3, "cc..cc/kk..kk"),
    (9, 2, ".cc.cc./.kk..kk."),
    (9, 2, "bbbccbbb/bbbccbbb"),
    (9, 3, "cccccc/cc..cc/kk..kk"),
]
HERO_ITEMS = [
    NONE,
    (2, 9, ".w./.w./.w./.w./ccc/.d."),
    (1, 9, ".a./aAa/.a./.c./.c./.c./.c./.c./.c./.c."),
    (6, 8, "aaaa/aAwa/awwa/.aa."),
]

MONSTER_TOPS = [
    NONE,
    (1, None, ".b....|/bb....|/bbb...|/.bb...|"),
    (0, None, "..bb..|/...b..|/...b..|/...b..|"),
    (0, None, ".....b|/..b..b|/..bbbb|/..bbbb|"),
    (1, None, "bb....|/bBb...|/bbb...|/.bb...|"),
]
MONSTER_FEET = [NONE, (10, None, ".ccc..|/.ccc..|"), (9, None, "c.....|/cc....|/ccc.c.|")]
MONSTER_BODIES = [
    (3, None, "...aaa|/.aaaaa|/.aAaaa|/.aAaaa|/aaaaaa|/aaaaaa|/aaaaaa|/.aaaaa|"),
    (2, None, "...aaa|/..aAaa|/.aAaaa|/.aaaaa|/.aaaaa|/.aaaaa|/.aaaaa|/.aaaaa|/.aa.aa|"),
    (3, None, "..aaaa|/.aAAaa|/.aAaaa|/.aaaaa|/.aaaaa|/.aaaaa|/.aaaaa|/.aaaaa|"),
    (3, None, "c..aaa|/cc.aAa|/cccaaa|/cccaaa|/c.caaa|/...aaa|/....aa|"),
    (2, None, "...aaa|/..aAaa|/..aaaa|/.aaaaa|/.aaaaa|/..aaaa|/..aaaa|/..aa.a|/.aa..a|"),
]
MONSTER_EYES = [
    (4, None, "ww.|/wk.|/wk.|"),
    (4, None, ".ww|/wwk|/wwk|/.ww|"),
    (5, None, "k.|/k.|"),
    (4, None, "k..|/wkk|/.wk|"),
    (4, None, "w.w|/k.k|"),
]
MONSTER_MOUTHS = [(8, None, "kk|"), (8, None, "kw|"), (7, None, "k..|/.kk|"), (8, None, "bb|")]
MINI_TOPS = [
    (3, None, ".b..|/.bb.|/.bb.|"),
    (3, None, "...b|/..bb|/..bb|"),
    (4, None, ".b.b|/.b.b|"),
    (3, None, "b...|/.b..|/..b.|"),
]
MINI_BODIES = [
    (5, None, "..aaa|/.aAaa|/.aAaa|/aaaaa|/aaaaa|/.aaaa|"),
    (5, None, "..aa|/.aAa|/aAaa|/aaaa|/aaaa|/a.aa|"),
    (5, None, "c.aaa|/ccaAa|/ccaaa|/.caaa|/..aaa|/...aa|"),
]
MINI_EYES = [(6, None, "w.|/k.|"), (6, None, "ww|/wk|"), (7, None, "k.|"), (6, None, "k.|/wk|")]
MINI_FEET = [(9, None, "k|/.|/cc.|"), (9, None, "bb|/..|/.cc|"), (9, None, "kw|/..|/c.c|")]

TREE_TRUNKS = [
    (8, None, ".dd|/.dd|/.dd|/ccc|"),
    (8, None, "..d|/.ccc|/.ccc|/..cc|"),
    (8, None, ".dd|/cccc|/.ccc|/.ccc|"),
    (8, None, "..d./..d./c.dc/cccc"),
]
TREE_CROWNS = [
    (1, None, "...aaa|/..aAaa|/.aAaaa|/.aaaaa|/aaaaaa|/aaaaaa|/.aaaaa|/...aa.|"),
    (0, None, ".....a|/....Aa|/...aaa|/....aa|/...Aaa|/..aaaa|/...aaa|/..aaaa|/.aaaaa|"),
    (1, None, "..aa.a|/.aaaaa|/.aAaaa|/aAaaaa|/aaaaaa|/.a.aaa|/....aa|"),
    (1, None, ".aaa..|/aaaaa.|/aa.aaa|/a..aaa|/..aa.a|/..a..d|/.....d|"),
    (1, None, "....aa|/....Aa|/aa..aa|/aa.aaa|/aaaaaa|/.aaaaa|/....aa|/....aa|"),
    (0, None, "...bb.|/..bbbb|/..bbcc|/bbbbcc|/bbbbbb|/..bb.d|/aa...d|/.aaa.d|/..aaad|"),
    (1, None, "..b.bb|/..bbbb|/..bBbb|/...bbb|/.....d|/aa...d|/.aaa.d|/..aaad|"),
    (1, None, "..bb..|/..bb..|/aaaaaa|/aAabba|/aaabba|/aaaaaa|/.aaaaa|"),
    (4, None, "..aa|/.aAa|/aaaa|/.aaa|"),
    (4, None, "b.b|/bBb|/.bb|/..d|"),
    (3, None, "aa..|/aaa.|/.aaa|/...d|/...d|"),
]
TREE_FRUITS = [
    (2, None, ".2...2../....2.../2.....2./..2.2..."),
    (2, None, "..33..../...33.3./33...33./..33...3/.33..33."),
    (4, None, "2.22.22.2./.2..2..2.2"),
    (3, None, "3..3..3../........./.3..3..3./........./3..3..3.."),
    (5, None, "222222|/333333|"),
]

HERO = [[HERO_ITEMS, HERO_LEGS, HERO_BODIES, HERO_HEADS, HERO_HATS]]
MONSTER = [
    [MONSTER_FEET, MONSTER_TOPS, MONSTER_BODIES, MONSTER_EYES, MONSTER_MOUTHS],
    [MINI_TOPS, MINI_BODIES, MINI_EYES, MINI_FEET],
]
PLANT = [[TREE_TRUNKS, TREE_CROWNS, TREE_FRUITS]]
