"""The demonstration: scripted journeys with fictitious cases, run over the HTTP API.

The journeys call the service as an integrator would. Only `demo_setup` and
`example_figures` write to the database. The commands that start the demonstration are in
`app.cli`.
"""
