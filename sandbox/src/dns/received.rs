//! One packet and the moment at which it came.
//!
//! On Linux the moment is the kernel's (SO_TIMESTAMPNS, socket(7)): on loopback that of the system call that sent the
//! packet, however late this process gets a turn to read it. Elsewhere it is the moment of reading.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::net::UdpSocket;

#[cfg(not(target_os = "linux"))]
pub(super) use self::elsewhere::Receiver;
#[cfg(target_os = "linux")]
pub(super) use self::linux::Receiver;

/// A packet that was written to a buffer.
pub(super) struct Received {
    pub(super) length: usize,
    pub(super) from: SocketAddr,
    pub(super) at: Instant,
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::IoSliceMut;
    use std::os::fd::AsRawFd;
    use std::time::{Duration, SystemTime};

    use nix::sys::socket::{
        ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
    };
    use nix::sys::time::TimeSpec;
    use tokio::io::Interest;

    use super::*;

    /// Reads packets with the kernel's word on when they came.
    pub(in crate::dns) struct Receiver {
        control: Vec<u8>,
        /// One moment on both clocks: the kernel tells the time of day.
        began: (Instant, SystemTime),
    }

    impl Receiver {
        /// Has the kernel take note of moments from now on.
        pub(in crate::dns) fn new(socket: &UdpSocket) -> io::Result<Self> {
            setsockopt(socket, sockopt::ReceiveTimestampns, &true)?;
            Ok(Self {
                control: nix::cmsg_space!(TimeSpec),
                began: (Instant::now(), SystemTime::now()),
            })
        }

        /// Reads a packet, if there is one.
        ///
        /// # Errors
        /// "Would block" where there is none.
        pub(in crate::dns) fn read(
            &mut self,
            socket: &UdpSocket,
            buffer: &mut [u8],
        ) -> io::Result<Received> {
            let Self { control, began } = self;
            socket.try_io(Interest::READABLE, || {
                let mut buffers = [IoSliceMut::new(buffer)];
                let message = recvmsg::<SockaddrStorage>(
                    socket.as_raw_fd(),
                    &mut buffers,
                    Some(control),
                    MsgFlags::empty(),
                )?;
                let stamped = message.cmsgs()?.find_map(|told| match told {
                    ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
                    _ => None,
                });
                let from = message.address.and_then(address);
                Ok(Received {
                    length: message.bytes,
                    from: from.ok_or(io::ErrorKind::AddrNotAvailable)?,
                    at: stamped.map_or_else(Instant::now, |time| on_our_clock(*began, time)),
                })
            })
        }
    }

    fn address(storage: SockaddrStorage) -> Option<SocketAddr> {
        let v4 = storage
            .as_sockaddr_in()
            .copied()
            .map(|at| SocketAddr::V4(at.into()));
        v4.or_else(|| Some(SocketAddr::V6((*storage.as_sockaddr_in6()?).into())))
    }

    /// Translates a time of day. One before the beginning is that of a clock that was set.
    fn on_our_clock((instant, time): (Instant, SystemTime), at: Duration) -> Instant {
        let since = (SystemTime::UNIX_EPOCH + at).duration_since(time);
        instant + since.unwrap_or_default()
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::*;

    /// Reads packets and looks at the clock.
    pub(in crate::dns) struct Receiver;

    impl Receiver {
        /// Prepares nothing.
        pub(in crate::dns) fn new(_: &UdpSocket) -> io::Result<Self> {
            Ok(Self)
        }

        /// Reads a packet, if there is one.
        ///
        /// # Errors
        /// "Would block" where there is none.
        pub(in crate::dns) fn read(
            &mut self,
            socket: &UdpSocket,
            buffer: &mut [u8],
        ) -> io::Result<Received> {
            let (length, from) = socket.try_recv_from(buffer)?;
            let at = Instant::now();
            Ok(Received { length, from, at })
        }
    }
}
