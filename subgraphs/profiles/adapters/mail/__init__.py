"""Ways out for mails: a folder of .eml files on a machine of one's own, an SMTP server everywhere else.

`message` makes the one form that both send. A sender is chosen by URL in the settings.
"""
