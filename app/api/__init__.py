"""The HTTP API: the routes of each resource and what carries requests to them.

Rules and SQL belong to the packages of the domain; `app.main` assembles the routers.
"""
