"""JSON Web Tokens: strict reading, keys, signatures and claims. The cryptography is joserfc's."""
