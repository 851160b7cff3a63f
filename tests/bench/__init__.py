"""The benchmark: the cost of five requests, next to a lower bound for each.

`make bench` sends the same requests in turn to a floor, a bare ASGI application on a raw
driver, and to the product as `safe-conduct serve` runs it. docs/performance.md describes
the measurements and shows the results.
"""
