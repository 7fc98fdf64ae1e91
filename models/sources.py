"""What Python code does, as a checksum: comments, docstrings and layout do not count, nor does Python's version."""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

SILENT = {"ctx", "kind", "type_comment", "type_ignores"}
"""Fields of a syntax tree that say nothing that the rest does not."""


def checksum(files: Iterable[Path], root: Path) -> str:
    """SHA-256 over the syntax of the files and their places below `root`; of a file that is no Python, its bytes."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.relative_to(root).as_posix()}\0".encode())
        tree = _tree(file)
        digest.update(file.read_bytes() if tree is None else repr(_plain(tree)).encode())
    return digest.hexdigest()


def reached(file: Path, root: Path, within: Path) -> set[Path]:
    """The file, and what it imports wherever in it, and what that imports, as far as it lies `within` a folder or file.

    Args:
        root: where the names of modules start, as on sys.path.
    """
    found: set[Path] = set()
    ahead = {file, *_files(file.parent.relative_to(root).parts, root)}
    while ahead:
        found.add(file := ahead.pop())
        ahead |= {each for each in _imported(file, root) if each.is_relative_to(within)} - found
    return found


def imports(file: Path, root: Path) -> Iterator[tuple[str, ...]]:
    """Names of the modules that a file may import, wherever in it, by their parts; of what it imports from one too."""
    tree = _tree(file)
    for node in () if tree is None else ast.walk(tree):
        yield from _names(node, file, root)


def _imported(file: Path, root: Path) -> Iterator[Path]:
    for name in imports(file, root):
        yield from _files(name, root)


def _files(name: tuple[str, ...], root: Path) -> Iterator[Path]:
    """A module's file and those of the packages that it is in, whose code runs before: as far as they are here."""
    for end in range(1, len(name) + 1):
        place = root.joinpath(*name[:end])
        yield from (path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file())


def _names(node: ast.AST, file: Path, root: Path) -> Iterator[tuple[str, ...]]:
    """The modules that a statement may import, by the parts of their names."""
    if isinstance(node, ast.Import):
        yield from (tuple(alias.name.split(".")) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = file.parent.relative_to(root).parts
        base = package[: len(package) - node.level + 1] if node.level else ()
        base += tuple(node.module.split(".")) if node.module else ()
        yield from ((*base, alias.name) for alias in node.names)


def _tree(file: Path) -> ast.Module | None:
    """None of a file that this Python does not understand, such as a compiled module."""
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return None


def _plain(value: object) -> object:
    """A syntax tree as tuples; a field that is empty is left out, for newer Pythons have more of them."""
    if isinstance(value, ast.JoinedStr):
        # Python 3.12 ends some with an empty string.
        value = ast.JoinedStr([part for part in value.values if getattr(part, "value", None) != ""])
    if isinstance(value, ast.AST):
        fields = [(name, _plain(child)) for name, child in ast.iter_fields(value) if name not in SILENT]
        return type(value).__name__, *(field for field in fields if field[1] not in (None, ()))
    if isinstance(value, list):
        return tuple(_plain(item) for item in cast("list[object]", value) if not _is_docstring(item))
    return None if value is None else repr(value)


def _is_docstring(value: object) -> bool:
    """Whether it is a string that is nobody's value: of a module, a class, a function or an attribute."""
    return isinstance(value, ast.Expr) and isinstance(value.value, ast.Constant) and isinstance(value.value.value, str)
