"""What a notice says, whatever it is about: something waits, sign in. Pure.

It passes relays, gateways and telephones that are not ours, and lies on screens that
others see. So it is the same for every reason: no case, no country, no number, no name, no
office, no word of what this service is for. Only the language differs, which is that of
the one who reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

FALLBACK: Final = "en"
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "en": ("A message is waiting for you", "Please sign in"),
    "es": ("Hay un mensaje para usted", "Inicie sesión, por favor"),
    "fr": ("Un message vous attend", "Veuillez vous connecter"),
    "ht": ("Gen yon mesaj k ap tann ou", "Tanpri konekte"),
    "kk": ("Сізге хабарлама бар", "Жүйеге кіріңіз"),
    "ky": ("Сизге билдирүү бар", "Системага кириңиз"),
    "nl": ("Er wacht een bericht op u", "Log in"),
    "pt": ("Há uma mensagem à sua espera", "Por favor, inicie sessão"),
    "ru": ("Вас ждёт сообщение", "Пожалуйста, войдите в систему"),
    "tg": ("Барои шумо паём ҳаст", "Лутфан, ба система ворид шавед"),
    "uz": ("Sizga xabar bor", "Iltimos, tizimga kiring"),
    "uz-Cyrl": ("Сизга хабар бор", "Илтимос, тизимга киринг"),
}
"""By BCP 47 tag: that something waits, and what to do. No language has more to say."""


@dataclass(frozen=True)
class Letter:
    """A notice, ready to go; `id` is the same however often it is tried."""

    id: UUID
    to: str
    subject: str
    text: str


def words_for(language: str) -> tuple[str, str]:
    """Find the words of a language: as it is tagged, else of its base, else in English."""
    parts = language.split("-")
    tags = ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return next((WORDS[tag] for tag in tags if tag in WORDS), WORDS[FALLBACK])


def letter(one: UUID, to: str, language: str, sign_in: str | None) -> Letter:
    """Word a notice; `sign_in` is where to, if the operator wants it said."""
    waits, ask = words_for(language)
    where = f": {sign_in}" if sign_in else "."
    return Letter(one, to, subject=waits, text=f"{waits}. {ask}{where}")
