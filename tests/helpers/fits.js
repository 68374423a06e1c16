// What is wider than its column on a page of JupyterLab, and formulas that stayed source text:
// [{cell, kind, width, column, said}, ...], cell counted from 0, widths in pixels.
() => {
  const found = [];
  const seen = "table, mjx-container, img, pre";
  const words = (e) => (e.alt || e.textContent).trim().replace(/\s+/g, " ").slice(0, 60);

  // Lines that stand in columns; a comment behind code does not.
  const row = /\S {2,}[^\s#]/;
  function* brokenRows(pre) {
    let start = 0;
    for (const line of pre.textContent.split("\n")) {
      const range = document.createRange();
      const letter = document.createRange();
      if (row.test(line)) {
        range.setStart(...at(pre, start));
        range.setEnd(...at(pre, start + line.length));
        letter.setStart(...at(pre, start));
        letter.setEnd(...at(pre, start + 1));
        const { width, height } = letter.getBoundingClientRect();
        if (range.getBoundingClientRect().height > 1.5 * height)
          yield { width: width * line.length, said: line.trim().slice(0, 60) };
      }
      start += line.length + 1;
    }
  }

  // The text node that holds a character of an element, and where in it.
  function at(element, place) {
    const nodes = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
      if (place <= nodes.currentNode.length) return [nodes.currentNode, place];
      place -= nodes.currentNode.length;
    }
  }

  // Formulas that MathJax left alone, or could not read.
  function* unread(column) {
    for (const error of column.querySelectorAll("mjx-merror")) yield words(error);
    const nodes = document.createTreeWalker(column, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
      const text = nodes.currentNode;
      if (text.parentElement.closest("code, pre")) continue;
      if (/\\[a-zA-Z]{2}|\$\$/.test(text.data)) yield text.data.trim().slice(0, 60);
    }
  }

  document.querySelectorAll(".jp-Notebook details").forEach((fold) => (fold.open = true));
  document.querySelectorAll(".jp-Notebook .jp-Cell").forEach((cell, index) => {
    for (const column of cell.querySelectorAll(".jp-OutputArea-output, .jp-MarkdownOutput")) {
      const style = getComputedStyle(column);
      const [before, after] = [style.paddingLeft, style.paddingRight].map(parseFloat);
      const left = column.getBoundingClientRect().left + column.clientLeft + before;
      const room = column.clientWidth - before - after;
      const note = (kind, width, said) =>
        found.push({ cell: index, kind, width: Math.round(width), column: Math.round(room), said });
      let last = null; // what was too wide: what is inside of it is not said again
      for (const element of column.querySelectorAll(seen)) {
        const kind = element.tagName.toLowerCase();
        if (last?.contains(element) || element.parentElement.closest("mjx-container")) continue;
        if (kind === "pre" && element.querySelector("code")) continue; // code may scroll
        const parts = [element, ...element.querySelectorAll("mjx-math *")]; // not its hidden copy
        const edges = parts.map((part) => part.getBoundingClientRect().right);
        let width = Math.max(...edges) - left;
        // What is folded away may be wide, and scroll.
        const folded = element.closest("details");
        if (kind === "pre" && !folded) width = Math.max(width, element.scrollWidth);
        if (width > room + 1) {
          last = element;
          note(kind, width, words(element));
        } else if (kind === "pre") {
          const rows = [...brokenRows(element)].sort((a, b) => b.width - a.width);
          if (rows.length) note("row", rows[0].width, rows[0].said);
        }
      }
      for (const said of unread(column)) note("formula", 0, said);
    }
  });
  return found;
}
