"""Shared values of the media services: ladder, renditions, timeline, segments, protection, and where objects lie.

Everything here is frozen data and pure functions over it. Units are in the names; a *line* is a row of a 16:9
picture, the word by which people name qualities ("1080p").
"""
