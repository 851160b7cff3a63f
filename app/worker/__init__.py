"""The worker, which handles deadlines, notifications, webhooks, erasures and alarms.

Most modules contain a job that `jobs` runs. The others send messages, check for alarms, or
contain functions for the jobs. The rules are in `app.casework` and the packages below it.
"""
