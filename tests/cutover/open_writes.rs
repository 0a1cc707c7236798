//! Who is in the middle of writing, and what acts on the statements that retire the table.

use std::process::{Command, Stdio};

use super::world::World;
use crate::postgres::cluster::{Cluster, OPEN_HBA};

const WRITE: &str = "begin; update a.token_transactions set source = source;";
const LOCKS: &str = "select count(*) from pg_locks
    where mode = 'RowExclusiveLock' and relation = 'a.token_transactions'::regclass";

#[test]
fn a_writer_in_the_middle_of_its_transaction_is_in_the_way() {
    let cluster = Cluster::start(&["max_prepared_transactions = 2"], OPEN_HBA).leak();
    let world = World::on(cluster, "open");
    world.fresh_gate().must_be_go();

    world.db.sql(&format!("{WRITE} prepare transaction 'half done'"));
    let gate = world.fresh_gate();
    assert_eq!(gate.evidence("legacy_writes"), ["prepared transaction half done certain"]);
    assert_eq!((gate.ok("legacy_writes").as_str(), gate.reasons()), ("false", vec!["legacy_writes"]));
    world.db.sql("rollback prepared 'half done'");
    world.db.sql("select pg_sleep(0.2)");
    world.fresh_gate().must_be_go();

    let mut writer = Command::new(cluster.program("psql"))
        .args(["--quiet", "--dbname", &world.db.url()])
        .args(["--command", &format!("{WRITE} select pg_sleep(300)")])
        .env("PGAPPNAME", "slow importer")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while world.db.value(LOCKS) == "0" {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let pid = world.db.value("select pid from pg_stat_activity where application_name = 'slow importer'");
    let gate = world.fresh_gate();
    assert_eq!(gate.evidence("legacy_writes"), [format!("session pid {pid} certain")]);
    let detail = gate.check("legacy_writes")["evidence"][0]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("role postgres, application slow importer"), "{detail}");
    world.db.sql(&format!("select pg_terminate_backend({pid})"));
    writer.wait().unwrap();
    world.db.sql("select pg_sleep(0.2)");
    world.fresh_gate().must_be_go();
}

#[test]
fn an_event_trigger_on_what_retires_the_table_is_named_and_not_in_the_way() {
    let world = World::new("event_triggers");
    world.db.sql(
        "create function public.watch() returns event_trigger language plpgsql as $$ begin end $$;
         create event trigger drops on sql_drop execute function public.watch();
         create event trigger starts on ddl_command_start when tag in ('DROP TABLE', 'DROP VIEW')
           execute function public.watch();
         create event trigger others on ddl_command_start when tag in ('CREATE VIEW') execute function public.watch();
         create event trigger off on sql_drop execute function public.watch();
         alter event trigger off disable;",
    );
    let gate = world.fresh_gate();
    gate.must_be_go();
    assert_eq!(gate.evidence("triggers"), ["event trigger drops note", "event trigger starts note"]);
    world.db.sql("drop function public.watch() cascade");
}
