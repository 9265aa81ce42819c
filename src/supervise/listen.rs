//! Listening at a path of the file system.
//!
//! A program that was killed leaves the path of its socket behind, and no other can bind that path until it is removed.
//! Connecting tells whether a path is left behind: only a socket that no program has open refuses.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketType};

/// Binds a stream socket to `path` and listens. If a socket is there on which no program answers, removes it first.
///
/// # Errors
/// The system's error: `ADDRINUSE` if a program answers there, or if the path is not a socket.
pub fn at_path(path: &Path, backlog: i32) -> Result<OwnedFd, Errno> {
    let address = SocketAddrUnix::new(path)?;
    let socket = stream_socket()?;
    match net::bind(&socket, &address) {
        Err(Errno::ADDRINUSE) if is_left_behind(path, &address) => {
            fs::remove_file(path).map_err(|_| Errno::ADDRINUSE)?;
            net::bind(&socket, &address)?;
        }
        bound => bound?,
    }
    net::listen(&socket, backlog)?;
    Ok(socket)
}

fn is_left_behind(path: &Path, address: &SocketAddrUnix) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    // The connect must not wait: the queue of a living socket may be full.
    is_socket
        && stream_socket()
            .and_then(|probe| {
                rustix::io::ioctl_fionbio(&probe, true)?;
                net::connect(&probe, address)
            })
            .is_err_and(|errno| errno == Errno::CONNREFUSED)
}

fn stream_socket() -> Result<OwnedFd, Errno> {
    let socket = net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(socket.as_fd(), rustix::io::FdFlags::CLOEXEC)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("rspool-{}-{name}", std::process::id()))
    }

    #[test]
    fn a_socket_that_was_left_behind_is_replaced_and_a_live_one_is_not() {
        let path = path_of("listen");
        let first = at_path(&path, 1).unwrap();
        assert_eq!(at_path(&path, 1).unwrap_err(), Errno::ADDRINUSE);
        // Until the queue of the first is full: a client that waits would wait for ever.
        let address = SocketAddrUnix::new(&path).unwrap();
        let mut clients = Vec::new();
        loop {
            let client = stream_socket().unwrap();
            rustix::io::ioctl_fionbio(&client, true).unwrap();
            match net::connect(&client, &address) {
                Ok(()) => clients.push(client),
                Err(errno) => break assert_eq!(errno, Errno::AGAIN),
            }
        }
        assert_eq!(at_path(&path, 1).unwrap_err(), Errno::ADDRINUSE);
        drop(first);
        drop(at_path(&path, 1).unwrap());
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_no_socket_stays() {
        let path = path_of("listen-file");
        fs::write(&path, "mine").unwrap();
        assert_eq!(at_path(&path, 1).unwrap_err(), Errno::ADDRINUSE);
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        fs::remove_file(&path).unwrap();
    }
}
