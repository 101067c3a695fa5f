"""What goes wrong on a page, by the browser's own word, whatever the page has broken."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Error, Page

# Runs before the page, which may break all that is used here: the console stays as it was.
TELL = """(() => {
  const say = console.error.bind(console);
  const listen = (type, text) =>
    addEventListener(type, (event) => { say("event " + type + " " + text(event)); }, true);
  listen("error", (event) => event.message);
  listen("unhandledrejection", (event) => "" + event.reason);
  listen("securitypolicyviolation", (event) => event.violatedDirective + " " + event.blockedURI);
})()"""


class Troubles(list[str]):
    """Errors, unhandled rejections, violations of a policy and what the console says, in order."""

    def __init__(self, page: Page) -> None:
        """Listens to a page from its next navigation on."""
        super().__init__()
        page.add_init_script(TELL)
        page.on("console", self._note_message)
        page.on("pageerror", self._note_error)

    def _note_message(self, message: ConsoleMessage) -> None:
        self.append(f"{message.type}: {message.text}")

    def _note_error(self, error: Error) -> None:
        self.append(f"page error: {error.message}")

    def taken(self) -> list[str]:
        """All of them so far, in an order of their own; starts anew."""
        troubles = sorted(self)
        self.clear()
        return troubles
