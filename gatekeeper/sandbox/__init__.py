"""Runs the engines that look at pixels in processes of their own: bare RGB in, plain values out, no secrets inside."""
