"""The licensing service's database and master key."""
