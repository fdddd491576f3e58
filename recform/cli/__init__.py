"""The command line: one small function a command, which parses options, calls, and prints.

Results go to stdout, talk to stderr. The exit code is 0, 1 (something in your input) or 2 (usage).
"""
