"""Cloudflare's list prices of the plan Workers Paid, in US dollars a month, as of READ_ON.

From the pricing pages of Workers, D1, KV and Workers Logs at developers.cloudflare.com, read in
stored copies of them. A static file, as the pixel's script is, is no request that is paid for.
"""

from __future__ import annotations

from dataclasses import dataclass

READ_ON = "2026-12-01"
PLAN = 5.0
LARGEST_DATABASE_GB = 10


@dataclass(frozen=True, slots=True)
class Price:
    """What is in the plan, and the dollars of one more; in millions, of storage in gigabytes."""

    included: float
    beyond: float

    def bill(self, used: float) -> float:
        """Dollars for so much."""
        return max(0.0, used - self.included) * self.beyond


PRICES = {
    "requests": Price(10, 0.30),
    "CPU milliseconds": Price(30, 0.02),
    "D1 rows read": Price(25_000, 0.001),
    "D1 rows written": Price(50, 1.00),
    "KV reads": Price(10, 0.50),
    "KV writes": Price(1, 5.00),
    "log lines": Price(20, 0.60),
}
D1_GIGABYTES = Price(5, 0.75)
