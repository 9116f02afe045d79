"""What ci/conformance is made of."""
