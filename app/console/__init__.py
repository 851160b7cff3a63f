"""The console: pages in a browser for officers and focal points.

The console is a client of the HTTP API, which it calls in the same process with the
credential of the signed-in person. It has no other access to the data and stores nothing.
"""
