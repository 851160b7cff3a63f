"""The demonstration: journeys of made-up cases, run over the HTTP API.

The demonstration calls the service as an integrator would. Only `demo_setup` writes to the
database. The commands that start the demonstration are in `app.cli`.
"""
