//! The sockets that clients connect to.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::app::AppError;

/// Connections that may wait to be accepted; the kernel may allow fewer.
const BACKLOG: i32 = 1024;

/// An address that is taken, where nobody can connect yet.
#[derive(Debug)]
pub(super) struct Bound {
    socket: Socket,
    pub(super) address: SocketAddr,
}

impl Bound {
    pub(super) fn to(address: SocketAddr) -> Result<Self, AppError> {
        let bound = bind_with(address, bind).and_then(|socket| {
            let address = socket.local_addr()?.as_socket().unwrap_or(address);
            Ok(Self { socket, address })
        });
        bound.map_err(|source| AppError::Listen { address, source })
    }

    /// From now on clients can connect.
    pub(super) fn listen(self) -> Result<TcpListener, AppError> {
        let address = self.address;
        let listening = self
            .socket
            .listen(BACKLOG)
            .and_then(|()| self.socket.set_nonblocking(true));
        listening.map_err(|source| AppError::Listen { address, source })?;
        Ok(self.socket.into())
    }
}

/// `[::]` stands for all addresses of the machine, of both kinds, also where the kernel has but one.
fn bind_with(address: SocketAddr, bind: impl Fn(SocketAddr) -> io::Result<Socket>) -> io::Result<Socket> {
    match bind(address) {
        Err(error) if is_any_ipv6(address) && lacks_ipv6(&error) => {
            let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
            tracing::warn!(%error, %address, "this machine has no IPv6: listening on IPv4 alone");
            bind(address)
        }
        bound => bound,
    }
}

fn is_any_ipv6(address: SocketAddr) -> bool {
    address.ip() == Ipv6Addr::UNSPECIFIED
}

fn lacks_ipv6(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EAFNOSUPPORT) || error.kind() == io::ErrorKind::AddrNotAvailable
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if is_any_ipv6(address) {
        // Said here, because the system's default may be changed.
        socket.set_only_v6(false)?;
    }
    // A restarted server takes its port back at once.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::ErrorKind;
    use std::net::TcpStream;

    use super::*;

    const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);

    #[test]
    fn given_every_address_when_bound_then_clients_of_both_kinds_connect() {
        let bound = Bound::to(ANY).unwrap();
        let address = bound.address;
        let socket = bound.listen().unwrap();
        TcpStream::connect((Ipv4Addr::LOCALHOST, address.port())).unwrap();
        if address.is_ipv6() {
            TcpStream::connect((Ipv6Addr::LOCALHOST, address.port())).unwrap();
        }
        // It does not wait for a client that does not come.
        for _ in 0..2 {
            let _ = socket.accept();
        }
        assert_eq!(socket.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn given_a_kernel_without_ipv6_when_bound_to_every_address_then_to_those_of_ipv4() {
        for refusal in [libc::EAFNOSUPPORT, libc::EADDRNOTAVAIL] {
            let tried = RefCell::new(Vec::new());
            let without_ipv6 = |address: SocketAddr| {
                tried.borrow_mut().push(address.to_string());
                if address.is_ipv6() {
                    return Err(io::Error::from_raw_os_error(refusal));
                }
                bind(address)
            };
            let socket = bind_with(ANY, without_ipv6).unwrap();
            assert!(socket.local_addr().unwrap().is_ipv4());
            assert_eq!(*tried.borrow(), ["[::]:0", "0.0.0.0:0"]);
        }
    }

    #[test]
    fn given_a_taken_port_or_one_address_alone_when_refused_then_nothing_else_is_tried() {
        let taken = Bound::to(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = taken.address;
        let _taken = taken.listen().unwrap();
        let error = Bound::to(address).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("cannot listen on {address}: ")),
            "{error}"
        );

        for (address, refusal) in [("[::]:1", libc::EADDRINUSE), ("[::1]:1", libc::EAFNOSUPPORT)] {
            let refuse = |_| Err(io::Error::from_raw_os_error(refusal));
            let error = bind_with(address.parse().unwrap(), refuse).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(refusal));
        }
    }

    #[test]
    fn given_an_address_that_is_bound_when_nobody_listens_yet_then_clients_are_refused() {
        let bound = Bound::to(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = bound.address;
        let refused = TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let _listening = bound.listen().unwrap();
        TcpStream::connect(address).unwrap();
    }
}
