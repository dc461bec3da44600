"""The root of all errors whose message is fit for a page."""


class DigitLabError(Exception):
    """Something that cannot be done; the message, for whoever asked, says what was wrong and what to do."""
