//! Members of pools: ids and instants from raw columns.

use super::NormaliseError;
use super::columns::{IdColumn, Moment, TimeColumn};
use crate::config::Pools;
use crate::domain::{Instant, RowId, is_nothing};
use crate::source::{PoolsChunk, PoolsReading};

/// One row of the table of members.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Who.
    pub user: RowId,
    /// In which pool.
    pub pool: RowId,
    /// Since, inclusive; `None`: since ever.
    pub from: Option<Instant>,
    /// Until, exclusive; `None`: still.
    pub to: Option<Instant>,
    /// Whose pool it is, where a column says it.
    pub owner: Option<RowId>,
}

/// The members, ascending. A row without a pool is in none and left out; a membership that ends
/// where it begins is none.
///
/// # Errors
/// [`NormaliseError::Member`]: a row without a user, a time that cannot be read, a membership that
/// ends before it begins.
pub fn members(reading: &PoolsReading, pools: &Pools) -> Result<Vec<Member>, NormaliseError> {
    let mut members = Vec::new();
    for chunk in &reading.chunks {
        of_chunk(chunk, pools, &mut members)?;
    }
    members.sort_unstable();
    members.dedup();
    Ok(members)
}

fn of_chunk(chunk: &PoolsChunk, pools: &Pools, members: &mut Vec<Member>) -> Result<(), NormaliseError> {
    let ids = |array, name: &str| IdColumn::of(array).ok_or_else(|| wrong_type(name, "an id"));
    let times =
        |array, name: &str| TimeColumn::of(array, pools.timezone).ok_or_else(|| wrong_type(name, "a time"));
    let user = ids(chunk.user.as_ref(), "user")?;
    let pool = ids(chunk.pool.as_ref(), "pool")?;
    let owner = chunk.owner.as_deref().map(|array| ids(array, "owner")).transpose()?;
    let from = chunk.from.as_deref().map(|array| times(array, "from")).transpose()?;
    let to = chunk.to.as_deref().map(|array| times(array, "to")).transpose()?;
    for row in 0..chunk.user.len() {
        let wrong = |message: String| NormaliseError::Member { place: chunk.place.of(row), message };
        let Some(pool) = present(pool.get(row)) else { continue };
        let Some(user) = present(user.get(row)) else {
            return Err(wrong(format!("a member of pool {pool} without a user")));
        };
        let instant = |column: Option<&TimeColumn<'_>>, key: &str, endless: &str| match column
            .map_or(Moment::Missing, |column| column.get(row))
        {
            Moment::Missing => Ok(None),
            Moment::At(at) => Ok(Some(at)),
            Moment::Unreadable(text) if text.trim() == endless => Ok(None),
            Moment::Unreadable(text) => {
                Err(wrong(format!("user {user} in pool {pool}: {key} {text:?} is not a time")))
            }
        };
        let from = instant(from.as_ref(), "from", "-infinity")?;
        let to = instant(to.as_ref(), "to", "infinity")?;
        if let (Some(from), Some(to)) = (from, to) {
            if to < from {
                let (from, to) = (from.rfc3339(), to.rfc3339());
                let message = format!(
                    "user {user} in pool {pool} is a member from {from} to {to}: the end lies before the beginning"
                );
                return Err(wrong(message));
            }
            if to == from {
                continue;
            }
        }
        let owner = owner.as_ref().and_then(|owner| present(owner.get(row)));
        members.push(Member { user, pool, from, to, owner });
    }
    Ok(())
}

/// A text or word for nothing is no id.
fn present(id: Option<RowId>) -> Option<RowId> {
    id.filter(|id| id.with_text(|text| !is_nothing(text)))
}

fn wrong_type(key: &str, wanted: &'static str) -> NormaliseError {
    NormaliseError::Member {
        place: "[balances.pools]".to_owned(),
        message: format!("the column of {key} has a type that cannot hold {wanted}"),
    }
}
