//! Writes through Diesel invalidate what they touched, at commit.
