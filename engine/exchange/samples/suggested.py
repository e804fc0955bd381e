"""What the type of a field suggests, where nothing says how its demo values look."""

from typing import TYPE_CHECKING, Any

import orjson

from engine.fields.address import AddressField
from engine.fields.boolean import BooleanField
from engine.fields.children import ChildrenField
from engine.fields.china import provinces
from engine.fields.choice import ChoiceField
from engine.fields.choices import ChoicesField
from engine.fields.date import DateField
from engine.fields.datetime import DatetimeField
from engine.fields.duration import DurationField
from engine.fields.email import EmailField
from engine.fields.files import Attached
from engine.fields.identifier import IdentifierField
from engine.fields.json import JsonField
from engine.fields.location import LocationField
from engine.fields.lookup import LookupField
from engine.fields.number import Numeric
from engine.fields.percent import PercentField
from engine.fields.phone import PhoneField
from engine.fields.region import RegionField
from engine.fields.team import TeamField
from engine.fields.text import TextLike
from engine.fields.url import UrlField
from engine.fields.user import UserField

if TYPE_CHECKING:
    from engine.exchange.samples.shapes import Making

_MOBILES = ("135", "136", "137", "138", "139", "150", "151", "158", "186", "188")
_STREETS = ("人民路", "建设路", "解放路", "工业大道", "创新路", "滨江路")
_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def suggested(making: "Making", name: str) -> Any:
    """A stored value that fits the field; None where none can be found."""
    from engine.exchange.samples.paper import possible

    maker = making.maker
    world, model, field = maker.world, maker.model, maker.model.fields[name]
    rnd = world.rnd
    match field:
        case LookupField():
            some = world.candidates(model, name, making.value)
            return world.older(model.lookups[name], some, making.at)
        case UserField():
            return _akin(making, name) or world.person()
        case TeamField():
            return rnd.choice(list(world.teams.values())) if world.teams else None
        case ChoicesField():
            return field.parse([rnd.choice(field.offered)])
        case ChoiceField():
            return rnd.choice(field.offered)
        case BooleanField():
            return rnd.random() < 0.5
        case PercentField():
            low, high = field.bounds
            return rnd.randint(max(low, 0), min(high, 10**field.scale))
        case Numeric():
            low, high = field.bounds
            return (
                rnd.randint(max(low, 0), max(low, min(high, 100 * 10**field.scale)))
                // 10**field.scale
                * 10**field.scale
            )
        case DateField():
            return world.app.calendar.local_day(making.at)
        case DatetimeField():
            return making.at
        case DurationField():
            return rnd.randint(1, 8) * 3_600_000_000
        case PhoneField():
            return field.parse(f"{rnd.choice(_MOBILES)}{rnd.randrange(10**8):08}")
        case EmailField():
            return f"{model.name}{making.number + 1}@example.com"
        case UrlField():
            return f"https://example.com/{model.name}/{making.number + 1}"
        case IdentifierField():
            return field.parse(_uscc(rnd)) if field.scheme == "uscc" else None
        case RegionField():
            place = _place(rnd)
            return field.parse("/".join(place) if field.levels > 1 else place[0])
        case AddressField():
            province, city = _place(rnd)
            return field.parse(
                {"province": province, "city": city, "detail": f"{rnd.choice(_STREETS)} {rnd.randint(1, 999)} 号"}
            )
        case LocationField():
            return field.parse({"lat": round(rnd.uniform(22, 40), 5), "lng": round(rnd.uniform(103, 122), 5)})
        case Attached():
            ending = possible(field.endings)
            return maker.attach(making, name, field, [ending]) if ending else None
        case JsonField():
            return orjson.dumps({}).decode()
        case TextLike():
            return field.parse(f"{model.labels[name].zh} {making.number + 1}"[: field.limit])
        case ChildrenField():
            return None
    return None


def _akin(making: "Making", name: str) -> int | None:
    """The person whom a record that this one points to has in a field of the same name; None without one."""
    world, model = making.maker.world, making.maker.model
    for lookup in world.lookups_with(model, name):
        target = making.value(lookup)
        found = world.follow(model, {lookup: target}, f"{lookup}.{name}") if target is not None else None
        if found is not None:
            return int(found)
    return None


def _place(rnd: Any) -> tuple[str, str]:
    everywhere = [(province, cities) for province, cities in provinces().items() if cities]
    province, cities = rnd.choice(everywhere)
    return province, rnd.choice(list(cities))


def _uscc(rnd: Any) -> str:
    """A unified social credit code with its check sign."""
    body = (
        "91" + f"{rnd.choice((3301, 3302, 3205, 4403, 1101))}00" + "MA" + "".join(rnd.choice(_SIGNS) for _ in range(7))
    )
    total = sum(_SIGNS.index(sign) * weight for sign, weight in zip(body, _WEIGHTS, strict=True))
    return body + _SIGNS[(31 - total % 31) % 31]
