"""What `python -m sandbox` can do; imported only when it is asked for, since Pulumi and the OpenAI client take long."""
