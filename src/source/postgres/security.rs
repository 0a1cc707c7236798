//! Does the role that reads see every row? A table that looks empty because a policy hides its rows must
//! never look clean.

use std::collections::BTreeSet;

use super::super::SourceError;
use super::catalogue::{Relation, flag, text};
use super::session::{Session, TextRow};

const DOING: &str = "looking up row-level security";

/// What of a relation's rows can be seen.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// Why some rows may be hidden from the role that reads; `None`: nothing that was found hides any.
    pub hidden: Option<String>,
    /// What may hide rows and cannot be judged from here, in the order of names.
    pub doubts: Vec<String>,
}

/// Looks whether policies may hide rows.
///
/// A view is looked through: what it reads is read as its owner, or as the caller where it is a
/// `security_invoker` view, wherever that view stands. What a function in it reads, nobody but the function
/// knows: where a table with policies is in its reach, rows may be hidden; where none is, that is a doubt.
/// So is a foreign table, whose own server has policies of its own.
pub(super) async fn sight(session: &Session, relation: &Relation) -> Result<Sight, SourceError> {
    // A relation, the role that reads it, and the one that reads as the caller there.
    let mut todo = vec![(relation.oid.clone(), relation.role.clone(), relation.role.clone())];
    let (mut seen, mut doubts) = (BTreeSet::new(), BTreeSet::new());
    while let Some((oid, role, caller)) = todo.pop() {
        if !seen.insert((oid.clone(), role.clone(), caller.clone())) {
            continue;
        }
        let Some(table) = look_up(session, &oid, &role).await? else { continue };
        if table.is_view {
            // What a materialised view holds was read by its owner.
            let caller = if table.is_stored { table.owner.clone() } else { caller };
            let reader = if table.invoker { &caller } else { &table.owner };
            let beneath = session.rows_with(include_str!("sql/beneath.sql"), &[&oid], DOING).await?;
            todo.extend(beneath.iter().map(|row| (text(row, 0), reader.clone(), caller.clone())));
            let called = session.rows_with(include_str!("sql/called.sql"), &[&oid], DOING).await?;
            for function in called.iter().map(|row| Function::of(row, &caller)) {
                let view = shown(relation, &table.name, oid == relation.oid);
                if let Some(hidden) = function.hidden(session, &view).await? {
                    return Ok(Sight { hidden: Some(hidden), doubts: Vec::new() });
                }
                doubts.insert(function.doubt(&view));
            }
            continue;
        }
        let foreign = session.rows_with(include_str!("sql/foreign.sql"), &[&oid], DOING).await?;
        let of_row = |row: &TextRow| shown(relation, &text(row, 1), text(row, 0) == relation.oid);
        doubts.extend(foreign.iter().map(|row| foreign_doubt(&of_row(row))));
        if let Some(why) = why_hidden(session, &oid, &role, &table).await? {
            let direct = oid == relation.oid;
            let hidden = Some(sentence(&shown(relation, &table.name, direct), &table, &role, &why));
            return Ok(Sight { hidden, doubts: Vec::new() });
        }
    }
    Ok(Sight { hidden: None, doubts: doubts.into_iter().collect() })
}

/// Why some rows may be hidden from the role that reads; `None`: nothing that was found hides any.
///
/// # Errors
/// The server's.
pub(super) async fn hidden_rows(
    session: &Session,
    relation: &Relation,
) -> Result<Option<String>, SourceError> {
    Ok(sight(session, relation).await?.hidden)
}

/// A relation and a role that reads it.
struct Table {
    name: String,
    is_view: bool,
    /// A materialised view.
    is_stored: bool,
    owner: String,
    /// A view that reads as its caller.
    invoker: bool,
    /// Policies apply to the role.
    subject: bool,
    /// They apply to the table's owner too.
    forced: bool,
}

async fn look_up(session: &Session, oid: &str, role: &str) -> Result<Option<Table>, SourceError> {
    let rows = session.rows_with(include_str!("sql/security.sql"), &[oid, role], DOING).await?;
    Ok(rows.first().map(|row| {
        let (enabled, forced, invoker) = (flag(row, 3), flag(row, 4), flag(row, 5));
        let (exempt, owns) = (flag(row, 6), flag(row, 7));
        Table {
            name: text(row, 0),
            is_view: text(row, 1) == "v" || text(row, 1) == "m",
            is_stored: text(row, 1) == "m",
            owner: text(row, 2),
            invoker,
            subject: enabled && !exempt && (forced || !owns),
            forced,
        }
    }))
}

/// Why policies of this one table may hide rows from a role.
async fn why_hidden(
    session: &Session,
    oid: &str,
    role: &str,
    table: &Table,
) -> Result<Option<Blocked>, SourceError> {
    if !table.subject {
        return Ok(None);
    }
    let policies = session.rows_with(include_str!("sql/policies.sql"), &[oid, role], DOING).await?;
    let policies: Vec<Policy> = policies
        .iter()
        .map(|row| Policy { name: text(row, 0), permissive: flag(row, 1), using: row[2].clone() })
        .collect();
    Ok(blocking(&policies))
}

/// A function that a view calls and that may read tables.
struct Function {
    name: String,
    /// Whom it reads as.
    reader: String,
    /// Its author promises that it reads none: it is immutable, and gives one value.
    promised: bool,
}

impl Function {
    /// `row`: of `called.sql`. A function in a view reads as the view's caller, whoever owns the view,
    /// unless it has a role of its own.
    fn of(row: &TextRow, caller: &str) -> Function {
        let reader = if flag(row, 1) { text(row, 2) } else { caller.to_owned() };
        Function { name: text(row, 0), reader, promised: flag(row, 3) }
    }

    /// Why it may miss rows: a table that its role may read hides some from it.
    async fn hidden(&self, session: &Session, view: &str) -> Result<Option<String>, SourceError> {
        if self.promised {
            return Ok(None);
        }
        let within = session.rows_with(include_str!("sql/within_reach.sql"), &[&self.reader], DOING).await?;
        for oid in within.iter().map(|row| text(row, 0)) {
            let Some(table) = look_up(session, &oid, &self.reader).await? else { continue };
            let Some(Blocked { why, .. }) = why_hidden(session, &oid, &self.reader, &table).await? else {
                continue;
            };
            let (function, reader, table) = (&self.name, &self.reader, &table.name);
            return Ok(Some(format!(
                "view {view} calls function {function}, of which nobody can tell from outside which tables it \
                 reads, and row-level security on table {table} may hide rows from role {reader}: {why}; let it see \
                 all rows (alter role {reader} bypassrls), take away what it need not read (revoke select on \
                 {table} from {reader}), or read a view without the function"
            )));
        }
        Ok(None)
    }

    fn doubt(&self, view: &str) -> String {
        format!(
            "view {view} calls function {}: whether it reads tables, and whether row-level security hides rows \
             of them from it, cannot be told from outside; look at what it does",
            self.name
        )
    }
}

fn foreign_doubt(table: &str) -> String {
    format!(
        "{table} is a foreign table: whether row-level security of its own server hides rows cannot be told \
         from here; compare its number of rows with what the owner of the table counts there"
    )
}

/// A relation, and through what it is read where that is another one.
fn shown(relation: &Relation, name: &str, direct: bool) -> String {
    if direct { name.to_owned() } else { format!("{name} (read through {})", relation.sql()) }
}

/// A policy that applies to the reading role.
#[derive(Debug)]
struct Policy {
    name: String,
    permissive: bool,
    /// `USING`, where there is one.
    using: Option<String>,
}

/// Policies that may hide rows.
#[derive(Debug)]
struct Blocked {
    why: String,
    /// A restrictive policy does, which no further policy can widen.
    restricts: bool,
}

/// Whether these policies may hide rows; `None`: they let every row through.
fn blocking(policies: &[Policy]) -> Option<Blocked> {
    let lets_all = |policy: &&Policy| policy.using.as_deref() == Some("true");
    let shown = |policy: &Policy| {
        format!(
            "policy {:?} lets through only rows where {}",
            policy.name,
            policy.using.as_deref().unwrap_or("true")
        )
    };
    // A restrictive policy without USING restricts nothing.
    let narrow =
        policies.iter().find(|policy| !policy.permissive && policy.using.is_some() && !lets_all(policy));
    if let Some(narrow) = narrow {
        return Some(Blocked { why: shown(narrow), restricts: true });
    }
    if policies.iter().filter(|policy| policy.permissive).any(|policy| lets_all(&policy)) {
        return None;
    }
    let why = match policies.iter().find(|policy| policy.permissive && policy.using.is_some()) {
        Some(policy) => shown(policy),
        None => "no policy lets this role see any row".to_owned(),
    };
    Some(Blocked { why, restricts: false })
}

/// What may hide rows, and the ways out that there are.
fn sentence(shown: &str, table: &Table, role: &str, blocked: &Blocked) -> String {
    let mut ways = format!("alter role {role} bypassrls");
    if !table.forced {
        ways.push_str(", or use a role that owns the table");
    }
    if !blocked.restricts {
        let name = &table.name;
        ways.push_str(&format!(
            ", or create policy reckon_reads on {name} for select to {role} using (true)"
        ));
    }
    let why = &blocked.why;
    format!(
        "row-level security on table {shown} may hide rows from role {role}: {why}; let the job see all rows: \
         {ways}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ways_out_that_lead_out_are_named() {
        for (forced, restricts, owns, creates) in
            [(false, false, true, true), (true, false, false, true), (false, true, true, false)]
        {
            let table = Table {
                name: "public.t".to_owned(),
                is_view: false,
                is_stored: false,
                owner: "o".to_owned(),
                invoker: false,
                subject: true,
                forced,
            };
            let said = sentence("public.t", &table, "job", &Blocked { why: "w".to_owned(), restricts });
            assert!(said.contains("alter role job bypassrls"), "{said}");
            assert_eq!(said.contains("owns the table"), owns, "{said}");
            assert_eq!(said.contains("create policy"), creates, "{said}");
        }
    }

    #[test]
    fn only_policies_that_let_every_row_through_pass() {
        let policy = |permissive: bool, using: &str| Policy {
            name: "p".to_owned(),
            permissive,
            using: (!using.is_empty()).then(|| using.to_owned()),
        };
        let cases: [(&[(bool, &str)], bool); 8] = [
            (&[], false),
            (&[(true, "true")], true),
            (&[(true, "(user_id = 1)")], false),
            (&[(true, "(user_id = 1)"), (true, "true")], true),
            (&[(true, "true"), (false, "(user_id = 1)")], false),
            (&[(true, "true"), (false, "true")], true),
            (&[(false, "true")], false),
            (&[(true, "")], false),
        ];
        for (policies, passes) in cases {
            let list: Vec<Policy> =
                policies.iter().map(|(permissive, using)| policy(*permissive, using)).collect();
            assert_eq!(blocking(&list).is_none(), passes, "{policies:?}");
        }
    }
}
