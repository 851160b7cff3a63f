"""The text of a notification: a message is waiting, please sign in.

The text is the same for every reason. Other organisations operate the relays and gateways
that it passes through, and other people may see it on a screen. So it contains no case,
country, number, name or office, and no word about the purpose of this service. Only its
language depends on the recipient.
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
"""The subject and the request to sign in, for each BCP 47 tag. No text may say more."""


@dataclass(frozen=True)
class NotificationMessage:
    """A notification that is ready to be sent; `id` is the same for each attempt."""

    id: UUID
    to: str
    subject: str
    text: str


def get_words(language: str) -> tuple[str, str]:
    """Return the texts in a language, or else in its base language or in English."""
    parts = language.split("-")
    tags = ["-".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return next((WORDS[tag] for tag in tags if tag in WORDS), WORDS[FALLBACK])


def write_message(
    id_: UUID, to: str, language: str, sign_in: str | None
) -> NotificationMessage:
    """Write a notification; `sign_in` is the sign-in address, or None to hide it."""
    waits, ask = get_words(language)
    where = f": {sign_in}" if sign_in else "."
    return NotificationMessage(id_, to, subject=waits, text=f"{waits}. {ask}{where}")
