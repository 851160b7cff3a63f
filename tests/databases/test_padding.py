"""Sealed rows are padded, so their lengths reveal nothing to a reader without the keys."""

from sqlalchemy import delete, func, select

from app.cases import resealing
from app.cases.models import Case, DocumentKey, Sealed
from app.cases.queries import build_place, get_data_key, open_sealed
from app.kernel.vault import seal
from tests.support.world import (
    SECTIONS,
    Json,
    Someone,
    World,
    get_path,
    make_consent,
    unwrap,
)

GUARDS: tuple[Json, ...] = (
    {"country_of_origin": "UZ"},
    {"country_of_origin": "UZ", "seeks_asylum": True, "fear_of_state": True},
    {
        "country_of_origin": "UZ",
        "official_implicated": True,
        "unsafe_focal_points": ["KZ_SHELTER_KOGERSHIN", "KZ_LEGAL_AID"],
        "unsafe_people": "Her uncle, who says that he works for the ministry",
    },
)
NAMES = (
    ["Ли"],
    ["Ойгул Ғаниева", "Oygʻul Gʻaniyeva"],
    ["فاطمة بنت محمد", "María José Núñez"],
)
TEXTS = ("Рассказ", "She was promised work in a hotel. " * 20)


def list_lengths(world: World, case: Json) -> list[tuple[str, int]]:
    with world.write_as_service() as tx:
        rows = select(Sealed.kind, func.length(Sealed.sealed)).join(Case)
        of_case = rows.where(Case.code == case["code"])
        return sorted((kind, size) for kind, size in tx.session.execute(of_case))


def submit_case(officer: Someone, guards: Json, names: list[str], text: str) -> Json:
    sections = [one for one in SECTIONS if one["section"] not in {"identity", "narrative"}]
    sections += [
        {"section": "identity", "names": names},
        {"section": "narrative", "text": text},
    ]
    return officer.submit(safeguards=guards, sections=sections, consents=[make_consent()])


def test_no_length_tells_fears_names_or_a_text_of_one_step(
    world: World, officer: Someone
) -> None:
    cases = [
        submit_case(officer, guards, names, text)
        for guards, names, text in zip(GUARDS, NAMES, (*TEXTS, ""), strict=True)
        if text
    ]
    other = submit_case(officer, GUARDS[2], NAMES[2], TEXTS[0])

    found = {tuple(list_lengths(world, case)) for case in (*cases, other)}

    assert len(found) == 1
    assert dict(found.pop())["safeguards"] == 4096 + 28


def remove_padding(world: World) -> int:
    """Seal each document again without padding or a document key, as older versions did."""
    with world.write_as_service() as tx:
        rows = tx.session.scalars(select(Sealed)).all()
        for row in rows:
            key, plain = get_data_key(tx, row.case_id), open_sealed(tx, row).rstrip()
            secret = tx.vault.unwrap_secret(
                key.version, key.wrapped, "case_key", str(key.case)
            )
            sealed = seal(secret, plain, build_place(row).encode())
            row.sealed = sealed
        tx.session.flush()
        tx.session.execute(delete(DocumentKey))
        return len(rows)


def test_what_an_older_version_sealed_opens_and_is_sealed_anew(
    world: World, officer: Someone, lead: Someone
) -> None:
    case = lead.take_lead(submit_case(officer, GUARDS[1], NAMES[1], TEXTS[1]))
    parts = ("sections/needs", "safeguards", "contacts")
    before = [unwrap(lead.open(f"{get_path(case)}/{part}")) for part in parts]
    count = remove_padding(world)
    old = [unwrap(lead.open(f"{get_path(case)}/{part}")) for part in parts]
    with world.write_as_service() as tx:
        due = resealing.list_outdated(tx.session)
    sealed = []
    for one in due:
        with world.write_as_service() as tx:
            sealed.append(resealing.seal_again(tx, one))
    with world.write_as_service() as tx:
        left = resealing.list_outdated(tx.session)
        again = resealing.seal_again(tx, due[0])
    new = [unwrap(lead.open(f"{get_path(case)}/{part}")) for part in parts]

    assert before == old == new
    assert (len(due), sealed, left, again) == (count, [True] * count, [], False)
