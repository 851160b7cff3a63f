"""What all routes share: problems, headers, limits, strict JSON, the OpenAPI document.

The modules of the resources belong to `app.api`. Nothing here knows a resource.
"""
