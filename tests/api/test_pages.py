"""The pages of the documentation in a real browser that finds no other host than this one."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as seen
from selenium.webdriver.support.wait import WebDriverWait

from tests.api.conftest import World
from tests.api.streams import serving

PATIENCE = 20.0  # seconds; a browser's first page takes a while on a busy machine
ALONE = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1280,1400",
)


_SENT = "Network.requestWillBeSent"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    driver = shutil.which("chromedriver")
    assert driver, "chromedriver is missing: `make peers` installs it"
    options = ChromeOptions()
    for flag in (*ALONE, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    started = Chrome(options, Service(driver))
    try:
        yield started
    finally:
        started.quit()


def _find(browser: Chrome, css: str) -> WebElement:
    """The first such element, once it can be clicked."""
    return WebDriverWait(browser, PATIENCE).until(seen.element_to_be_clickable((By.CSS_SELECTOR, css)))


def _text(browser: Chrome, css: str, words: str) -> None:
    """Waits until such an element says these words."""
    WebDriverWait(browser, PATIENCE).until(
        seen.text_to_be_present_in_element((By.CSS_SELECTOR, css), words), f"{css} does not say {words}"
    )


def _asked(browser: Chrome) -> set[str]:
    """Where the pages sent requests to: scheme and host of each that their policy let through."""
    told = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {each["params"]["requestId"]: each["params"] for each in told if each["method"] == _SENT}
    failed = [each["params"] for each in told if each["method"] == "Network.loadingFailed"]
    stopped = {each["requestId"] for each in failed if each.get("blockedReason") == "csp"}
    parts = [urlsplit(each["request"]["url"]) for key, each in asked.items() if key not in stopped]
    return {
        f"{part.scheme}://{part.netloc}" for part in parts if part.scheme in {"http", "https", "ws", "wss"}
    }


def _faults(browser: Chrome) -> list[str]:
    """What the console says went wrong, beside the mark of ReDoc's makers, which their host is not asked for."""
    said = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    return [each for each in said if "Loading the image 'https://cdn.redoc.ly/" not in each]


def test_swagger_ui_renders_authorises_and_what_is_tried_is_answered(world: World, browser: Chrome) -> None:
    world.site("anna.example", "anna")
    with serving(world) as url:
        browser.get(f"{url}/api/docs")
        _text(browser, ".information-container", "GhostCP")
        _find(browser, "#operations-tag-domains").click()
        _find(browser, "#operations-domains-listDomains .opblock-summary-control").click()
        _find(browser, "#operations-domains-listDomains .execute").click()
        _text(browser, "#operations-domains-listDomains .live-responses-table", "token_missing")
        assert [fault for fault in _faults(browser) if "401" not in fault] == []

        _find(browser, ".scheme-container .authorize").click()
        _find(browser, ".auth-container input").send_keys(world.token("anna"))
        _find(browser, ".auth-container .authorize").click()
        _find(browser, ".auth-container .btn-done").click()
        _find(browser, "#operations-domains-listDomains .execute").click()
        _text(browser, "#operations-domains-listDomains .live-responses-table", "anna.example")
        _text(
            browser, "#operations-domains-listDomains .live-responses-table tbody .response-col_status", "200"
        )

        assert _asked(browser) == {url}
        assert _faults(browser) == []


def test_redoc_shows_the_api_and_asks_nobody_else(world: World, browser: Chrome) -> None:
    with serving(world) as url:
        browser.get(f"{url}/api/redoc")
        _text(browser, "#redoc h1", "GhostCP")
        _text(browser, "#redoc", "/api/v1/domains/{id}")
        assert _asked(browser) == {url}
        assert _faults(browser) == []
