"""The bench: what five requests cost here, beside the least that they could cost.

`make bench` serves a floor, which is a bare ASGI application on a raw driver, and the
product as `safe-conduct serve` does, and asks both the same, in turn. docs/performance.md
says what is measured, and what came of it.
"""
