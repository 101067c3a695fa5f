import http.client
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from demo_site import DEMO_PIXEL, DemoSite, demo_site

WORKER = "http://localhost:8787"


@pytest.fixture(scope="module")
def site() -> Iterator[DemoSite]:
    """Our own demo pages."""
    with demo_site(0, WORKER) as running:
        yield running


@pytest.fixture(scope="module")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoSite]:
    """Two pages, and files outside their folder that must not be served."""
    folder = tmp_path_factory.mktemp("site")
    pages = folder / "pages"
    (pages / "inner").mkdir(parents=True)
    (pages / "index.html").write_text("{{worker}} {{pixel_id}} {{other}}", encoding="utf-8")
    (pages / "inner" / "deep.html").write_text("deep", encoding="utf-8")
    (folder / "secret.txt").write_text("secret", encoding="utf-8")
    (folder / "pages-secret.html").write_text("secret", encoding="utf-8")
    with demo_site(0, WORKER, "my-own-pixel", pages) as running:
        yield running


def fetch(
    site: DemoSite, path: str, method: str = "GET", body: str | None = None
) -> tuple[int, str, str]:
    """Status, content type and text; http.client sends the path unchanged."""
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        text = response.read().decode()
        return response.status, response.getheader("Content-Type", ""), text
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/pricing.html", "/pricing", "/thank-you"])
def test_every_page_carries_the_workers_pixel(site: DemoSite, path: str) -> None:
    status, content_type, text = fetch(site, path)
    assert status == 200
    assert content_type == "text/html; charset=utf-8"
    assert f'src="{WORKER}/p.js" data-pixel-id="{DEMO_PIXEL}"' in text
    assert "{{" not in text


@pytest.mark.parametrize(
    ("path", "content_type"), [("/demo.css", "text/css"), ("/demo.js", "text/javascript")]
)
def test_stylesheets_and_scripts_have_their_content_type(
    site: DemoSite, path: str, content_type: str
) -> None:
    assert fetch(site, path)[:2] == (200, content_type)


def test_parameters_of_an_advertisement_lead_to_the_same_page(site: DemoSite) -> None:
    assert fetch(site, "/?utm_source=google&gclid=demo") == fetch(site, "/")


def test_the_fields_of_a_posted_form_go_to_the_callback() -> None:
    posted_forms: list[Mapping[str, str]] = []
    with demo_site(0, WORKER, on_form=posted_forms.append) as site:
        fetch(site, "/thank-you", "POST", "first_name=Jane&email=jane%40example.com&last_name=")
    assert posted_forms == [{"first_name": "Jane", "email": "jane@example.com"}]


def test_a_posted_form_is_answered_with_the_thank_you_page(site: DemoSite) -> None:
    answer = fetch(site, "/thank-you", "POST", "first_name=Jane&email=jane%40example.com")
    assert answer == fetch(site, "/thank-you")
    assert answer[0] == 200


def test_placeholders_are_replaced_by_the_worker_and_the_pixel(small_site: DemoSite) -> None:
    assert fetch(small_site, "/")[2] == f"{WORKER} my-own-pixel {{{{other}}}}"


@pytest.mark.parametrize("path", ["/missing", "/missing.html", "/favicon.ico", "/index.htm"])
def test_a_missing_file_is_not_found(small_site: DemoSite, path: str) -> None:
    assert fetch(small_site, path)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/../pages-secret",
        "/../pages-secret.html",
        "/..",
        "/../",
        "/inner/../../secret.txt",
        "/inner/deep",
        "/inner",
        "/%2e%2e/secret.txt",
        "//etc/passwd",
        "/./../secret.txt",
        "/..%2fsecret.txt",
    ],
)
def test_no_path_leads_out_of_the_folder(small_site: DemoSite, path: str) -> None:
    status, _, text = fetch(small_site, path)
    assert status == 404
    assert "secret" not in text.replace(path, "")


def test_a_port_in_use_is_an_error_at_once(site: DemoSite) -> None:
    with pytest.raises(OSError, match="in use"):
        demo_site(urlsplit(site.url).port or 0, WORKER)


def test_a_stopped_site_answers_no_more(tmp_path: Path) -> None:
    with demo_site(0, WORKER, pages=tmp_path) as running:
        assert fetch(running, "/")[0] == 404
    with pytest.raises(ConnectionRefusedError):
        fetch(running, "/")
