"""The demonstration: made-up offices and journeys of cases, played over the HTTP API.

It uses the service as an integrator would; only `demo_setup` writes to the database.
`app.cli` has the commands that start it.
"""
