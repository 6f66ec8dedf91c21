"""The copy of a person's data as one zip: an index to read, JSON files, the documents. Written as a stream."""

import json
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

INDEX = "index.html"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head><body>
<h1>{title}</h1>
<p>Each file below can be read with any text editor; it lists one kind of data we hold about you.</p>
<ul>
{files}
</ul>
</body></html>
"""


class PersonArchive:
    """Writes one part after the other; nothing of a part stays in memory but one row."""

    def __init__(self, out: BinaryIO, title: str):
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)
        self._title, self._files, self.rows = title, [], 0

    def add_rows(self, name: str, words: str, rows: Iterable[dict]) -> int:
        """One JSON file with a list of these rows; none when there are none. Returns how many."""
        count, iterator = 0, iter(rows)
        row = next(iterator, None)
        if row is None:
            return 0
        with self._zip.open(f"{name}.json", "w") as file:
            while row is not None:
                file.write((b",\n" if count else b"[\n") + json.dumps(row, ensure_ascii=False).encode())
                count, row = count + 1, next(iterator, None)
            file.write(b"\n]\n")
        self._files.append((f"{name}.json", f"{words}: {count}"))
        self.rows += count
        return count

    def add_file(self, name: str, words: str, data: bytes) -> None:
        """A document as it was handed in."""
        self._zip.writestr(name, data)
        self._files.append((name, words))

    def close(self) -> None:
        """Write the index and end the file."""
        lines = [f'<li><a href="{name}">{name}</a>: {words}</li>' for name, words in self._files]
        self._zip.writestr(INDEX, _PAGE.format(title=self._title, files="\n".join(lines)))
        self._zip.close()
