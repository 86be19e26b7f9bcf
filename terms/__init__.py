"""Terms: agreements, consents and rules as data, and one pure function that weighs them."""
