//! The gate as a whole.

use super::world::World;

#[test]
fn a_table_that_nobody_needs_may_go() {
    let world = World::new("go");
    world.fresh_gate().must_be_go();
}
