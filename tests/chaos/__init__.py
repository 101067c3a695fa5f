"""The real runtime in bad weather: what is answered is counted when the weather is over."""
