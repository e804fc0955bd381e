"""One of several options."""

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import sqlalchemy as sa
from pydantic import BeforeValidator, Field as Key

from engine.expressions.types import Type
from engine.fields.base import CHOSEN, DateOrder, Field, Invalid, Operator, field_types
from engine.fields.scalars import READ_LIMIT, plain_text
from engine.problems import Label
from engine.registry import nearest
from engine.shape import Shape, Text


class Option(Shape):
    """One thing to choose. A retired option stays where it is and is not offered any more."""

    label: Text | None = None
    color: Literal["red", "yellow", "green", "accent", "neutral"] | None = None
    help: Text | None = None
    was: str | None = Key(None, description="The key it had before.")
    retired: bool = False


def _option(value: Any) -> Any:
    """`red: 紧急` and `red: {zh: 紧急, en: Urgent}` are short for `red: {label: ...}`."""
    if value is None:
        return {}
    if isinstance(value, (str, Label)) or (isinstance(value, Mapping) and value and set(value) <= {"zh", "en"}):
        return {"label": value}
    return value


def _options(value: Any) -> Any:
    """`[red, green]` is short for options whose labels are their keys."""
    return (
        dict.fromkeys(value)
        if isinstance(value, (list, tuple))
        and all(isinstance(key, str) for key in value)
        and len(set(value)) == len(value)
        else value
    )


# A vertical bar would end a key inside a stored set of choices.
OptionKey = Annotated[str, Key(pattern=r"^\w[\w+\-.]{0,59}$")]
OptionMap = dict[OptionKey, Annotated[Option, BeforeValidator(_option, json_schema_input_type=Text | Option | None)]]
Options = Annotated[OptionMap, BeforeValidator(_options, json_schema_input_type=OptionMap | list[str])]


def fold(text: str) -> str:
    """A text as it is compared with labels: one width, one case, no blanks."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


class Choosing(Field):
    """What fields with options share."""

    options: Options = Key(description="Key: label, or {label, color, help, retired}.")

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """All keys, in the order of the definition."""
        return tuple(self.options)

    @cached_property
    def offered(self) -> tuple[str, ...]:
        """The keys that may still be chosen anew."""
        return tuple(key for key, option in self.options.items() if not option.retired)

    @cached_property
    def _words(self) -> dict[str, str]:
        words: dict[str, str] = {}
        for key, option in reversed(self.options.items()):
            label = option.label or Label.of(key)
            words |= {fold(label.zh): key, fold(label.en): key}
        return words | {fold(key): key for key in self.options}

    def option_label(self, key: str, language: str = "zh") -> str:
        """The label of an option; the key itself for one that is no more."""
        option = self.options.get(key)
        return option.label[language] if option and option.label else key

    def key_of(self, word: str) -> str:
        """The key of an option named by its key or its label in either language. Raises Invalid."""
        key = self._words.get(fold(word)) if len(word) <= READ_LIMIT else None
        if key is None:
            raise self.unknown(word)
        return key

    def unknown(self, value: str) -> Invalid:
        shown = value[:60]
        return Invalid(
            "option-unknown", value=shown, nearest=nearest(shown, self.keys), options="、".join(self.offered[:20])
        )

    def faults(self) -> Iterator[tuple[str, Invalid]]:
        if not self.offered:
            yield "options", Invalid("options-broken", why=Label("没有可选的选项", "there is nothing to choose"))
            return
        for language in ("zh", "en"):
            seen: dict[str, str] = {}
            for key, option in self.options.items():
                label = option.label[language] if option.label else key
                other = seen.setdefault(fold(label), key)
                if other != key:
                    yield (
                        "options",
                        Invalid(
                            "options-broken",
                            why=Label(f"「{other}」与「{key}」同名", f'"{other}" and "{key}" have the same label'),
                        ),
                    )
                    return
        yield from super().faults()


@field_types.register("choice")
class ChoiceField(Choosing):
    """One option of a fixed list."""

    title: ClassVar[Label] = Label("单选", "Choice")
    doc: ClassVar[Label] = Label(
        "从固定选项中选一个;停用的选项保留在旧记录里。",
        "One of a fixed list of options; retired ones stay in old records.",
    )
    example: ClassVar[str] = "{type: choice, options: {red: {label: 紧急, color: red}, green: 不急}}"
    widget: ClassVar[str] = "select"
    operators: ClassVar[tuple[Operator, ...]] = CHOSEN

    type: Literal["choice"] = "choice"

    def value_type(self) -> Type:
        return Type("choice", options=self.keys)

    def column(self) -> sa.types.TypeEngine[Any]:
        return sa.Text()

    def parse(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, str) and value in self.options:
            return value
        raise self.unknown(plain_text(value, READ_LIMIT))

    def read(self, text: str, dates: DateOrder = "ymd") -> str | None:
        word = text.strip()
        return self.key_of(word) if word else None

    def show(self, stored: str | None, language: str = "zh") -> str:
        return "" if stored is None else self.option_label(stored, language)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.keys)}
