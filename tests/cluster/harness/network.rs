//! The network that the processes of a cluster live in.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The network of this machine, or a private one.
#[derive(Clone, Debug)]
pub enum Network {
    /// The network of this machine.
    Host,
    /// The network of the process with this id.
    OfProcess(u32),
}

impl Network {
    /// A command that runs `program` in this network.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        match self {
            Self::Host => Command::new(program.as_ref()),
            Self::OfProcess(id) => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net=/proc/{id}/ns/net"));
                command.arg("--").arg(program.as_ref());
                command
            }
        }
    }

    /// A connection made from this network, usable from everywhere.
    pub fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        match self {
            Self::Host => TcpStream::connect(address),
            Self::OfProcess(id) => connect_from(&format!("/proc/{id}/ns/net"), address),
        }
    }

    /// A port of the loopback address whose connections come out in this network and go to `target`.
    #[track_caller]
    pub fn forward(&self, target: SocketAddr) -> Forward {
        self.forward_from(0, target)
    }

    /// The same from a given port.
    #[track_caller]
    pub(crate) fn forward_from(&self, port: u16, target: SocketAddr) -> Forward {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let stopped = Arc::new(AtomicBool::new(false));
        let network = self.clone();
        let stop = Arc::clone(&stopped);
        thread::spawn(move || {
            for client in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let network = network.clone();
                thread::spawn(move || relay(client, network.connect(target)));
            }
        });
        Forward { address, stopped }
    }
}

/// A socket belongs to the network of the thread that makes it, so a thread of its own goes there.
fn connect_from(namespace: &str, address: SocketAddr) -> io::Result<TcpStream> {
    let namespace = File::open(namespace)?;
    let attempt = thread::spawn(move || {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        TcpStream::connect(address)
    });
    attempt
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the connecting thread panicked")))
}

/// A way from this machine into a private network. It ends when this is dropped; open connections go on.
#[derive(Debug)]
pub struct Forward {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Forward {
    /// Where to connect on this machine.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes the listening thread; when even that fails, the thread ends with the process.
        let _ = TcpStream::connect(self.address);
    }
}

/// Copies both ways until both have ended. A target that refuses closes the client's connection.
fn relay(client: io::Result<TcpStream>, target: io::Result<TcpStream>) {
    let (Ok(client), Ok(target)) = (client, target) else {
        return;
    };
    let (Ok(client_again), Ok(target_again)) = (client.try_clone(), target.try_clone()) else {
        return;
    };
    let back = thread::spawn(move || copy(&target_again, &client_again));
    copy(&client, &target);
    // A panic there has closed the connection.
    let _ = back.join();
}

fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    // An interrupted connection ends like a finished one.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
