"""Where calls go: backends, pools, circuit breakers, and the gateway's identities."""
