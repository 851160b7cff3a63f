"""The HTTP API: the routes of each resource and the code that handles their requests.

Domain rules and SQL are in other packages. `app.main` assembles the routers.
"""
