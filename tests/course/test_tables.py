"""Plain-text and Markdown tables; those of claims are in experiments/test_claims.py."""

from diffutils.course.tables import aligned, fold, markdown


def test_tables():
    assert markdown(["a"], []) == "| a |\n| --- |"
    assert markdown(["a"], [["x|<b>"]]).endswith("| x\\|&lt;b> |")
    assert aligned([("a", "b"), ("long", "c")]) == "a     b\n-------\nlong  c"


def test_a_fold_is_one_block_of_html_with_the_text_as_it_stands():
    """Without blank lines: after one, Markdown would read bars and stars as its own."""
    assert fold("All <numbers>", "a  b\n\n<x> | *y*") == (
        "<details><summary>All &lt;numbers&gt;</summary><pre>a  b\n&lt;x&gt; | *y*</pre></details>"
    )
