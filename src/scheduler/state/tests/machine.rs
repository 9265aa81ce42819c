//! Short histories of any kind, with everything checked after each step. A failing history is made as short as
//! possible.

use proptest::prelude::*;

use super::choices::Choices;
use super::world::World;
use super::*;

fn any_wear() -> impl Strategy<Value = Wear> {
    prop_oneof![
        3 => Just(Wear::default()),
        1 => Just(Wear { tasks: 3, ..Wear::default() }),
        1 => Just(Wear { age: 1_500_000_000, ..Wear::default() }),
        1 => Just(Wear { one_task: true, ..Wear::default() }),
    ]
}

/// 200 cases, which fit into each run of the tests, unless `PROPTEST_CASES` wants another number.
fn config() -> ProptestConfig {
    let wanted = ProptestConfig::default();
    let cases = std::env::var_os("PROPTEST_CASES").map_or(200, |_| wanted.cases);
    ProptestConfig {
        cases,
        max_shrink_iters: 3000,
        ..wanted
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_happens_in_whatever_order_the_counts_hold_and_each_task_settles_once(
        choices in prop::collection::vec(any::<u32>(), 0..1500),
        wear in any_wear(),
    ) {
        let mut world = World::new(Choices::List(choices.into_iter()), wear);
        while !world.choices.are_used_up() {
            world.step();
            world.state.check();
        }
        world.finish();
        world.is_at_rest();
    }
}
