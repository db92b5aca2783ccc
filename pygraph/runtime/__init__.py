"""Program to numbers: the only room that touches the C library, and the reference interpreter."""
