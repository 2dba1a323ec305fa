"""What the `validate-*` policies for content, headers, parameters and status codes share."""
