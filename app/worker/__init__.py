"""What runs without a request: deadlines, notifications, webhooks, erasures, alarms.

Each module is a job of `loop` or its transport. Rules are in `app.casework` and below.
"""
