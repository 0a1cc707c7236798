//! Connections whose rows pass the driver by, and how to cancel what they do.

use std::future::{Future, Ready, ready};
use std::io;
use std::path::PathBuf;
use std::pin::Pin;

use futures_util::TryFutureExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{Client, Config, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tap::{Basin, Tap};
use super::target::Server;

/// An open connection.
pub(super) struct Connection {
    pub client: Client,
    /// Where its rows collect.
    pub basin: Basin,
    line: Line,
}

/// What a connection, and one that cancels its queries, runs over.
#[derive(Clone)]
enum Line {
    /// As the driver finds it: TLS, or none where the server has none.
    Secret(MakeRustlsConnect),
    /// TCP without TLS.
    Plain,
    /// A Unix socket.
    Local(PathBuf),
}

impl Connection {
    /// Connects as `config` says.
    ///
    /// # Errors
    /// The driver's.
    pub async fn open(
        config: &Config,
        server: &Server,
        tls: &MakeRustlsConnect,
    ) -> Result<Connection, Error> {
        let basin = Basin::default();
        let line = match config.get_ssl_mode() {
            SslMode::Disable if server.is_local() => Line::Local(server.socket_file()),
            // A folder and an address: the driver takes no TLS for that.
            SslMode::Disable if !server.host.starts_with('/') => Line::Plain,
            _ => Line::Secret(tls.clone()),
        };
        // To the driver the tap on a plain line is a kind of TLS that begins without being asked for.
        let mut tapped = config.clone();
        tapped.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
        let plain = Plain(basin.clone());
        let client = match &line {
            Line::Secret(tls) => {
                driven(config.connect(Secret { tls: tls.clone(), basin: basin.clone() }).await?)
            }
            Line::Plain => driven(tapped.connect(plain).await?),
            Line::Local(file) => match tokio::net::UnixStream::connect(file).await {
                Ok(socket) => driven(tapped.connect_raw(socket, plain).await?),
                // The driver meets the same, and says it its way.
                Err(_) => driven(config.connect(NoTls).await?),
            },
        };
        Ok(Connection { client, basin, line })
    }

    /// Asks the server to drop what it is doing for this connection. Best effort.
    pub async fn cancel(&self) {
        let token = self.client.cancel_token();
        let plain = Plain(Basin::default());
        let _ = match &self.line {
            Line::Secret(tls) => token.cancel_query(tls.clone()).await,
            Line::Plain => token.cancel_query(plain).await,
            Line::Local(file) => match tokio::net::UnixStream::connect(file).await {
                Ok(socket) => token.cancel_query_raw(socket, plain).await,
                Err(_) => Ok(()),
            },
        };
    }
}

/// Lets the driver work beside us.
fn driven<S, T>((client, driver): (Client, tokio_postgres::Connection<S, T>)) -> Client
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(error) = driver.await {
            tracing::debug!("connection: {error}");
        }
    });
    client
}

/// Puts a tap on a line without TLS.
struct Plain(Basin);

impl<S: AsyncRead + AsyncWrite + Unpin> MakeTlsConnect<S> for Plain {
    type Stream = Tap<S>;
    type TlsConnect = Plain;
    type Error = io::Error;

    fn make_tls_connect(&mut self, _: &str) -> Result<Plain, io::Error> {
        Ok(Plain(self.0.clone()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsConnect<S> for Plain {
    type Stream = Tap<S>;
    type Error = io::Error;
    type Future = Ready<io::Result<Tap<S>>>;

    fn connect(self, stream: S) -> Self::Future {
        ready(Ok(Tap::new(stream, |_| ChannelBinding::none(), self.0)))
    }
}

/// Puts a tap on the inside of TLS.
struct Secret<C> {
    tls: C,
    basin: Basin,
}

impl<S, C: MakeTlsConnect<S>> MakeTlsConnect<S> for Secret<C>
where
    C::TlsConnect: Send,
    <C::TlsConnect as TlsConnect<S>>::Future: Send + 'static,
{
    type Stream = Tap<C::Stream>;
    type TlsConnect = Secret<C::TlsConnect>;
    type Error = C::Error;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Self::TlsConnect, C::Error> {
        Ok(Secret { tls: self.tls.make_tls_connect(domain)?, basin: self.basin.clone() })
    }
}

impl<S, C: TlsConnect<S>> TlsConnect<S> for Secret<C>
where
    C::Future: Send + 'static,
{
    type Stream = Tap<C::Stream>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Tap<C::Stream>, C::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let basin = self.basin;
        Box::pin(self.tls.connect(stream).map_ok(|inner| Tap::new(inner, C::Stream::channel_binding, basin)))
    }
}
