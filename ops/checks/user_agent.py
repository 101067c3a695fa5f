"""The User-Agent of a browser, because the tracking endpoint refuses clients that are none."""

BROWSER_USER_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0"
)
