"""The worker, which handles deadlines, notifications, webhooks, erasures and alarms.

Each module is a job that `jobs` runs, or sends messages for a job. The rules are in
`app.casework` and in the packages below it.
"""
