"""The code that all routes share: problems, headers, limits, strict JSON and OpenAPI.

The routes of the resources are in `app.api`, not here.
"""
