"""What a source says of an image's text -> the text, or why it is of no use."""

import unicodedata

from datagen.errors import ItemError


def text_of(label: object, known: frozenset[str], longest: int) -> str:
    """The text of a label, made of known characters, of `longest` at most; an accent and its letter are one."""
    if isinstance(label, ItemError):
        raise label
    if isinstance(label, bytes):
        label = _decoded(label)
    if not isinstance(label, str):
        raise ItemError(f"its label is no text but of type {type(label).__name__}")
    text = unicodedata.normalize("NFC", label).strip()
    if not text:
        raise ItemError("its label is empty")
    if unknown := "".join(sorted(set(text) - known)):
        raise ItemError(f"its label has characters that are not among --characters: {unknown!r}")
    if not any(map(str.isalnum, text)):
        raise ItemError("its label has no letter and no digit, which alone are counted as read")
    if len(text) > longest:
        raise ItemError(f"its label has {len(text)} characters; the canvas has room for {longest}")
    return text


def _decoded(label: bytes) -> str:
    try:
        return label.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ItemError("its label is not UTF-8") from error
