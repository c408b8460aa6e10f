//! Host sockets that were translated: whom their programs believe to talk to, and whether that is still so.

use std::cell::RefCell;

use netebpf_common::{
    abi::{
        Address, Config, LocalAddress, Netns, PeerKey, PublishKey, PublishTarget, SocketAddress, map_name,
        protocol,
    },
    socket::{Call, Socket, SocketTables, translate},
};

use super::{Error, Settings, table::Table, tables::Tables, trie::PublishTrie};

/// The tables of the socket hooks. Works on what is pinned alone.
pub(in crate::kernel) struct TranslatedSockets {
    config: Config,
    locals: Table<Address, LocalAddress>,
    published: PublishTrie,
    peers: Table<PeerKey, SocketAddress>,
    /// What went wrong while the hooks' own decision was asked for, which knows no errors.
    trouble: RefCell<Option<Error>>,
}

impl TranslatedSockets {
    /// Opens the tables by their pins.
    pub(in crate::kernel) fn open(settings: &Settings) -> Result<Self, Error> {
        let maps = settings.maps();
        Ok(Self {
            config: Tables::open(&maps)?.config()?,
            locals: Table::open(&maps, map_name::LOCALS)?,
            published: PublishTrie::open(&maps)?,
            peers: Table::open(&maps, map_name::SOCKET_PEERS)?,
            trouble: RefCell::new(None),
        })
    }

    /// Whether a UDP socket was translated to `backend`, and would not be if it were connected now.
    pub(in crate::kernel) fn is_stale(&mut self, cookie: u64, backend: SocketAddress) -> Result<bool, Error> {
        let Some(believed) = self.peers.get(PeerKey::new(cookie, backend))? else { return Ok(false) };
        let socket = Socket { cookie, netns_cookie: self.config.netns_cookie, protocol: protocol::UDP };
        let now = translate(&socket, Call::Connect, believed, self);
        match self.trouble.take() {
            Some(error) => Err(error),
            None => Ok(now != Ok(Some(backend))),
        }
    }

    /// Forgets what a socket's program believes.
    pub(in crate::kernel) fn forget(&mut self, cookie: u64, backend: SocketAddress) -> Result<(), Error> {
        self.peers.delete(PeerKey::new(cookie, backend))
    }

    fn noted<T>(&self, result: Result<Option<T>, Error>) -> Option<T> {
        result.unwrap_or_else(|error| {
            self.trouble.replace(Some(error));
            None
        })
    }
}

impl SocketTables for TranslatedSockets {
    fn config(&self) -> Option<Config> {
        Some(self.config)
    }

    fn local(&self, address: Address) -> Option<LocalAddress> {
        self.noted(self.locals.get(address))
    }

    fn published(&self, key: &PublishKey) -> Option<PublishTarget> {
        self.noted(self.published.get(*key))
    }

    /// What is translated for a resolver is not kept, and nobody asks for it here.
    fn is_resolving(&self, _netns: Netns) -> bool {
        false
    }

    fn peer(&self, key: &PeerKey) -> Option<SocketAddress> {
        self.noted(self.peers.get(*key))
    }

    fn remember_peer(&mut self, _key: &PeerKey, _believed: &SocketAddress) -> bool {
        true
    }
}
