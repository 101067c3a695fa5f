import pytest

from ops.leads.pipedrive_account import MAX_PAGES, account_from_environment, custom_fields
from ops.terminal.errors import NoAnswerError, WrongUsageError
from services.pipedrive.accounts import DEFAULT_URL, Account
from simulator.faults import Fault
from simulator.fields import DEMO_FIELDS, Field, field_code
from simulator.server import Simulator

TOKEN = "0123456789abcdef"  # noqa: S105  # an invented one


@pytest.fixture
def account(pipedrive: Simulator) -> Account:
    """The account that the simulator serves."""
    return Account("default", pipedrive.api_url, pipedrive.token)


def refusal(account: Account) -> str:
    with pytest.raises(NoAnswerError) as failed:
        custom_fields(account)
    assert account.token not in str(failed.value)
    return str(failed.value)


def test_only_the_custom_fields_are_given(account: Account) -> None:
    assert [field.key for field in custom_fields(account)] == [
        field.field_code for field in DEMO_FIELDS
    ]


def test_all_pages_are_read(pipedrive: Simulator, account: Account) -> None:
    extra = [
        Field(field_code(f"extra {number}"), f"Extra {number}", "text") for number in range(999)
    ]
    pipedrive.account.fields.extend(extra)
    assert len(custom_fields(account)) == len(DEMO_FIELDS) + len(extra)
    assert [request.status for request in pipedrive.requests] == [200, 200, 200]
    assert pipedrive.calls("fields") < MAX_PAGES


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("unauthorized"), r"does not know the token .*\(401\)"),
        (Fault("blocked"), r"blocks this token \(403\)"),
        (Fault("too_many_requests", retry_after=7_500), r"\(429\): try again in 2 h 5 min"),
        (Fault("too_many_requests"), r"\(429\): try again in"),
        (Fault("server_error"), "answered 500"),
        (Fault("bad_gateway"), "answered 502"),
        (Fault("broken_json"), "is not Pipedrive's API"),
        (Fault("empty"), "is not Pipedrive's API"),
        (Fault("reset"), "did not answer"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_each_failure_is_said_plainly(
    pipedrive: Simulator, account: Account, fault: Fault, reason: str
) -> None:
    pipedrive.faults.add(fault)
    with pytest.raises(NoAnswerError, match=reason):
        custom_fields(account)


def test_a_wrong_token_is_not_repeated(pipedrive: Simulator) -> None:
    assert "(401)" in refusal(Account("default", pipedrive.api_url, TOKEN))


def test_what_is_not_pipedrive_is_called_so(pipedrive: Simulator) -> None:
    assert "check PIPEDRIVE_URL" in refusal(
        Account("default", f"{pipedrive.url}/x", pipedrive.token)
    )


def test_the_environment_names_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_KEY", TOKEN)
    monkeypatch.delenv("PIPEDRIVE_URL", raising=False)
    assert account_from_environment() == Account("default", DEFAULT_URL, TOKEN)
    monkeypatch.setenv("PIPEDRIVE_URL", "https://acme.pipedrive.com/api/v2/")
    assert account_from_environment().url == "https://acme.pipedrive.com/api/v2"


@pytest.mark.parametrize("token", ["", "two words", "tab\t", "krön"])
def test_a_token_that_cannot_be_one_is_refused(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_KEY", token)
    with pytest.raises(WrongUsageError, match="PIPEDRIVE_API_KEY"):
        account_from_environment()


@pytest.mark.parametrize("url", ["http://api.pipedrive.com/api/v2", "pipedrive", "https://a b"])
def test_an_address_without_encryption_or_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("PIPEDRIVE_API_KEY", TOKEN)
    monkeypatch.setenv("PIPEDRIVE_URL", url)
    with pytest.raises(WrongUsageError, match="PIPEDRIVE_URL must be like https://"):
        account_from_environment()
