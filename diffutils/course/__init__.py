"""The machinery under the lessons; it names none of them."""
