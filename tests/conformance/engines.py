"""Three browser engines behind one small interface: real tabs, a real keyboard, a real mouse."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Remote, WebKitGTKOptions
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.service import Service

from browser import WebKit, find_firefox, find_webkit
from paths import NODE_BIN, ROOT
from tests.harness.chromium import NoChromiumError, running_chromium

FIREFOX_BRIDGE = Path(__file__).with_name("firefox.mjs")
HANGING_SECONDS = 30


class NotInstalledError(Exception):
    """This machine does not have the engine; the message names the package."""


class NotNowError(Exception):
    """The page could not be asked, most often because another one is just coming."""


class Visitor(Protocol):
    """Somebody with a browser profile that has seen nothing, looking at one tab."""

    def go(self, url: str) -> None:
        """Opens an address and waits until it is loaded."""

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401  # whatever JSON holds
        """What a JavaScript expression is on the page; NotNowError while it cannot be said."""

    def click(self, x: float, y: float, times: int = 1) -> None:
        """Clicks at a point of the viewport."""

    def write(self, text: str) -> None:
        """Types into what has the focus."""

    def press_enter(self) -> None:
        """Presses the Enter key."""

    def new_tab(self) -> None:
        """Opens a second tab and looks at it."""

    def close_tab(self) -> None:
        """Closes it, and looks at the first one again."""


class Engine(Protocol):
    """A running browser."""

    @property
    def name(self) -> str:
        """What people call it."""

    def visitor(self) -> AbstractContextManager[Visitor]:
        """Somebody new, until the block ends."""


# ---- Chromium, by Playwright -------------------------------------------------------------------


@dataclass
class ChromiumVisitor:
    """A browser context."""

    context: BrowserContext
    tabs: list[Page] = field(default_factory=list)

    def go(self, url: str) -> None:
        self.tabs[-1].goto(url)

    def evaluate(self, expression: str) -> object:
        try:
            return self.tabs[-1].evaluate(expression)
        except PlaywrightError as error:
            raise NotNowError(str(error)) from error

    def click(self, x: float, y: float, times: int = 1) -> None:
        self.tabs[-1].mouse.click(x, y, click_count=times)

    def write(self, text: str) -> None:
        self.tabs[-1].keyboard.type(text)

    def press_enter(self) -> None:
        self.tabs[-1].keyboard.press("Enter")

    def new_tab(self) -> None:
        self.tabs.append(self.context.new_page())

    def close_tab(self) -> None:
        self.tabs.pop().close()

    def in_another_tab(self) -> ChromiumVisitor:
        """The same person, who looks at a tab of its own."""
        somebody = ChromiumVisitor(self.context)
        somebody.new_tab()
        return somebody


@dataclass(frozen=True, slots=True)
class Chromium:
    """Chrome, Edge, Opera and most phones."""

    browser: Browser
    name = "Chromium"

    @contextmanager
    def visitor(self) -> Iterator[Visitor]:
        context = self.browser.new_context()
        somebody = ChromiumVisitor(context)
        somebody.new_tab()
        yield somebody
        context.close()


@contextmanager
def chromium_engine() -> Iterator[Engine]:
    """Headless Chromium."""
    try:
        with running_chromium() as browser:
            yield Chromium(browser)
    except NoChromiumError as error:
        raise NotInstalledError(str(error)) from error


# ---- Firefox, by Puppeteer over WebDriver BiDi -------------------------------------------------


@dataclass(frozen=True, slots=True)
class Firefox:
    """Firefox, and the visitor in it: firefox.mjs has one at a time."""

    process: subprocess.Popen[str]
    name = "Firefox"

    def _do(self, action: str, **options: object) -> Any:  # noqa: ANN401  # whatever JSON holds
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"action": action, **options}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "the bridge ended"}')
        if "error" in answer:
            raise NotNowError(answer["error"])
        return answer["value"]

    @contextmanager
    def visitor(self) -> Iterator[Visitor]:
        self._do("start_visitor")
        yield self
        self._do("end_visitor")

    def go(self, url: str) -> None:
        self._do("go", url=url)

    def evaluate(self, expression: str) -> object:
        return self._do("evaluate", expression=expression)

    def click(self, x: float, y: float, times: int = 1) -> None:
        self._do("click", x=x, y=y, times=times)

    def write(self, text: str) -> None:
        self._do("write", text=text)

    def press_enter(self) -> None:
        self._do("press_enter")

    def new_tab(self) -> None:
        self._do("new_tab")

    def close_tab(self) -> None:
        self._do("close_tab")


@contextmanager
def firefox_engine() -> Iterator[Engine]:
    """Headless Firefox."""
    executable = find_firefox()
    if not executable:
        raise NotInstalledError("no Firefox: Debian's package is firefox-esr")
    process = subprocess.Popen(
        [NODE_BIN / "node", FIREFOX_BRIDGE, executable],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Firefox(process)
    finally:
        process.communicate(timeout=120)


# ---- WebKitGTK, by Selenium --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WebKitVisitor:
    """A browser of its own: WebKitGTK's driver knows no contexts, and starts in half a second."""

    driver: Remote

    def go(self, url: str) -> None:
        self.driver.get(url)

    def evaluate(self, expression: str) -> object:
        try:
            return self.driver.execute_script(f"return ({expression})")
        except WebDriverException as error:
            raise NotNowError(str(error)) from error

    def click(self, x: float, y: float, times: int = 1) -> None:
        chain = ActionChains(self.driver, duration=0)
        pointer = chain.w3c_actions.pointer_action
        pointer.move_to_location(round(x), round(y))  # type: ignore[no-untyped-call]  # Selenium's
        for _ in range(times):
            pointer.click()
        chain.perform()

    def write(self, text: str) -> None:
        ActionChains(self.driver, duration=0).send_keys(text).perform()

    def press_enter(self) -> None:
        self.write(Keys.ENTER)

    def new_tab(self) -> None:
        self.driver.switch_to.new_window("window")  # a tab would stay behind the first one

    def close_tab(self) -> None:
        self.driver.close()
        self.driver.switch_to.window(self.driver.window_handles[0])


@dataclass(frozen=True, slots=True)
class WebKitEngine:
    """The engine family of Safari, and so of every browser on an iPhone."""

    paths: WebKit
    environment: Mapping[str, str]
    name = "WebKitGTK"

    @contextmanager
    def visitor(self) -> Iterator[Visitor]:
        service = Service(self.paths.driver, env=self.environment)
        service.start()
        try:
            with self._driver(service.service_url) as driver:
                yield WebKitVisitor(driver)
        finally:
            service.stop()

    @contextmanager
    def _driver(self, url: str) -> Iterator[Remote]:
        options = WebKitGTKOptions()
        options.binary_location = self.paths.browser
        options.unhandled_prompt_behavior = "dismiss"
        options.add_argument("--automation")
        client = ClientConfig(url, timeout=HANGING_SECONDS)
        driver = Remote(RemoteConnection(client_config=client), options=options)
        yield driver
        driver.quit()


@contextmanager
def webkit_engine() -> Iterator[Engine]:
    """WebKitGTK, on a virtual display of its own."""
    paths = find_webkit()
    if not paths:
        raise NotInstalledError("no WebKitGTK: Debian's packages are webkit2gtk-driver and xvfb")
    with _virtual_display(paths.display) as display:
        root_has_no_sandbox = {"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
        yield WebKitEngine(paths, os.environ | {"DISPLAY": display} | root_has_no_sandbox)


@contextmanager
def _virtual_display(executable: str) -> Iterator[str]:
    command = [executable, "-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, text=True) as server:
        assert server.stdout
        try:
            yield f":{server.stdout.readline().strip()}"
        finally:
            server.terminate()


ENGINES: dict[str, Callable[[], AbstractContextManager[Engine]]] = {
    "Chromium": chromium_engine,
    "Firefox": firefox_engine,
    "WebKitGTK": webkit_engine,
}
