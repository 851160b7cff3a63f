"""A service on Django REST framework that stores cases and lists events.

It is written as the documentation of Django REST framework recommends, and does only what
the framework provides. Its commits are as durable as those of Safe Conduct.
"""
