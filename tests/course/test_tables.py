"""Tables in plain text and Markdown."""

from diffutils.course.tables import aligned, markdown


def test_tables():
    assert markdown(["a"], []) == "| a |\n| --- |"
    assert markdown(["a"], [["x|<b>"]]).endswith("| x\\|&lt;b> |")
    assert aligned([("a", "b"), ("long", "c")]) == "a     b\n-------\nlong  c"
