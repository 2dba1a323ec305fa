"""Values of .NET at run time, and what is done with them."""
