"""Zone 1, public: takes sealed material in and can open none of it."""
