"""`python -m stack` is `marquee`."""

from stack.cli import main

if __name__ == "__main__":
    main()
