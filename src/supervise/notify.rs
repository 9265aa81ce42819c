//! The service manager's notification socket: one datagram per state, as `sd_notify(3)` describes.

use std::io;
use std::os::unix::net::UnixDatagram;

/// Sends `state` to the socket at `path`; a leading `@` names an abstract one (Linux).
pub fn notify(path: &str, state: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    // The manager may be busy. A state that cannot be told is no reason to hang.
    socket.set_nonblocking(true)?;
    match path.strip_prefix('@') {
        Some(name) => send_abstract(&socket, name, state),
        None => socket.send_to(state.as_bytes(), path).map(drop),
    }
}

#[cfg(target_os = "linux")]
fn send_abstract(socket: &UnixDatagram, name: &str, state: &str) -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;
    let address = SocketAddr::from_abstract_name(name)?;
    socket.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(not(target_os = "linux"))]
fn send_abstract(_: &UnixDatagram, _: &str, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_arrives_as_one_datagram() {
        let path = std::env::temp_dir().join(format!("rspool-notify-{}", std::process::id()));
        let server = UnixDatagram::bind(&path).unwrap();
        notify(path.to_str().unwrap(), "READY=1\nSTATUS=4 processes").unwrap();
        let mut bytes = [0; 64];
        let length = server.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..length], b"READY=1\nSTATUS=4 processes");
        std::fs::remove_file(&path).unwrap();
        assert!(notify(path.to_str().unwrap(), "READY=1").is_err());
    }
}
