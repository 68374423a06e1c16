"""Plain-text and Markdown tables; those of claims are in experiments/test_claims.py."""

import pytest

from diffutils.course.tables import PAGE, aligned, fold, markdown


def test_tables():
    assert markdown(["a"], []) == "| a |\n| --- |"
    assert markdown(["a"], [["x|<b>"]]).endswith("| x\\|&lt;b> |")
    assert aligned([("a", "b"), ("long", "c")]) == "a     b\n-------\nlong  c"


def test_a_table_wider_than_the_page_goes_on_in_further_lines_of_its_cells():
    rows = [("walk", "change", "verdict"), ("Heun, fitted", "-3 (-9 to +2)", "within a tenth")]
    assert aligned(rows, 39) == (
        "walk    change         verdict\n"
        "-------------------------------\n"
        "Heun,   -3 (-9 to +2)  within a\n"
        "fitted                 tenth"
    )
    text = aligned([("word " * 9,) * 3] * 2)
    assert max(map(len, text.split("\n"))) <= PAGE and text.count("word") == 54
    assert len(aligned(rows, None).split("\n")[2]) == 43  # as wide as it is
    assert "a_name_that_does_not_break" in aligned([("a", "a_name_that_does_not_break")] * 2, 9)


def test_columns_between_go_on_when_the_first_and_last_cannot():
    assert aligned([("abc", "one two", "xyz"), ("abc", "three", "xyz")], 15) == (
        "abc  one    xyz\n     two\n---------------\nabc  three  xyz"
    )


def test_a_fold_is_one_block_of_html_with_the_text_as_it_stands():
    """Without blank lines: after one, Markdown would read bars and stars as its own."""
    assert fold("All <numbers>", "a  b\n\n<x> | *y*") == (
        '<details><summary>All &lt;numbers&gt;</summary><pre style="white-space: pre; '
        'overflow-x: auto">a  b\n&lt;x&gt; | *y*</pre></details>'
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[a](javascript:x)", r"\[a\](javascript:x)"),
        ("![](http://x)", r"!\[\](http://x)"),
        ("<script>x</script>", "&lt;script>x&lt;/script>"),
        ("&lt;b>", "&amp;lt;b>"),
        ("a\n\n# b", "a # b"),
        ("phi* and *c*, a_b, `d`", r"phi\* and \*c\*, a\_b, \`d\`"),
        ("$x$", "<span>$</span>x<span>$</span>"),
        ("\\| a", r"\\\| a"),
        ("\x1b[2Jgone\x00\u202e", r"\[2Jgone"),
    ],
)
def test_a_cell_is_text_whatever_stands_in_it(text, shown):
    assert markdown(["a"], [[text]]).splitlines()[2] == f"| {shown} |"
    assert (
        "\x1b" not in aligned([("a",), (text,)])
        and len(aligned([("a",), (text,)]).split("\n")) == 3
    )


def test_cells_with_links_stay_links():
    assert markdown(["a"], [["[a](b) | c"]], marks="|").endswith(r"| [a](b) \| c |")


def test_no_rows_make_an_empty_table():
    assert aligned([]) == ""
