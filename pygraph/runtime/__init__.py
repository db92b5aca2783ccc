"""Program to numbers: the only package that touches the C library, and the reference interpreter."""
