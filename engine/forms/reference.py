"""The readable reference for validation: jsonschema, with the formats that fields use.

What forms publish as JSON Schema is what is enforced; `engine.forms.compile` enforces it fast, and property tests hold
the two against each other.  They differ in this only:

- NaN, infinities and lone surrogates cannot be written in JSON (RFC 8259, I-JSON), so no schema speaks of them; fields
  refuse them.
- A schema does not count the bytes and levels of a `json` value, nor look into its texts and numbers; the field does.
- The formats `phone`, `uscc` and other schemes of identifiers are this project's: a validator that does not know them
  checks their characters and length, not their check digits.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from engine.fields import Invalid
from engine.fields.identifier import IdentifierField, schemes
from engine.fields.phone import PhoneField

FORMATS = FormatChecker(formats=())


def _register(name: str, accepts: Callable[[str], object], refusal: type[Exception]) -> None:
    def check(value: object) -> bool:
        if isinstance(value, str):
            accepts(value)
        return True

    FORMATS.checks(name, raises=refusal)(check)


_register("date", lambda text: date.fromisoformat(text), ValueError)
_register("date-time", lambda text: datetime.fromisoformat(text.upper()), ValueError)
_register("phone", PhoneField().parse, Invalid)
for _scheme in schemes:
    _register(_scheme, IdentifierField(scheme=_scheme).parse, Invalid)


def reference(schema: dict[str, Any]) -> Draft202012Validator:
    """A jsonschema validator that knows the formats of fields. Raises jsonschema.SchemaError for a broken schema."""
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FORMATS)
