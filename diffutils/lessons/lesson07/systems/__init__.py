"""What lesson 07 puts on trial: the published configurations, right filters, samplers that turn."""
