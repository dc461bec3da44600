"""What a visit holds: state in the session and the URL, navigation, views, cached reads."""
