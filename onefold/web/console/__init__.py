"""The console: pages for people who look clients up and settle what is doubtful.

Every form works without JavaScript.
"""
