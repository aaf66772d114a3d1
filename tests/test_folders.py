"""Client names become folders; nothing else does."""

import pytest

from conversion_audit.errors import ConfigError
from conversion_audit.folders import Folders, clients

BAD = [
    "", ".", "..", "../etc", "a/b", "a\\b", "/etc", "acme ", " acme", "Acme", "ACME", "con", "nul", "com1", "lpt9", "aux", "prn",
    ".git", ".env", "-acme", "_acme", "acme.", "acme..", "a" * 64, "CLIENT\x00", "acme\n", "Ａcme", "acmé", "ａcme", "a:b", "a*b",
    "a?b", "a|b", "a<b", "a>b", 'a"b', "a'b", "a;b", "a b", "a%2fb", "~acme", "$HOME",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_is_no_plain_folder_is_refused(audit_home, name):
    with pytest.raises(ConfigError) as error:
        Folders(name)
    assert "not a client name" in str(error.value)
    assert "Use up to 63 of a-z, 0-9, '-' and '_'" in str(error.value)
    assert list((audit_home / "data").iterdir()) == []


def test_plain_names_are_folders_of_data_and_reports(audit_home):
    folders = Folders("acme-shop_2")
    assert folders.raw == audit_home / "data" / "acme-shop_2" / "raw"
    assert folders.reports == audit_home / "reports" / "acme-shop_2"
    assert folders.relative(folders.raw / "a.csv") == "raw/a.csv"
    assert folders.relative(audit_home.parent / "secret" / "b.csv") == "b.csv"


def test_a_folder_that_is_a_link_elsewhere_is_refused(audit_home, tmp_path_factory):
    (audit_home / "data" / "acme").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(ConfigError, match="link that leads elsewhere"):
        Folders("acme")


def test_clients_are_the_folders_with_a_config(audit_home):
    for name in ("b", "a"):
        (audit_home / "data" / name).mkdir()
    (audit_home / "data" / "b" / "audit.yaml").touch()
    assert clients() == ["b"]
