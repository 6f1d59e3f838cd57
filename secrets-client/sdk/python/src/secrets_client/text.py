"""Text that came from elsewhere, and characters that a terminal obeys or a reader does not see."""

import re

from .data import RULES

# More than the service has to say in one text.
_MAX_CHARACTERS = 8_192
_INVISIBLE = re.compile("[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in RULES["invisible"]) + "]")


def is_visible(text: str) -> bool:
    return not _INVISIBLE.search(text)


def escaped(text: str) -> str:
    """One line that a terminal shows and does not obey."""
    shown = _INVISIBLE.sub(lambda c: f"\\u{{{ord(c[0]):x}}}", text[:_MAX_CHARACTERS])
    return shown if len(text) <= _MAX_CHARACTERS else f"{shown}…"
