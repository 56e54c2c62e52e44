-- Run once, when the volume is empty. The image itself makes `profiles`; each service migrates its own tables.
CREATE DATABASE recommendations;
CREATE DATABASE licensing;
