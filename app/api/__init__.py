"""The HTTP API: the routes of each resource and the code that handles their requests.

Rules and SQL belong to the packages of the domain; `app.main` assembles the routers.
"""
