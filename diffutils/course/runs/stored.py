"""Notebooks as the repository stores them: with outputs, without traces of how they were run."""

from pathlib import Path


def cleaned(path: Path) -> str:
    """An executed notebook without what papermill and the widgets leave behind."""
    import nbformat

    nb = nbformat.read(path, as_version=4)
    nb.cells = [c for c in nb.cells if "injected-parameters" not in c.metadata.get("tags", [])]
    for holder in (nb, *nb.cells):
        for key in ("papermill", "widgets", "execution"):
            holder.metadata.pop(key, None)
        if holder.metadata.get("tags") == []:
            del holder.metadata["tags"]
    for count, cell in enumerate((c for c in nb.cells if c.cell_type == "code" and c.source), 1):
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
        cell.outputs = _joined(cell.outputs)
    return nbformat.writes(nb) + "\n"


def _joined(outputs: list) -> list:
    """Neighbouring pieces of printed text as one; nbclient's own option moves text past figures."""
    joined = []
    for output in outputs:
        if joined and output.get("name", "") == joined[-1].get("name"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined
