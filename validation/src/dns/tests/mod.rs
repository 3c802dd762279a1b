//! The engine against scripted servers on real sockets.
