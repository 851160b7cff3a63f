"""The demo accounts, which belong to fictitious people.

Every office that the demonstration adds is marked as fictitious. The leads of the
countries, IOM and UNHCR are entries of the real directory. The demonstration acts for them.
"""

from dataclasses import dataclass
from typing import Final

from app.kernel.actors import Role


@dataclass(frozen=True)
class DemoAccount:
    """A demo account, with the people who are contacts of its office."""

    name: str
    focal_point: str
    label: str
    roles: frozenset[Role]
    people: tuple[str, ...] = ()


def build_officer(name: str, focal_point: str, label: str) -> DemoAccount:
    """Return an account that submits cases."""
    return DemoAccount(name, focal_point, label, frozenset({Role.OFFICER}))


def build_worker(name: str, focal_point: str, label: str, *people: str) -> DemoAccount:
    """Return an account of an office that leads cases or gives services."""
    roles = frozenset({Role.CASEWORKER, Role.COORDINATOR})
    return DemoAccount(name, focal_point, label, roles, people)


def build_supervisor(name: str, focal_point: str, label: str) -> DemoAccount:
    """Return an account that approves as a second person."""
    return DemoAccount(name, focal_point, label, frozenset({Role.SUPERVISOR}))


def build_account(name: str, focal_point: str, label: str, role: Role) -> DemoAccount:
    """Return an account that has one role and takes no part in a journey."""
    return DemoAccount(name, focal_point, label, frozenset({role}))


# fmt: off
UZ_OFFICER: Final = build_officer("consular officer", "UZ_CONSULATE_ALMATY", "demo officer")
KZ_LEAD: Final = build_worker("coordinator of Kazakhstan", "KZ_LEAD", "demo coordinator", "Айгүл Демо", "Ильяс Демо")
KZ_SECOND: Final = build_supervisor("supervisor", "KZ_LEAD", "demo supervisor")
KZ_FULL_SHELTER: Final = build_worker("first shelter", "KZ_SHELTER_KOGERSHIN", "demo night duty", "Мөлдір Демо", "Äsel Demo")
KZ_SHELTER: Final = build_worker("second shelter", "KZ_SHELTER_TANSHOLPAN", "demo day duty", "Гүлнар Демо", "Şolpan Dēmo")
KZ_NGO: Final = build_worker("NGO", "SANA_SEZIM", "demo NGO", "Сәуле Демо", "Timur Demo")
KZ_NIGHT: Final = build_officer("silent shelter", "KZ_SHELTER_KOGERSHIN", "demo nobody")
KZ_LAWYER: Final = build_worker("legal aid office", "KZ_LEGAL_AID", "demo lawyer", "Қайрат Демо", "Zhanna Démo")

HN_OFFICER: Final = build_officer("consular officer", "HN_CONSULATE_GUATEMALA", "demo consul of Honduras")
GT_LEAD: Final = build_worker("coordinator of Guatemala", "GT_LEAD", "demo coordinator of Guatemala",
                              "Ximena Demostración", "Íñigo Demostración")
GT_PROTECTION: Final = build_worker("child protection", "GT_CHILD_PROTECTION", "demo protection of children",
                                    "Ixchel Demostración", "Ángel Demostración")
GT_SHELTER: Final = build_worker("shelter for girls", "GT_SHELTER_AMANECER", "demo shelter for girls",
                                 "Nicté Demostración", "Begoña Demostración")

KG_OFFICER: Final = build_officer("helpline worker", "KG_HELPLINE_ISHENIM", "demo helpline")
IOM: Final = build_worker("IOM", "IOM", "demo IOM", "Жылдыз Демо", "Nurlan Demo")
UNHCR: Final = build_worker("UNHCR", "UNHCR", "demo UNHCR", "Жазгүл Демо", "Aïcha Démo")
KG_SHELTER: Final = build_worker("shelter", "KG_SHELTER_AK_BATA", "demo shelter of Kyrgyzstan", "Гүлжан Демо", "Айнура Демо")
TM_OFFICER: Final = build_officer("consulate of Turkmenistan", "TM_CONSULATE_BISHKEK", "demo consul of Turkmenistan")

UZ_LEAD: Final = build_worker("coordinator of Uzbekistan", "UZ_LEAD", "demo coordinator of Uzbekistan",
                              "Шуҳрат Намунавий", "Oʻgʻiloy Namunaviy")
UZ_CENTRE: Final = build_worker("centre in Uzbekistan", "UZ_CENTRE_YANGI_HAYOT", "demo centre of Uzbekistan",
                                "Ўктам Намунавий", "Gʻayrat Namunaviy")

JM_OFFICER: Final = build_officer("consular officer", "JM_CONSULATE_PORT_OF_SPAIN", "demo consul of Jamaica")
JM_CONSULATE: Final = build_worker("consulate of Jamaica", "JM_CONSULATE_PORT_OF_SPAIN", "demo passports of Jamaica",
                                   "Renée Demo", "Winston Demo")
TT_LEAD: Final = build_worker("coordinator of Trinidad and Tobago", "TT_LEAD", "demo coordinator of Trinidad",
                              "Anjali Demo", "Kofi Demo")
TT_SECOND: Final = build_supervisor("supervisor", "TT_LEAD", "demo supervisor of Trinidad")
TT_SHELTER: Final = build_worker("shelter", "TT_SHELTER", "demo shelter of Trinidad", "Zoë Demo", "Indra Demo")
JM_HOME: Final = build_worker("organisation in Jamaica", "JM_HOMEWARD", "demo homeward", "Nyoka Demo", "Délroy Demo")

UZ_FAR_OFFICER: Final = build_officer("consular officer", "UZ_CONSULATE_FOR_PANAMA", "demo consul for Panama")
PA_LEAD: Final = build_worker("coordinator of Panama", "PA_LEAD", "demo coordinator of Panama",
                              "Itzel Demostración", "José Ñáñez Demostración")
PA_INTERPRETER: Final = build_worker("interpreter", "PA_INTERPRETERS", "demo interpreter",
                                     "Zulfiya Namunaviy", "Tomás Demostración")
PA_PROSECUTOR: Final = build_worker("prosecutor", "PA_PROSECUTOR", "demo prosecutor",
                                     "Anaïs Demostración", "Raúl Demostración")
SECONDS: Final = (
    build_supervisor("supervisor of the NGO", "SANA_SEZIM", "demo supervisor of the NGO"),
    build_supervisor("supervisor", "GT_LEAD", "demo supervisor of Guatemala"),
    build_supervisor("supervisor of IOM", "IOM", "demo supervisor of IOM"),
    build_supervisor("supervisor of Uzbekistan", "UZ_LEAD", "demo supervisor of Uzbekistan"),
    build_supervisor("supervisor", "PA_LEAD", "demo supervisor of Panama"),
)
"""Second persons, whom offices need to close cases. They take no part in a journey."""
PROTECTION_OFFICER: Final = build_account("protection officer", "OVERSIGHT_DEMO", "demo protection officer", Role.PROTECTION_OFFICER)
ANALYST: Final = build_account("analyst", "OVERSIGHT_DEMO", "demo analyst", Role.ANALYST)
ADMINISTRATORS: Final = (
    build_account("administrator", "DESK_CENTRAL_ASIA", "demo administrator", Role.ADMINISTRATOR),
    build_account("second administrator", "DESK_CENTRAL_AMERICA", "demo second administrator", Role.ADMINISTRATOR),
)
"""Administrators of two offices, because each confirms the changes of the other."""
FURTHER_STAFF: Final = (
    build_supervisor("supervisor of oversight", "OVERSIGHT_DEMO", "demo supervisor of oversight"),
    build_worker("desk of Central Asia", "DESK_CENTRAL_ASIA", "demo desk of Central Asia"),
    build_supervisor("supervisor of the desk", "DESK_CENTRAL_ASIA", "demo supervisor of Central Asia"),
    build_worker("desk of Central America", "DESK_CENTRAL_AMERICA", "demo desk of Central America"),
    build_supervisor("supervisor of the desk", "DESK_CENTRAL_AMERICA", "demo supervisor of Central America"),
)
"""The staff that oversight and the desks of the administrators need to do their tasks."""
DEMO_ACCOUNTS: Final = (
    UZ_OFFICER, KZ_LEAD, KZ_SECOND, KZ_FULL_SHELTER, KZ_SHELTER,
    KZ_LAWYER, KZ_NGO, KZ_NIGHT, HN_OFFICER, GT_LEAD,
    GT_PROTECTION, GT_SHELTER, KG_OFFICER, IOM, UNHCR,
    KG_SHELTER, TM_OFFICER, UZ_LEAD, UZ_CENTRE, JM_OFFICER,
    JM_CONSULATE, TT_LEAD, TT_SECOND, TT_SHELTER, JM_HOME,
    UZ_FAR_OFFICER, PA_LEAD, PA_INTERPRETER, PA_PROSECUTOR,
    *SECONDS,
    PROTECTION_OFFICER, ANALYST, *ADMINISTRATORS, *FURTHER_STAFF,
)
# fmt: on
