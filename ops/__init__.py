"""`./ppp`, the command line for the people who run PPP Pixel.

Begin with __main__.py. commands/ has one module for each command; the other packages do the work.
"""
