"""The compiled part. Import from `secrets_core`."""

from collections.abc import Mapping, Sequence
from typing import final

from typing_extensions import Unpack

from .types import Explanation, NamePolicy, NameVerdict, Question, Review, Rules, TargetKind, Unmasked

__all__ = ["Redactor", "RedactorStream", "explain", "review_dotenv", "validate_name"]

def validate_name(
    name: str, *, name_policy: NamePolicy | None = None, target_kind: TargetKind | None = None
) -> NameVerdict:
    """Whether a secret may have this name. Some are reserved for the default kind, an environment variable."""

def review_dotenv(document: bytes, **rules: Unpack[Rules]) -> Review:
    """What an import of a `.env` document would do. Nothing of a value comes out."""

def explain(question: Question) -> Explanation:
    """What a context gets, and of everything else why not."""

@final
class Redactor:
    """Masks values, as they are and encoded, in any bytes."""

    def __new__(cls, secrets: Mapping[str, str | bytes], *, redaction_off: Sequence[str] = ...) -> Redactor:
        """Masks the values of `secrets`, apart from those of the names in `redaction_off`."""
    @property
    def unmasked(self) -> list[Unmasked]:
        """What is not masked, or not wholly."""
    @property
    def is_empty(self) -> bool:
        """Whether nothing is ever masked."""
    @property
    def replacement(self) -> str:
        """What stands in a value's place: `***`, unless that could complete a value."""
    def redact(self, whole: bytes) -> bytes:
        """Masks a text at once."""
    def stream(self) -> RedactorStream:
        """Masks a text that comes in pieces."""

@final
class RedactorStream:
    """A text that comes in pieces, wherever they end."""

    def push(self, input: bytes) -> bytes:
        """Takes more of the text; gives what is decided by now."""
    def pause(self) -> bytes:
        """Gives what was held back and may be shown, as nothing more follows soon: all but 6 bytes or more of a value."""
    def finish(self) -> bytes:
        """Gives what was held back, as nothing more follows: 6 bytes or more of a value as `***`. The stream can go on."""
    @property
    def held_back(self) -> int:
        """How many bytes are held back."""
