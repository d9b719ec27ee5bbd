"""What is measured of clients: estimates with their uncertainty, and whether treatment goes with loyalty."""
