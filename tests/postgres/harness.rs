//! The test server itself.

use super::cluster::Cluster;

#[test]
fn every_test_gets_a_database_of_its_own_on_one_server() {
    let (one, two) = (Cluster::shared().database("one"), Cluster::shared().database("two"));
    one.sql("create table t (a int, b text); insert into t values (1, 'x''y'), (2, null);");
    assert_eq!(one.query("select a, b from t order by a"), [["1", "x'y"], ["2", ""]]);
    assert!(two.try_sql("select * from t").unwrap_err().contains("does not exist"));
}

#[test]
fn a_csv_file_is_loaded_by_the_names_of_its_header_and_the_digest_knows_no_order() {
    let db = Cluster::shared().database("csv");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, "b,a\nzwei,2\n,1\n").unwrap();
    db.sql("create table t (a int, b text); create table u (a int, b text);");
    db.load_csv("t", &file);
    db.sql("insert into u values (1, null), (2, 'zwei')");
    assert_eq!(db.digest("t"), db.digest("u"));
    db.sql("update u set a = 3 where a = 2");
    assert_ne!(db.digest("t"), db.digest("u"));
}
