//! L1: typed values in memory.
