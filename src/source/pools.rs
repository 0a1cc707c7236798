//! Members of pools as raw columns: who, in which pool, whose, since and until when.

use arrow_array::{ArrayRef, StringArray};

use super::request::{KeyChunk, Request, Take, place_in};
use super::{FileDigest, Place, Provenance, Selection, SourceError};
use crate::config::Pools;
use crate::domain::Total;

/// Rows of the table of members. All arrays have the same length; types as in
/// [`super::KeyColumns`].
#[derive(Debug)]
pub struct PoolsChunk {
    /// Member.
    pub user: ArrayRef,
    /// Pool; null: in none.
    pub pool: ArrayRef,
    /// Owner of the pool, where configured.
    pub owner: Option<ArrayRef>,
    /// Member since, where configured.
    pub from: Option<ArrayRef>,
    /// Member until, where configured.
    pub to: Option<ArrayRef>,
    /// Where the rows stand.
    pub place: Place,
}

/// All members with their provenance. Its control counts the rows; there are no tokens.
#[derive(Debug)]
pub struct PoolsReading {
    /// The rows, in chunks.
    pub chunks: Vec<PoolsChunk>,
    /// What was read.
    pub provenance: Provenance,
}

impl PoolsReading {
    pub(super) fn new(
        kind: &'static str,
        name: String,
        files: Vec<FileDigest>,
        chunks: Vec<PoolsChunk>,
    ) -> PoolsReading {
        let rows = chunks.iter().map(|chunk| chunk.user.len() as u64).sum();
        let control = Total { rows, tokens: 0 };
        PoolsReading { chunks, provenance: Provenance { kind, name, files, control, notes: Vec::new() } }
    }

    /// From rows of text: user, pool, then owner, from and to as far as they are configured.
    pub(super) fn of_table(pools: &Pools, name: String, rows: &[Vec<Option<String>>]) -> PoolsReading {
        let column = |at: usize| -> ArrayRef {
            let texts = rows.iter().map(|row| row.get(at).and_then(Option::as_deref));
            std::sync::Arc::new(texts.collect::<StringArray>())
        };
        let mut next = 1;
        let mut optional = |is_there: bool| {
            next += usize::from(is_there);
            is_there.then(|| column(next))
        };
        let chunk = PoolsChunk {
            user: column(0),
            pool: column(1),
            owner: optional(pools.owner.is_some()),
            from: optional(pools.from.is_some()),
            to: optional(pools.to.is_some()),
            place: Place::Table(name.clone()),
        };
        PoolsReading::new("postgres", name, Vec::new(), vec![chunk])
    }
}

/// Which position of the request serves which column.
#[derive(Debug)]
pub(super) struct PoolsShape {
    user: usize,
    pool: usize,
    owner: Option<usize>,
    from: Option<usize>,
    to: Option<usize>,
}

impl PoolsShape {
    pub(super) fn of(pools: &Pools) -> (Request, PoolsShape) {
        let mut keys = Vec::new();
        let mut key = |field| place_in(&mut keys, field);
        let shape = PoolsShape {
            user: key(&pools.user),
            pool: key(&pools.pool),
            owner: pools.owner.as_ref().map(&mut key),
            from: pools.from.as_ref().map(&mut key),
            to: pools.to.as_ref().map(&mut key),
        };
        // The places of the rows come with the details; their column costs little.
        let details = vec![pools.user.clone()];
        (Request { keys, details, id: None }, shape)
    }
}

/// Collects the chunks.
#[derive(Debug)]
pub(super) struct PoolsTake<'a> {
    shape: &'a PoolsShape,
    keys: Option<KeyChunk>,
    chunks: Vec<PoolsChunk>,
}

impl<'a> PoolsTake<'a> {
    pub(super) fn new(shape: &'a PoolsShape) -> PoolsTake<'a> {
        PoolsTake { shape, keys: None, chunks: Vec::new() }
    }

    pub(super) fn into_chunks(self) -> Vec<PoolsChunk> {
        self.chunks
    }
}

impl Take for PoolsTake<'_> {
    fn keys(&mut self, chunk: KeyChunk) -> Result<Selection, SourceError> {
        self.keys = Some(chunk);
        Ok(Selection::All)
    }

    fn details(&mut self, _: &Selection, _: &[ArrayRef], place: Place) -> Result<(), SourceError> {
        let keys = self.keys.take().expect("details follow keys");
        let column = |at: usize| keys.columns[at].clone();
        self.chunks.push(PoolsChunk {
            user: column(self.shape.user),
            pool: column(self.shape.pool),
            owner: self.shape.owner.map(column),
            from: self.shape.from.map(column),
            to: self.shape.to.map(column),
            place,
        });
        Ok(())
    }
}
