"""The HTTP API: the routes of each resource and the code that handles their requests.

The rules of the domain and the SQL are in other packages. `app.main` assembles the routers.
"""
