"""Food, potions, weapons, ships and shields: parts of `sprites`, written as in `sprite_beings`."""

from diffutils.data.drawn.sprite_beings import NONE

FOOD_TOPS = [
    (0, None, ".kbbb./.kbBb./.kbb../.kk..."),
    (1, None, ".bbkbb./bbbkbbb/..bkb.."),
    (0, None, "....k./...k../bb.k../.bbk.."),
    (1, None, "b.b|/bbb|/.bb|"),
    (0, None, "...k/..k./bbk./.bk."),
]
FOOD_BODIES = [
    (3, None, ".aaa..|/aaaaaa|/aAaaaa|/aAaaaa|/aaaaaa|/aaaaaa|/.aaaaa|/..aaa.|"),
    (2, None, "....aa|/...aaa|/...Aaa|/..Aaaa|/.aaaaa|/.aaaaa|/.aaaaa|/.aaaaa|/...aaa|"),
    (3, None, "..aaaa|/.aAaaa|/.aAaaa|/.aaaaa|/..aaaa|/..aaaa|/...aaa|/...aaa|/....aa|"),
    (4, None, "..aaaa|/.aAaaa|/.aAaaa|/.aaaaa|/.aaaaa|/.aaaaa|/..aaaa|"),
    (3, None, ".aaa.a|/aAaaaa|/aAaaaa|/aaaaaa|/.aaaaa|/.aaaaa|/..aaaa|/...aaa|"),
]
FOOD_MARKS = [
    (5, None, ".3...3./..3.3../.3...3./...3..."),
    (7, None, "333333|/333333|"),
    (6, None, "3.3./.3.3/3.3./.3.3"),
    (7, None, ".33./3333/.33."),
    (3, 6, "333333/333333/333333/333333/333333/333333/333333/333333/333333"),
]
FOOD_BITES = [NONE, (5, 8, "..__/.___/.___/..__")]
CAKE_BASES = [
    (8, None, ".ddddd|/.kdkdk|/..dddd|"),
    (7, None, "Dddddd|/.dcdcd|/.dcdcd|/.dcdcd|/..dddd|"),
    (7, None, ".ddddd|/..dcdc|/..ddcd|/....dd|/.....d|"),
    (7, None, "dddddd|/cccccc|/bbbbbb|/.ddddd|"),
]
CAKE_TOPS = [
    (3, None, "....aa|/..aAaa|/.aAaaa|/.aaaaa|/aaaaaa|"),
    (2, None, ".....a|/...Aaa|/..aAaa|/.aaaaa|/aaaaaa|/aaaaaa|"),
    (4, None, "..aaaa|/.aAaaa|/aaaaaa|/aaaaaa|/a.aa.a|"),
    (4, None, ".aa..a|/aAaaaa|/aaaaaa|/aaaaaa|"),
]
CAKE_CHERRIES = [
    (1, None, "bb|/bb|"),
    (0, None, "..k/.k./bbb/bBb/.b."),
    (2, None, "..bb..|/..bb..|"),
]
CAKE_SPOTS = [
    NONE,
    (5, None, "3...2..3/..3...2."),
    (5, None, ".3.3..3./3..3.3.3"),
    (6, None, "333|"),
]

POTION_BODIES = [
    (4, None, "....gg|/..gggg|/.ggggg|/.ggggg|/.ggggg|/.ggggg|/.ggggg|/..gggg|"),
    (4, None, "....gg|/...ggg|/...ggg|/..gggg|/..gggg|/.ggggg|/.ggggg|/.ggggg|"),
    (4, None, "....gg|/..gggg|/..gggg|/..gggg|/..gggg|/..gggg|/..gggg|/..gggg|"),
    (4, None, "....gg|/.ggggg|/gggggg|/gggggg|/gggggg|/.ggggg|/..gggg|"),
    (4, None, ".gg.gg|/.ggggg|/gggggg|/gggggg|/.ggggg|/..gggg|/...ggg|/....gg|"),
    (4, None, "..gg|/.ggg|/gggg|/gggg|/gggg|/.ggg|"),
    (4, None, ".gg|/ggg|/ggg|/ggg|/ggg|/ggg|/.gg|"),
]
POTION_LIQUIDS = [
    (6, None, "111111|/111111|/111111|/111111|/111111|/111111|"),
    (8, None, "111111|/111111|/111111|/111111|"),
    (6, None, "111111|/111111|/333333|/333333|/333333|/333333|"),
    (7, None, ".1.1.1.1.1.1/111111|/111111|/111111|/111111|"),
]
POTION_NECKS = [
    (1, None, "dd|/gg|/gg|"),
    (0, None, "dd|/dd|/bbb|/gg|"),
    (1, None, "ddd|/gg|/bb|"),
    (0, None, ".d|/dd|/bb|/bb|"),
    (2, None, "dddd|/bb|"),
]
POTION_LABELS = [
    (7, None, "bbb|/bkb|/bbb|"),
    (7, None, ".w..../...w../.w..w./...w.."),
    (6, None, "2...../2...../2...../......"),
    (7, None, ".bb./bwwb/.bb."),
    (9, None, "222222|"),
    (7, None, "3.3./.3.3/3.3."),
]

# Blades and hafts run from lower left to upper right; turns by 90 degrees give the other ways.
SWORD_BLADES = [
    (0, 4, ".....bbb/....bBbb/...bBbb./..bBbb../.bBbb.../bBbb..../.bb....."),
    (0, 3, ".......bb/......bBb/.....bBb./....bBb../...bBb.../..bBb..../.bBb...../..b......"),
    (1, 4, ".......b/......bb/.....Bb./....Bb../...Bb.../..Bb..../.bb....."),
    (0, 4, ".....bbb/...bbBb./....Bbb./.bbBb.../..Bbb.../bBbb..../.bb....."),
    (0, 4, "..bbbb../....bbb./.....bBb/....bBbb/...bBbb./..bBbb../.bBbb.../..bb...."),
    (1, 5, "....bb./...bBbb/..bBbbb/.bBbbb./bBbbb../.bbb.../..b...."),
]
SWORD_GUARDS = [
    (5, 2, "a...../aa..../.aa.../..aa../...aa./....aa"),
    (6, 2, ".aa.../.aaa../..aaa./...aa."),
    (5, 1, "aa...../aaa..../..aa.../...aa../....aaa/.....aa"),
    (5, 2, "cc..../ccaa../.aaa../..aacc/....cc"),
]
SWORD_GRIPS = [
    (7, 0, "....d/...d./..d../.d.../d...."),
    (8, 0, "...d/..d./cc../cc.."),
    (7, 0, "...cc/..cd./.dd../aa.../aa..."),
]
DAGGER_BLADES = [
    (1, 4, "....bb/...bBb/..bBb./.bBb../.bb..."),
    (1, 4, ".....b/....bb/...Bb./..Bb../.bb..."),
    (1, 4, "...bbb/..bBbb/..Bbb./.bbb../.b...."),
    (0, 4, "...bb../....bb./....Bb./...Bb../..Bb.../.bb...."),
]
DAGGER_GUARDS = [
    (4, 3, "aa.../.aa../..aa./...aa"),
    (5, 4, "aa./aaa/.aa"),
    (4, 3, "c..../caa../.aa../...cc"),
]
DAGGER_GRIPS = [(6, 2, "..d/.d./c.."), (6, 2, "..d/.d./d.."), (6, 2, ".cd/.dd/cc.")]
UPRIGHT_BLADES = [
    (0, None, ".b|/.B|/.b|/.b|/.b|/.b|/.b|"),
    (0, None, ".b|/bB|/bb|/bb|/bb|/bb|/bb|"),
    (1, None, ".b|/bb|/bB|/bb|/.d|/.d|/.d|"),
    (1, None, "bb..|/bbbb|/bBbb|/bb.d|/...d|/...d|/...d|"),
    (0, None, "b.b|/b.b|/bBb|/..d|/..d|/..d|/..d|"),
]
UPRIGHT_GUARDS = [(7, None, "aaa|"), (6, None, "a..|/aaa|"), (6, None, "aa|/aa|")]
UPRIGHT_GRIPS = [(8, None, "d|/d|/c|"), (8, None, "d|/d|/d|/d|"), (8, None, ".d|/cc|/cc|")]
HAFTS = [
    (
        2,
        0,
        ".........dd/........dd./.......dd../......dd.../.....dd..../....dd...../...dd....../"
        "..dd......./.dd......../dd.........",
    ),
    (
        2,
        0,
        ".........dd/........dd./.......dd../......dd.../.....cc..../....cc...../...dd....../"
        "..dd......./.cc......../cc.........",
    ),
    (
        2,
        0,
        ".........d/........d./.......d../......d.../.....d..../....d...../...d....../"
        ".cd......./.cc......../cc........",
    ),
]
HAFT_HEADS = [
    (0, 4, "..bb..../.bBbb.../bBbbb.../bbbbbb../.bbbbbb./...bbb../....b..."),
    (0, 6, "...bbb/.bbBb./.bBbb./bBbb../bbb.../.b...."),
    (0, 5, "..bb.../.bbbb../bBbbbb./.bBbbbb/..Bbbbb/...bbb./....b.."),
    (0, 7, ".bbb./bbBbb/bBbbb/bbbbb/.bbb."),
    (0, 5, ".bbbbb./bb...bb/b.....b/.....bb/....bb."),
    (0, 6, "bb.bb./bbbbb./.Bbbbb/bbbbb./.bb.bb"),
]
HAFT_BANDS = [(2, 7, ".a./aAa/.a."), (4, 5, ".aa/aaa/aa."), (4, 4, "a..../aa.../.aa../..aa./...a.")]

SHIP_FLAMES = [
    (9, None, "..b|/..B|"),
    (9, None, "bb.|/bb.|/b..|"),
    (9, None, "bbb|/.bb|/..b|"),
    NONE,
]
SHIP_WINGS = [
    (4, None, "....c|/..ccc|/.cccc|/ccccc|/ccccc|/cc...|"),
    (6, None, "...cc|/.cccc|/ccccc|/ccccc|/c....|"),
    (2, None, "c....|/c....|/cc..c|/ccccc|/ccccc|/cccc.|/c....|"),
    (4, None, "cc...|/ccccc|/ccccc|/cc..c|/cc...|/.c...|"),
    (5, None, "ccccc|/.cccc|/..ccc|/...cc|/..ccc|"),
]
SHIP_HULLS = [
    (0, None, "...a|/..aa|/..aA|/.aaa|/.aaa|/.aaa|/.aaa|/.aaa|/..aa|"),
    (1, None, "..aa|/.aAa|/aaaa|/aaaa|/aaaa|/aaaa|/aaaa|/.aaa|"),
    (0, None, "...a|/...a|/...a|/..aa|/..Aa|/.aaa|/.aaa|/.aaa|/..aa|"),
    (1, None, "d..a|/d.aa|/d.aA|/daaa|/daaa|/.aaa|/.aaa|/..aa|/..aa|"),
]
SHIP_WINDOWS = [
    (4, None, "gg|/gg|"),
    (3, None, ".gg./gwgg/gggg/.gg."),
    (3, None, "g|/g|/g|/k|"),
    (3, None, "kk/gg/gw/gg"),
]
SHIP_STRIPES = [
    NONE,
    (7, None, "...222|"),
    (7, None, "......2|/.....22|/....22.|"),
    (1, None, "....44|/....44|"),
]
SHIP_GUNS = [NONE, (3, None, "d...|/d...|/d...|"), (5, None, "b....|/b....|")]

SHIELD_BODIES = [
    (
        0,
        None,
        "aaaaaa|/aAaaaa|/aAaaaa|/aaaaaa|/aaaaaa|/aaaaaa|/aaaaaa|/.aaaaa|/.aaaaa|/..aaaa|/....aa|",
    ),
    (1, None, "...aaa|/.aaaaa|/.aAaaa|/aAaaaa|/aaaaaa|/aaaaaa|/aaaaaa|/.aaaaa|/.aaaaa|/...aaa|"),
    (
        0,
        None,
        ".....a|/aa.aaa|/aAaaaa|/aAaaaa|/.aaaaa|/.aaaaa|/.aaaaa|/..aaaa|/..aaaa|/...aaa|/.....a|",
    ),
    (1, None, ".aaaaa|/.aAaaa|/.aAaaa|/.aaaaa|/.aaaaa|/.aaaaa|/.aaaaa|/..aaaa|/...aaa|"),
    (
        0,
        None,
        ".....a|/....aa|/...aAa|/..aAaa|/.aaaaa|/aaaaaa|/.aaaaa|/..aaaa|/...aaa|/....aa|/.....a|",
    ),
    (1, None, "aa.aaa|/aaaaaa|/.aAaaa|/.aAaaa|/.aaaaa|/aaaaaa|/aaaaaa|/.aaaaa|/...aaa|/.....a|"),
]
SHIELD_FIELDS = [
    (0, 6, "/".join(["222222"] * 12)),
    (5, None, "222222|/222222|/222222|"),
    (0, None, "/".join(["22|"] * 12)),
    (0, 0, "/".join("." * max(0, 9 - y) + "2222" for y in range(12))),
    (6, None, "/".join(["222222|"] * 6)),
    (0, 0, "/".join("222222......" if y < 5 else "......222222" for y in range(12))),
    (5, None, ".....2|/....22|/...22.|/..22..|/.22...|"),
]
SHIELD_EMBLEMS = [
    (3, None, ".cc./cCcc/cccc/.cc."),
    (3, None, ".cc./.cc./cccc/cccc/.cc./.cc."),
    (3, None, "..cc../.cCcc./cccccc/.cccc./..cc.."),
    (3, None, "cc.cc/cCccc/.ccc./..c.."),
    (3, None, "c.cc.c/cccccc/cCcccc/dddddd"),
    (3, None, ".ccc/cc../.cc./..cc/ccc."),
    (3, None, ".ccc./ckckc/ccccc/.ccc./.ckc."),
]
SHIELD_STUDS = [NONE, (2, None, "4...|/....|/....|/....|/..4.|"), (8, None, "44|/44|")]

FOOD = [
    [FOOD_TOPS, FOOD_BODIES, FOOD_MARKS, FOOD_BITES],
    [CAKE_TOPS, CAKE_BASES, CAKE_SPOTS, CAKE_CHERRIES],
]
POTION = [[POTION_BODIES, POTION_LIQUIDS, POTION_NECKS, POTION_LABELS]]
WEAPON = [
    [SWORD_BLADES, SWORD_GRIPS, SWORD_GUARDS],
    [DAGGER_BLADES, DAGGER_GRIPS, DAGGER_GUARDS],
    [UPRIGHT_BLADES, UPRIGHT_GRIPS, UPRIGHT_GUARDS],
    [HAFTS, HAFT_BANDS, HAFT_HEADS],
]
SHIP = [[SHIP_FLAMES, SHIP_GUNS, SHIP_WINGS, SHIP_HULLS, SHIP_STRIPES, SHIP_WINDOWS]]
SHIELD = [[SHIELD_BODIES, SHIELD_FIELDS, SHIELD_EMBLEMS, SHIELD_STUDS]]
