"""What users write by hand in place of autoft: fair scripts, with all tricks that scripts can have, and a naive one."""
