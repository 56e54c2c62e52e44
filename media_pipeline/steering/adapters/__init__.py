"""Where pathways' health is kept."""
