"""The benchmark, which compares the cost of five kinds of requests with a lower bound.

`make bench` sends the same requests in turn to two servers. The floor is a bare ASGI
application on a database driver. The product is Safe Conduct, run by `safe-conduct serve`.
docs/performance.md describes the measurements and shows the results.
"""
