"""ffmpeg, the packager, Valkey, the queue, licensing and the object store, as transcoding uses them."""
