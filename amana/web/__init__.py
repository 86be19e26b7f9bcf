"""What every zone that shows pages shares: headers, templates, form tokens, the server's settings.

Nothing here knows a zone, keeps a session, or writes what a visitor sent anywhere.
"""
