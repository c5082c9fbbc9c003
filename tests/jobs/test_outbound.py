"""Requests to addresses that people typed in: what is refused, and that the checked address is the one connected to."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from accounts.exceptions import Refused
from jobs import outbound
from jobs.outbound import AddressForbidden, AnswerTooLarge, Unreachable

from .receiving_end import Receiver, receiver

PUBLIC = "93.184.216.34"


@pytest.fixture
def there(settings: Any) -> Iterator[Receiver]:
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with receiver() as running:
        yield running


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """The DNS: by name, the answers to the first, second … question; the last one stays. Addresses resolve to
    themselves."""
    answers: dict[str, list[list[str]]] = {}

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        try:
            found = [str(ip_address(host))]
        except ValueError:
            if host not in answers:
                raise socket.gaierror(-2, "Name or service not known") from None
            found = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers


def post(url: str, **more: Any) -> outbound.Answer:
    return outbound.send(method="POST", url=url, headers={}, content=b"{}", limit_bytes=1000, **more)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",  # not in production
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "//hooks.example.com/",
        "hooks.example.com",
        "https:///path",
        "https://",
        "",
        "https://user:password@hooks.example.com/",
        "https://user@hooks.example.com/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:25/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://127.0.0.1/",
        "https://127.0.0.1./",
        "https://127。0。0。1/",
        "https://localhost/",
        "https://anything.localhost./",
        "https://0.0.0.0/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data/",
        "https://2130706433/",  # 127.0.0.1 as one number
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://%31%32%37.0.0.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:7f00:1::]/",
        "https://[fe80::1%25eth0]/",
        "https://[fd00:ec2::254]/",
        "https://ho st.example.com/",
        "https://hooks.example.com\t/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://-/",
    ],
)
def test_addresses_that_are_refused_without_asking_anybody(url: str) -> None:
    with pytest.raises(AddressForbidden):
        outbound.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/path?query=1",
        "https://hooks.example.com:8443/",
        "https://hooks.example.com:9000/",
        f"https://{PUBLIC}/",
        "https://[2606:4700::1111]/",
        "https://[64:ff9b::93.184.216.34]/",
        "https://bücher.example/",
        "https://xn--bcher-kva.example/",
        "https://3com.example/",
    ],
)
def test_public_addresses_are_accepted(url: str) -> None:
    assert outbound.check_url(url).scheme == "https"


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.8.8.8",
        "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1",
        "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::8.8.8.8", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::127.0.0.1",
        "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:808:808::", "fc00::1", "fd00:ec2::254", "fe80::1",
        "fe80::1%1", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_special_addresses_are_not_public(address: str) -> None:
    assert not outbound.is_public(ip_address(address))


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_ordinary_addresses_are_public(address: str) -> None:
    assert outbound.is_public(ip_address(address))


def test_allowed_network_is_reached_and_its_neighbours_are_not(settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["10.20.0.0/16"]
    assert outbound.is_public(ip_address("10.20.3.4"))
    assert outbound.is_public(ip_address("::ffff:10.20.3.4"))
    assert not outbound.is_public(ip_address("10.21.0.1"))


def test_request_arrives_and_its_answer_comes_back(there: Receiver) -> None:
    there.will_answer(418, {"X-Kind": "pot"}, b"short and stout")
    answer = post(there.url("/tea?strong=1"))
    assert (answer.status, answer.headers["x-kind"], answer.body) == (418, "pot", b"short and stout")
    (came,) = there.came
    assert (came.method, came.path, came.body) == ("POST", "/tea?strong=1", b"{}")
    assert came.headers["host"] == f"127.0.0.1:{there.port}"


def test_private_server_is_not_reached_without_permission(there: Receiver, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    with pytest.raises(AddressForbidden, match="private or special network"):
        post(there.url())
    assert there.came == []


def test_name_that_leads_to_a_private_address_is_refused_at_the_connection(
    there: Receiver, settings: Any, names: dict[str, list[list[str]]]
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    names["innocent.example"] = [["127.0.0.1"]]
    with pytest.raises(AddressForbidden, match=r"innocent\.example"):
        post(there.url(host="innocent.example"))
    assert there.came == []


@pytest.mark.parametrize("bad", ["10.0.0.1", "::1", "::ffff:10.0.0.1", "fe80::1%1", "169.254.169.254"])
def test_one_bad_address_among_good_ones_condemns_the_name(
    bad: str, there: Receiver, names: dict[str, list[list[str]]]
) -> None:
    names["mixed.example"] = [["127.0.0.1", bad]]
    with pytest.raises(AddressForbidden):
        post(there.url(host="mixed.example"))
    assert there.came == []


def test_second_answer_of_the_dns_changes_nothing(there: Receiver, names: dict[str, list[list[str]]]) -> None:
    names["rebinding.example"] = [["127.0.0.1"], ["169.254.169.254"]]
    assert post(there.url(host="rebinding.example")).status == 200
    assert there.came[0].headers["host"] == f"rebinding.example:{there.port}"
    assert names["rebinding.example"] == [["169.254.169.254"]], "asked once"
    with pytest.raises(AddressForbidden):
        post(there.url(host="rebinding.example"))
    assert len(there.came) == 1


def test_unknown_name_and_closed_port_are_unreachable(there: Receiver, names: dict[str, list[list[str]]]) -> None:
    with pytest.raises(Unreachable, match="can't be resolved"):
        post("http://nowhere.example/")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Unreachable, match="could not be reached"):
        post(f"http://127.0.0.1:{port}/")


def test_next_address_is_tried_when_the_first_does_not_listen(
    there: Receiver, names: dict[str, list[list[str]]]
) -> None:
    names["two.example"] = [["127.99.99.99", "127.0.0.1"]]
    assert post(there.url(host="two.example")).status == 200


def test_resolver_that_never_answers_is_not_waited_for(there: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: end.wait(60) and [])
    try:
        with pytest.raises(Unreachable, match="did not answer in time"):
            post("http://slow.example/", timeout_s=0.2)
    finally:
        end.set()


def test_server_that_trickles_is_left_at_the_deadline(there: Receiver) -> None:
    """Each byte comes in time for a limit per read; the whole would never end."""
    with trickling() as port, pytest.raises(Unreachable, match="did not answer in time"):
        post(f"http://127.0.0.1:{port}/", timeout_s=0.5)


@contextmanager
def trickling() -> Iterator[int]:
    """A server that sends one byte of its headers now and then; its port."""
    end = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def trickle() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not end.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        end.set()
        thread.join(30)
        listening.close()


def test_body_is_cut_at_its_limit(there: Receiver) -> None:
    there.will_answer(200, body=b"x" * 5000)
    answer = post(there.url())
    assert (len(answer.body), answer.is_cut) == (1000, True)


def test_redirect_is_an_answer_like_any_other_when_sending(there: Receiver) -> None:
    there.will_answer(302, {"Location": "http://169.254.169.254/latest/meta-data/"})
    assert post(there.url()).status == 302
    assert len(there.came) == 1


def test_proxies_of_the_environment_are_ignored(there: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(there.url()).status == 200


def test_fetch_follows_redirects_without_the_first_hosts_headers(there: Receiver) -> None:
    there.answers = [(302, {"Location": "/there"}, b""), (200, {}, b"a file")]
    answer = outbound.fetch(url=there.url("/here"), limit_bytes=100, headers={"Authorization": "Bearer 1"})
    assert (answer.body, answer.url) == (b"a file", there.url("/there"))
    assert [came.path for came in there.came] == ["/here", "/there"]
    assert ["authorization" in came.headers for came in there.came] == [True, False]


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/", "http://[::1]/", "file:///etc/passwd", "//10.1.1.1", "http://["]
)
def test_fetch_does_not_follow_into_private_networks(target: str, there: Receiver) -> None:
    there.will_answer(302, {"Location": target})
    with pytest.raises(AddressForbidden):
        outbound.fetch(url=there.url(), limit_bytes=100)
    assert len(there.came) == 1


def test_fetch_gives_up_on_a_circle_and_on_what_is_too_large(there: Receiver) -> None:
    there.will_answer(301, {"Location": "/again"})
    with pytest.raises(Refused, match="more than 2 times"):
        outbound.fetch(url=there.url(), limit_bytes=100, redirects=2)
    assert len(there.came) == 3
    there.will_answer(200, body=b"x" * 101)
    with pytest.raises(AnswerTooLarge):
        outbound.fetch(url=there.url(), limit_bytes=100)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(certificate, key) of hooks.example.com, its own authority."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.com")]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    pem = serialization.Encoding.PEM
    (folder / "certificate").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(pem))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key").write_bytes(key.private_bytes(pem, *plain))
    return folder / "certificate", folder / "key"


def test_tls_is_spoken_with_the_name_not_with_the_address(
    settings: Any, names: dict[str, list[list[str]]], certificate: tuple[Path, Path]
) -> None:
    right, key = certificate
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.OUTBOUND_CA_FILE = str(right)
    names |= {"hooks.example.com": [["127.0.0.1"]], "other.example.com": [["127.0.0.1"]]}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(right, key)
    with receiver(tls=context) as there:
        assert post(there.url(host="hooks.example.com", scheme="https")).status == 200
        assert there.asked_for == ["hooks.example.com"]
        assert there.came[0].headers["host"] == f"hooks.example.com:{there.port}"
        with pytest.raises(Unreachable, match="certificate is not valid"):
            post(there.url(host="other.example.com", scheme="https"))
        settings.OUTBOUND_CA_FILE = ""
        with pytest.raises(Unreachable, match="certificate is not valid"):
            post(there.url(host="hooks.example.com", scheme="https"))
    assert len(there.came) == 1
