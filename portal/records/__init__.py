"""The portal's own database: its tables, and the migrations that make them."""
