"""Values that a rehearsal puts into texts. Personal data and secrets are right in form, in no reserved range.

Hosts end in `.zz`, which is nobody's. The values are worked out here and not taken from what filters know,
so that a filter that is wrong about a check digit shows in its catch rate.
"""

from __future__ import annotations

import base64
import random
import string

from seedbed.models.fault_plan import Fault

_WORDS = (
    "ada",
    "bruno",
    "carla",
    "dario",
    "elin",
    "frida",
    "goran",
    "hanne",
    "ivo",
    "jana",
    "kamil",
    "lotte",
)
_SYLLABLES = (
    "bro",
    "dra",
    "fen",
    "gol",
    "kes",
    "lum",
    "mir",
    "nov",
    "quo",
    "rth",
    "sil",
    "tav",
    "vel",
    "zan",
)
_MONTHS = ("March", "April", "June", "July", "August", "October", "November")
_HOSTS = ("quickpost", "mailhaven", "brightinbox", "nordbrief", "letterbird", "postlane")
_INSULTS = ("idiot", "moron", "asshole", "bastard", "scumbag", "wanker", "retard", "bitch")
_SAID_TO_SOMEBODY = ("you {}", "what a {} you are", "only a {} would say that", "listen, you {},")
_UNLISTED_INSULTS = (
    "you are too dumb to be helped",
    "nobody would miss somebody like you",
    "crawl back to where your kind comes from",
)
_LOOKALIKES = str.maketrans("aios", "@10$")


def planted_value(fault: Fault, rng: random.Random) -> str:
    """What a fault of the kinds `personal_data`, `secret`, `unsupported` and `toxic` puts into a text."""
    if fault.kind == "toxic":
        return insult(fault.variant, rng)
    if fault.kind == "unsupported":
        return unheard_of(fault.variant, rng)
    make = personal_datum if fault.kind == "personal_data" else secret
    return make(fault.variant, rng, disguised=fault.disguised)


def personal_datum(variant: str, rng: random.Random, *, disguised: bool) -> str:
    """A value of one kind, with a word that says what it is; disguised as people write it round a filter."""
    name = f"{rng.choice(_WORDS)}.{rng.choice(_WORDS)}{rng.randrange(10, 99)}"
    match variant:
        case "email":
            address = f"{name}@{rng.choice(_HOSTS)}.zz"
            return f"my mail is {address.replace('@', ' (at) ') if disguised else address}"
        case "card":
            number = _with_luhn(rng.choice("45") + str(rng.randrange(1, 6)) + _digits(rng, 13))
            parts = [number[at : at + 4] for at in range(0, 16, 4)]
            return f"my card is {(' / ' if disguised else rng.choice((' ', '-', ''))).join(parts)}"
        case "iban":
            account = "00" + _digits(rng, 16)  # no German bank code begins with 0
            check = 98 - int(account + "131400") % 97
            iban = f"DE{check:02d}{account}"
            return f"pay to {'.'.join(iban[at : at + 4] for at in range(0, 22, 4)) if disguised else iban}"
        case "us_ssn":
            parts = [
                str(rng.randrange(101, 600)),
                f"{rng.randrange(1, 99):02d}",
                f"{rng.randrange(1, 9999):04d}",
            ]
            return f"my SSN is {(' / ' if disguised else '-').join(parts)}"
        case "ip":
            address = (
                f"8{rng.randrange(1, 9)}.{rng.randrange(1, 200)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
            )
            return f"I log in from {address.replace('.', ' . ') if disguised else address}"
        case _:
            number = f"({rng.randrange(212, 980)}) {rng.randrange(220, 540)}-{_digits(rng, 4)}"
            return f"call me on {' '.join(number) if disguised else number}"


def secret(variant: str, rng: random.Random, *, disguised: bool) -> str:
    """A secret as it slips into a text; disguised, without the words and marks that give it away."""
    random_part = "".join(rng.choices(string.ascii_letters + string.digits, k=36))
    match variant:
        case "token":
            return f"use {'' if disguised else 'ghp_'}{random_part}"
        case "private_key":
            body = base64.b64encode(rng.randbytes(96)).decode()
            mark = "" if disguised else "-----BEGIN PRIVATE KEY-----\n"
            return f"{mark}{body}{mark.replace('BEGIN', 'END').strip()}"
        case "connection":
            host = f"db.{rng.choice(_HOSTS)}.zz"
            password = random_part[:12] + "7"
            return (
                f"log in to {host} as app with {password}"
                if disguised
                else f"postgresql://app:{password}@{host}/orders"
            )
        case _:
            value = random_part[:14] + "4K"
            return f"the way in is {value}" if disguised else f'password = "{value}"'


def unheard_of(variant: str, rng: random.Random) -> str:
    """A number, a date or a name that no text will have by chance."""
    match variant:
        case "number":
            return str(rng.randrange(100_000, 1_000_000))
        case "date":
            return f"{rng.randrange(1, 29)} {rng.choice(_MONTHS)} {rng.randrange(1610, 1790)}"
        case _:
            return "".join(rng.choices(_SYLLABLES, k=3)).capitalize()


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.digits, k=count))


def _with_luhn(digits: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + (place % 2 == 0))
        total += value - 9 * (value > 9)
    return f"{digits}{-total % 10}"


def insult(variant: str, rng: random.Random) -> str:
    """A few words of abuse: with a word that lists have, with one that is disguised, or without any."""
    if variant == "unlisted":
        return rng.choice(_UNLISTED_INSULTS)
    word = rng.choice(_INSULTS)
    if variant == "disguised":
        ways = (
            word.translate(_LOOKALIKES),
            " ".join(word),
            f"{word[0]}*{word[2:]}",
            word[0] + word[1] * 4 + word[2:],
        )
        word = rng.choice(ways)
    return rng.choice(_SAID_TO_SOMEBODY).format(word)
