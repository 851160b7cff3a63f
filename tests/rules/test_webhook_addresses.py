"""The address of a webhook must be an external host that the operator listed (R62)."""

from ipaddress import ip_address

import pytest
from pydantic import ValidationError

from app.webhooks.addresses import is_public, parse_hosts, parse_target
from app.webhooks.schemas import WebhookInput

GOOD = [
    ("https://hooks.example.org", "hooks.example.org", 443, "/"),
    ("https://hooks.example.org/", "hooks.example.org", 443, "/"),
    ("https://h-1.gov.kz:8443/a/b-c_d~e.f", "h-1.gov.kz:8443", 8443, "/a/b-c_d~e.f"),
    ("https://xn--80ak6aa92e.com/x", "xn--80ak6aa92e.com", 443, "/x"),
]
BAD = [
    "http://hooks.example.org/x",
    "ftp://hooks.example.org",
    "hooks.example.org",
    "",
    "https://127.0.0.1/x",
    "https://10.0.0.1",
    "https://169.254.169.254/latest",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[fe80::1%25eth0]/",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0177.0.0.1/x",
    "https://127.1/x",
    "https://0/x",
    "https://0x7f.1/",
    "https://localhost/x",
    "https://hooks.example.org@10.0.0.1/",
    "https://me@hooks.example.org/x",
    "https://me:secret@hooks.example.org/x",
    "https://hooks.example.org:443@evil.org/",
    "https://hooks.example.org/x?token=1",
    "https://hooks.example.org/x#y",
    "https://hooks.example.org\\@evil.org/",
    "https://hooks.example.org/\\..\\x",
    "https://hooks.example.org:0/x",
    "https://hooks.example.org:65536/x",
    "https://hooks.example.org:99999/x",
    "https://hooks.example.org:/x",
    "https://HOOKS.example.org/x",
    "https://höoks.example.org/x",
    "https://ｅvil.org",
    "https://hooks..example.org/x",
    "https://.example.org/x",
    "https://-a.example.org",
    "https://a-.example.org/x",
    f"https://{'a' * 64}.example.org/",
    "https://a.b.1",
    "https://hooks.example.org./x",
    "https://hooks.example.org/x\r\nHost: evil.org",
    " https://hooks.example.org/x",
    "https://hooks.example.org/ x",
    "https:///x",
    "https://hooks.example.org/%2e%2e/x",
    f"https://hooks.example.org/{'a' * 250}",
]
INSIDE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "203.0.113.7",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:a9fe:a9fe",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "64:ff9b::a00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "100::1",
    "::7f00:1",
]
OUTSIDE = ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::1"]


def build_webhook(url: str) -> WebhookInput:
    return WebhookInput(focal_point="KZ_LEAD", label="Case desk", url=url)


@pytest.mark.parametrize(("url", "origin", "port", "path"), GOOD)
def test_a_url_is_the_name_of_a_host_and_a_path(
    url: str, origin: str, port: int, path: str
) -> None:
    target = parse_target(build_webhook(url).url)

    assert (target.origin, target.port, target.path) == (origin, port, path)


@pytest.mark.parametrize("url", BAD)
def test_whatever_two_readers_could_read_differently_is_refused(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        build_webhook(url)

    [fault] = refused.value.errors()
    assert fault["loc"] == ("url",)


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_is_called_however_it_is_spelled(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_rest_of_the_world_is(address: str) -> None:
    assert is_public(ip_address(address))


def test_a_drill_calls_this_machine_and_no_neighbour() -> None:
    called = [one for one in INSIDE if is_public(ip_address(one), allow_loopback=True)]

    assert called == ["127.0.0.1", "127.255.255.254", "::1"]


def test_the_operators_list_is_read_as_people_write_it() -> None:
    read = parse_hosts(" hooks.iom.int,HOOKS.gov.kz:8443\n a.b ")

    assert read == {"hooks.iom.int", "hooks.gov.kz:8443", "a.b"}
    assert parse_hosts("") == frozenset()
