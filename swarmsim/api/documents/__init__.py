"""Objects of the engine as the API shows them."""
